"""Breaking a load off before its commit: nothing has changed then, and whoever loads is told by whom and where."""

from __future__ import annotations

import asyncio
import sys
import threading

import pytest

from helpers.faults import world
from helpers.gates import SECONDS, Loader, wait_for
from helpers.ledgers import (
    HOLD,
    TO_A_DICT,
    answers,
    be_top,
    current,
    ledger,
    load_ledger,
    start_ledgers,
    upgrade_ledger,
)
from midflight import code, receive
from midflight.code import LoadInterrupted, lowlevel


def the_load():
    """Return the number of the only load under way."""
    (found,) = code.loads()
    return found.number


def test_a_body_of_python_code_is_broken_into(project, gates):
    """The refusal says by whom, after how long and where; the version before stays current, the next load goes well."""
    project.load("thing_v1")
    text = "def spin():\n    GATES['spin'].reached.set()\n    while True: pass\n\nspin()\n"
    loader = Loader(project.write("thing.py", text))
    assert gates["spin"].reached.wait(SECONDS)

    assert code.break_off(the_load(), "Emacs 28.2, connection 2") == "ended"

    error = loader.outcome()
    assert isinstance(error, LoadInterrupted), error
    assert str(error).startswith("thing not loaded: broken off by Emacs 28.2, connection 2 after 0.")
    assert ", at thing.py:3 in spin. Version 1 stays current. Load again." in str(error)
    assert error.report.refusals[0].code == "broken-off"
    assert sys.modules["thing"].which() == 1
    assert project.load("thing_v2").version == 2


def test_nothing_is_left_of_a_first_load_that_was_broken_off(project, runtime, gates):
    """Neither the module, nor its text, nor its folder on the search path."""
    path = project.write(
        "fresh.py", "from midflight.code import once\nonce('x', list)\nGATES['g'].reached.set()\nwhile True: pass\n"
    )
    project.load_text("other", "")
    before = world(runtime, "fresh")
    loader = Loader(path)
    assert gates["g"].reached.wait(SECONDS)

    assert code.break_off(the_load(), "me") == "ended"

    assert isinstance(loader.outcome(), LoadInterrupted)
    assert world(runtime, "fresh") == before
    assert code.loads() == ()


@pytest.mark.parametrize("caught", ["KeyboardInterrupt", "BaseException"])
def test_a_body_that_catches_the_interrupt_once_is_refused_all_the_same(project, gates, caught):
    """Whoever asked for the end must not find the version current."""
    project.load("thing_v1")
    text = f"try:\n    GATES['g'].reached.set()\n    while True: pass\nexcept {caught}:\n    pass\n"
    loader = Loader(project.write("thing.py", text))
    assert gates["g"].reached.wait(SECONDS)

    assert code.break_off(the_load(), "me") == "ended"

    assert isinstance(loader.outcome(), LoadInterrupted)
    assert sys.modules["thing"].which() == 1


def test_a_body_that_catches_the_interrupt_and_goes_on_is_broken_into_again(project, gates):
    """Three times here."""
    text = """
        GATES['g'].reached.set()
        for _ in range(3):
            try:
                while True: pass
            except BaseException:
                pass
        """
    loader = Loader(project.write("thing.py", text))
    assert gates["g"].reached.wait(SECONDS)

    assert code.break_off(the_load(), "me", seconds=SECONDS) == "ended"

    assert isinstance(loader.outcome(), LoadInterrupted)


def test_a_body_that_makes_another_error_of_the_interrupt_is_broken_off(project, gates):
    """It is not the body's fault."""
    text = """
        try:
            GATES['g'].reached.set()
            while True: pass
        except BaseException:
            raise ValueError("no")
        """
    loader = Loader(project.write("thing.py", text))
    assert gates["g"].reached.wait(SECONDS)

    code.break_off(the_load(), "me")

    assert isinstance(loader.outcome(), LoadInterrupted)


def test_a_body_inside_an_import_of_another_module_is_broken_into(project, gates):
    """The other one, which the import system made, is not left half made."""
    sys.path.append(str(project.root))
    project.write("other.py", "GATES['g'].reached.set()\nwhile True: pass\n")
    loader = Loader(project.write("thing.py", "import other\n"))
    assert gates["g"].reached.wait(SECONDS)

    assert code.break_off(the_load(), "me") == "ended"

    assert isinstance(loader.outcome(), LoadInterrupted)
    assert "other" not in sys.modules


