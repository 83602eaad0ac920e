"""Several modules and the states of all their servers change together. Statements H30, H41."""

from __future__ import annotations

import asyncio
import sys
import time

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
from midflight import call, code, exit, processes, receive, register, self_, sleep, spawn
from midflight.code import lowlevel

TO_A_LIST = "self.total = [self.total]"


@pytest.fixture(autouse=True)
def modules(project):
    """Load version 1 of the server in three modules."""
    load_ledgers(project, "one", "two", "three")


# --- What it does ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("one", "two"), ("two", "one"), ("one", "three", "two")])
def test_states_and_codes_of_all_modules_change(runtime, names):
    """With a report for each, in the order in which they were given."""

    async def main():
        pids = {name: await start_ledgers(1, 2, module=name) for name in names}
        reports = await upgrade_ledgers({name: f"self.total = '{name}', self.total" for name in names})
        return pids, reports, [await answers(pids[name]) for name in names]

    pids, reports, answered = runtime.run(main)
    assert answered == [[(2, (name, 1)), (2, (name, 2))] for name in names]
    assert [(report.module, report.version) for report in reports] == [(name, 2) for name in names]
    assert [[each.pid for each in report.servers] for report in reports] == list(pids.values())


def test_all_get_the_same_extra_and_the_vsn_of_their_own_module(project, runtime):
    """H40."""
    load_ledgers(project, "two", number=7)

    async def main():
        first, second = await start_ledgers(1, module="one"), await start_ledgers(1, module="two")
        told = "self.total = old_vsn, extra"
        await upgrade_ledgers({"one": told, "two": told}, 8, extra="both")
        return await answers(first + second)

    assert runtime.run(main) == [(8, (1, "both")), (8, (7, "both"))]


def test_a_module_without_servers_is_only_loaded(runtime):
    """Its report is that of an upgrade all the same, of no servers."""

    async def main():
        pids = await start_ledgers(1, module="two")
        reports = await upgrade_ledgers({"one": None, "two": TO_A_DICT, "three": None})
        return reports, await answers(pids)

    reports, answered = runtime.run(main)
    assert answered == [(2, {"sum": 1})]
    assert [(type(each), each.version, len(each.servers)) for each in reports] == [
        (code.UpgradeReport, 2, 0),
        (code.UpgradeReport, 2, 1),
        (code.UpgradeReport, 2, 0),
    ]


def test_nobody_goes_on_before_all_are_done(runtime):
    """Not even those whose code_change came to its end at once: who calls them waits for the new state."""

    async def main():
        be_top()
        (first,) = await start_ledgers(1, module="one")
        (second,) = await start_ledgers(2, module="two")
        upgrading = asyncio.create_task(upgrade_ledgers({"one": TO_A_DICT, "two": f"{HOLD}\n{TO_A_DICT}"}))
        await receive("begun")
        call_later(first)
        await sleep(0)
        waiting = await receive(("answer", ...), timeout=0, default="waits"), current("one"), state_of(first)["total"]
        second << "go on"
        await upgrading
        return waiting, await receive(("answer", ...)), await call(second, "get")

    assert runtime.run(main) == (("waits", 1, 1), ("answer", (2, {"sum": 1})), (2, {"sum": 2}))


def test_nobody_sees_one_module_new_and_another_one_old(runtime):
    """Neither their code nor their states: a process that looks all the time sees the one or the other."""
    seen = set()

    async def look(pids):
        while True:
            numbers = [sys.modules[name].__vsn__ for name in ("one", "two")]
            seen.add((*numbers, *(state_of(pid)["total"] for pid in pids)))
            await asyncio.sleep(0)

    async def main():
        pids = [*(await start_ledgers(1, module="one")), *(await start_ledgers(1, module="two"))]
        watcher = spawn(look, pids)
        for number in (2, 3, 4):
            await upgrade_ledgers({"one": "self.total += 1", "two": "self.total += 1"}, number)
        await until(lambda: (4, 4, 4, 4) in seen)
        exit(watcher, "kill")

    runtime.run(main)
    assert seen == {(number,) * 4 for number in (1, 2, 3, 4)}


