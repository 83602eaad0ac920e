"""Pages of text for Neovim, made of the server's answers."""

from __future__ import annotations

from midflight.editors.neovim.tables import task_table

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
