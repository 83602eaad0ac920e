"""Frames and messages of EPC, as values: no socket, no thread, no clock.

A frame is six lowercase hex digits, the byte length of what follows, and one s-expression with a newline, in
UTF-8. One real message, a request and its answer:

    000023(call 7 process/view ("<0.37.0>"))
    000047(return 7 (:pid "<0.37.0>" :name "counter" :status "waiting" :line 9))

Law: whatever bytes arrive, the outcome is a frame, a `FrameError`, or "not yet"; and whatever a frame holds,
the outcome is a `Message` or a `WireError`. Nothing here raises anything else, however deep the nesting.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from midflight.epc.package import encode_string
from midflight.epc.sexp import ITEMS_LIMIT, Symbol, Vector, arguments_of, plain, read, write
from midflight.errors import FrameError, WireError

__all__ = [
    "PAYLOAD_LIMIT",
    "Frame",
    "FrameReader",
    "Message",
    "Opening",
    "Oversized",
    "decode",
    "encode",
    "opening",
]

PAYLOAD_LIMIT = 8 * 1024 * 1024
"""The largest payload either side sends or accepts, in bytes. The header could say 16 MiB less one."""

_HEADER = re.compile(rb"[0-9a-f]{6}")
_OPENING = re.compile(
    rb"\s*\(\s*(call|methods|return|return-error|epc-error)\s+"
    rb'(-?[0-9]{1,18}|"[^"\\]{0,200}"|[A-Za-z][A-Za-z0-9_-]{0,200})'
    rb"(?:\s+([^\s()\"';]{1,200}))?"
)
_HEADER_BYTES = 6
_HEAD_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Frame:
    """The payload of one whole frame, its newline included."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Oversized:
    """A frame over the limit, skipped unread but for its first kilobyte, in which its number stands."""

    length: int
    head: bytes


@dataclass(frozen=True, slots=True)
class Opening:
    """The meaning of a payload's first bytes, without parsing it. `uid` is the number that an answer has to echo."""

    kind: str
    uid: object
    method: str | None


@dataclass(frozen=True, slots=True)
class Message:
    """One parsed message: `kind` is call, methods, return, return-error or epc-error; `method` is of a call.

    `arguments` are what the method is called with, or the value that came back, as `sexp.plain` gives them.
    """

    kind: str
    uid: object
    method: str | None
    arguments: tuple[object, ...]


class FrameReader:
    """Cut a stream of bytes into frames. Holds no more than one frame of at most `limit` bytes.

    Feed it whatever arrived, then take events until None. `limit` may be changed between two events; it
    judges the header, so that nothing over it is ever waited for or stored.
    """

    def __init__(self, limit: int = PAYLOAD_LIMIT, *, skip_oversized: bool = True) -> None:
        self.limit = limit
        self.skip_oversized = skip_oversized
        self._buffer = bytearray()
        self._oversized: Oversized | None = None
        self._to_skip = 0

    def feed(self, data: bytes) -> None:
        """Add bytes as they arrived."""
        self._buffer += data

    def forget(self) -> int:
        """Drop what has arrived and was not taken as an event; return how many bytes that was."""
        count = len(self._buffer)
        self._buffer = bytearray()
        return count

    def next_event(self) -> Frame | Oversized | None:
        """Return the next whole frame, or None if more bytes are needed.

        Raises: FrameError for a header that is not six lowercase hex digits, and, unless oversized frames
        are skipped, for one over the limit. The stream cannot be read on after it.
        """
        if self._oversized is not None:
            return self._skip(self._oversized)
        header = bytes(self._buffer[:6])
        if not _HEADER.fullmatch(header):
            if len(header) == 6 or not re.fullmatch(rb"[0-9a-f]*", header):
                raise FrameError(f"a frame began with {header!r}, expected six lowercase hex digits")
            return None
        length = int(header, 16)
        if length > self.limit:
            if not self.skip_oversized:
                raise FrameError(f"a frame of {length} bytes was announced, at most {self.limit} are taken")
            self._to_skip = 6 + length
            self._oversized = Oversized(length, b"")
            return self._skip(self._oversized)
        if len(self._buffer) < 6 + length:
            return None
        payload = bytes(self._buffer[6 : 6 + length])
        del self._buffer[: 6 + length]
        return Frame(payload)

    def _skip(self, frame: Oversized) -> Oversized | None:
        if not frame.head and len(self._buffer) >= min(self._to_skip, 6 + _HEAD_BYTES):
            frame = Oversized(frame.length, bytes(self._buffer[6 : min(self._to_skip, 6 + _HEAD_BYTES)]))
        if not frame.head:
            return None
        skipped = min(self._to_skip, len(self._buffer))
        del self._buffer[:skipped]
        self._to_skip -= skipped
        self._oversized = frame if self._to_skip else None
        return None if self._to_skip else frame


def opening(payload: bytes) -> Opening | None:
    """Read the kind, number and method of a message from its first bytes, or None if it has none.

    It decides who handles a message (a `ping` overtakes what is still unparsed) and which number the answer
    carries when the rest cannot be parsed.
    """
    match = _OPENING.match(payload)
    if match is None:
        return None
    kind, uid, method = match.groups()
    text = uid.decode("utf-8", "replace")
    number: object = text[1:-1] if text.startswith('"') else Symbol(text)
    if text.lstrip("-").isdigit():
        number = int(text)
    return Opening(kind.decode(), number, None if method is None else method.decode("utf-8", "replace"))


def decode(payload: bytes, *, items_limit: int = ITEMS_LIMIT) -> Message:
    """Parse one payload whole.

    Raises: WireError if it is not one well-formed message in UTF-8 with a number, or is over a limit of `sexp.read`.
    """
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError as error:
        raise WireError(f"it is not UTF-8 at byte {error.start}") from None
    match read(text, items_limit=items_limit):
        case [Symbol("call"), uid, Symbol() as method, list() | None as arguments] if not isinstance(arguments, Vector):
            message = Message("call", uid, str(method), arguments_of(arguments or []))
        case [Symbol() as kind, uid, *values] if kind != "call":
            message = Message(str(kind), uid, None, tuple(map(plain, values)))
        case _:
            raise WireError("expected a list: a kind, a number, and for a call its method and arguments")
    if not isinstance(message.uid, (int, str)) or isinstance(message.uid, bool):
        raise WireError("the number of a message must be an integer or a name")
    return message


def encode(kind: str, uid: object, *values: object, limit: int = PAYLOAD_LIMIT) -> bytes:
    """Write one whole frame. `values` are written as `write` does; `uid` is echoed as it came.

    Raises: WireError if a value has no form on the wire or the payload is over `limit` bytes.
    """
    number = uid if isinstance(uid, (int, str)) else None
    text = " ".join([f"({kind}", *map(write, (number, *values))]) + ")"
    try:
        frame: bytes = encode_string(text)
    except UnicodeEncodeError:
        raise WireError("a name has a character that UTF-8 has no form for") from None
    # encode_string writes seven digits for 16 MiB and more; the limit is below that, so they never leave.
    if len(frame) - _HEADER_BYTES > limit:
        raise WireError(f"the message has {len(frame) - _HEADER_BYTES} bytes, at most {limit} go into one frame")
    return frame
