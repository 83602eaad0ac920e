"""An upgrade of several modules that fails anywhere changes nothing of any, and one that is rehearsed neither."""

from __future__ import annotations

import asyncio
import sys

import pytest

from helpers.ledgers import (
    HOLD,
    TO_A_DICT,
    answers,
    be_top,
    call_later,
    current,
    ledger,
    load_ledgers,
    start_ledgers,
    state_of,
    system_messages,
    until,
    upgrade_ledgers,
)
from midflight import CallError, call, cast, code, receive, register, sleep, spawn
from midflight.code import UpgradeError, lowlevel
from midflight.otp.protocol import Call

OLD = [(1, 1), (1, 2), (1, 3)]


@pytest.fixture(autouse=True)
def modules(project):
    """Load version 1 of the server in three modules."""
    load_ledgers(project, "one", "two", "three")


async def start_all():
    """Start a server in each module, with totals 1, 2 and 3."""
    return [(await start_ledgers(total, module=name))[0] for total, name in enumerate(("one", "two", "three"), start=1)]


def numbers():
    return [current(name) for name in ("one", "two", "three")]


# --- All or none ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("culprit", ["one", "two", "three"])
def test_a_code_change_that_raises_changes_nothing_of_any(runtime, culprit):
    """Codes, states and mailboxes are as they were; calls that waited are answered by the old code."""

    async def main():
        be_top()
        pids = await start_all()
        body = f"self.entries.append(0)\n{HOLD}\n{TO_A_DICT}"
        changes = dict.fromkeys(("one", "two", "three"), body)
        changes[culprit] += "\nself.missing"
        upgrading = asyncio.create_task(upgrade_ledgers(changes))
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
        return pids, caught.value, answered, states, [type(pid.process.behaviour.server) for pid in pids]

    pids, error, answered, states, classes = runtime.run(main)
    assert error.pid == pids[("one", "two", "three").index(culprit)]
    assert answered == OLD
    assert states == [{"total": total, "entries": [[total], "entry"]} for total in (1, 2, 3)]
    assert classes == [sys.modules[name].Ledger for name in ("one", "two", "three")]
    assert numbers() == [1, 1, 1]
    assert runtime.crashes == []


def test_a_failure_names_module_process_state_and_line(runtime):
    """With the traceback in the text of its report; the report is of that module only, the others had no fault."""

    async def main():
        pids = await start_all()
        with pytest.raises(UpgradeError) as caught:
            await upgrade_ledgers({"one": TO_A_DICT, "two": "raise KeyError(extra)", "three": TO_A_DICT}, extra="x")
        return pids, caught.value

    pids, error = runtime.run(main)
    assert str(error) == (
        f"two not upgraded: line 20, code_change of {pids[1]!r} raised KeyError: 'x'; its state is total=2, "
        "entries=[[2]]. Version 1 stays current, and every server as it was. Fix the line, upgrade again. "
        "With it none of the modules was loaded."
    )
    assert (error.pid, error.state) == (pids[1], "total=2, entries=[[2]]")
    assert isinstance(error.__cause__, KeyError)
    assert [(report.module, report.version, report.current) for report in error.reports] == [("two", None, 1)]
    assert [each.pid for each in error.report.servers] == [pids[1]]
    assert 'two.py", line 20, in code_change (version 2)' in code.text(error.report)


def test_failures_of_several_modules_are_all_reported(runtime):
    """One upgrade shows every mistake; first the one of the oldest server."""

    async def main():
        pids = [*(await start_ledgers(1, module="three")), *(await start_ledgers(2, module="one"))]
        with pytest.raises(UpgradeError) as caught:
            await upgrade_ledgers({"one": "self.missing", "two": TO_A_DICT, "three": "1 // 0"})
        return pids, caught.value, await answers(pids)

    pids, error, answered = runtime.run(main)
    assert [report.module for report in error.reports] == ["three", "one"]
    assert (error.pid, type(error.__cause__)) == (pids[0], ZeroDivisionError)
    assert str(error).endswith("With it and 1 more refused, none of the modules was loaded.")
    assert answered == [(1, 1), (1, 2)]


@pytest.mark.parametrize("names", [("one", "two", "three"), ("three", "two", "one")])
def test_a_module_that_does_not_load_upgrades_nobody(runtime, names):
    """A LoadError as any other; no server is suspended for it."""

    async def main():
        pids = await start_all()
        texts = {"one": ledger(2, TO_A_DICT), "two": f"{ledger(2)}\n1 // 0", "three": ledger(2, TO_A_DICT)}
        with pytest.raises(code.LoadError) as caught:
            await code.upgrade_many([(name, texts[name]) for name in names])
        return type(caught.value), caught.value.report.module, await answers(pids)

    assert runtime.run(main) == (code.LoadError, "two", OLD)
    assert numbers() == [1, 1, 1]