def test_a_server_that_starts_meanwhile_in_another_module_is_upgraded_too(runtime):
    """While those of the first are suspended."""

    async def main():
        be_top()
        pids = await start_ledgers(1, module="one")
        upgrading = asyncio.create_task(upgrade_ledgers({"one": f"{HOLD}\n{TO_A_DICT}", "two": TO_A_LIST}))
        await receive("begun")
        pids += await start_ledgers(2, module="two")
        pids[0] << "go on"
        reports = await upgrading
        return pids, [each.pid for report in reports for each in report.servers], await answers(pids)

    pids, upgraded, answered = runtime.run(main)
    assert upgraded == pids
    assert answered == [(2, {"sum": 1}), (2, [2])]


def test_a_server_that_ends_meanwhile_does_not_fail_the_others(runtime):
    """There is no state of it to change; the report of its module names the others."""

    async def main():
        be_top()
        pids = [*(await start_ledgers(1, module="one")), *(await start_ledgers(2, module="two"))]
        upgrading = asyncio.create_task(upgrade_ledgers({"one": TO_A_DICT, "two": f"{HOLD}\n{TO_A_DICT}"}))
        await receive("begun")
        exit(pids[0], "kill")
        pids[1] << "go on"
        reports = await upgrading
        return pids, [[each.pid for each in report.servers] for report in reports], await answers(pids[1:])

    pids, upgraded, answered = runtime.run(main)
    assert upgraded == [[], pids[1:]]
    assert answered == [(2, {"sum": 2})]


def test_a_text_is_imported_from_the_new_version_of_another_module(project, runtime):
    """A code_change calls what it imported by name in the new version; by the module's name it is still the old."""
    helper = "def shape(total):\n    return {0}, total\n"
    path = project.write("three.py", helper.format(1))
    code.load(path, force=True)
    uses = "import three\nfrom three import shape\n"

    async def main():
        pids = await start_ledgers(5, module="one")
        change = "self.total = shape(self.total), three.shape(self.total)"
        await code.upgrade_many([("one", uses + ledger(2, change)), (path, helper.format(2))])
        return await answers(pids)

    assert runtime.run(main) == [(2, ((2, 5), (1, 5)))]


def test_load_hooks_find_all_states_new(runtime):
    """Of whichever module the hook is."""
    hook = "from midflight.code import on_load\nfrom midflight import whereis\nSEEN = []\n@on_load\ndef look():\n"
    hook += "    SEEN.extend(whereis(name).process.behaviour.server.total for name in ('first', 'second'))\n"

    async def main():
        for name, module in (("first", "one"), ("second", "two")):
            register(name, (await start_ledgers(1, module=module))[0])
        await code.upgrade_many([("one", ledger(2, TO_A_DICT) + hook), ("two", ledger(2, TO_A_LIST) + hook)])
        return sys.modules["one"].SEEN, sys.modules["two"].SEEN

    assert runtime.run(main) == ([{"sum": 1}, [1]],) * 2


# --- Servers that call each other -------------------------------------------------------------------------------

ASKS = """
from midflight import GenServer, call, receive, send

class Desk(GenServer):
    async def init(self, other):
        self.other = other

    async def handle_call(self, request, client):
        send("top", "begun")
        await receive("go on")
        return [await call(self.other, "get", timeout=None) for _ in range(request)]
"""


async def pass_time(clock, task):
    """Move the clock on until `task` is done, which has a minute of the wall clock."""
    end = time.monotonic() + 60
    while not task.done():
        assert time.monotonic() < end
        clock.advance(0.001)
        await asyncio.sleep(0)


