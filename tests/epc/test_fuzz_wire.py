"""Frames and s-expressions that nobody would send: the outcome is a value or an error of ours, and nothing else."""

from __future__ import annotations

import io
import math

import sexpdata
from epc.handler import itermessage
from hypothesis import given
from hypothesis import strategies as st

from helpers.epc_peer import frame
from helpers.fuzz import fuzzed
from midflight.epc.sexp import Symbol, arguments_of, read, write
from midflight.epc.wire import Frame, FrameReader, Message, Oversized, decode, encode, opening
from midflight.errors import FrameError, WireError

texts = st.text(st.characters(codec="utf-8"), max_size=20)
keys = st.text("abcxyz_", min_size=1, max_size=8).filter(lambda key: not key.startswith("_"))
leaves = (
    st.none() | st.just(True) | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts | texts
)  # texts twice: they are most of what travels
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, min_size=1, max_size=5) | st.dictionaries(keys, inner, min_size=1, max_size=4),
    max_leaves=30,
)
SPECIAL = "()[]\"\\;'`,@#.?:+-0129eEnilt ux\x00\n\xa0é\u0661\ud7ff\ufeff😀"
lisp_like = st.text(st.sampled_from(SPECIAL), max_size=60) | st.lists(
    st.sampled_from(["(call 1 echo (", "(return 1 ", "(methods 2)", ")", "))", '"', "\\", "nil", "#(", "#'", "1e9"])
    | st.text(st.sampled_from(SPECIAL), max_size=8),
    max_size=12,
).map("".join)


@given(values)
@fuzzed(400)
def test_values_come_back_as_they_were(value: object) -> None:
    """What has one form on the wire survives the way there and back, in each kind of message."""
    assert decode(encode("return", 1, value)[6:]) == Message("return", 1, None, (value,))
    assert decode(encode("call", 1, Symbol("echo"), [value])[6:]).arguments == (value,)


@given(st.text())
@fuzzed(200)
def test_any_text_has_a_form_that_both_readers_read_alike(text: str) -> None:
    """Lone surrogates included; the stock package reads what we write as we do."""
    written = write(text)

    (ours,) = arguments_of(read(f"({written})"))

    assert ours == sexpdata.loads(written) == text.encode("utf-8", "backslashreplace").decode()


@given(st.text(st.characters(codec="utf-8"), max_size=30))
@fuzzed(200)
def test_any_name_is_one_symbol(name: str) -> None:
    """Whatever its characters."""
    if name in ("nil", "t"):
        return

    assert read(f"({write(Symbol(name))} 1)") == [Symbol(name), 1]


@given(lisp_like | st.text(max_size=40))
@fuzzed(1500)
def test_any_text_is_a_message_or_a_wire_error(text: str) -> None:
    """And what is a message can be written again, and says the same."""
    payload = text.encode("utf-8", "surrogatepass")
    try:
        message = decode(payload)
    except WireError:
        return
    assert opening(payload) is None or opening(payload).uid == message.uid  # type: ignore[union-attr]
    arguments = [list(message.arguments)] if message.method is not None else list(message.arguments)
    head = [] if message.method is None else [Symbol(message.method)]
    again = decode(encode(message.kind, message.uid, *head, *arguments)[6:])
    assert (again.kind, again.uid, again.method) == (message.kind, message.uid, message.method)
    assert flat(again.arguments) == flat(message.arguments)


def flat(value: object) -> object:
    """Return a value without what has two forms: an empty list in place of nil, a name in place of a symbol."""
    match value:
        case [] | ():
            return None
        case list() | tuple():
            return [flat(item) for item in value]
        case dict():
            return {key: flat(item) for key, item in value.items()}
        case float() if math.isnan(value):
            return "nan"
        case _:
            return value


@given(st.binary(max_size=100))
@fuzzed(500)
def test_any_bytes_are_a_message_or_a_wire_error(payload: bytes) -> None:
    """No bytes make `decode` or `opening` raise anything else."""
    opening(payload)
    try:
        assert isinstance(decode(payload), Message)
    except WireError:
        pass


streams = st.lists(
    st.binary(max_size=20)
    | st.integers(0, 0xFFFFFF).map(lambda length: b"%06x" % length)
    | st.sampled_from([b"-00001", b"+00001", b"0X0001", b" 00001", "\u0660\u0661".encode() * 2, b"00000A", b"000000"])
    | lisp_like.map(lambda text: frame(text.encode("utf-8", "surrogatepass"))),
    max_size=8,
).map(b"".join)


@given(streams, st.lists(st.integers(1, 40), min_size=1, max_size=20), st.booleans())
@fuzzed(500)
def test_any_stream_gives_the_same_events_however_it_is_cut(
    data: bytes, sizes: list[int], skip_oversized: bool
) -> None:
    """Whole or in pieces: the same frames, then the same error or none; no more is kept than one frame."""
    limit = 200
    whole = events_of([data], limit, skip_oversized=skip_oversized)
    pieces = []
    at = 0
    while at < len(data):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(data[at : at + size])
        at += size

    assert events_of(pieces, limit, skip_oversized=skip_oversized) == whole


def events_of(pieces: list[bytes], limit: int, *, skip_oversized: bool) -> list[object]:
    """Return what a reader makes of `pieces`, its error last."""
    reader = FrameReader(limit, skip_oversized=skip_oversized)
    events: list[object] = []
    try:
        for piece in pieces:
            reader.feed(piece)
            while (event := reader.next_event()) is not None:
                assert isinstance(event, Frame | Oversized)
                events.append(event)
    except FrameError:
        events.append("no frame")
    return events


@given(st.lists(values, max_size=5))
@fuzzed(100)
def test_stock_package_cuts_our_frames_as_we_do(sent: list[object]) -> None:
    """The bytes of several messages are cut into the same payloads."""
    data = b"".join(encode("return", number, value) for number, value in enumerate(sent))
    reader = FrameReader()
    reader.feed(data)
    ours = [event.payload for event in iter(reader.next_event, None) if isinstance(event, Frame)]

    assert list(itermessage(io.BytesIO(data).read)) == ours
