"""Batching and flow control, with a clock that only the test moves and a peer that answers when told to."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from midflight.epc.outbox import Channel, Outbox
from midflight.epc.pushes import Events, Output
from midflight.errors import ConnectionLost


class Desk:
    """Stands for a connection and its writer: takes due pushes from a channel and keeps them, unanswered."""

    def __init__(self) -> None:
        self.now = 100.0
        self.outbox = Outbox(lambda: None, lambda: None, clock=lambda: self.now)
        self.pushed: list[list[object]] = []
        self.answers: list[Callable[[object], object]] = []

    def push(self, method: str, arguments: list[object], answered: Callable[[object], object]) -> None:
        """Keep a push."""
        self.pushed.append([method, *arguments])
        self.answers.append(answered)

    def serve(self, channel: Channel) -> list[list[object]]:
        """Push whatever is due now, as the writer does; return what was pushed by this."""
        before = len(self.pushed)
        while (moment := channel.due_at()) is not None and moment <= self.now:
            channel.push()
        return self.pushed[before:]

    def answer(self, count: int = 1) -> None:
        """Answer the oldest `count` pushes."""
        for _ in range(count):
            self.answers.pop(0)(True)


@pytest.fixture
def desk() -> Desk:
    """A connection without a socket."""
    return Desk()


@pytest.fixture
def log() -> io.StringIO:
    """Where output goes when its session is closed."""
    return io.StringIO()


@pytest.fixture
def output(desk: Desk, log: io.StringIO) -> Output:
    """The output of session 7."""
    return Output(desk, 7, log)


def test_output_waits_fifty_milliseconds_for_more(desk: Desk, output: Output) -> None:
    """Two prints a moment apart are one push, 50 ms after the first."""
    output.write("Sum is 3")
    desk.now += 0.04
    output.write("\n")
    assert desk.serve(output) == []
    assert output.due_at() == pytest.approx(100.05)

    desk.now = 100.05

    assert desk.serve(output) == [["shell/output", 7, "Sum is 3\n"]]
    assert output.due_at() is None


def test_four_kilobytes_do_not_wait(desk: Desk, output: Output) -> None:
    """A full batch leaves at once."""
    output.write("x" * 4095)
    assert desk.serve(output) == []

    output.write("x")

    assert desk.serve(output) == [["shell/output", 7, "x" * 4096]]


def test_flush_does_not_wait(desk: Desk, output: Output) -> None:
    """print(..., flush=True) shows at once, and an empty flush shows nothing."""
    output.flush()
    assert desk.serve(output) == []

    output.write("now")
    output.flush()

    assert desk.serve(output) == [["shell/output", 7, "now"]]


def test_peer_that_does_not_answer_gets_four_pushes(desk: Desk, output: Output) -> None:
    """The window closes; the first answer opens it for one more push with all that came meanwhile."""
    for number in range(10):
        output.write(f"{number}\n")
        output.flush()
        desk.serve(output)
    assert [push[2] for push in desk.pushed] == ["0\n", "1\n", "2\n", "3\n"]

    desk.answer()

    assert desk.serve(output) == [["shell/output", 7, "4\n5\n6\n7\n8\n9\n"]]


def test_drain_sends_all_though_the_window_is_closed(desk: Desk, output: Output) -> None:
    """What an evaluation printed comes before its answer, whatever the peer has not answered yet."""
    for _ in range(4):
        output.write("early")
        output.flush()
        desk.serve(output)
    output.write("x" * 40_000)
    output.write("end")

    output.drain()

    assert "".join(str(push[2]) for push in desk.pushed[4:]) == "x" * 40_000 + "end"
    assert output.due_at() is None


def test_flood_is_bounded_and_says_what_was_dropped(desk: Desk, output: Output) -> None:
    """A process that prints for ever neither waits nor fills the memory."""
    for number in range(100_000):
        output.write(f"line {number}\n")

    output.drain()

    text = "".join(str(push[2]) for push in desk.pushed)
    assert text.startswith("line 0\nline 1\n")
    assert text.endswith("line 99998\nline 99999\n")
    assert "lines of output dropped" in text
    assert len(text) < 300_000


def test_output_after_the_close_goes_to_the_log(desk: Desk, output: Output, log: io.StringIO) -> None:
    """Processes outlive the shell that started them; what they print is not lost."""
    output.write("waiting ")
    output.close()
    output.write("later")

    assert log.getvalue() == "waiting later"
    assert desk.serve(output) == []


def test_drain_on_a_closed_connection_sends_the_rest_to_the_log(
    output: Output, desk: Desk, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The peer went while its evaluation ran: its output is not lost, and nothing is raised."""

    def lost(*_: object) -> None:
        raise ConnectionLost("gone")

    monkeypatch.setattr(desk, "push", lost)
    output.write("x" * 40_000)

    output.drain()
    output.write("after")

    assert log.getvalue().endswith("after")
    assert output.due_at() is None


def test_events_leave_in_order_and_at_once(desk: Desk) -> None:
    """A crash and a load are told in the order they happened."""
    events = Events(desk)
    events.add("process/crashed", {"pid": "<0.1.0>"})
    events.add("code/loaded", {"module": "counter"})

    assert desk.serve(events) == [
        ["process/crashed", {"pid": "<0.1.0>"}],
        ["code/loaded", {"module": "counter"}],
    ]


def test_flood_of_events_drops_the_newest_and_counts_them(desk: Desk) -> None:
    """A peer that does not keep up with a thousand crashes learns how many it did not see."""
    events = Events(desk)
    for number in range(100):
        events.add("process/crashed", {"number": number})
        desk.serve(events)
    assert len(desk.pushed) == 4

    desk.answer(4)
    desk.serve(events)
    events.add("process/crashed", {"number": 100})
    while desk.answers:
        desk.answer()
        desk.serve(events)

    numbers = [plist["number"] for _, plist in desk.pushed]  # type: ignore[index]
    assert numbers == [*range(68), 100]
    assert desk.pushed[-1] == ["process/crashed", {"number": 100, "dropped": 32}]
