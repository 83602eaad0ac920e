"""Servers that are busy, end or begin while they are upgraded."""

from __future__ import annotations

import asyncio

import pytest

from helpers.ledgers import (
    HOLD,
    TO_A_DICT,
    answers,
    be_top,
    call_later,
    ledger,
    start_ledgers,
    system_messages,
    until,
    upgrade_ledger,
)
from midflight import (
    CallError,
    call,
    code,
    exit,
    is_alive,
    process_info,
    processes,
    receive,
    sleep,
)
from midflight.code import UpgradeError
from midflight.otp import sys as otp_sys

pytestmark = pytest.mark.usefixtures("ledger_1")


# --- Servers that are busy, end, begin --------------------------------------------------------------------------


def test_a_busy_server_fails_the_upgrade_in_time(runtime, clock):
    """It is named, with where it is; its mailbox has nothing of the upgrade in it, and the others go on."""

    async def main():
        pids = await start_ledgers(1, 2)
        call_later(pids[1], "wait")
        await sleep(0)
        await sleep(0)
        upgrading = asyncio.create_task(upgrade_ledger(TO_A_DICT, timeout=3.0))
        await until(lambda: system_messages(pids[1]) and pids[0].process.behaviour.is_suspended)
        clock.advance(2.9)
        call_later(pids[0])
        await sleep(0)
        waiting = await receive(("answer", ...), timeout=0, default="waits")
        clock.advance(0.1)
        with pytest.raises(UpgradeError) as caught:
            await upgrading
        left = system_messages(pids[1])
        first = await receive(("answer", ...))
        pids[1] << "go on"
        return pids, caught.value, waiting, left, first, await receive(("answer", ...))

    pids, error, waiting, left, first, second = runtime.run(main)
    assert f"{pids[1]!r} is busy at Ledger.handle_call:13. Version 1 stays current" in str(error)
    assert "give it longer: timeout=SECONDS." in str(error)
    assert error.pid == pids[1]
    assert (waiting, left, first, second) == ("waits", [], ("answer", (1, 1)), ("answer", (1, 2)))


def test_a_busy_server_is_waited_for(runtime):
    """Until it comes to its next message."""

    async def main():
        (pid,) = await start_ledgers(1)
        call_later(pid, "wait")
        await sleep(0)
        await sleep(0)
        upgrading = asyncio.create_task(upgrade_ledger(TO_A_DICT))
        await until(lambda: system_messages(pid))
        pid << "go on"
        await upgrading
        return await receive(("answer", ...)), await call(pid, "get")

    assert runtime.run(main) == (("answer", (1, 1)), (2, {"sum": 1}))


def test_a_code_change_that_takes_too_long_is_broken_off(runtime, clock):
    """By a cancellation, as asyncio's own; the server goes on with its old state."""

    async def main():
        be_top()
        (pid,) = await start_ledgers(1)
        body = f"try:\n    {HOLD.replace(chr(10), chr(10) + '    ')}\nfinally:\n    send('top', 'broken off')"
        upgrading = asyncio.create_task(upgrade_ledger(body))
        await receive("begun")
        clock.advance(4.0)
        with pytest.raises(UpgradeError, match="is still in its code_change") as caught:
            await upgrading
        await receive("broken off")
        return pid, caught.value.pid, await call(pid, "get"), pid.process.cancelling()

    pid, culprit, answered, cancellations = runtime.run(main)
    assert (culprit, answered, cancellations) == (pid, (1, 1), 0)
    assert runtime.crashes == []


def test_without_a_limit_it_waits(runtime, clock):
    """However long the clock runs."""

    async def main():
        be_top()
        (pid,) = await start_ledgers(1)
        upgrading = asyncio.create_task(upgrade_ledger(f"{HOLD}\n{TO_A_DICT}", timeout=None))
        await receive("begun")
        clock.advance(1e6)
        await sleep(0)
        pid << "go on"
        await upgrading
        return await call(pid, "get")

    assert runtime.run(main) == (2, {"sum": 1})


