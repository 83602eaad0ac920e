"""A load of several modules, as editors make it: the servers that it brings a code_change for are upgraded with it."""

from __future__ import annotations

import asyncio
import sys

import pytest

from helpers.ledgers import (
    TO_A_DICT,
    answers,
    call_later,
    current,
    ledger,
    load_ledgers,
    start_ledgers,
)
from midflight import call, code, exit, receive, self_, sleep, spawn
from midflight.code import lowlevel

TO_A_LIST = "self.total = [self.total]"
LEAF = "import one\n\nclass Leaf(one.Ledger):\n    pass\n"


@pytest.fixture(autouse=True)
def modules(project):
    """Load version 1 of the server in three modules."""
    load_ledgers(project, "one", "two", "three")


async def decide(*modules, **options):
    """Load them as an editor's request does, from a thread."""
    return await asyncio.to_thread(lowlevel.load_or_upgrade_many, modules, **options)


def test_only_servers_with_news_are_upgraded(runtime):
    """The class decides; a module without any has the report of a load, and its busy servers keep nobody waiting."""

    async def main():
        pids = [(await start_ledgers(number, module=name))[0] for number, name in enumerate(("one", "two"))]
        call_later(pids[1], "wait")
        await sleep(0)
        await sleep(0)
        reports = await decide(("two", ledger(2)), ("one", ledger(2, TO_A_DICT)), "three")
        pids[1] << "go on"
        return reports, await receive(("answer", ...)), await answers(pids)

    reports, waited, answered = runtime.run(main)
    assert [(each.module, type(each)) for each in reports] == [
        ("two", code.LoadReport),
        ("one", code.UpgradeReport),
        ("three", code.LoadReport),
    ]
    assert waited == ("answer", (1, 1))
    assert answered == [(2, {"sum": 0}), (2, 1)]
    said = "3 modules loaded: two v2, one v2, three v2; 1 server upgraded by code_change; 1 process still runs"
    assert lowlevel.summary_of_many(reports).startswith(said)


def test_a_code_change_that_stays_in_the_texts_does_not_run_again(runtime):
    """In none of them."""

    async def main():
        pids = [*(await start_ledgers(1, module="one")), *(await start_ledgers(2, module="two"))]
        texts = [("one", ledger(2, TO_A_LIST)), ("two", ledger(2, TO_A_LIST))]
        await decide(*texts)
        reports = await decide(*texts)
        return [type(each) for each in reports], await answers(pids)

    assert runtime.run(main) == ([code.LoadReport] * 2, [(2, [1]), (2, [2])])


@pytest.mark.parametrize("together", [True, False])
def test_news_of_the_base_are_news_to_classes_made_of_it(project, runtime, together):
    """An inherited code_change, or another `__vsn__` of the module that has it; also if that was loaded before."""
    project.load_text("leaf", LEAF)

    async def load(text):
        if together:
            return (await decide(("one", text), "leaf"))[1]
        await decide(("one", text))
        return (await decide("leaf"))[0]

    async def main():
        pid = await sys.modules["leaf"].Leaf.start(1)
        first = await load(ledger(2, TO_A_LIST))
        second = await load(ledger(3, TO_A_LIST))  # the same code_change, another vsn
        third = await load(ledger(3, TO_A_LIST))
        return [type(each) for each in (first, second, third)], await call(pid, "get")

    assert runtime.run(main) == ([code.UpgradeReport, code.UpgradeReport, code.LoadReport], (3, [[1]]))


def test_a_failure_loads_none_of_them(runtime):
    """An UpgradeError, as for one."""

    async def main():
        pids = [*(await start_ledgers(1, module="one")), *(await start_ledgers(2, module="two"))]
        with pytest.raises(code.UpgradeError, match="two not upgraded"):
            await decide(("one", ledger(2, TO_A_DICT)), ("two", ledger(2, "self.missing")), "three")
        return await answers(pids), current("three")

    assert runtime.run(main) == ([(1, 1), (1, 2)], 1)


def test_idle_processes_can_be_moved_with_them(project, runtime):
    """`move` is that of load_many."""
    text = "from midflight import receive, send\nasync def loop():\n    while True:\n        match await receive():\n"
    text += "            case ('who', top):\n                send(top, {0})\n"
    project.load_text("plain", text.format(1))

    async def main():
        (pid,) = await start_ledgers(1, module="one")
        plain = spawn(sys.modules["plain"].loop)
        await sleep(0)
        reports = await decide(("one", ledger(2, TO_A_DICT)), ("plain", text.format(2)), move=True)
        plain << ("who", self_())
        number = await receive()
        exit(plain, "kill")
        return reports[1].moved == (plain,), number, await call(pid, "get")

    assert runtime.run(main) == (True, 2, (2, {"sum": 1}))


def test_the_runtimes_thread_cannot_wait_for_a_load_of_several(runtime):
    """As for one."""

    async def main():
        with pytest.raises(RuntimeError, match=r"load_or_upgrade_many\(\) waits for processes"):
            lowlevel.load_or_upgrade_many(["one"])

    runtime.run(main)
