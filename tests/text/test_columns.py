"""Tables line up on a terminal, whatever characters stand in them."""

from __future__ import annotations

import pytest

from midflight.text import columns, cut, width


def test_wide_characters_take_two_columns() -> None:
    """The next column begins at the same place in each line."""
    lines = columns([("NAME", "AT"), ("日本語", "1"), ("loop", "2")]).splitlines()

    assert lines == ["NAME    AT", "日本語  1", "loop    2"]


@pytest.mark.parametrize(
    ("text", "columns_taken"),
    [("", 0), ("till", 4), ("日本", 4), ("e\u0301", 1), ("a\u200db", 2), ("é", 1), ("ｶ", 1), ("\uff21", 2)],
)
def test_width_is_that_on_a_terminal(text: str, columns_taken: int) -> None:
    """Marks take none, East Asian wide characters two."""
    assert width(text) == columns_taken


@pytest.mark.parametrize(("most", "left"), [(0, ""), (1, ""), (2, "日"), (3, "日"), (4, "日本"), (9, "日本")])
def test_a_cut_text_fits(most: int, left: str) -> None:
    """A wide character that fits by half only is left out."""
    assert cut("日本", most) == left


def test_what_would_move_the_cursor_is_escaped() -> None:
    """A name with a line break in it is one line of the table still."""
    assert columns([("NAME",), ("a\nb\x1b[2J",)]) == "NAME\na\\nb\\x1b[2J\n"
