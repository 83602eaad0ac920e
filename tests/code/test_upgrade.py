"""Code and the states of live servers change together. Statements H37 to H41."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import weakref

import pytest

from helpers.ledgers import (
    HOLD,
    TO_A_DICT,
    answers,
    be_top,
    call_later,
    current,
    ledger,
    load_ledger,
    start_ledgers,
    state_of,
    upgrade_ledger,
)
from midflight import (
    ChildSpec,
    Supervisor,
    call,
    cast,
    code,
    process_info,
    receive,
    register,
    sleep,
    whereis,
)
from midflight.code import UpgradeError, lowlevel
from midflight.testing import TestRuntime

pytestmark = pytest.mark.usefixtures("ledger_1")


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
        await code.upgrade("leaf", text + "__vsn__ = 2\n")
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


# --- From where -----------------------------------------------------------------------------------------------


def test_without_a_runtime_it_is_a_load(project):
    """There are no servers."""
    report = lowlevel.upgrade_sync("ledger", ledger(2, TO_A_DICT))

    assert (report.version, report.servers) == (2, ())


def test_a_thread_can_upgrade(runtime):
    """`upgrade_sync` waits there for what processes do."""

    async def main():
        pids = await start_ledgers(1)
        await asyncio.to_thread(lowlevel.upgrade_sync, "ledger", ledger(2, TO_A_DICT))
        return await answers(pids)

    assert runtime.run(main) == [(2, {"sum": 1})]


def test_the_runtimes_thread_cannot_wait_for_its_processes(runtime):
    """So it is refused there, with what to write instead."""

    async def main():
        with pytest.raises(RuntimeError, match=r"nothing was done. `await upgrade\(\.\.\.\)`"):
            lowlevel.upgrade_sync("ledger")
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
