"""Every step of an upgrade may fail: then code and states are both old, or both new; and nobody stays suspended.

Steps are found, as for loads: the functions of `midflight.code` that an upgrade calls, in whatever thread.
"""

from __future__ import annotations

import threading

import pytest

from helpers.faults import Fault
from helpers.ledgers import TO_A_DICT, answers, current, load_ledgers, start_ledgers, upgrade_ledgers
from midflight import code

SWAP = "load/commit._swap"
INSTALL = "upgrade/suspend.Suspension.install"
CANNOT_FAIL = (
    "upgrade/awaited._begun.<locals>.work",  # takes care of what fails
    "upgrade/suspend.Suspension.release",  # how everybody goes on
    "upgrade/suspended.let_go",
    "upgrade/suspended._take_back",
    "upgrade/suspend._Answers.__lshift__",  # runs where a server sends its answer
    INSTALL,  # after the swap: the states
    "identity/server_state.swap_state",
)


class FaultAnywhere(Fault):
    """A Fault in this thread and in those that are started in its block."""

    def __enter__(self):
        threading.settrace(self._trace)
        return super().__enter__()

    def __exit__(self, *error):
        threading.settrace(None)
        super().__exit__(*error)


def is_tried(step):
    """Say whether a step is one of the upgrade's own, and may fail."""
    own = step.startswith(("upgrade/", "identity/server_state.")) and not step.startswith("upgrade/in_thread.")
    return own and step not in CANNOT_FAIL


@pytest.mark.parametrize("names", [("one",), ("one", "two")])
def test_each_step_of_an_upgrade_can_fail(project, runtime, names):
    """The next one comes as far as its own step: so nothing is left locked, suspended or half done, in any module."""
    load_ledgers(project, *names)
    wrong = []

    async def main():
        pids = [pid for name in names for pid in await start_ledgers(1, 2, module=name)]
        with FaultAnywhere() as found:
            await upgrade_ledgers(dict.fromkeys(names, TO_A_DICT), 2, dry_run=True)
            await upgrade_ledgers(dict.fromkeys(names, "self.total = extra"), 2, extra=0)
        for step in filter(is_tried, found.steps):
            before = await answers(pids)
            number = before[0][0] + 1
            with FaultAnywhere(step) as fault:
                try:
                    await upgrade_ledgers(dict.fromkeys(names, "self.total = extra"), number, extra=number)
                except (code.LoadError, MemoryError):
                    pass
            after = await answers(pids)
            if step in fault.steps and after not in (before, [(number, number)] * len(pids)):
                wrong.append((step, before, after))
        return list(found.steps), wrong

    steps, wrong = runtime.run(main)
    assert wrong == []
    assert SWAP in steps
    assert len(list(filter(is_tried, steps))) > 40
    assert runtime.crashes == []


BETWEEN = [
    ("load/commit.switch", 1),
    ("load/commit.switch", 2),  # one module is new by then, and the other one is not
    ("version/modules.Module.make_current", 2),
    ("upgrade/suspend.Suspension.install", 1),  # all code is new by then, and no state is
    ("identity/server_state.swap_state", 1),
    ("identity/server_state.swap_state", 3),  # the states of one module are new by then
]


@pytest.mark.parametrize(("step", "at"), BETWEEN)
def test_what_fails_in_the_swap_is_done_to_its_end(project, runtime, step, at):
    """There is one swap for the code and the states of all modules; once it has begun, all of it comes to be."""
    load_ledgers(project, "one", "two")

    async def main():
        pids = [pid for name in ("one", "two") for pid in await start_ledgers(1, 2, module=name)]
        with FaultAnywhere(step, at=at) as fault:
            reports = await upgrade_ledgers({"one": TO_A_DICT, "two": TO_A_DICT})
        return fault.steps, [len(report.servers) for report in reports], await answers(pids)

    steps, upgraded, answered = runtime.run(main)
    assert (steps[SWAP], steps[step]) == (1, at)  # the fault came; nothing is noted after it
    assert upgraded == [2, 2]
    assert answered == [(2, {"sum": 1}), (2, {"sum": 2})] * 2
    assert (current("one"), current("two")) == (2, 2)
    assert runtime.crashes == []


def test_one_step_installs_all(project, runtime):
    """The swap is called once, and the states of all modules are installed in it, once."""
    load_ledgers(project, "one", "two", "three")

    async def main():
        for name in ("one", "two", "three"):
            await start_ledgers(1, module=name)
        with FaultAnywhere() as fault:
            await upgrade_ledgers(dict.fromkeys(("one", "two", "three"), TO_A_DICT))
        return [fault.steps[step] for step in (SWAP, "load/commit.switch", INSTALL, "identity/server_state.swap_state")]

    assert runtime.run(main) == [1, 3, 1, 3]
