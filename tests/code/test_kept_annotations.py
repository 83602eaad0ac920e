"""Annotations of a kept class: they mean what they meant, in the new version, and do not run before somebody asks."""

from __future__ import annotations

import sys
import typing

import pytest

from helpers.identity import load_twice, namespace_of_the_first

late = pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations run with the def")

ANNOTATED = """
    from __future__ import annotations
    import functools
    from dataclasses import dataclass
    def wrapped(f):
        @functools.wraps(f)
        def g(*a): return f(*a)
        return g
    class K:
        x: Later
        class Inner: pass
        def f(self, a: Later, b: Inner | None = None) -> K: return self
        @staticmethod
        def s(a: int) -> int: return a
        g = functools.wraps(f)(lambda *a: __name__)
        h = functools.partialmethod(f, 1)
    @dataclass
    class Point:
        x: Later
        y: list[Later] | None = None
    class Later: pass
    """


@pytest.mark.parametrize("are_late", [False, pytest.param(True, marks=late)])
def test_annotations_of_a_kept_class_mean_what_they_meant(project, are_late):
    """Names that are bound further down too: they are looked up when somebody asks, from Python 3.14 on anyway."""
    text = ANNOTATED.replace("from __future__", "# from __future__", int(are_late))

    assert load_twice(project, text).kept == ("K", "Point", "Later")

    thing = sys.modules["thing"]
    hints = [typing.get_type_hints(each) for each in (thing.K, thing.Point, thing.Point.__init__, thing.K.s)]
    later, more = {"x": thing.Later}, {"y": list[thing.Later] | None}
    assert hints == [later, later | more, later | more | {"return": type(None)}, {"a": int, "return": int}]
    assert namespace_of_the_first() is None


@late
def test_annotations_of_a_kept_class_do_not_run(project):
    """A name may be there for a type checker only."""
    text = "class K:\n    x: Missing\n    def f(self, a: Missing[boom()]): pass\n"

    assert load_twice(project, text).kept == ("K",)

    annotate = sys.modules["thing"].K.f.__annotate__
    assert annotate.__globals__ is vars(sys.modules["thing"])
    assert namespace_of_the_first() is None


def test_who_has_called_a_method_of_a_kept_class_calls_the_one_that_has_moved(project):
    """The interpreter remembers what it has found in a class: it must be told, whatever holds its dictionary."""
    text = "import sys\nclass K:\n    def f(self, x: int): pass\n    def g(self): return sys._getframe().f_globals\n"
    project.load_text("thing", text)
    kept = sys.modules["thing"].K()

    def call():
        return kept.g()["__midflight_version__"]

    assert {call() for _ in range(100)} == {1}

    assert load_twice(project, text).kept == ("K",)

    assert {call() for _ in range(100)} == {3}
