"""Code and the states of live servers change together, or not at all. Statements H37 to H41."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import weakref

import pytest

from helpers.ledgers import (
    TO_A_DICT,
    answers,
    be_top,
    call_later,
    ledger,
    load_ledger,
    start_ledgers,
    system_messages,
    until,
    upgrade_ledger,
)
from midflight import (
    CallError,
    ChildSpec,
    Supervisor,
    call,
    cast,
    code,
    exit,
    is_alive,
    process_info,
    processes,
    receive,
    register,
    self_,
    sleep,
    spawn,
    whereis,
)
from midflight.code import UpgradeError
from midflight.otp import sys as otp_sys
from midflight.testing import TestRuntime

HOLD = "send('top', 'begun')\nawait receive('go on')"  # a code_change that is held open by a message


@pytest.fixture(autouse=True)
def first(project):
    """Load version 1 of the server."""
    return load_ledger(project)


def state_of(pid):
    """Return the attributes of a server."""
    return vars(pid.process.behaviour.server)


def current():
    """Return the number of the version that is current."""
    return next(each.version for each in code.versions("ledger") if each.current)


# --- What it does ---------------------------------------------------------------------------------------------


def test_states_change_with_the_code(runtime):
    """Of every server; each runs the new version with its new state."""

    async def main():
        pids = await start_ledgers(1, 2, 3)
        await upgrade_ledger(TO_A_DICT)
        return await answers(pids)

    assert runtime.run(main) == [(2, {"sum": 1}), (2, {"sum": 2}), (2, {"sum": 3})]
    assert current() == 2


def test_code_change_is_told_the_old_vsn_and_extra(runtime):
    """H37, H40: the vsn is that of the version which the server's object ran."""

    async def main():
        pids = await start_ledgers(1)
        await upgrade_ledger("self.told = old_vsn, extra", extra={"more": "so"})
        return state_of(pids[0])["told"]

    assert runtime.run(main) == (1, {"more": "so"})


def test_code_change_may_be_plain(project, runtime):
    """Async or not, as all callbacks."""

    async def main():
        (pid,) = await start_ledgers(1)
        text = ledger(2, TO_A_DICT).replace("async def code_change", "def code_change")
        await code.upgrade(project.write("ledger.py", text))
        return await call(pid, "get")

    assert runtime.run(main) == (2, {"sum": 1})


def test_code_change_may_wait(runtime):
    """For whatever a process may wait for; the others wait for it."""

    async def main():
        pids = await start_ledgers(1, 2)
        body = """
            import asyncio
            await asyncio.sleep(0)
            await asyncio.to_thread(int)
            self.total += 10
            """
        await upgrade_ledger(body)
        return await answers(pids)

    assert runtime.run(main) == [(2, 11), (2, 12)]


def test_code_change_runs_in_the_servers_process(runtime):
    """So that it is the server who sends, links and prints."""

    async def main():
        pids = await start_ledgers(1, 2)
        await upgrade_ledger("from midflight import self_\nself.total = self_()")
        return pids, await answers(pids)

    pids, answered = runtime.run(main)
    assert answered == [(2, pid) for pid in pids]


def test_without_code_change_the_state_stays(runtime):
    """The server takes the new class all the same, at once."""

    async def main():
        pids = await start_ledgers(7)
        report = await upgrade_ledger(None)
        return type(pids[0].process.behaviour.server) is sys.modules["ledger"].Ledger, report, await answers(pids)

    is_new, report, answered = runtime.run(main)
    assert is_new
    assert answered == [(2, 7)]
    assert [each.is_changed for each in report.servers] == [False]
    assert "; 1 server took the new class (" in code.summary(report)


def test_a_call_made_meanwhile_waits_for_the_new_state(runtime):
    """H37: it is neither lost nor answered by a mixture."""

    async def main():
        be_top()
        (pid,) = await start_ledgers(1)
        upgrading = asyncio.create_task(upgrade_ledger(f"{HOLD}\n{TO_A_DICT}"))
        await receive("begun")
        call_later(pid)
        cast(pid, "entry")
        await sleep(0)
        waiting = await receive(("answer", ...), timeout=0, default="waits")
        pid << "go on"
        await upgrading
        return waiting, await receive(("answer", ...)), state_of(pid)["entries"]

    assert runtime.run(main) == ("waits", ("answer", (2, {"sum": 1})), [[1], "entry"])


