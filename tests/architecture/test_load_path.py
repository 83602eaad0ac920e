"""docs/architecture.md shows the path of a load as it is: recorded, in an interpreter that has loaded nothing else."""

from __future__ import annotations

import pytest

from helpers.load_path import PAGE, Call, brought_up_to_date, recorded, rows


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    """Return the calls of a load of one line."""
    return recorded()


def test_the_page_shows_the_path_as_it_is(calls: list[Call]) -> None:
    """Run scripts/load-path after a change of what a load calls."""
    text = PAGE.read_text(encoding="utf-8")

    assert brought_up_to_date(text, calls) == text, "run scripts/load-path"


def test_the_steps_come_in_their_order(calls: list[Call]) -> None:
    """The verb calls each itself: no step calls the next one."""
    steps = ["units_in", "transaction", "prepare", "suspending", "commit"]
    found = list(rows(calls))
    (verb,) = [index for index, each in enumerate(found) if each.function == "upgrade_units"]
    below = [each.function for each in found[verb + 1 :] if each.depth == found[verb].depth + 1]

    assert below[: len(steps)] == steps


def test_a_load_of_one_line_is_not_a_long_way(calls: list[Call]) -> None:
    """In files and in calls: a load of one line costs every load of a module as much."""
    assert len({each.file for each in calls}) <= 93
    assert len(calls) <= 970


def test_a_call_is_shown_once_below_its_caller() -> None:
    """Private functions are not, nor what other folders call of their own; those between do not count as deep."""
    path = [
        ("code/load/load.py", "load", 0),
        ("code/load/load.py", "_inner", 1),
        ("code/load/prepare.py", "prepare", 2),
        ("code/checks/findings.py", "findings", 3),
        ("code/checks/absent.py", "absent", 4),
        ("code/load/prepare.py", "prepare", 2),
        ("code/load/commit.py", "commit", 1),
        ("code/load/commit.py", "commit.<locals>.<lambda>", 2),
    ]

    found = [(function, depth) for _, function, depth in rows([Call(*each) for each in path])]

    assert found == [("load", 0), ("prepare", 1), ("findings", 2), ("commit", 1)]
