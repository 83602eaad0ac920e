"""What keeps an old version, told in words, one test a kind of keeper."""

from __future__ import annotations

import functools
import gc
import sys
import types

import pytest

from midflight import code
from midflight.code import UnknownModuleError, UnknownVersionError

THING = """\
class Item:
    def price(self):
        return {number}

def f():
    return {number}

def fails():
    return 1 / 0

async def loop():
    await receive()

def adder():
    seen = []
    return lambda: seen
"""


def load(stage, number):
    """Load version `number` of `thing`; each of its functions and classes differs from those before."""
    return stage.load(THING.format(number=number))


def why(version=1):
    """Return the texts of the keepers."""
    return [each.text for each in code.why_alive("thing", version).keepers]


def test_a_version_that_nothing_keeps_is_gone(stage):
    """And the answer says so."""
    load(stage, 1)
    load(stage, 2)

    found = code.why_alive("thing", 1)

    assert not found.is_alive
    assert found.keepers == ()
    assert found.text() == "thing version 1 is gone: nothing can run it any more. Its text is kept.\n"


def test_the_current_version_is_kept_by_being_current(stage):
    """Nobody looks further."""
    load(stage, 1)

    found = code.why_alive("thing", 1)

    assert (found.is_alive, found.is_current, [each.kind for each in found.keepers]) == (True, True, ["current"])


def test_a_process_in_it_is_named_with_its_place(stage):
    """Those at one place are told together."""
    load(stage, 1)
    first, _ = stage.begin(function="loop", name="one"), stage.begin(function="loop")
    load(stage, 2)

    line = THING.splitlines().index("    await receive()") + 1 + 6
    assert why() == [f"process {first!r} (one), which runs loop, at line {line}, and 1 more at that place"]


def test_a_process_that_has_not_begun_is_told_apart(stage):
    """It was spawned with a function of the version."""
    load(stage, 1)
    pid = stage.runtime.spawn(sys.modules["thing"].loop)
    stage.pids.append(pid)
    load(stage, 2)

    assert why() == [f"process {pid!r}, which was spawned to run loop, and has not begun"]


def test_an_import_elsewhere_is_named(stage):
    """By module and name, also under another name."""
    load(stage, 1)
    stage.project.load_text("shop", "from thing import f\nfrom thing import Item as Thing\n")
    load(stage, 2)

    assert sorted(why()) == ["shop.Thing, which holds Item", "shop.f, which was imported from it"]


def test_a_closure_in_a_list_of_a_module_is_named(stage):
    """With the list and the module that has it."""
    load(stage, 1)
    stage.project.load_text("shop", "import thing\nhandlers = []\ndef fill():\n    handlers.append(thing.adder())\n")
    sys.modules["shop"].fill()
    load(stage, 2)

    assert why() == ["shop.handlers, which holds adder.<locals>.<lambda> in a list"]


def test_a_bound_method_and_its_object_are_named(stage):
    """The object keeps its class, and that the version."""
    load(stage, 1)
    stage.project.load_text("shop", "import thing\nprice = thing.Item().price\n")
    load(stage, 2)

    found = why()
    assert "1 object of its class Item" in found
    assert "shop.price, which holds the bound method Item.price" in found


def test_objects_are_counted_by_class(stage):
    """All of them, though only some are followed to who has them."""
    load(stage, 1)
    stage.project.load_text(
        "shop", "import thing\nitems = {}\ndef fill():\n    items.update((n, thing.Item()) for n in range(10))\n"
    )
    sys.modules["shop"].fill()
    load(stage, 2)

    found = why()

    assert "10 objects of its class Item" in found
    assert "shop.items, which holds an object of Item in a dict" in found


def test_a_partial_in_an_attribute_of_an_object_is_named(stage):
    """The object is named by its class."""
    load(stage, 1)
    held = stage.project.load_text("shop", "class Shop: pass\nshop = Shop()\n")
    assert held.version == 1
    shop = sys.modules["shop"].shop
    shop.each = functools.partial(sys.modules["thing"].f)
    load(stage, 2)

    assert why() == ["shop.shop, which holds a partial of f in an object of Shop"]


def test_a_process_elsewhere_that_holds_a_function_is_named(stage):
    """With the local name by which it does."""
    load(stage, 1)
    stage.project.load_text(
        "shop", "from midflight import receive\n\nasync def wait(callback):\n    await receive()\n    callback()\n"
    )
    pid = stage.begin_in(sys.modules["shop"].wait, sys.modules["thing"].f)
    load(stage, 2)

    assert why() == [f"process {pid!r}, at wait:4, which holds f as callback"]


def test_a_message_that_waits_is_named(stage):
    """It is in the mailbox of a process that does not take it."""
    load(stage, 1)
    stage.project.load_text("shop", "from midflight import receive\n\nasync def wait():\n    await receive('go')\n")
    pid = stage.begin_in(sys.modules["shop"].wait)
    stage.send(pid, ("call", sys.modules["thing"].f))
    load(stage, 2)

    assert any(f"process {pid!r}" in text and "f in a tuple in its mailbox" in text for text in why())


def test_a_traceback_that_is_kept_is_named(stage):
    """An exception keeps the frames that it came through."""
    load(stage, 1)
    kept = []
    try:
        sys.modules["thing"].fails()
    except ZeroDivisionError as error:
        kept.append(error)
    load(stage, 2)

    assert why() == ["a traceback that somebody keeps, with a call of fails in it"]
    kept.clear()
    gc.collect()
    assert why() == []


def test_a_suspended_call_of_an_asyncio_task_is_named(stage):
    """A coroutine that somebody holds and nobody runs."""
    load(stage, 1)
    shop = types.ModuleType("shop_of_coroutines")
    shop.waiting = sys.modules["thing"].loop()
    sys.modules["shop_of_coroutines"] = shop
    try:
        load(stage, 2)

        assert any("shop_of_coroutines.waiting, which holds a suspended call of loop:" in text for text in why())
    finally:
        shop.waiting.close()
        del sys.modules["shop_of_coroutines"]


def test_a_look_holds_nothing(stage):
    """Afterwards the version goes when its keeper does."""
    load(stage, 1)
    kept = [sys.modules["thing"].adder()]
    load(stage, 2)
    assert code.why_alive("thing", 1).is_alive

    kept.clear()
    gc.collect()

    assert not code.version_history("thing")[0].is_alive


def test_what_never_was_is_an_error(stage):
    """Of the kind that `source` raises, too."""
    load(stage, 1)

    with pytest.raises(UnknownVersionError):
        code.why_alive("thing", 7)
    with pytest.raises(UnknownModuleError):
        code.why_alive("nothing", 1)
