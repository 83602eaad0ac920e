"""Containers in a module's state: the same object over a load, merged with what the new body makes."""

from __future__ import annotations

import threading

import pytest

from midflight import code

from .conftest import kept, told


@pytest.mark.parametrize(
    ("made", "fill"),
    [
        ("{}", lambda x: x.update(a=1)),
        ("set()", lambda x: x.add(1)),
        ("[]", lambda x: x.append(1)),
        ("deque()", lambda x: x.append(1)),
        ("deque(maxlen=3)", lambda x: x.extend([1, 2, 3, 4])),
        ("bytearray()", lambda x: x.extend(b"a")),
        ("defaultdict(list)", lambda x: x["a"].append(1)),
        ("OrderedDict()", lambda x: x.update(a=1)),
        ("Counter()", lambda x: x.update("aab")),
        ("WeakValueDictionary()", lambda x: x.update(a=threading)),
        ("WeakSet()", lambda x: x.add(threading)),
        ("ChainMap()", lambda x: x.update(a=1)),
        ("UserDict()", lambda x: x.update(a=1)),
        ("{'a': {'b': []}}", lambda x: x["a"]["b"].append(1)),
    ],
)
@pytest.mark.parametrize("rest", ["", "use(X)\n", "def use_it(x=X): return x\n"])
def test_a_container_that_was_filled_stays_the_same_object(thing, made, fill, rest):
    """Whatever else the body does with it: what the program put in is in it."""
    head = "from collections import *\nfrom collections import UserDict\nfrom weakref import *\ndef use(x): len(x)\n"
    thing.load(f"{head}X = {made}\n{rest}def f(): return 1\n")
    old = thing.module.X
    fill(old)
    before = repr(old)

    report = thing.edit("return 1", "return 2")

    if rest.startswith("use") and type(old).__name__ == "ChainMap":
        assert told(report, "X")[0][0] == "new"  # an object that the body does more with
        return
    assert thing.module.X is old
    assert repr(old) == before
    assert "X" in " ".join(kept(report))
    if "use_it" in rest:
        assert thing.module.use_it() is old


def test_the_one_line_names_what_was_kept(thing):
    """With sizes."""
    thing.load("CACHE = {}\nhits = 0\ndef f(): return 1\n")
    thing.module.CACHE.update(dict.fromkeys(range(412)))
    thing.module.hits = 3

    report = thing.edit("return 1", "return 2")

    assert code.summary(report).partition(" (")[0] == "thing v2 loaded: f changed; kept state: CACHE"
    assert "kept state: CACHE (412), hits (" in code.summary(report)


def test_containers_are_merged_at_every_depth(thing):
    """What the body makes otherwise comes; what the program did stays."""
    thing.load("LIMIT = 1\nCONFIG = {'a': {'limit': LIMIT, 'x': 1}, 'b': [LIMIT]}\n")
    config = thing.module.CONFIG
    config["a"]["x"], config["late"] = 5, 1
    config["b"].append("late")
    inner = config["a"]

    thing.edit("LIMIT = 1", "LIMIT = 2")

    assert thing.module.CONFIG is config
    assert config == {"a": {"limit": 2, "x": 5}, "b": [2, "late"], "late": 1}
    assert config["a"] is inner
    thing.edit("LIMIT = 2", "LIMIT = 3")
    assert config == {"a": {"limit": 3, "x": 5}, "b": [3, "late"], "late": 1}


def test_an_item_that_all_three_make_otherwise_stays_and_is_named(thing):
    """By its path."""
    thing.load("LIMIT = 1\nCONFIG = {'a': {'limit': LIMIT}}\n")
    thing.module.CONFIG["a"]["limit"] = 7

    report = thing.edit("LIMIT = 1", "LIMIT = 2")

    assert thing.module.CONFIG == {"a": {"limit": 7}}
    assert (
        "conflict",
        "CONFIG['a']['limit'] was changed at run time and in the text: the running value stays",
    ) in told(report, "CONFIG")


REGISTRY = """
HANDLERS = {}
def on(name):
    def register(function):
        HANDLERS.setdefault(name, []).append(function)
        return function
    return register
@on("a")
def first(): return 1
@on("a")
def second(): return 1
"""


def test_a_registry_has_the_new_functions_and_what_others_put_in(thing):
    """None is there twice; one that is gone from the text is gone; one that is added comes in its place."""
    thing.load(REGISTRY)
    handlers = thing.module.HANDLERS
    handlers["a"].append(len)
    handlers["theirs"] = [len]

    thing.edit("return 1", "return 2")
    assert [each() if each is not len else each for each in handlers["a"]] == [2, 2, len]
    assert thing.module.HANDLERS is handlers

    thing.edit('@on("a")\ndef first', "def first")
    assert [each.__name__ for each in handlers["a"]] == ["second", "len"]
    thing.edit("def first", '@on("b")\ndef first')
    assert {name: len(each) for name, each in handlers.items()} == {"b": 1, "a": 2, "theirs": 1}
    assert handlers["theirs"] == [len]


