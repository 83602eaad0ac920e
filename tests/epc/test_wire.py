"""Frames and values without a socket: every sample whole, byte by byte, and with trailing bytes."""

from __future__ import annotations

import pytest
from epc.handler import itermessage
from hypothesis import given
from hypothesis import strategies as st

from helpers.epc_peer import frame
from midflight.epc.sexp import Symbol
from midflight.epc.wire import (
    Frame,
    FrameReader,
    Message,
    Opening,
    Oversized,
    decode,
    encode,
    opening,
)
from midflight.errors import FrameError, WireError

SAMPLES = {
    "ping": (b"(call 1 ping nil)", Message("call", 1, "ping", ())),
    "load from the file": (
        b'(call 2 code/load ("/p/counter.py" nil nil))',
        Message("call", 2, "code/load", ("/p/counter.py", None, None)),
    ),
    "load with options": (
        '(call 3 code/load ("/p/c.py" "é = \\"λ\\"\n" (:force t :two-versions nil)))'.encode(),
        Message("call", 3, "code/load", ("/p/c.py", 'é = "λ"\n', {"force": True, "two_versions": None})),
    ),
    "arguments that look like a property list": (
        b"(call 4 echo (:key 1))",
        Message("call", 4, "echo", (":key", 1)),
    ),
    "a vector, a pair and a quote": (
        b"(call 5 echo ([1 2] (a . b) 'c))",
        Message("call", 5, "echo", ([1, 2], ["a", ".", "b"], "c")),
    ),
    "a name for a number": (b'(call "u1" ping nil)', Message("call", "u1", "ping", ())),
    "methods": (b"(methods 6)", Message("methods", 6, None, ())),
    "return nil": (b"(return 7 nil)", Message("return", 7, None, (None,))),
    "return-error": (b'(return-error 8 "no")', Message("return-error", 8, None, ("no",))),
    "epc-error": (b'(epc-error 9 "no such method")', Message("epc-error", 9, None, ("no such method",))),
}
MALFORMED = {
    "nothing": b"",
    "an atom": b"call",
    "open list": b"(call 1 ping",
    "open string": b'(call 1 echo ("abc',
    "a last backslash": b'(call 1 echo ("\\',
    "a bracket too many": b"(call 1 ping nil))",
    "mixed brackets": b"(call 1 echo (1])",
    "two expressions": b"(call 1 ping nil) (call 2 ping nil)",
    "no method": b"(call 1)",
    "arguments that are no list": b"(call 1 echo 5)",
    "too much in a call": b"(call 1 echo (1) (2))",
    "a list for a number": b"(call (1) ping nil)",
    "no UTF-8": b'(call 1 echo ("\xff"))',
    "a quote of nothing": b"(call 1 echo ('))",
    "deep nesting": b"(call 1 echo (" + b"(" * 100_000 + b")" * 100_000 + b"))",
}

samples = pytest.mark.parametrize(("payload", "message"), SAMPLES.values(), ids=SAMPLES)


def read_all(reader: FrameReader, *pieces: bytes) -> list[Frame | Oversized]:
    """Feed `pieces` one after another and return all events, each taken as soon as it is there."""
    events = []
    for piece in pieces:
        reader.feed(piece)
        while (event := reader.next_event()) is not None:
            events.append(event)
    return events


@samples
def test_sample_is_read_whole(payload: bytes, message: Message) -> None:
    """One feed of one frame gives that frame, and it parses to the message."""
    (event,) = read_all(FrameReader(), frame(payload))

    assert event == Frame(payload + b"\n")
    assert isinstance(event, Frame)
    assert decode(event.payload) == message


@samples
def test_sample_is_read_byte_by_byte(payload: bytes, message: Message) -> None:
    """Cut after every byte, the frame appears with its last byte and not before."""
    data = frame(payload)
    reader = FrameReader()

    early = read_all(reader, *(data[i : i + 1] for i in range(len(data) - 1)))
    last = read_all(reader, data[-1:])

    assert early == []
    assert [decode(event.payload) for event in last if isinstance(event, Frame)] == [message]


@samples
def test_sample_is_read_with_trailing_bytes(payload: bytes, message: Message) -> None:
    """What follows a frame is left for the next one."""
    events = read_all(FrameReader(), frame(payload) + frame(payload)[:9], frame(payload)[9:])

    assert events == [Frame(payload + b"\n")] * 2
    assert message == decode(payload + b"\n")