def test_a_load_that_waits_for_another_is_broken_off_at_once(project, gates):
    """The one that it waits for goes on."""
    path = project.write("thing.py", "GATES['g'].wait()\n")
    first = Loader(path)
    assert gates["g"].reached.wait(SECONDS)
    second = Loader(path)
    wait_for(lambda: len(code.loads()) == 2)

    assert code.break_off(code.loads()[1].number, "me") == "ended"

    assert isinstance(second.outcome(), LoadInterrupted)
    gates["g"].opened.set()
    assert first.report().version == 1


def test_a_load_that_waits_for_a_busy_runtime_is_broken_off(project, runtime):
    """Its commit has not begun, so it has done nothing."""
    project.load("thing_v1")
    path = project.put("thing_v2")
    outcome = []

    async def main():
        loader = Loader(path)
        wait_for(lambda: [each.state for each in code.loads()] == ["preparing"] and loader.is_alive())
        outcome.append(code.break_off(the_load(), "me"))
        return loader.outcome()

    error = runtime.run(main)
    assert isinstance(error, LoadInterrupted), error
    assert outcome == ["ended"]
    assert sys.modules["thing"].which() == 1


def test_a_load_that_is_current_is_not_broken_off(project, gates):
    """A hook runs: the swap is done."""
    loader = Loader(project.write("thing.py", "from midflight import code\ncode.on_load(lambda: GATES['g'].wait())\n"))
    assert gates["g"].reached.wait(SECONDS)

    assert code.break_off(the_load(), "me") == "late"

    gates["g"].opened.set()
    assert loader.report().version == 1


def test_a_load_whose_unload_hook_runs_is_not_broken_off(project, gates):
    """Its checks are done, and the hook of the version before has begun to undo what that has: it becomes current."""
    text = "from midflight import code\n@code.on_unload\ndef f(): GATES['g'].wait()\n"
    path = project.write("thing.py", text)
    code.load(path)
    loader = Loader(lambda: code.load(path, "x = 2\n"))
    assert gates["g"].reached.wait(SECONDS)

    assert code.break_off(the_load(), "me", seconds=0) == "late"

    gates["g"].opened.set()
    assert loader.report().version == 2


def test_a_load_that_has_ended_cannot_be_broken_off():
    """There is none of that number."""
    assert code.break_off(10**9, "me") is None


@pytest.mark.usefixtures("ledger_1")
def test_an_upgrade_that_holds_servers_lets_them_go(runtime):
    """Code and states are as they were."""

    async def main():
        be_top()
        pids = await start_ledgers(1)
        upgrading = asyncio.create_task(upgrade_ledger(f"{HOLD}\n{TO_A_DICT}"))
        await receive("begun")
        (load,) = code.loads()
        assert (load.state, load.modules) == ("holding", ("ledger",))
        told = await asyncio.to_thread(code.break_off, load.number, "me")
        with pytest.raises(LoadInterrupted, match="broken off by me"):
            await upgrading
        return told, await answers(pids), current()

    assert runtime.run(main) == ("ended", [(1, 1)], 1)


@pytest.mark.usefixtures("ledger_1")
def test_an_upgrade_whose_caller_goes_is_broken_off_in_its_body(project, runtime, gates):
    """Nobody waits for it any more: its module is free again."""
    text = ledger(2) + "GATES['g'].reached.set()\nwhile True: pass\n"

    async def main():
        upgrading = asyncio.create_task(code.upgrade("ledger", text))
        await asyncio.to_thread(gates["g"].reached.wait, SECONDS)
        upgrading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await upgrading
        return await asyncio.to_thread(load_ledger, project, 3)

    assert runtime.run(main).version == 2


def test_a_load_in_a_thread_of_its_own_can_be_broken_off_before_it_has_begun(project, gates):
    """It has a number from the moment it is asked for."""
    ready = threading.Event()

    def load():
        ready.wait(SECONDS)
        return code.load(project.write("thing.py", ""))

    thread = lowlevel.LoadThread(load, "me")
    breaking = Loader(lambda: thread.break_off("you"))
    wait_for(lambda: thread.load.is_to_end)
    ready.set()

    with pytest.raises(LoadInterrupted, match="broken off by you"):
        thread.result()
    assert breaking.outcome() == "ended"
    assert "thing" not in sys.modules