def test_a_registry_of_classes_by_init_subclass(thing):
    """Its classes are the current ones."""
    thing.load(
        "PLUGINS = []\nclass Base:\n    def __init_subclass__(cls): PLUGINS.append(cls)\n"
        "class A(Base):\n    def f(self): return 1\nclass B(Base): pass\n"
    )
    plugins = thing.module.PLUGINS

    thing.edit("return 1", "return 2")

    assert thing.module.PLUGINS is plugins
    assert [each is getattr(thing.module, each.__name__) for each in plugins] == [True, True]
    assert [each.__name__ for each in plugins] == ["A", "B"]


def test_the_order_is_the_new_body_s_and_then_the_rest(thing):
    """First match wins."""
    thing.load("ROUTES = {}\ndef get(path):\n    ROUTES[path] = 1\nget('/a')\nget('/')\n")
    routes = thing.module.ROUTES
    routes["/late"] = 1

    thing.edit("get('/a')", "get('/b')\nget('/a')")

    assert list(routes) == ["/b", "/a", "/", "/late"]


def test_elements_that_cannot_be_told_apart_stay_and_it_is_said(thing):
    """Equal ones, moved at run time."""
    thing.load("N = 1\nX = [N, N]\n")
    x = thing.module.X
    x.insert(0, 5)

    report = thing.edit("N = 1", "N = 2")

    assert thing.module.X is x
    assert x == [5, 1, 1]
    assert "cannot be told" in told(report, "X")[0][1]


def test_an_item_deleted_at_run_time_stays_deleted_and_a_deleted_name_is_bound_again(thing):
    """The second is told."""
    thing.load("X = {'a': 1, 'b': 1}\nY = []\ndef f(): return 1\nX['c'] = f\n")
    x = thing.module.X
    del x["a"], thing.module.Y

    report = thing.edit("return 1", "return 2")

    assert list(x) == ["b", "c"]
    assert thing.module.Y == []
    assert told(report, "Y") == [("note", "it was deleted at run time, and is bound again")]


def test_a_container_of_more_than_ten_thousand_items_is_kept_whole_and_it_is_said(thing):
    """Nobody can tell its items apart."""
    thing.load("def f(): return 1\nX = {n: f for n in range(10_001)}\n")
    x = thing.module.X

    report = thing.edit("return 1", "return 2")

    assert thing.module.X is x
    assert "more than 10,000 items" in told(report, "X")[0][1]


def test_a_loop_that_is_in_the_midst_of_a_container_makes_it_wait(thing):
    """Its size must not change; the next load merges."""
    thing.load("X = {}\ndef add(n): X[n] = 1\nadd('a')\n")
    x = thing.module.X
    x["late"] = 1

    def walk():
        yield from x

    loop = walk()
    assert next(loop) == "a"
    report = thing.edit("add('a')", "add('a')\nadd('b')")

    assert thing.module.X is x
    assert told(report, "X") == [
        ("waits", "it waits: a loop is in the midst of it, so the new body's items are not in it; load once more")
    ]
    assert list(loop) == ["late"]
    thing.again()
    assert list(x) == ["a", "b", "late"]


def test_a_name_bound_to_another_container_at_run_time_keeps_that(thing):
    """`global CACHE; CACHE = {}`."""
    thing.load("CACHE = {}\ndef clear():\n    global CACHE\n    CACHE = {'fresh': 1}\ndef f(): return 1\n")
    thing.module.clear()
    now = thing.module.CACHE

    report = thing.edit("return 1", "return 2")

    assert thing.module.CACHE is now
    assert kept(report) == ["CACHE (1)"]


def test_state_kept_over_many_loads(thing):
    """Always against the version before."""
    thing.load("X = {}\nN = 0\ndef add(n): X[n] = N\nadd('a')\n")
    x = thing.module.X
    for number in range(1, 6):
        x[f"late{number}"] = number
        thing.edit(f"N = {number - 1}", f"N = {number}")

    assert thing.module.X is x
    assert x == {"a": 5, "late1": 1, "late2": 2, "late3": 3, "late4": 4, "late5": 5}


def test_members_of_an_edited_enum_are_the_same_keys(thing):
    """The value that the program stored under a member stays, and the report names no conflict."""
    thing.load("import enum\nclass C(enum.Enum):\n    A = 1\nMAP = {C.A: 'x'}\n")
    thing.module.MAP[thing.module.C.A] = "run"

    report = thing.edit("A = 1", "A = 1\n    B = 2")

    assert thing.module.MAP == {thing.module.C.A: "run"}
    assert [outcome for outcome, _ in told(report, "MAP")] == ["kept"]


def test_the_members_of_an_edited_enum_in_the_state_are_told_of_once(thing):
    """Not again as members that others hold, among them the notes that a version keeps of its own state."""
    thing.load("import enum\nclass C(enum.Enum):\n    A = 1\nMAP = {'c': C.A}\nSET = {C.A}\nLINE = [C.A]\nNOW = C.A\n")
    module = thing.module
    module.MAP["x"] = module.NOW
    module.LINE.append(module.NOW)

    report = thing.edit("A = 1", "A = 1\n    B = 2")

    assert module.MAP == {"c": module.C.A, "x": module.C.A}
    a = module.C.A
    assert (*module.LINE, *module.SET, module.NOW) == (a, a, a, a)
    ((outcome, why),) = told(report, "C")
    assert outcome == "migrated"
    assert "in the kept state took the new class" in why