@pytest.mark.parametrize("calls", [1, 3])
def test_a_server_that_waits_for_one_that_is_held_gets_its_answer(project, runtime, clock, calls):
    """The one goes on until the other one is suspended too; else an upgrade of both would fail whenever one calls."""
    project.load_text("desk", ASKS)

    async def main():
        be_top()
        (pid,) = await start_ledgers(1, module="one")
        desk = await sys.modules["desk"].Desk.start(pid)
        call_later(desk, calls)
        await receive("begun")
        upgrading = asyncio.create_task(
            code.upgrade_many([("one", ledger(2, TO_A_DICT)), ("desk", ASKS)], timeout=None)
        )
        await until(lambda: pid.process.behaviour.is_suspended and system_messages(desk))
        desk << "go on"
        await pass_time(clock, upgrading)
        reports = await upgrading
        return [len(report.servers) for report in reports], await receive(("answer", ...)), await call(pid, "get")

    assert runtime.run(main) == ([1, 1], ("answer", [(1, 1)] * calls), (2, {"sum": 1}))


def test_servers_that_call_each_other_all_the_time_are_upgraded(project, runtime, clock):
    """Under traffic, each answer is of the old code or of the new, and none is missing."""
    text = ASKS.replace('        send("top", "begun")\n        await receive("go on")\n', "")
    project.load_text("desk", text)
    answered = []

    async def ask(desk):
        while True:
            answered.extend(await call(desk, 2, timeout=None))
            await asyncio.sleep(0)

    async def main():
        (pid,) = await start_ledgers(1, module="one")
        desks = [await sys.modules["desk"].Desk.start(pid) for _ in range(3)]
        askers = [spawn(ask, desk) for desk in desks]
        await until(lambda: len(answered) > 20)
        wanted = [("one", ledger(2, "self.total += 1")), ("desk", text)]
        upgrading = asyncio.create_task(code.upgrade_many(wanted, timeout=None))
        await pass_time(clock, upgrading)
        reports = await upgrading
        before = len(answered)
        await until(lambda: len(answered) > before + 20)
        for asker in askers:
            exit(asker, "kill")
        return [len(report.servers) for report in reports]

    assert runtime.run(main) == [1, 3]
    assert answered == [(1, 1)] * answered.count((1, 1)) + [(2, 2)] * answered.count((2, 2))
    assert runtime.crashes == []


# --- Inheritance across the modules ---------------------------------------------------------------------------

LEAF = "import one\n\nclass Leaf(one.Ledger):\n    pass\n"


@pytest.mark.parametrize("names", [("one", "leaf"), ("leaf", "one")])
def test_a_class_made_of_one_in_another_module_is_upgraded_once(project, runtime, names):
    """By the code_change that it inherits, of the new version, with the vsn of its own module."""
    project.load_text("leaf", f"{LEAF}\n__vsn__ = 'old leaf'\n")

    async def main():
        texts = {"one": ledger(2, "self.total = [self.total, old_vsn]"), "leaf": f"{LEAF}\n__vsn__ = 'new leaf'\n"}
        pids = [*(await start_ledgers(1, module="one")), await sys.modules["leaf"].Leaf.start(2)]
        reports = await code.upgrade_many([(name, texts[name]) for name in names])
        is_new = type(pids[1].process.behaviour.server).__mro__[1] is sys.modules["one"].Ledger
        return pids, {each.module: each for each in reports}, await answers(pids), is_new

    pids, reports, answered, is_new = runtime.run(main)
    assert answered == [(2, [1, 1]), (2, [2, "old leaf"])]
    assert is_new
    assert [[each.pid for each in reports[name].servers] for name in ("one", "leaf")] == [[pid] for pid in pids]
    assert [report.warnings for report in reports.values()] == [(), ()]


def test_an_inherited_code_change_that_fails_is_shown_where_it_is(project, runtime):
    """In the text of the base; the report is that of the server's module."""
    path = project.load_text("leaf", LEAF).path

    async def main():
        pid = await sys.modules["leaf"].Leaf.start(2)
        with pytest.raises(code.UpgradeError) as caught:
            await code.upgrade_many([("one", ledger(2, "self.total += 'x'")), path])
        return pid, caught.value

    pid, error = runtime.run(main)
    (problem,) = error.report.refusals
    assert (error.report.module, [each.module for each in error.reports]) == ("leaf", ["leaf"])
    assert (problem.path, problem.line, problem.code) == (project.path("one.py"), 20, "code-change")
    assert str(error).startswith(f"leaf not upgraded: one.py line 20, code_change of {pid!r} raised TypeError: ")


