"""An upgrade while somebody else loads, upgrades, sends or ends."""

from __future__ import annotations

import asyncio
import threading

import pytest

from helpers.ledgers import (
    HOLD,
    TO_A_DICT,
    answers,
    be_top,
    current,
    ledger,
    load_ledger,
    start_ledgers,
    state_of,
    until,
    upgrade_ledger,
)
from midflight import (
    call,
    cast,
    code,
    exit,
    processes,
    receive,
    sleep,
    spawn,
)
from midflight.code import UpgradeError

pytestmark = pytest.mark.usefixtures("ledger_1")


# --- Who else does something --------------------------------------------------------------------------------------


def test_two_upgrades_at_once_come_one_after_the_other(runtime):
    """Each sees what the one before has made."""

    async def main():
        pids = await start_ledgers(1)
        body = "self.total = [old_vsn, self.total]"
        reports = await asyncio.gather(upgrade_ledger(body, 2), upgrade_ledger(body, 3))
        return sorted(report.version for report in reports), await answers(pids)

    numbers, ((last, total),) = runtime.run(main)
    assert numbers == [2, 3]
    assert (last, total) in ((3, [2, [1, 1]]), (2, [3, [1, 1]]))


def test_a_load_in_a_thread_waits_for_the_upgrade(project, runtime):
    """As for another load."""

    async def main():
        be_top()
        (pid,) = await start_ledgers(1)
        upgrading = asyncio.create_task(upgrade_ledger(f"{HOLD}\n{TO_A_DICT}"))
        await receive("begun")
        loading = asyncio.create_task(asyncio.to_thread(load_ledger, project, 3))
        await sleep(0)
        pid << "go on"
        return (await upgrading).version, (await loading).version, await call(pid, "get")

    assert runtime.run(main) == (2, 3, (3, {"sum": 1}))


def test_a_load_on_the_runtimes_thread_goes_first(project, runtime):
    """The upgrade needs that thread, and the load waits on it: so the upgrade gives way, and changes nothing."""

    async def main():
        be_top()
        (pid,) = await start_ledgers(1)
        upgrading = asyncio.create_task(upgrade_ledger(HOLD))
        await receive("begun")
        report = load_ledger(project, 3)
        with pytest.raises(UpgradeError, match=r"had to go first.*Upgrade again\."):
            await upgrading
        return report.version, await call(pid, "get")

    assert runtime.run(main) == (2, (3, 1))


def test_a_load_of_another_module_does_not_wait_for_the_upgrade(project, runtime):
    """Nor the upgrade for the load, though it needs the thread that the load is on."""

    async def main():
        be_top()
        (pid,) = await start_ledgers(1)
        upgrading = asyncio.create_task(upgrade_ledger(f"{HOLD}\n{TO_A_DICT}"))
        await receive("begun")
        report = project.load_text("other", "x = 1")
        pid << "go on"
        return report.version, (await upgrading).version, await call(pid, "get")

    assert runtime.run(main) == (1, 2, (2, {"sum": 1}))


def test_a_load_of_the_module_in_its_code_change_fails_the_upgrade(project, runtime):
    """It would wait for the upgrade that waits for it."""
    path = project.path("ledger.py")

    async def main():
        pids = await start_ledgers(1)
        with pytest.raises(UpgradeError, match="had to go first"):
            await upgrade_ledger("from midflight import code\ncode.load(extra)", extra=path)
        return await answers(pids)

    assert runtime.run(main) == [(1, 1)]


def test_a_cancelled_upgrade_lets_everybody_go(runtime):
    """Before the cancellation has reached its caller; nothing has changed."""

    async def main():
        be_top()
        pids = await start_ledgers(1, 2)
        upgrading = asyncio.create_task(upgrade_ledger(HOLD))
        await receive("begun")
        await receive("begun")
        upgrading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await upgrading
        return await answers(pids), current()

    assert runtime.run(main) == ([(1, 1), (1, 2)], 1)


@pytest.mark.parametrize("reason", ["shutdown", "kill"])
def test_who_asked_for_an_upgrade_may_end(runtime, reason):
    """By whatever exit signal; the servers go on."""

    async def main():
        be_top()
        pids = await start_ledgers(1, 2)
        asker = spawn(upgrade_ledger, HOLD)
        await receive("begun")
        await receive("begun")
        exit(asker, reason)
        return await answers(pids), current()

    assert runtime.run(main) == ([(1, 1), (1, 2)], 1)


def test_the_end_of_the_process_that_sees_to_it_fails_the_upgrade(runtime):
    """It is a process like others, and may be killed like others."""

    async def main():
        be_top()
        pids = await start_ledgers(1)
        before = set(processes())
        upgrading = asyncio.create_task(upgrade_ledger(HOLD))
        await receive("begun")
        for pid in set(processes()) - before:
            exit(pid, "kill")
        with pytest.raises(UpgradeError, match="the process that sees to it was ended: 'killed'"):
            await upgrading
        return await answers(pids)

    assert runtime.run(main) == [(1, 1)]


def test_an_upgrade_that_is_cancelled_in_the_body_is_not_made(runtime, monkeypatch):
    """Its caller need not wait for the body, which nobody can break off; when that ends nothing comes of it."""
    reached, opened = threading.Event(), threading.Event()
    monkeypatch.setattr("builtins.GATE", (reached, opened), raising=False)
    body = "\nGATE[0].set()\nassert GATE[1].wait(10)\n"

    async def main():
        pids = await start_ledgers(1)
        upgrading = asyncio.create_task(code.upgrade("ledger", ledger(2, TO_A_DICT) + body))
        await until(reached.is_set)
        upgrading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await upgrading
        opened.set()
        report = await asyncio.to_thread(code.load, "ledger", ledger(3))  # comes after it
        return report.version, await answers(pids)

    assert runtime.run(main) == (2, [(3, 1)])


def test_no_message_is_lost_or_overtaken(runtime):
    """However many upgrades come while they are sent."""

    async def send_all(pid):
        for number in range(500):
            cast(pid, number)
            await sleep(0)

    async def main():
        pids = await start_ledgers(1, 2)
        for pid in pids:
            spawn(send_all, pid)
        for number in range(2, 6):
            await upgrade_ledger("self.total = old_vsn", number)
        await until(lambda: all(len(state_of(pid)["entries"]) == 501 for pid in pids))
        return [state_of(pid)["entries"][1:] for pid in pids], await answers(pids)

    assert runtime.run(main) == ([list(range(500))] * 2, [(5, 4), (5, 4)])