def test_a_server_that_dies_meanwhile_does_not_fail_the_others(runtime):
    """There is no state of it to change."""

    async def main():
        be_top()
        pids = await start_ledgers(1, 2, 3)
        upgrading = asyncio.create_task(upgrade_ledger(f"{HOLD}\n{TO_A_DICT}"))
        for _ in pids:
            await receive("begun")
        exit(pids[0], "kill")
        exit(pids[1], "some reason")
        pids[2] << "go on"
        report = await upgrading
        return pids, report, is_alive(pids[0]), is_alive(pids[1]), await call(pids[2], "get")

    pids, report, *alive, answered = runtime.run(main)
    assert [each.pid for each in report.servers] == pids[2:]
    assert alive == [False, False]
    assert answered == (2, {"sum": 3})


def test_a_server_that_starts_meanwhile_is_upgraded_too(runtime):
    """Else it would run the new code with the state that the old one has made."""

    async def main():
        be_top()
        pids = await start_ledgers(1)
        upgrading = asyncio.create_task(upgrade_ledger(f"{HOLD}\n{TO_A_DICT}"))
        await receive("begun")
        pids += await start_ledgers(2)
        pids[0] << "go on"
        await receive("begun")
        pids[1] << "go on"
        report = await upgrading
        return pids, [each.pid for each in report.servers], await answers(pids)

    pids, upgraded, answered = runtime.run(main)
    assert upgraded == pids
    assert answered == [(2, {"sum": 1}), (2, {"sum": 2})]


def test_a_server_in_its_init_is_waited_for(project, runtime):
    """It makes a state of the old version."""
    slow = ledger(1).replace("    def init(", "    async def init(").replace("self.total = total", HOLD_INIT)
    code.load(project.write("ledger.py", slow))

    async def start():
        return await start_ledgers(1)

    async def main():
        be_top()
        starting = asyncio.create_task(runtime._runtime.run(start))
        await receive("begun")
        upgrading = asyncio.create_task(upgrade_ledger(TO_A_DICT))
        (pid,) = [pid for pid in processes() if "Ledger.init" in process_info(pid)["initial_call"]]
        await until(lambda: system_messages(pid))
        pid << "go on"
        await upgrading
        return await answers(await starting)

    assert runtime.run(main) == [(2, {"sum": 1})]


HOLD_INIT = "self.total = total\n        send('top', 'begun')\n        await receive('go on')"


def test_a_server_that_somebody_suspended_stays_suspended(runtime):
    """It is changed with the others, and let go by who holds it."""

    async def main():
        (pid,) = await start_ledgers(1)
        await otp_sys.suspend(pid)
        await upgrade_ledger(TO_A_DICT)
        call_later(pid)
        await sleep(0)
        await sleep(0)
        waiting = await receive(("answer", ...), timeout=0, default="suspended")
        await otp_sys.resume(pid)
        return waiting, await receive(("answer", ...))

    assert runtime.run(main) == ("suspended", ("answer", (2, {"sum": 1})))


def test_a_server_that_somebody_resumes_fails_the_upgrade(runtime):
    """It may have got a new state since it was copied, and that would be lost."""

    async def main():
        be_top()
        pids = await start_ledgers(1, 2)
        upgrading = asyncio.create_task(upgrade_ledger(f"if self.total == 1: {HOLD.replace(chr(10), '; ')}"))
        await receive("begun")
        await otp_sys.resume(pids[1])
        pids[0] << "go on"
        with pytest.raises(UpgradeError, match=f"somebody else has resumed {pids[1]!r} meanwhile") as caught:
            await upgrading
        return caught.value.pid, await answers(pids)

    assert runtime.run(main) == (None, [(1, 1), (1, 2)])


def test_a_server_cannot_upgrade_itself(project, runtime):
    """In a callback it is busy with that; it is told so at once."""
    text = ledger(1).replace('await receive("go on")', 'await code.upgrade("ledger")')
    code.load(project.write("ledger.py", text.replace("import GenServer", "import code, GenServer")))

    async def main():
        pids = await start_ledgers(1)
        with pytest.raises(CallError) as caught:
            await call(pids[0], "wait")
        return caught.value.reason

    reason = runtime.run(main)
    assert isinstance(reason, UpgradeError)
    assert "asks for it itself, in a callback; have another process do so. Version 2 stays current" in str(reason)