def test_pids_names_links_and_supervisors_stay(runtime):
    """A supervisor notices nothing."""

    async def main():
        child = ChildSpec("one", sys.modules["ledger"].Ledger, (1,), name="one")
        supervisor = await Supervisor.start_link([child])
        pid = whereis("one")
        before = process_info(pid)
        await upgrade_ledger(TO_A_DICT)
        after = process_info(pid)
        kept = [before[item] == after[item] for item in ("pid", "registered_name", "links", "monitors", "parent")]
        children = await Supervisor.which_children(supervisor)
        return kept, children[0].pid == pid, await call("one", "get")

    assert runtime.run(main) == ([True] * 5, True, (2, {"sum": 1}))
    assert runtime.crashes == []


def test_what_holds_the_server_object_holds_the_new_state(runtime):
    """The object stays the same wherever Python allows: a task that a callback started goes on with the right one."""

    async def main():
        (pid,) = await start_ledgers(1)
        held = pid.process.behaviour.server
        await upgrade_ledger(f"self.copy = [self]\n{TO_A_DICT}")
        held.total["seen"] = True
        held.copy[0].total["seen, too"] = True
        return await call(pid, "get")

    assert runtime.run(main) == (2, {"sum": 1, "seen": True, "seen, too": True})


def test_a_class_with_other_slots_is_upgraded(project, runtime):
    """Python allows no change of __class__ then; the new object takes the place of the old one."""
    text = """
        from midflight import GenServer

        class Slotted(GenServer):
            __slots__ = ("a", SLOT)

            def init(self):
                self.a = "old"

            def handle_call(self, request, client):
                return self.a
        """
    change = '\n            def code_change(self, old_vsn, extra):\n                self.c = self.a = "new"\n'
    project.load_text("slotted", text.replace("SLOT", "'b'"))

    async def main():
        pid = await sys.modules["slotted"].Slotted.start()
        await code.upgrade(project.write("slotted.py", text.replace("SLOT", "'c'") + change))
        return await call(pid, None)

    assert runtime.run(main) == "new"


def test_an_idle_server_of_an_older_version_says_so(project, runtime):
    """A load runs nothing in it; so what its state fits is the version that it last ran."""

    async def main():
        pids = await start_ledgers(1, 2)
        load_ledger(project, 2)
        await call(pids[1], "get")
        await upgrade_ledger("self.total = old_vsn", 3)
        return await answers(pids)

    assert runtime.run(main) == [(3, 1), (3, 2)]


def test_without_a_vsn_it_is_the_texts_digest(project, runtime):
    """The same that code.versions shows."""
    text = ledger(1).replace("__vsn__ = 1", "")
    code.load(project.write("ledger.py", text))
    vsn = code.versions("ledger")[-1].vsn

    async def main():
        pids = await start_ledgers(1)
        await upgrade_ledger("self.total = old_vsn")
        return await answers(pids)

    assert runtime.run(main) == [(2, vsn)]


def test_a_subclass_of_the_module_is_upgraded(project, runtime):
    """With the code_change that it inherits; also of a class in another module."""
    base = "from midflight import GenServer\nclass Base(GenServer):\n    def handle_call(self, request, client):\n"
    base += "        return self.total\n    def code_change(self, old_vsn, extra):\n        self.total += 100\n"
    project.load_text("base", base)
    text = "import base\nclass Leaf(base.Base):\n    def init(self):\n        self.total = 1\n"
    project.load_text("leaf", text)

    async def main():
        pid = await sys.modules["leaf"].Leaf.start()
        await code.upgrade("leaf")
        return await call(pid, "get")

    assert runtime.run(main) == 101


def test_load_hooks_find_the_new_states(project, runtime):
    """States and code are one step, and hooks come after it."""
    hook = "from midflight.code import on_load\nfrom midflight import whereis\n"
    hook += "@on_load\ndef look():\n    SEEN.append(whereis('one').process.behaviour.server.total)\nSEEN = []\n"

    async def main():
        (pid,) = await start_ledgers(1)
        register("one", pid)
        await code.upgrade("ledger", ledger(2, TO_A_DICT) + hook)
        return sys.modules["ledger"].SEEN

    assert runtime.run(main) == [{"sum": 1}]


def test_a_version_that_nobody_runs_any_more_goes(project, runtime):
    """An upgrade leaves nothing behind that holds it."""
    gone = weakref.ref(sys.modules["ledger"].Ledger)

    async def main():
        pids = await start_ledgers(1)
        await upgrade_ledger(TO_A_DICT)
        gc.collect()
        return await answers(pids)

    assert runtime.run(main) == [(2, {"sum": 1})]
    assert gone() is None