def test_a_class_made_of_an_older_one_is_reported(project, runtime):
    """A module that takes the other one by `import_module` does not say so by its text: it may be made too early."""
    project.load_text("base", ledger(1))
    leaf = LEAF.replace("import one", "import importlib\none = importlib.import_module('base')")
    project.load_text("leaf", leaf)

    async def main():
        pid = await sys.modules["leaf"].Leaf.start(1)
        reports = await code.upgrade_many(["leaf", ("base", "import leaf\n" + ledger(2, TO_A_DICT))])
        before = await call(pid, "get")
        await code.upgrade("leaf")
        return pid, reports, before, await call(pid, "get")

    pid, reports, before, after = runtime.run(main)
    assert [each.message for report in reports for each in report.warnings if each.code == "server"] == [
        f"{pid!r}: leaf.Leaf is made of an older Ledger; load leaf once more"
    ]
    assert (before, after) == ((1, 1), (2, {"sum": 1}))


# --- The words ------------------------------------------------------------------------------------------------


def test_the_summary_counts_servers_of_all(runtime):
    """One line for an echo area, and each module's own report under it."""

    async def main():
        for name in ("one", "two", "three"):
            await start_ledgers(1, module=name)
        return await upgrade_ledgers({"one": TO_A_DICT, "two": None, "three": TO_A_DICT})

    reports = runtime.run(main)
    said = "3 modules loaded: one v2, two v2, three v2; 2 servers upgraded by code_change, 1 took the new class"
    assert lowlevel.summary_of_many(reports) == said
    assert [code.text(each) in lowlevel.text_of_many(reports) for each in reports] == [True] * 3


# --- From where -----------------------------------------------------------------------------------------------


def test_a_thread_can_upgrade_several(runtime):
    """`upgrade_many_sync` waits there for what processes do."""

    async def main():
        pids = [*(await start_ledgers(1, module="one")), *(await start_ledgers(2, module="two"))]
        texts = [("one", ledger(2, TO_A_DICT)), ("two", ledger(2, TO_A_LIST))]
        await asyncio.to_thread(lowlevel.upgrade_many_sync, texts)
        return await answers(pids)

    assert runtime.run(main) == [(2, {"sum": 1}), (2, [2])]


def test_the_runtimes_thread_cannot_wait_for_several(runtime):
    """What to write instead is said."""

    async def main():
        with pytest.raises(
            RuntimeError, match=r"nothing was done. `await upgrade_many\(\.\.\.\)`, or .*upgrade_many_sync"
        ):
            lowlevel.upgrade_many_sync(["one", "two"])
        return current("one")

    assert runtime.run(main) == 1


def test_files_names_and_texts_can_be_mixed(project, runtime):
    """As for load_many; an iterator is as good as a list."""
    path = project.write("one.py", ledger(2, TO_A_DICT))

    async def main():
        pids = [*(await start_ledgers(1, module="one")), *(await start_ledgers(2, module="two"))]
        reports = await code.upgrade_many(iter([path, ("two", ledger(3, TO_A_LIST)), "three"]))
        return [report.module for report in reports], await answers(pids)

    assert runtime.run(main) == (["one", "two", "three"], [(2, {"sum": 1}), (3, [2])])


def test_what_cannot_be_meant_is_an_error():
    """One given twice; one name alone, whose letters would be names."""
    with pytest.raises(ValueError, match="a module is given twice"):
        lowlevel.upgrade_many_sync(["one", "two", "one"])
    with pytest.raises(TypeError, match=r"Give \['one'\]"):
        lowlevel.upgrade_many_sync("one")

    assert (current("one"), current("two")) == (1, 1)
    assert lowlevel.upgrade_many_sync([]) == ()


def test_nobody_is_left_after_an_upgrade_of_several(runtime):
    """The processes that see to it are gone."""

    async def main():
        await start_ledgers(1, module="one")
        await start_ledgers(1, module="two")
        before = processes()
        await upgrade_ledgers({"one": TO_A_DICT, "two": TO_A_DICT})
        return self_() in before, processes() == before

    assert runtime.run(main) == (True, True)
