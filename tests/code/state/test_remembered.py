"""What definitions remember and a load makes again: caches in classes, and objects of decorators. It is named."""

from __future__ import annotations

import pytest

from .conftest import told


def test_a_cache_in_a_superseded_class_is_named_and_one_in_a_kept_class_has_its_results(thing):
    """Of methods, static ones, and those of inner classes."""
    thing.load(
        "import functools\nclass A:\n    @functools.lru_cache\n    def m(self): return 1\n"
        "    @staticmethod\n    @functools.cache\n    def s(n): return n\n"
        "    class B:\n        @functools.cache\n        def m(self): return 2\n"
        "class C:\n    @functools.cache\n    def m(self): return 3\n"
    )
    module = thing.module
    for each in (module.A().m, module.A.B().m, module.C().m, lambda: module.A.s(1), lambda: module.A.s(2)):
        each()

    report = thing.edit("return 1", "return 10")

    words = "it is a cache, and starts empty: {} went"
    assert told(report, "A.m") == told(report, "A.B.m") == [("lost", words.format("1 result"))]
    assert told(report, "A.s") == [("lost", words.format("2 results"))]
    assert module.C.m.cache_info().currsize == 1
    assert told(report, "C.m") == []


@pytest.mark.parametrize("definition", ["def g(n): return n", "class g: pass"])
def test_what_an_object_remembers_that_a_decorator_makes_again_is_named(thing, definition):
    """A container that it makes empty, and that the program has filled; no other."""
    thing.load(
        "class memo:\n    def __init__(self, what):\n        self.what, self.seen, self.names = what, {}, ['a']\n"
        f"@memo\n{definition}\ndef f(): return 1\n"
    )
    thing.module.g.seen[3] = 3

    report = thing.edit("return 1", "return 2")

    assert thing.module.g.seen == {}
    assert told(report, "g.seen") == [
        ("lost", "it is in an object that a decorator makes again, so it begins again: 1 item went")
    ]
    assert [each.name for each in report.state] == ["g.seen"]