# --- The report -----------------------------------------------------------------------------------------------


def test_the_summary_counts_the_servers(runtime):
    """One line for an echo area."""

    async def main():
        await start_ledgers(1, 2, 3)
        return await upgrade_ledger(TO_A_DICT)

    report = runtime.run(main)
    said = code.summary(report).rpartition(" (")[0]
    assert said.startswith("ledger v2 loaded: ")
    assert said.endswith("; 3 servers upgraded by code_change")


def test_the_report_names_each_server(runtime):
    """With its class, version, and state before and after."""

    async def main():
        (pid,) = await start_ledgers(1)
        register("one", pid)
        return pid, await upgrade_ledger(TO_A_DICT)

    pid, report = runtime.run(main)
    assert (report.module, report.version, report.added) == ("ledger", 2, ("Ledger.code_change",))
    assert report.servers == (
        code.ServerChange(
            pid=pid,
            name="one",
            class_name="Ledger",
            old_version=1,
            old_vsn=1,
            is_changed=True,
            before="total=1, entries=[[1]]",
            after="total={'sum': 1}, entries=[[1]]",
        ),
    )
    assert f"  {pid!r} (one)  Ledger of version 1, code_change(1, extra)\n" in code.text(report)
    assert "    total=1, entries=[[1]]\n    -> total={'sum': 1}, entries=[[1]]\n" in code.text(report)


def test_a_failure_names_pid_state_and_line(runtime):
    """And keeps the exception itself, with the traceback of the program's own frames only."""

    async def main():
        pids = await start_ledgers(1)
        with pytest.raises(UpgradeError) as caught:
            await upgrade_ledger("self.total = 0\nraise KeyError(extra)", extra="x")
        return pids[0], caught.value

    pid, error = runtime.run(main)
    assert str(error) == (
        f"ledger not upgraded: line 21, code_change of {pid!r} raised KeyError: 'x'; its state is total=1, "
        "entries=[[1]]. Version 1 stays current, and every server as it was. Fix the line, upgrade again."
    )
    assert (error.pid, error.state) == (pid, "total=1, entries=[[1]]")
    assert isinstance(error.__cause__, KeyError)
    assert error.__cause__.__traceback__.tb_frame.f_code.co_name == "code_change"
    assert [(each.line, each.code) for each in error.report.refusals] == [(21, "code-change")]
    assert 'ledger.py", line 21, in code_change (version 2)' in code.text(error.report)


def test_servers_that_fail_alike_are_one_problem(runtime):
    """A diagnostic for a line and a kind of error, not one a server."""

    async def main():
        pids = await start_ledgers(1, 2, 3)
        with pytest.raises(UpgradeError) as caught:
            await upgrade_ledger("if self.total > 1: raise ValueError('big')")
        return pids, caught.value.report

    pids, report = runtime.run(main)
    assert [each.pid for each in report.servers if each.error] == pids[1:]
    assert [each.message for each in report.refusals] == [
        f"code_change of {pids[1]!r}, {pids[2]!r} raised ValueError: big; "
        "the first one's state is total=2, entries=[[2]]"
    ]


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
    """A LoadError as any other; no server is held for it."""

    async def main():
        pids = await start_ledgers(1)
        with pytest.raises(code.LoadError) as caught:
            await code.upgrade("ledger", "class Ledger(:")
        return type(caught.value), await answers(pids)

    assert runtime.run(main) == (code.LoadError, [(1, 1)])


def test_a_check_that_refuses_lets_the_servers_go(project, runtime):
    """The last look is taken when they are held, and their states are ready."""
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
        return await upgrade_ledger("1 // (2 - self.total)", dry_run=True)

    report = runtime.run(main)
    assert report.version is None
    assert [each.error for each in report.servers] == [
        None,
        "ZeroDivisionError: integer division or modulo by zero",
        None,
    ]
    assert code.summary(report).startswith("ledger would not be upgraded: line 20, code_change of ")
    assert "Nothing was changed." in code.summary(report)


def test_a_dry_run_of_a_new_module_leaves_none(project):
    """Neither its name nor a version."""
    report = code.upgrade_sync(project.write("fresh.py", "x = 1"), dry_run=True)

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
        report = project.load_text("other", "x = 1")
        with pytest.raises(UpgradeError, match=r"had to go first.*Upgrade again\."):
            await upgrading
        return report.version, await call(pid, "get")

    assert runtime.run(main) == (1, (1, 1))


