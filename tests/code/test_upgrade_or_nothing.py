"""An upgrade that fails anywhere changes nothing, and one that is only rehearsed neither."""

from __future__ import annotations

import asyncio
import sys
import threading

import pytest

from helpers.ledgers import (
    HOLD,
    TO_A_DICT,
    answers,
    be_top,
    call_later,
    current,
    ledger,
    start_ledgers,
    state_of,
    upgrade_ledger,
)
from midflight import (
    cast,
    code,
    receive,
    sleep,
    spawn,
)
from midflight.code import UpgradeError, lowlevel

pytestmark = pytest.mark.usefixtures("ledger_1")


# --- All or none ----------------------------------------------------------------------------------------------


def test_one_that_fails_fails_all(project, runtime):
    """Code, states and mailboxes are as they were; calls that waited are answered by the old code."""

    async def main():
        be_top()
        pids = await start_ledgers(1, 2, 3)
        body = f"self.total = self.entries = None\nif extra == self.total: pass\n{HOLD}\nself.missing"
        upgrading = asyncio.create_task(upgrade_ledger(body))
        for _ in pids:
            await receive("begun")
        for pid in pids:
            call_later(pid)
            cast(pid, "entry")
        for pid in pids:
            pid << "go on"
        with pytest.raises(UpgradeError) as caught:
            await upgrading
        answered = [(await receive(("answer", ...)))[1] for _ in pids]
        states = [dict(state_of(pid)) for pid in pids]
        return caught.value, answered, states, [type(pid.process.behaviour.server) for pid in pids]

    error, answered, states, classes = runtime.run(main)
    assert isinstance(error.__cause__, AttributeError)
    assert answered == [(1, 1), (1, 2), (1, 3)]
    assert states == [{"total": total, "entries": [[total], "entry"]} for total in (1, 2, 3)]
    assert classes == [sys.modules["ledger"].Ledger] * 3
    assert current() == 1
    assert runtime.crashes == []


def test_the_third_that_fails_keeps_the_first_two(runtime):
    """Those had their new states ready."""

    async def main():
        pids = await start_ledgers(1, 2, 3)
        with pytest.raises(UpgradeError) as caught:
            await upgrade_ledger(f"if self.total == 3: raise ValueError\n{TO_A_DICT}")
        return pids, caught.value.pid, await answers(pids)

    pids, culprit, answered = runtime.run(main)
    assert culprit == pids[2]
    assert answered == [(1, 1), (1, 2), (1, 3)]


def test_containers_are_copied_and_all_else_is_shared(runtime):
    """So a code_change that fails has changed nothing of what the server has, and locks live."""
    lock = threading.Lock()

    async def main():
        (pid,) = await start_ledgers(1, lock=lock, inside=({"deep": [1]},), deep={"a": [{"b": {1}}]})
        body = """
            self.deep['a'][0]['b'].add(2)
            self.entries[0].append(2)
            self.lock.acquire()
            raise ValueError(self.deep)
            """
        with pytest.raises(UpgradeError) as caught:
            await upgrade_ledger(body)
        return caught.value.__cause__.args[0], state_of(pid)

    changed, state = runtime.run(main)
    assert changed == {"a": [{"b": {1, 2}}]}
    assert (state["deep"], state["entries"]) == ({"a": [{"b": {1}}]}, [[1]])
    assert lock.locked()


@pytest.mark.parametrize("ending", ["SystemExit", "asyncio.CancelledError", "midflight.Stop", "midflight.ProcessExit"])
def test_what_would_end_a_server_only_fails_the_upgrade(runtime, ending):
    """It was raised on behalf of a copy."""

    async def main():
        pids = await start_ledgers(1)
        with pytest.raises(UpgradeError, match=ending.rpartition(".")[2]):
            await upgrade_ledger(f"import asyncio, midflight\nraise {ending}()")
        return await answers(pids)

    assert runtime.run(main) == [(1, 1)]
    assert runtime.crashes == []


def test_a_version_that_does_not_load_upgrades_nobody(runtime):
    """A LoadError as any other; no server is suspended for it."""

    async def main():
        pids = await start_ledgers(1)
        with pytest.raises(code.LoadError) as caught:
            await code.upgrade("ledger", "class Ledger(:")
        return type(caught.value), await answers(pids)

    assert runtime.run(main) == (code.LoadError, [(1, 1)])


def test_a_check_that_refuses_lets_the_servers_go(project, runtime):
    """The last look is taken when they are suspended, and their states are ready."""
    loop = "\nasync def loop():\n    await receive('go')\n    return ledger.loop()\n"
    code.load(project.write("ledger.py", "import ledger\n" + ledger(1) + loop))

    async def main():
        pids = await start_ledgers(1)
        spawn(sys.modules["ledger"].loop)
        await sleep(0)
        with pytest.raises(code.LoadError, match=r"uses ledger\.loop") as caught:
            await upgrade_ledger(TO_A_DICT)
        return type(caught.value), await answers(pids)

    assert runtime.run(main) == (code.LoadError, [(1, 1)])


# --- Dry run --------------------------------------------------------------------------------------------------


def test_a_dry_run_changes_nothing(runtime):
    """And says what would become of each server."""

    async def main():
        pids = await start_ledgers(1, 2)
        report = await upgrade_ledger(f"self.entries.append(2)\n{TO_A_DICT}", dry_run=True)
        return report, await answers(pids), [state_of(pid)["entries"] for pid in pids]

    report, answered, entries = runtime.run(main)
    assert answered == [(1, 1), (1, 2)]
    assert entries == [[[1]], [[2]]]
    assert (report.is_rehearsed, report.version, current(), len(code.versions("ledger"))) == (True, 2, 1, 1)
    assert [each.after for each in report.servers] == [
        "total={'sum': 1}, entries=[[1], 2]",
        "total={'sum': 2}, entries=[[2], 2]",
    ]
    assert "ledger v2 would load: " in code.summary(report)
    assert "; 2 servers would be upgraded by code_change (" in code.summary(report)


def test_a_dry_run_reports_errors_and_raises_none(runtime):
    """Those of all servers."""

    async def main():
        await start_ledgers(1, 2, 3)
        return await upgrade_ledger("1 / (2 - self.total)", dry_run=True)

    report = runtime.run(main)
    assert report.version is None
    assert [each.error for each in report.servers] == [
        None,
        "ZeroDivisionError: division by zero",
        None,
    ]
    assert code.summary(report).startswith("ledger would not be upgraded: line 20, code_change of ")
    assert "Nothing was changed." in code.summary(report)


def test_a_dry_run_of_a_new_module_leaves_none(project):
    """Neither its name nor a version."""
    report = lowlevel.upgrade_sync(project.write("fresh.py", "x = 1"), dry_run=True)

    assert (report.version, "fresh" in sys.modules, code.is_loaded("fresh")) == (1, False, None)


def test_a_dry_run_takes_the_last_look_too(project, runtime):
    """What the commit would refuse is in the report."""
    loop = "\nasync def loop():\n    await receive('go')\n    return ledger.loop()\n"
    code.load(project.write("ledger.py", "import ledger\n" + ledger(1) + loop))

    async def main():
        spawn(sys.modules["ledger"].loop)
        await sleep(0)
        return await upgrade_ledger(TO_A_DICT, dry_run=True)

    report = runtime.run(main)
    assert (report.version, [each.code for each in report.refusals]) == (None, ["live-call"])
