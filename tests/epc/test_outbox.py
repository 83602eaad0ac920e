"""What waits to be sent: order, what a peer that does not read costs, channels, and how it ends."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midflight.epc.outbox import Outbox
from midflight.errors import ConnectionLost

MEGABYTE = 1024 * 1024


class Socket:
    """Takes `room` bytes and no more; None takes all. Raises `error` in place of that."""

    def __init__(self) -> None:
        self.room: int | None = None
        self.sent = bytearray()
        self.error: OSError | None = None
        self.is_cut = False
        self.wakes = 0

    def send(self, data: memoryview) -> int:
        """Take what there is room for."""
        if self.error is not None:
            raise self.error
        if self.room == 0:
            raise BlockingIOError
        count = len(data) if self.room is None else min(len(data), self.room)
        if self.room is not None:
            self.room -= count
        self.sent += data[:count]
        return count

    def wake(self) -> None:
        """Note that the I/O thread was asked to come."""
        self.wakes += 1

    def cut(self) -> None:
        """Note that the connection was ended."""
        self.is_cut = True


@pytest.fixture
def end() -> Socket:
    """The other end of the outbox."""
    return Socket()


@pytest.fixture
def make(end: Socket) -> Callable[..., Outbox]:
    """A function that makes an outbox of the other end."""
    return lambda **options: Outbox(end.wake, end.cut, **options)


def test_frames_leave_in_the_order_they_were_put(make: Callable[..., Outbox], end: Socket) -> None:
    """All that waits leaves in one turn; then nothing is to be done."""
    outbox = make()
    for number in range(500):
        outbox.put(b"%03d" % number)

    assert outbox.transmit(end.send) == math.inf
    assert end.sent == b"".join(b"%03d" % number for number in range(500))
    assert outbox.wait_empty(0.0)


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=10), st.lists(st.integers(0, 40), min_size=1))
def test_frames_are_whole_whatever_the_peer_takes_at_a_time(frames: list[bytes], rooms: list[int]) -> None:
    """A frame that was sent in part goes on where it stopped."""
    end = Socket()
    outbox = Outbox(end.wake, end.cut)
    for frame in frames:
        outbox.put(frame)

    for room in rooms:
        end.room = room
        try:
            outbox.transmit(end.send)
        except BlockingIOError:
            assert end.room == 0
    end.room = None
    outbox.transmit(end.send)

    assert end.sent == b"".join(frames)


def test_many_puts_wake_once(make: Callable[..., Outbox], end: Socket) -> None:
    """Until the I/O thread has come, it need not be asked again."""
    outbox = make()
    outbox.put(b"a")
    outbox.put(b"b")
    assert end.wakes == 1

    outbox.transmit(end.send)
    outbox.put(b"c")

    assert end.wakes == 2


def test_what_waits_for_the_peer_is_not_empty(make: Callable[..., Outbox], end: Socket) -> None:
    """A frame of which the system has taken a part has not left."""
    outbox = make()
    outbox.put(b"first")
    end.room = 2
    with pytest.raises(BlockingIOError):
        outbox.transmit(end.send)
    assert not outbox.wait_empty(0.0)

    end.room = None
    outbox.transmit(end.send)

    assert outbox.wait_empty(0.0)


def test_a_turn_is_bounded(make: Callable[..., Outbox], end: Socket) -> None:
    """A peer that takes all of a large answer does not hold the others up for it."""
    outbox = make()
    for _ in range(5):
        outbox.put(b"x" * MEGABYTE)

    assert outbox.transmit(end.send) == 0.0
    assert len(end.sent) == MEGABYTE


def test_peer_that_never_reads_is_cut(make: Callable[..., Outbox], end: Socket) -> None:
    """Past the limit the connection ends; the frame too many is refused with a reason."""
    outbox = make(limit_bytes=10)
    outbox.put(b"0123456789")

    with pytest.raises(ConnectionLost, match="left 10 bytes unread"):
        outbox.put(b"x")

    assert end.is_cut


def test_closed_outbox_sends_what_it_has_and_takes_no_more(make: Callable[..., Outbox], end: Socket) -> None:
    """An answer that was put before the end still leaves."""
    outbox = make()
    outbox.put(b"last")
    outbox.close()
    with pytest.raises(ConnectionLost):
        outbox.put(b"late")

    outbox.transmit(end.send)

    assert end.sent == b"last"


def test_peer_that_is_gone_closes_the_outbox(make: Callable[..., Outbox], end: Socket) -> None:
    """Nothing is sent after the first error; what waits for it to be empty is not left waiting."""
    end.error = BrokenPipeError("gone")
    outbox = make()
    outbox.put(b"first")

    with pytest.raises(BrokenPipeError):
        outbox.transmit(end.send)

    assert outbox.wait_empty(0.0)
    assert outbox.is_closed
    with pytest.raises(ConnectionLost):
        outbox.put(b"second")


class Ticker:
    """A channel that is due at a moment and pushes its name, or raises."""

    def __init__(self, outbox: Outbox, name: bytes, moment: float | None, error: Exception | None = None) -> None:
        self.outbox = outbox
        self.name = name
        self.moment = moment
        self.error = error
        outbox.attach(self)

    def due_at(self) -> float | None:
        """Return the moment."""
        return self.moment

    def push(self) -> None:
        """Push once."""
        if self.error is not None:
            raise self.error
        self.moment = None
        self.outbox.put(self.name)


def test_channels_push_when_due(make: Callable[..., Outbox], end: Socket) -> None:
    """One that is due pushes; for the next the thread comes again in time."""
    now = 100.0
    outbox = make(clock=lambda: now)
    Ticker(outbox, b"now ", 99.0)
    Ticker(outbox, b"soon ", 100.5)
    Ticker(outbox, b"never ", None)

    assert outbox.transmit(end.send) == 0.5
    now = 100.5
    assert outbox.transmit(end.send) == math.inf

    assert end.sent == b"now soon "


def test_channel_that_raises_is_left_out(
    make: Callable[..., Outbox], end: Socket, caplog: pytest.LogCaptureFixture
) -> None:
    """The connection and the other channels go on; the log says what happened."""
    outbox = make()
    Ticker(outbox, b"bad", 0.0, ValueError("no form"))
    Ticker(outbox, b"good", 1.0)

    assert outbox.transmit(end.send) == math.inf

    assert end.sent == b"good"
    (record,) = caplog.records
    assert "a push failed" in record.message


def test_detached_channel_is_not_asked(make: Callable[..., Outbox], end: Socket) -> None:
    """After detach a channel pushes no more, though it is due."""
    outbox = make()
    ticker = Ticker(outbox, b"tick", 0.0)
    outbox.detach(ticker)
    outbox.put(b"other")

    outbox.transmit(end.send)

    assert end.sent == b"other"
