"""Pages of text for Neovim, made of the server's answers."""

from __future__ import annotations

from midflight.editors.neovim.tables import report_table, task_table

ROW = {
    "id": "t2",
    "name": "seller",
    "module": "shop",
    "version": 1,
    "function": "sell",
    "line": 6,
    "waiting": "Queue.get",
}


def test_a_task_has_its_version_its_line_and_what_it_waits_for() -> None:
    """Below a heading."""
    lines = task_table([ROW, ROW | {"id": "t3", "version": None}]).splitlines()

    assert lines[0].split() == ["Task", "Name", "Module", "At", "Waits", "for"]
    assert lines[1].split() == ["t2", "seller", "shop", "v1", "sell:6", "Queue.get"]
    assert lines[2].split() == ["t3", "seller", "shop", "sell:6", "Queue.get"]


def test_no_tasks_are_no_table() -> None:
    """The page is that of the processes alone."""
    assert task_table([]) == ""


def test_a_report_says_which_child_ended_and_what_is_done() -> None:
    """On a line of its own; none are no table."""
    report = {"at": 0.0, "supervisor": "<0.5.0>", "name": "tree", "child": "'till'", "child_pid": "<0.7.0>"}
    report |= {"context": "child_terminated", "then": "it is restarted", "reason": "ZeroDivisionError()"}

    line = report_table([report]).splitlines()[1]

    assert line.split()[:4] == ["<0.5.0>", "tree", "'till'", "<0.7.0>"]
    assert line.endswith("child terminated  it is restarted  ZeroDivisionError()")
    assert report_table([]) == ""
