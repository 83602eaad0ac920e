"""Every step of an upgrade may fail: then code and states are both as they were, or both new; and nobody stays held.

Steps are found, as for loads: the functions of `midflight.code` that an upgrade calls, in whatever thread.
"""

from __future__ import annotations

import threading

from helpers.faults import Fault
from helpers.ledgers import TO_A_DICT, answers, load_ledger, start_ledgers, upgrade_ledger
from midflight import code

SWAP = "commit._Commitment._swap"
CANNOT_FAIL = (
    "upgrade._in_a_thread.<locals>.work",  # takes care of what fails
    "holding.Holding.release",  # how everybody goes on
    "held.let_go",
    "held._take_back",
    "holding._Answers.__lshift__",  # runs where a server sends its answer
    "holding.Holding.install",  # after the swap: the states
    "attributes.renewed",
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
    own = step.partition(".")[0] in "upgrade upgrading holding held planning account callbacks attributes".split()
    return own and step not in CANNOT_FAIL


def test_each_step_of_an_upgrade_can_fail(project, runtime):
    """The next one comes as far as its own step: so nothing is left locked, held or half done."""
    load_ledger(project)
    wrong = []

    async def main():
        pids = await start_ledgers(1, 2)
        with FaultAnywhere() as found:
            await upgrade_ledger(TO_A_DICT, 2, dry_run=True)
            await upgrade_ledger("self.total = extra", 2, extra=0)
        for step in filter(is_tried, found.steps):
            before = await answers(pids)
            number = before[0][0] + 1
            with FaultAnywhere(step) as fault:
                try:
                    await upgrade_ledger("self.total = extra", number, extra=number)
                except (code.LoadError, MemoryError):
                    pass
            after = await answers(pids)
            if step in fault.steps and after not in (before, [(number, number)] * 2):
                wrong.append((step, before, after))
        return list(found.steps), wrong

    steps, wrong = runtime.run(main)
    assert wrong == []
    assert SWAP in steps
    assert len(list(filter(is_tried, steps))) > 40
    assert runtime.crashes == []
