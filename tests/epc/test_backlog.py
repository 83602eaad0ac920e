"""What waits to be shown, and what a flood loses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from midflight.epc.backlog import Backlog


def take_all(backlog: Backlog, limit: int = 1000) -> str:
    """Take until nothing is left."""
    pieces = []
    while len(backlog):
        pieces.append(backlog.take(limit))
        assert len(pieces[-1]) <= limit
    return "".join(pieces)


@given(st.lists(st.text(max_size=50), max_size=20), st.integers(1, 60))
def test_text_within_the_limits_comes_out_as_it_went_in(pieces: list[str], limit: int) -> None:
    """However it is cut going in and out."""
    backlog = Backlog(1000, 1000)
    for piece in pieces:
        backlog.add(piece)

    assert take_all(backlog, limit) == "".join(pieces)
    assert len(backlog) == 0


def test_flood_keeps_its_beginning_and_its_end() -> None:
    """The middle is replaced by one line that counts it; the end begins with a whole line."""
    backlog = Backlog(30, 30)
    for number in range(100):
        backlog.add(f"line {number:04}\n")

    text = take_all(backlog)

    assert text == (
        "line 0000\nline 0001\nline 0002\n"
        "\n[950 characters in 95 lines of output dropped: they came faster than they could be shown]\n"
        "line 0098\nline 0099\n"
    )


def test_flood_in_one_piece_is_cut_the_same_way() -> None:
    """A single huge write is no way around the limit."""
    backlog = Backlog(10, 20)
    backlog.add("a" * 10 + "b" * 1_000_000 + "\n" + "c" * 15)

    text = take_all(backlog)

    assert text.startswith("a" * 10 + "\n[1,000,001 characters in 1 lines")
    assert text.endswith("]\n" + "c" * 15)


def test_size_stays_bounded() -> None:
    """Whatever is added, no more than both limits wait."""
    backlog = Backlog(100, 100)
    for size in (1, 50, 99, 5000, 3):
        backlog.add("x" * size)
        assert len(backlog) <= 200


def test_after_a_flood_text_flows_again() -> None:
    """The notice is shown once; what comes later is complete."""
    backlog = Backlog(10, 10)
    backlog.add("x" * 100)
    take_all(backlog)

    backlog.add("fresh")

    assert take_all(backlog) == "fresh"


def test_text_that_comes_while_a_flood_is_shown_keeps_its_place() -> None:
    """New text joins the end, not the gap."""
    backlog = Backlog(10, 10)
    backlog.add("a" * 10 + "b" * 100)

    assert backlog.take(5) == "aaaaa"
    backlog.add("c" * 4)
    text = take_all(backlog)

    assert text.startswith("aaaaa\n[100 characters in 0 lines")
    assert text.endswith("]\ncccc")