@samples
def test_stock_epc_reads_our_frames(payload: bytes, message: Message) -> None:
    """The framing of the `epc` package cuts what `encode` writes into the same payload."""
    values = message.arguments if message.method is None else (Symbol(message.method), list(message.arguments))
    data = encode(message.kind, message.uid, *values)
    stream = iter([data[:6], data[6:], b""])

    (read,) = itermessage(lambda size: next(stream)[:size])

    assert decode(read) == message
    assert payload.startswith(b"(" + message.kind.encode())


@pytest.mark.parametrize("payload", MALFORMED.values(), ids=MALFORMED)
def test_malformed_payload_is_a_wire_error(payload: bytes) -> None:
    """Whatever is wrong with it, the caller sees one kind of error."""
    with pytest.raises(WireError):
        decode(payload)


@pytest.mark.parametrize(
    "header", [b"-00001", b"+00001", b"0x0001", b"00000A", b" 00001", b"0_0001", b"GET / ", b"\x16\x03\x01\x02\x00\x01"]
)
def test_header_of_other_characters_is_refused(header: bytes) -> None:
    """Only six of [0-9a-f]: int(text, 16) would also take signs, blanks and underscores."""
    reader = FrameReader()
    reader.feed(header)

    with pytest.raises(FrameError, match="six lowercase hex digits"):
        reader.next_event()


def test_bad_header_is_refused_at_its_first_bad_byte() -> None:
    """A stranger who sends one wrong byte and waits is not waited for."""
    reader = FrameReader()
    reader.feed(b"G")

    with pytest.raises(FrameError):
        reader.next_event()


def test_oversized_frame_is_refused_by_its_header_alone() -> None:
    """With skipping off, nothing of the payload is waited for."""
    reader = FrameReader(256, skip_oversized=False)
    reader.feed(b"ffffff")

    with pytest.raises(FrameError, match="16777215"):
        reader.next_event()


@pytest.mark.parametrize("size", [1, 7, 1000, 10_000])
def test_oversized_frame_is_skipped_and_the_next_one_read(size: int) -> None:
    """The reader gives its first kilobyte, stores no more of it, and finds the next frame."""
    data = frame(b'(call 12 echo ("' + b"x" * 5000 + b'"))') + frame(b"(call 13 ping nil)")
    reader = FrameReader(200)

    events = read_all(reader, *(data[i : i + size] for i in range(0, len(data), size)))

    assert [type(event) for event in events] == [Oversized, Frame]
    assert isinstance(events[0], Oversized)
    assert events[0].length == 5020
    assert len(events[0].head) == 1024
    assert opening(events[0].head) == Opening("call", 12, "echo")


def test_limit_holds_from_the_next_event_on() -> None:
    """A frame that came together with the one before is judged by the limit set in between."""
    big = frame(b"(call 2 echo " + b"x" * 300 + b")")
    reader = FrameReader(256, skip_oversized=False)
    reader.feed(frame(b"(call 1 ping nil)") + big)

    first = reader.next_event()
    reader.limit = 1000
    second = reader.next_event()

    assert first == Frame(b"(call 1 ping nil)\n")
    assert second == Frame(big[6:])


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"(call 7 ping nil)", Opening("call", 7, "ping")),
        (b'(call 7 echo ("open', Opening("call", 7, "echo")),
        (b'(call "a b" echo ("open', Opening("call", "a b", "echo")),
        (b"(return 7 nil)", Opening("return", 7, "nil")),
        (b"(methods 7)", Opening("methods", 7, None)),
        (b"(elsewhere 7 nil)", None),
        (b"GET / HTTP/1.1", None),
        (b"", None),
    ],
)
def test_opening_is_read_without_parsing(payload: bytes, expected: Opening | None) -> None:
    """The number is found though the rest cannot be parsed, so that the answer can carry it."""
    assert opening(payload) == expected


def test_message_over_the_limit_is_refused() -> None:
    """The limit holds for what we send, before the header could overflow."""
    with pytest.raises(WireError, match="at most 100"):
        encode("return", 1, "x" * 100, limit=100)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_frame_or_a_frame_error(data: bytes) -> None:
    """No bytes make the reader raise anything else, and none of it is stored twice."""
    reader = FrameReader(50)
    try:
        events = read_all(reader, data)
    except FrameError:
        return
    assert all(isinstance(event, (Frame, Oversized)) for event in events)
