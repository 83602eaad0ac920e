"""A board with textual: an application and widgets that live, drawn without a terminal."""

from __future__ import annotations

from real.harness import Edit, EveryEdit, Running


class Board(Running):
    """The board with a counter at 1."""

    folder = "textual_board"

    def begin(self) -> None:
        self.value("board.press()")

    def state(self) -> object:
        """The counter, which the board shows."""
        return self.value("(board.running['counter'].count, board.running['board'].is_running)")


def text(board: Board) -> object:
    return board.value("board.shown()")


class TestBoard(EveryEdit):
    """The list, for the board."""

    program = Board
    handler = Edit(
        "board.py",
        (('f"{count} {UNIT}"', 'f"{count} of {UNIT}"'),),
        look=text,
        before="so far 1 points",
        after="so far 1 of points",
        changed=("label",),
        says=("running",),
    )
    again = Edit(
        "board.py",
        (('f"{count} of {UNIT}"', 'f"{count} in {UNIT}"'),),
        look=text,
        before="so far 1 of points",
        after="so far 1 in points",
        changed=("label",),
        says=("running",),
    )
    method = Edit(
        "board.py",
        (('f"so far {', 'f"until now {'),),
        look=text,
        before="so far 1 points",
        after="until now 1 points",
        changed=("Counter.text",),
        says=("running",),
    )
    constant = Edit(
        "board.py",
        (('"points"', '"goals"'),),
        look=text,
        before="so far 1 points",
        after="so far 1 goals",
        changed=("UNIT",),
        says=("running",),
    )
    added = Edit(
        "board.py",
        (("def shown()", "def double():\n    return 2 * running['counter'].count\n\n\ndef shown()"),),
        look=lambda board: board.value("board.double() if hasattr(board, 'double') else None"),
        before=None,
        after=2,
        added=("double",),
        says=("running",),
    )
    renamed = Edit(
        "board.py",
        (("def label(", "def worded("), ("{label(", "{worded(")),
        look=text,
        before="so far 1 points",
        after="so far 1 points",
        added=("worded",),
        changed=("Counter.text",),
        removed=("label",),
        says=("running",),
    )
