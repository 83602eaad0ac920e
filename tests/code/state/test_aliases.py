"""A container of a module's state that has other holders than its name: they all have the one that is kept."""

from __future__ import annotations

from .conftest import kept

ALIASES = """
import functools
X = {}
def make(x):
    def get(): return x
    return get
def wrap(x):
    def wrapper(f):
        return lambda: f(x)
    return wrapper
class Room:
    x = X
    xs = [X]
@wrap(X)
def wrapped(x): return x
def default(x=X): return x
enclosed, bound, partly = make(X), X.get, functools.partial(dict.get, X)
pair, many = (X, 1), [X]
def f(): return 1
"""


def test_whatever_holds_a_container_holds_the_one_that_is_kept(thing):
    """Closures, defaults, attributes of classes, methods of its own, partials, tuples, lists."""
    thing.load(ALIASES)
    old = thing.module.X
    old["a"] = 1

    report = thing.edit("return 1", "return 2")

    module = thing.module
    assert module.X is old
    assert {each.outcome for each in report.state} == {"kept"}
    found = (module.enclosed(), module.wrapped(), module.default(), module.Room.x, module.Room.xs[0], module.pair[0])
    assert all(each is old for each in (*found, module.many[0]))
    assert (module.bound("a"), module.partly("a")) == (1, 1)


def test_so_it_is_when_the_class_with_it_is_edited(thing):
    """A new class has the attribute of the old one."""
    thing.load(ALIASES)
    old = thing.module.X
    old["a"] = 1

    thing.edit("    xs = [X]", "    xs = [X]\n    limit = 3")

    assert thing.module.X is old
    assert thing.module.Room.x is old
    assert thing.module.Room.xs[0] is old


def test_what_the_arguments_of_a_partial_hold_is_kept(thing):
    """By place and by name; whatever becomes of its function."""
    thing.load("import functools\ndef g(a, **more): return a, 1\np = functools.partial(g, {}, many=[])\n")
    thing.module.p()[0]["a"] = 1
    thing.module.p.keywords["many"].append(1)

    report = thing.edit("return a, 1", "return a, 2")

    assert thing.module.p() == ({"a": 1}, 2)
    assert thing.module.p.keywords["many"] == [1]
    assert kept(report) == ["p(0) (1)", "p(many) (1)"]
