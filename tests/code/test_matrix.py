"""Which version each kind of call reaches, and who moves when: as it is, and as docs/versions.md says it.

The tables of the page are made from what is observed here; `scripts/versions-table` writes them.
"""

from __future__ import annotations

import pytest

from helpers.version_matrix import CURRENT, HELD, PAGE, PARKED, STEPS, WAITS, held, page, parked, waits
from midflight import code


@pytest.mark.parametrize("step", [step for step in STEPS if step != "purge"])
def test_what_a_process_in_version_1_calls(step):
    """H7, H8: its own names are those of version 1, names of the module those of the current one, whatever was done."""
    _, current = STEPS[step]

    assert parked(step) == {call: str(current if reach == CURRENT else 1) for call, reach in PARKED.items()}


def test_a_process_in_version_1_calls_nothing_after_a_purge():
    """H25: it has ended; only a purge does that."""
    assert set(parked("purge").values()) == {"ended"}


@pytest.mark.parametrize("step", STEPS)
def test_what_a_process_calls_that_holds_values_of_version_1(step):
    """H16, H21: what was made in version 1 goes on as it was, after a purge too; only names are looked up anew."""
    _, current = STEPS[step]

    assert held(step) == {call: str(current if reach == CURRENT else 1) for call, reach in HELD.items()}


# As WAITS has them: where it is after a load; what handles two messages; where it is then; after move; after purge.
MOVES = {
    "while_true": ("1", "1", "1", "1", "2", "ended"),
    "local_tail": ("1", "1", "1", "1", "2", "ended"),
    "qualified_tail": ("1", "1", "2", "2", "2", "ended"),
    "awaited": ("1", "1", "2", "1 and 2", "2", "ended"),
    "nested": ("1", "1", "1", "1", "1", "ended"),
    "handler": ("1", "2", "2", "1", "2", "ended"),
    "served": ("none", "2", "2", "none", "none", "none"),
}


@pytest.mark.parametrize("function", WAITS)
def test_when_a_process_moves(function):
    """H9, H11, H36: at its own qualified tail call, and no sooner; a GenServer has its callbacks looked up."""
    assert tuple(waits(function).values()) == MOVES[function]


def test_a_rollback_is_the_old_text_as_a_new_version(project):
    """No number is given twice, and nothing that was there before comes back to life."""
    for version in ("thing_v1", "thing_v2"):
        project.load(version)

    report = code.rollback("thing", to=1)

    assert report.version == 3
    assert code.source("thing", 3) == code.source("thing", 1) != code.source("thing", 2)


def test_the_page_is_up_to_date():
    """Else: scripts/versions-table."""
    assert PAGE.read_text(encoding="utf-8") == page(), "run scripts/versions-table"