def test_a_check_that_refuses_one_lets_the_servers_of_all_go(project, runtime):
    """The last look is taken when they are suspended, and their states are ready."""
    loop = "\nasync def loop():\n    await receive('go')\n    return two.loop()\n"
    code.load(project.write("two.py", "import two\n" + ledger(1) + loop))

    async def main():
        pids = await start_all()
        spawn(sys.modules["two"].loop)
        await sleep(0)
        with pytest.raises(code.LoadError, match=r"uses two\.loop") as caught:
            await upgrade_ledgers({"one": TO_A_DICT, "two": TO_A_DICT})
        return type(caught.value), [each.module for each in caught.value.reports], await answers(pids)

    assert runtime.run(main) == (code.LoadError, ["two"], OLD)


# --- Servers that are busy --------------------------------------------------------------------------------------


def test_a_busy_server_of_one_module_fails_all_in_time(runtime, clock):
    """It is named, with its module; its mailbox has nothing of the upgrade in it, and the others go on."""

    async def main():
        pids = await start_all()
        call_later(pids[1], "wait")
        await sleep(0)
        await sleep(0)
        upgrading = asyncio.create_task(upgrade_ledgers({"one": TO_A_DICT, "two": TO_A_DICT}, timeout=3.0))
        await until(lambda: system_messages(pids[1]) and pids[0].process.behaviour.is_suspended)
        clock.advance(3.0)
        with pytest.raises(UpgradeError) as caught:
            await upgrading
        left = system_messages(pids[1])
        pids[1] << "go on"
        return pids, caught.value, left, await receive(("answer", ...)), await answers(pids)

    pids, error, left, waited, answered = runtime.run(main)
    assert f"two not upgraded: {pids[1]!r} is busy at Ledger.handle_call:13. Version 1 stays" in str(error)
    assert (error.pid, error.report.module, len(error.reports)) == (pids[1], "two", 1)
    assert (left, waited, answered) == ([], ("answer", (1, 2)), OLD)


def test_a_code_change_that_takes_too_long_is_broken_off(runtime, clock):
    """Those of the other modules were done, and are dropped."""

    async def main():
        be_top()
        pids = await start_all()
        upgrading = asyncio.create_task(upgrade_ledgers({"one": TO_A_DICT, "two": HOLD, "three": TO_A_DICT}))
        await receive("begun")
        clock.advance(4.0)
        with pytest.raises(UpgradeError) as caught:
            await upgrading
        return pids, caught.value, await answers(pids), [pid.process.cancelling() for pid in pids]

    pids, error, answered, cancellations = runtime.run(main)
    assert f"two not upgraded: {pids[1]!r} is still in its code_change at Ledger.code_change:21. " in str(error)
    assert (error.report.module, answered, cancellations) == ("two", OLD, [0, 0, 0])
    assert numbers() == [1, 1, 1]


def calls_of(pid):
    """Return the calls that wait for a server."""
    return [message for message in pid.process.mailbox or () if isinstance(message, Call)]


CALLS = "from midflight import call\nself.total = await call('second', 'get'{0})"


def test_a_code_change_that_calls_a_server_of_another_module_is_told_so(runtime, clock):
    """That one is suspended too, so it cannot answer; nothing is lost, and the broken-off call leaves nothing."""

    async def main():
        pids = await start_all()
        register("second", pids[1])
        upgrading = asyncio.create_task(upgrade_ledgers({"one": CALLS.format(""), "two": TO_A_DICT}))
        await until(lambda: calls_of(pids[1]))
        call_later(pids[1])
        await sleep(0)
        clock.advance(4.0)
        with pytest.raises(UpgradeError) as caught:
            await upgrading
        return pids, caught.value, await receive(("answer", ...)), await answers(pids)

    pids, error, waited, answered = runtime.run(main)
    assert str(error).startswith(
        f"one not upgraded: {pids[0]!r} is still in its code_change at Ledger.code_change:21, and waits for an answer "
        f"of {pids[1]!r} (second), which is suspended too. Version 1 stays current, and every server as it was. "
        "Have it not do so, upgrade again."
    )
    assert (error.pid, [each.code for each in error.report.refusals]) == (pids[0], ["suspended-call"])
    assert (waited, answered) == (("answer", (1, 2)), OLD)
    assert runtime.crashes == []


def test_such_a_call_may_time_out_first(runtime, clock):
    """Then its CallTimeout is what code_change raised."""

    async def main():
        pids = await start_all()
        register("second", pids[1])
        changes = {"one": CALLS.format(", timeout=1"), "two": TO_A_DICT}
        upgrading = asyncio.create_task(upgrade_ledgers(changes))
        await until(lambda: calls_of(pids[1]))
        clock.advance(1.0)
        with pytest.raises(UpgradeError, match="raised CallTimeout: call\\('second', 'get'\\) got no reply"):
            await upgrading
        return await answers(pids)

    assert runtime.run(main) == OLD


