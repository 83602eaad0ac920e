"""Result caches, registrations of others, values that somebody replaced, and modules whose base is not known."""

from __future__ import annotations

import functools
import sys
from unittest import mock

from midflight import code
from midflight.code.lowlevel import watch_imports

from .conftest import told


def test_a_result_cache_starts_empty_and_it_is_said_how_many_results_went(thing):
    """`lru_cache`."""
    thing.load("import functools\n@functools.lru_cache\ndef vat(n): return n\ndef f(): return 1\n")
    for n in range(12):
        thing.module.vat(n)

    report = thing.edit("return 1", "return 2")

    assert thing.module.vat.cache_info().currsize == 0
    assert told(report, "vat") == [("lost", "it is a cache, and starts empty: 12 results went")]


def test_what_others_have_registered_in_a_singledispatch_is_in_the_new_one(thing):
    """What the module itself registers is the new text's."""
    thing.load(
        "import functools\n@functools.singledispatch\ndef show(x): return 'any'\n"
        "@show.register\ndef _(x: int): return 'int1'\n"
    )

    @thing.module.show.register
    def theirs(x: str):
        return "theirs"

    thing.edit("int1", "int2")

    assert [thing.module.show(each) for each in (1, "a", None)] == ["int2", "theirs", "any"]


def test_a_function_that_was_replaced_from_outside_is_the_text_s_and_the_loss_is_named(thing):
    """By a tracer, say."""
    thing.load("def f(): return 1\ndef g(): return 1\n")
    thing.module.f = functools.wraps(thing.module.f)(lambda: 50)

    report = thing.edit("def g(): return 1", "def g(): return 2")

    assert thing.module.f() == 1
    assert told(report, "f") == [("lost", "it was replaced from outside; the text stands, so what replaced it is gone")]


def test_a_value_that_a_mock_has_replaced_is_the_text_s(thing):
    """And that is named."""
    thing.load("X = {}\nY = 1\n")
    thing.module.X, thing.module.Y = mock.MagicMock(), mock.Mock()

    report = thing.again()

    assert (thing.module.X, thing.module.Y) == ({}, 1)
    assert "replaced from outside" in told(report, "X")[0][1]
    assert "replaced from outside" in told(report, "Y")[0][1]


def test_without_a_base_the_old_object_stays_and_the_new_body_s_keys_are_added(project):
    """Of a module that was imported before anybody looked, with the text unchanged."""
    path = project.write("early.py", "N = 1\nX = {'a': 1}\nhits = 0\ndef hit():\n    global hits\n    hits = 7\n")
    sys.path.insert(0, str(project.root))
    __import__("early")
    module = sys.modules["early"]
    x = module.X
    x["late"] = 1
    module.hit()

    code.load(path, "N = 2\nX = {'a': 1, 'b': 2}\nhits = 0\ndef hit(): pass\n".replace(", 'b': 2", ""))

    assert module.X is x
    assert x == {"a": 1, "late": 1}
    assert module.hits == 7
    assert module.N == 2


def test_what_the_body_of_an_imported_module_made_is_known(project):
    """From its import on: an item deleted at run time stays deleted, a scalar that differs is new."""
    watch_imports()
    text = "import time\nX = {'a': 1, 'b': 1}\nSTARTED = time.perf_counter_ns()\nhits = 0\n"
    path = project.write("noted.py", text)
    sys.path.insert(0, str(project.root))
    __import__("noted")
    module = sys.modules["noted"]
    x, started = module.X, module.STARTED
    del x["a"]
    module.hits = 7

    report = code.load(path, text + "# more\n")

    assert module.X is x
    assert x == {"b": 1}
    assert module.hits == 7
    assert started < module.STARTED
    assert told(report, "STARTED")[0][0] == "new"
