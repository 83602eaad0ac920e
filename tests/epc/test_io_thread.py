"""The thread that reads and writes all: a connection that fails, or never reads, costs the others nothing."""

from __future__ import annotations

import math
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from helpers.epc_peer import DEADLINE_SECONDS
from midflight.epc.io_thread import IoThread


class Line:
    """A stream that keeps what it reads and sends what the test has put; `fail` is raised when it reads."""

    def __init__(self, io: IoThread) -> None:
        self.request, self.peer = socket.socketpair()
        self.peer.settimeout(DEADLINE_SECONDS)
        self.read = b""
        self.to_send = b""
        self.due_seconds = math.inf
        self.fail: BaseException | None = None
        self.is_lost = threading.Event()
        self.has_transmitted = threading.Event()
        self.threads: set[int] = set()
        io.add(self)

    def receive(self) -> bool:
        """Read what is there."""
        self.threads.add(threading.get_ident())
        if self.fail is not None:
            raise self.fail
        data = self.request.recv(100)
        if not data:
            raise EOFError
        self.read += data
        self.to_send += data
        self.to_send = self.to_send[self.request.send(self.to_send) :]
        return False

    def transmit(self) -> float:
        """Send what waits."""
        self.has_transmitted.set()
        while self.to_send:
            self.to_send = self.to_send[self.request.send(self.to_send) :]
        seconds, self.due_seconds = self.due_seconds, math.inf
        return seconds

    def lost(self) -> None:
        """Note the end."""
        self.is_lost.set()


@pytest.fixture
def io() -> Iterator[IoThread]:
    """A running thread."""
    io = IoThread("test-io")
    io.start()
    yield io
    io.stop()


@pytest.fixture
def line(io: IoThread) -> Iterator[Callable[[], Line]]:
    """A function that makes streams of the thread; they are closed after the test."""
    made: list[Line] = []

    def make() -> Line:
        made.append(Line(io))
        return made[-1]

    yield make
    for each in made:
        io.remove(each)
        each.peer.close()


def echo(each: Line, data: bytes) -> bytes:
    """Send and return what comes back."""
    each.peer.sendall(data)
    return each.peer.recv(100)


def test_one_thread_serves_all(line: Callable[[], Line]) -> None:
    """Fifty streams are read by one thread, the test's is another."""
    lines = [line() for _ in range(50)]

    assert [echo(each, b"ping") for each in lines] == [b"ping"] * 50

    threads = set().union(*(each.threads for each in lines))
    assert len(threads) == 1
    assert threads != {threading.get_ident()}


@pytest.mark.parametrize("error", [ValueError("bad"), SystemExit(3), ConnectionResetError("gone"), EOFError()])
def test_stream_that_raises_is_lost_alone(
    line: Callable[[], Line], error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """Its owner hears of it once; the others are read on."""
    broken, other = line(), line()
    assert echo(broken, b"ping") == b"ping"
    broken.fail = error

    broken.peer.sendall(b"x")

    assert broken.is_lost.wait(DEADLINE_SECONDS)
    assert echo(other, b"ping") == b"ping"
    assert len(caplog.records) == (0 if isinstance(error, (OSError, EOFError)) else 1)


def test_stream_that_does_not_read_holds_up_nobody(io: IoThread, line: Callable[[], Line]) -> None:
    """What it leaves unread waits; it is sent when there is room again, as soon as there is."""
    full, other = line(), line()
    size = 8 * 1024 * 1024
    full.to_send = b"x" * size
    io.wake(full)
    assert full.has_transmitted.wait(DEADLINE_SECONDS)

    assert echo(other, b"ping") == b"ping"

    received = 0
    while received < size:
        received += len(full.peer.recv(1024 * 1024))
    assert received == size


def test_stream_is_visited_when_it_asked_to_be(io: IoThread, line: Callable[[], Line]) -> None:
    """What is due later is sent later, without anybody waking the thread."""
    each = line()
    assert echo(each, b"ping") == b"ping"
    each.has_transmitted.clear()
    each.due_seconds = 0.01
    io.wake(each)
    assert each.has_transmitted.wait(DEADLINE_SECONDS)
    each.has_transmitted.clear()

    assert each.has_transmitted.wait(DEADLINE_SECONDS)


def test_removed_stream_is_closed(io: IoThread, line: Callable[[], Line]) -> None:
    """Its peer sees the end, and nothing is read of it any more; asking again is no error."""
    each = line()
    io.remove(each)
    io.wake(each)
    io.remove(each)

    assert each.peer.recv(100) == b""
    assert not each.is_lost.is_set()


def test_what_is_left_at_the_end_is_lost(line: Callable[[], Line], io: IoThread) -> None:
    """Also what comes afterwards: nobody waits for a thread that has ended."""
    each = line()
    assert echo(each, b"ping") == b"ping"

    io.stop()
    late = line()

    assert each.is_lost.is_set()
    assert late.is_lost.is_set()


def test_waking_may_interrupt_waking(io: IoThread, line: Callable[[], Line]) -> None:
    """A finalizer may print in the middle of a `wake` of the same thread: there is no lock to hold."""
    each = line()
    assert not any(isinstance(value, type(threading.Lock())) for value in vars(io).values())
    for _ in range(1000):
        io.wake(each)

    assert echo(each, b"ping") == b"ping"


def test_streams_that_flood_come_after_those_that_do_not(io: IoThread) -> None:
    """However many they are, a request of another waits for one of them, and not for each."""
    other = Line(io)
    answered = threading.Event()
    turns = 0
    turns_at_answer = 0

    class Flood(Line):
        def receive(self) -> bool:
            """Take a turn, longer than all that flood have at a time; there is always more."""
            nonlocal turns
            turns += 1
            if turns == 100:
                other.peer.send(b"ping")
            threading.Event().wait(0.003)
            return True

    def answer() -> bool:
        nonlocal turns_at_answer
        turns_at_answer = turns
        other.request.recv(100)
        answered.set()
        return False

    other.receive = answer  # type: ignore[method-assign]
    streams = [other, *(Flood(io) for _ in range(30))]
    assert answered.wait(DEADLINE_SECONDS)
    for each in streams:
        io.remove(each)
        each.peer.close()

    assert turns_at_answer <= 102