def test_a_load_in_a_code_change_fails_the_upgrade(project, runtime):
    """It would wait for the upgrade that waits for it."""
    path = project.write("other.py", "x = 1")

    async def main():
        pids = await start_ledgers(1)
        with pytest.raises(UpgradeError, match="had to go first"):
            await upgrade_ledger("from midflight import code\ncode.load(extra)", extra=path)
        return code.is_loaded("other"), await answers(pids)

    assert runtime.run(main) == (path, [(1, 1)])


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


# --- From where -----------------------------------------------------------------------------------------------


def test_without_a_runtime_it_is_a_load(project):
    """There are no servers."""
    report = code.upgrade_sync("ledger", ledger(2, TO_A_DICT))

    assert (report.version, report.servers) == (2, ())


def test_a_thread_can_upgrade(runtime):
    """`upgrade_sync` waits there for what processes do."""

    async def main():
        pids = await start_ledgers(1)
        await asyncio.to_thread(code.upgrade_sync, "ledger", ledger(2, TO_A_DICT))
        return await answers(pids)

    assert runtime.run(main) == [(2, {"sum": 1})]


def test_the_runtimes_thread_cannot_wait_for_its_processes(runtime):
    """So it is refused there, with what to write instead."""

    async def main():
        with pytest.raises(RuntimeError, match=r"nothing was done. `await upgrade\(\.\.\.\)`"):
            code.upgrade_sync("ledger")
        return current()

    assert runtime.run(main) == 1


def test_a_runtime_that_copies_messages_upgrades_too(clock):
    """System messages are not copied, nor are states: a lock could not be."""
    runtime = TestRuntime(clock, copy_messages=True)

    async def main():
        pids = await start_ledgers(1, lock=threading.Lock())
        await upgrade_ledger(TO_A_DICT)
        return await answers(pids)

    try:
        assert runtime.run(main) == [(2, {"sum": 1})]
    finally:
        runtime.close()


# --- Down and up ----------------------------------------------------------------------------------------------

BOTH_WAYS = """
    if isinstance(old_vsn, tuple):
        self.told = old_vsn
        self.total = self.total["sum"]
    else:
        self.total = {"sum": self.total}
    """


def test_a_downgrade_is_made_by_the_younger_class(project, runtime):
    """H40: it knows both kinds of state, and is told ("down", the vsn that it goes to)."""

    async def main():
        pids = await start_ledgers(1)
        await upgrade_ledger(BOTH_WAYS)
        report = await code.upgrade("ledger", to=1)
        return report.version, state_of(pids[0])["told"], await answers(pids)

    assert runtime.run(main) == (3, ("down", 1), [(1, 1)])


def test_a_rollback_is_as_old_as_its_text(project, runtime):
    """From version 3, which is version 1 again, to version 2 it goes up."""

    async def main():
        pids = await start_ledgers(1)
        await upgrade_ledger(BOTH_WAYS)
        await code.upgrade("ledger", to=1)
        await code.upgrade("ledger", to=2)
        return await answers(pids)

    assert runtime.run(main) == [(2, {"sum": 1})]


def test_to_the_same_text_nothing_is_to_be_changed(runtime):
    """The states fit it."""

    async def main():
        pids = await start_ledgers(1)
        await upgrade_ledger(BOTH_WAYS)
        report = await code.upgrade("ledger", to=2)
        return [each.is_changed for each in report.servers], await answers(pids)

    assert runtime.run(main) == ([False], [(2, {"sum": 1})])


def test_a_source_and_a_version_are_one_too_many():
    """Nothing is loaded."""
    with pytest.raises(ValueError, match="not both; nothing was done"):
        code.upgrade_sync("ledger", ledger(2), to=1)

    assert current() == 1


def test_an_unknown_version_is_an_error():
    """As for rollback."""
    with pytest.raises(code.UnknownVersionError):
        code.upgrade_sync("ledger", to=9)


# --- Servers that stay ------------------------------------------------------------------------------------------


def test_servers_made_elsewhere_of_an_older_class_are_reported(project, runtime):
    """They go on with it until their own module is loaded too; then their code_change runs."""
    project.load_text("leaf", "import ledger\nclass Leaf(ledger.Ledger):\n    pass\n")

    async def main():
        pid = await sys.modules["leaf"].Leaf.start(1)
        report = await upgrade_ledger(TO_A_DICT)
        before = await call(pid, "get")
        await code.upgrade("leaf")
        return pid, report.warnings, before, await call(pid, "get")

    pid, (warning,), before, after = runtime.run(main)
    assert warning.message == f"{pid!r}: leaf.Leaf is made of an older Ledger, until leaf is loaded too"
    assert (before, after) == ((1, 1), (2, {"sum": 1}))


