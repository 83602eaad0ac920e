"""The one writer: order, what a peer that does not read costs, and how it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from helpers.epc_peer import DEADLINE_SECONDS
from midflight.epc.outbox import Outbox
from midflight.errors import ConnectionLost


class Socket:
    """Takes frames; while `open` is cleared, the writer is held in the middle of sending."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.held = threading.Event()
        self.sent: list[bytes] = []
        self.is_cut = False
        self.error: OSError | None = None

    def send(self, frame: bytes) -> None:
        """Take a frame."""
        self.held.set()
        assert self.open.wait(DEADLINE_SECONDS)
        if self.error is not None:
            raise self.error
        self.sent.append(frame)

    def cut(self) -> None:
        """Note that the connection was ended."""
        self.is_cut = True


@pytest.fixture
def end() -> Socket:
    """The other end of the outbox."""
    return Socket()


@pytest.fixture
def start(end: Socket) -> Iterator[Callable[..., Outbox]]:
    """A function that starts an outbox with its writer's thread; it is ended after the test."""
    started: list[tuple[Outbox, threading.Thread]] = []

    def make(**options: int) -> Outbox:
        outbox = Outbox(end.send, end.cut, **options)
        thread = threading.Thread(target=outbox.run)
        thread.start()
        started.append((outbox, thread))
        return outbox

    yield make
    end.open.set()
    for outbox, thread in started:
        outbox.close()
        thread.join(DEADLINE_SECONDS)
        assert not thread.is_alive()


def test_frames_leave_in_the_order_they_were_put(start: Callable[..., Outbox], end: Socket) -> None:
    """One writer, one order."""
    outbox = start()
    frames = [b"%d" % number for number in range(500)]
    for frame in frames:
        outbox.put(frame)

    assert outbox.wait_empty(DEADLINE_SECONDS)
    assert end.sent == frames


def test_put_never_waits_for_the_peer(start: Callable[..., Outbox], end: Socket) -> None:
    """While the peer reads nothing, frames are stored; it is not empty until the last has been sent."""
    end.open.clear()
    outbox = start()
    outbox.put(b"first")
    assert end.held.wait(DEADLINE_SECONDS)
    outbox.put(b"second")
    assert not outbox.wait_empty(0.0)

    end.open.set()

    assert outbox.wait_empty(DEADLINE_SECONDS)
    assert end.sent == [b"first", b"second"]


def test_peer_that_never_reads_is_cut(start: Callable[..., Outbox], end: Socket) -> None:
    """Past the limit the connection ends; the frame too many is refused with a reason."""
    end.open.clear()
    outbox = start(limit_bytes=10)
    outbox.put(b"held")
    assert end.held.wait(DEADLINE_SECONDS)
    outbox.put(b"0123456789")

    with pytest.raises(ConnectionLost, match="left 10 bytes unread"):
        outbox.put(b"x")

    assert end.is_cut


def test_closed_outbox_sends_what_it_has_and_takes_no_more(start: Callable[..., Outbox], end: Socket) -> None:
    """An answer that was put before the end still leaves."""
    end.open.clear()
    outbox = start()
    outbox.put(b"first")
    outbox.put(b"last")
    outbox.close()
    with pytest.raises(ConnectionLost):
        outbox.put(b"late")

    end.open.set()

    assert outbox.wait_empty(DEADLINE_SECONDS)
    assert end.sent == [b"first", b"last"]


def test_peer_that_is_gone_closes_the_outbox(start: Callable[..., Outbox], end: Socket) -> None:
    """The writer ends at the first error; who waits for it is not left waiting."""
    end.error = BrokenPipeError("gone")
    outbox = start()
    outbox.put(b"first")

    assert outbox.wait_empty(DEADLINE_SECONDS)
    with outbox.lock:
        assert outbox.lock.wait_for(lambda: outbox.is_closed, DEADLINE_SECONDS)
    with pytest.raises(ConnectionLost):
        outbox.put(b"second")


class Ticker:
    """A channel that is due at a moment and pushes its name."""

    def __init__(self, outbox: Outbox, name: bytes, moment: float | None) -> None:
        self.outbox = outbox
        self.name = name
        self.moment = moment

    def due_at(self) -> float | None:
        """Return the moment."""
        return self.moment

    def push(self) -> None:
        """Push once."""
        self.moment = None
        self.outbox.put(self.name)


def test_channels_push_when_due(start: Callable[..., Outbox], end: Socket) -> None:
    """A channel that is due pushes by itself, one that becomes due after a wake-up too, others do not."""
    outbox = start()
    late, never = Ticker(outbox, b"late", None), Ticker(outbox, b"never", None)
    with outbox.lock:
        outbox.attach(Ticker(outbox, b"soon", outbox.clock() + 0.01))
        outbox.attach(late)
        outbox.attach(never)
        assert outbox.lock.wait_for(lambda: end.sent == [b"soon"], DEADLINE_SECONDS)

        late.moment = 0.0
        outbox.lock.notify_all()
        assert outbox.lock.wait_for(lambda: end.sent == [b"soon", b"late"], DEADLINE_SECONDS)


def test_detached_channel_is_not_asked(start: Callable[..., Outbox], end: Socket) -> None:
    """After detach a channel pushes no more, though it is due."""
    outbox = start()
    ticker = Ticker(outbox, b"tick", None)
    outbox.attach(ticker)
    outbox.detach(ticker)
    ticker.moment = 0.0
    outbox.put(b"other")

    assert outbox.wait_empty(DEADLINE_SECONDS)
    assert end.sent == [b"other"]
