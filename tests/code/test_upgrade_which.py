"""Which servers an upgrade changes, from which version to which, and when a load is one."""

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
    start_ledgers,
    state_of,
    upgrade_ledger,
)
from midflight import (
    call,
    code,
    processes,
    receive,
    self_,
    sleep,
)
from midflight.code import lowlevel

pytestmark = pytest.mark.usefixtures("ledger_1")


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
        lowlevel.upgrade_sync("ledger", ledger(2), to=1)

    assert current() == 1


def test_an_unknown_version_is_an_error():
    """As for rollback."""
    with pytest.raises(code.UnknownVersionError):
        lowlevel.upgrade_sync("ledger", to=9)


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
    return await asyncio.to_thread(lowlevel.load_or_upgrade, "ledger", text, **options)


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


@pytest.mark.parametrize("many", [False, True])
def test_an_upgrade_runs_no_code_change_twice_either(runtime, many):
    """A comment is no reason; the server takes the new class, and its state stays."""

    async def main():
        pids = await start_ledgers(1)
        first = ledger(2, TO_A_DICT).replace("__vsn__", "vsn")
        await code.upgrade("ledger", first)
        second = "# A comment.\n" + first.replace("return (2,", "return (20,")
        if many:
            (report,) = await code.upgrade_many([("ledger", second)])
        else:
            report = await code.upgrade("ledger", second)
        return [each.is_changed for each in report.servers], await answers(pids)

    ran, found = runtime.run(main)
    assert found[0][1] == {"sum": 1}
    assert ran == [False]


def test_a_downgrade_over_a_comment_runs_no_code_change(runtime):
    """Both texts have the same one."""

    async def main():
        pids = await start_ledgers(1)
        first = ledger(2, TO_A_DICT).replace("__vsn__", "vsn")
        await code.upgrade("ledger", first)
        await code.upgrade("ledger", "# A comment.\n" + first)
        await code.upgrade("ledger", to=2)
        return await answers(pids)

    assert runtime.run(main) == [(2, {"sum": 1})]


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