def test_a_server_cannot_upgrade_its_module_among_others(project, runtime):
    """In a callback it is busy with that; it is told so at once, and which of the modules it is of."""
    text = ledger(1).replace('await receive("go on")', 'await code.upgrade_many(["one", "two"])')
    code.load(project.write("two.py", text.replace("import GenServer", "import code, GenServer")))

    async def main():
        pids = await start_all()
        with pytest.raises(CallError) as caught:
            await call(pids[1], "wait")
        return caught.value.reason, await answers([pids[0], pids[2]])

    reason, answered = runtime.run(main)
    assert isinstance(reason, UpgradeError)
    assert (reason.report.module, answered) == ("two", [OLD[0], OLD[2]])
    assert "two not upgraded: " in str(reason)
    assert "asks for it itself, in a callback" in str(reason)


# --- Who breaks it off ------------------------------------------------------------------------------------------


def test_a_cancelled_upgrade_lets_the_servers_of_all_go(runtime):
    """Before the cancellation has reached its caller; nothing has changed."""

    async def main():
        be_top()
        pids = await start_all()
        upgrading = asyncio.create_task(upgrade_ledgers(dict.fromkeys(("one", "two", "three"), HOLD)))
        for _ in pids:
            await receive("begun")
        upgrading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await upgrading
        return await answers(pids), numbers()

    assert runtime.run(main) == (OLD, [1, 1, 1])


def test_a_load_on_the_runtimes_thread_goes_first(project, runtime):
    """The upgrade gives way, and changes nothing; it is nobody's fault, and the first module says so."""

    async def main():
        be_top()
        pids = await start_all()
        upgrading = asyncio.create_task(upgrade_ledgers({"one": TO_A_DICT, "two": HOLD}))
        await receive("begun")
        project.load_text("one", ledger(3))
        with pytest.raises(UpgradeError, match=r"one not upgraded: .*had to go first.*none of the modules") as caught:
            await upgrading
        return caught.value.pid, [each.module for each in caught.value.reports], await answers(pids)

    assert runtime.run(main) == (None, ["one"], [(3, 1), (1, 2), (1, 3)])


# --- Dry run --------------------------------------------------------------------------------------------------


def test_a_dry_run_changes_nothing_of_any(runtime):
    """And says of each module what would become of its servers."""

    async def main():
        pids = await start_all()
        reports = await upgrade_ledgers({"two": TO_A_DICT, "one": None, "three": TO_A_DICT}, dry_run=True)
        return reports, await answers(pids)

    reports, answered = runtime.run(main)
    assert (answered, numbers()) == (OLD, [1, 1, 1])
    assert [len(code.versions(name)) for name in ("one", "two", "three")] == [1, 1, 1]
    assert [(each.module, each.is_rehearsed, each.version) for each in reports] == [
        ("two", True, 2),
        ("one", True, 2),
        ("three", True, 2),
    ]
    assert [server.after for each in reports for server in each.servers] == [
        "total={'sum': 2}, entries=[[2]]",
        "total=1, entries=[[1]]",
        "total={'sum': 3}, entries=[[3]]",
    ]
    assert lowlevel.summary_of_many(reports) == (
        "3 modules would load: two v2, one v2, three v2; "
        "2 servers would be upgraded by code_change, 1 would take the new class"
    )


def test_a_dry_run_that_would_fail_says_so_of_all(runtime):
    """Which one is at fault, and that the others would not be loaded because of it. Nothing is raised."""

    async def main():
        pids = await start_all()
        reports = await upgrade_ledgers({"one": TO_A_DICT, "two": "1 // 0", "three": TO_A_DICT}, dry_run=True)
        return pids, reports

    pids, reports = runtime.run(main)
    assert [(each.version, each.is_rehearsed) for each in reports] == [(None, True)] * 3
    assert [[each.code for each in report.refusals] for report in reports] == [
        ["together"],
        ["code-change"],
        ["together"],
    ]
    assert code.summary(reports[0]) == (
        "one would not be upgraded: it goes together with two, and so would not be either. Nothing was changed."
    )
    assert lowlevel.summary_of_many(reports).startswith(
        f"two would not be upgraded: line 20, code_change of {pids[1]!r}"
    )
    assert lowlevel.summary_of_many(reports).endswith("With it none of the modules would be loaded.")
    assert [server.after for server in reports[2].servers] == ["total={'sum': 3}, entries=[[3]]"]


def test_a_dry_run_takes_the_last_look_at_all(project, runtime):
    """What the commit would refuse is in the report of the module that it refuses."""
    loop = "\nasync def loop():\n    await receive('go')\n    return two.loop()\n"
    code.load(project.write("two.py", "import two\n" + ledger(1) + loop))

    async def main():
        spawn(sys.modules["two"].loop)
        await sleep(0)
        return await upgrade_ledgers({"one": TO_A_DICT, "two": TO_A_DICT}, dry_run=True)

    reports = runtime.run(main)
    assert [[each.code for each in report.refusals] for report in reports] == [["together"], ["live-call"]]
    assert numbers() == [1, 2, 1]


def test_a_dry_run_of_new_modules_leaves_none(project):
    """Neither their names nor a version."""
    paths = [project.write("fresh.py", "x = 1"), project.write("other.py", "import fresh\ny = fresh.x")]

    reports = lowlevel.upgrade_many_sync(paths, dry_run=True)

    assert [each.version for each in reports] == [1, 1]
    assert not {"fresh", "other"} & set(sys.modules)