def test_servers_whose_class_is_gone_are_reported(runtime):
    """They go on as they are, as after a load."""

    async def main():
        pids = await start_ledgers(1)
        report = await code.upgrade("ledger", "class Other:\n    pass\n")
        return pids[0], report, await answers(pids)

    pid, report, answered = runtime.run(main)
    assert [each.message for each in report.warnings] == [
        f"{pid!r}: the class Ledger is gone, so its server goes on with the old one"
    ]
    assert (report.servers, answered) == ((), [(1, 1)])


# --- Load or upgrade ------------------------------------------------------------------------------------------


async def decide(text, **options):
    """Load the text as an editor's request does, from a thread."""
    return await asyncio.to_thread(code.load_or_upgrade, "ledger", text, **options)


def test_a_code_change_that_is_new_makes_it_an_upgrade(runtime):
    """To the servers that are there."""

    async def main():
        pids = await start_ledgers(1)
        report = await decide(ledger(2, TO_A_DICT))
        return type(report), await answers(pids)

    assert runtime.run(main) == (code.UpgradeReport, [(2, {"sum": 1})])


def test_a_code_change_that_stays_in_the_text_does_not_run_again(runtime):
    """It has been done: states would be changed twice. Nor does one whose text was only laid out anew."""

    async def main():
        pids = await start_ledgers(1)
        first = ledger(2, TO_A_DICT).replace("__vsn__", "vsn")
        await decide(first)
        report = await decide("# A comment.\n" + first.replace("'sum'", '"sum"'))
        return type(report), await answers(pids)

    assert runtime.run(main) == (code.LoadReport, [(2, {"sum": 1})])


def test_a_code_change_of_another_text_runs(runtime):
    """It was written for this."""

    async def main():
        pids = await start_ledgers(1)
        await decide(ledger(2, TO_A_DICT).replace("__vsn__", "vsn"))
        await decide(ledger(3, "self.total = ['sum', self.total['sum']]").replace("__vsn__", "vsn"))
        return await answers(pids)

    assert runtime.run(main) == [(3, ["sum", 1])]


def test_another_vsn_makes_it_an_upgrade(runtime):
    """By it the module says that its states are others."""

    async def main():
        pids = await start_ledgers(1)
        await decide(ledger(2, "self.total = [self.total]"))
        await decide(ledger(3, "self.total = [self.total]"))
        return await answers(pids)

    assert runtime.run(main) == [(3, [[1]])]


def test_without_servers_it_is_a_load(runtime):
    """There is nothing to upgrade."""

    async def main():
        return await decide(ledger(2, TO_A_DICT))

    assert type(runtime.run(main)) is code.LoadReport


def test_a_load_holds_no_server(runtime):
    """One that is busy does not keep a version from being loaded that has nothing to change in it."""

    async def main():
        (pid,) = await start_ledgers(1)
        call_later(pid, "wait")
        await sleep(0)
        await sleep(0)
        report = await decide(ledger(2))
        pid << "go on"
        return report.version, await receive(("answer", ...)), await call(pid, "get")

    assert runtime.run(main) == (2, ("answer", (1, 1)), (2, 1))


def test_only_servers_with_something_to_change_are_upgraded(project, runtime):
    """Others of the module take their new class at their next message."""
    other = "\nclass Other(Ledger):\n    code_change = None\n".replace("code_change = None", "pass")
    code.load(project.write("ledger.py", ledger(1, "self.total = 0") + other))

    async def main():
        pid = await sys.modules["ledger"].Other.start(5)
        own = "\nclass Other(Ledger):\n    def code_change(self, old_vsn, extra):\n        self.total = 'changed'\n"
        pids = [*(await start_ledgers(1)), pid]
        text = (ledger(1, "self.total = 0") + own).replace("return 1,", "return 2,")
        report = await decide(text)
        return [each.class_name for each in report.servers], await answers(pids)

    assert runtime.run(main) == (["Other"], [(2, 1), (2, "changed")])


def test_nobody_is_left_after_an_upgrade(runtime):
    """The processes that see to it are gone."""

    async def main():
        await start_ledgers(1)
        before = processes()
        await upgrade_ledger(TO_A_DICT)
        return self_() in before, processes() == before

    assert runtime.run(main) == (True, True)
