"""Values as short text, safe from their classes: `short` for a cell, `medium` for a line, `long` for a view.

The standard library's `reprlib` raises what a `__repr__` raises, shows an int of 5,000 digits by an exception, and
takes a user's class that is *named* `deque` for a deque. These functions are for the places where nobody may fail
for somebody else's object: crash reports, traces, lists of processes.

Laws:
1. Nothing raises but what came from outside (`is_from_outside`: a kill, Ctrl-C), and that is nobody's `__repr__`.
2. What a value is shown as is decided by the `__repr__` that its type has, never by a name, `__class__` or `__len__`.
3. Depth, items and characters are bounded, all together too, so a list that holds itself a hundred times is short.
4. The text can be encoded: a surrogate on its own is written as its escape.
"""

from __future__ import annotations

import time
from array import array
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, NamedTuple

from midflight.outside import TookTooLong, is_from_outside

__all__ = ["encodable", "long", "medium", "raised", "short", "type_name"]

INT_BITS = 4096  # above, an int is shown by its size: its digits take time that grows with their square
MESSAGE_CHARACTERS = 200  # of the message of what a `__repr__` raised

SLOW_SECONDS = 60.0  # for which a type whose `__repr__` was broken off is not asked again: a hundred may be shown
SLOW_KEPT = 1000

_slow: dict[int, float] = {}  # when it was broken off, by the id of the type, which holds no version

_name_of: Callable[[type], str] = type.__dict__["__name__"].__get__  # past a metaclass that has a `__name__` of its own
_args_of: Callable[[BaseException], tuple[Any, ...]] = BaseException.__dict__["args"].__get__


class _Size(NamedTuple):
    """Bounds: characters of one value without parts, items of one container, depth, and characters altogether."""

    leaf: int
    items: int
    depth: int
    total: int


_SHORT = _Size(leaf=160, items=8, depth=3, total=400)
_MEDIUM = _Size(leaf=500, items=20, depth=6, total=4000)
_LONG = _Size(leaf=4000, items=200, depth=8, total=40_000)


def short(value: object) -> str:
    """Return `value` as a few words: a cell of a table, one attribute among many. At most some 400 characters."""
    return _shortened(value, _SHORT)


def medium(value: object) -> str:
    """Return `value` as one part of a report: a message, an argument. At most some 4,000 characters."""
    return _shortened(value, _MEDIUM)


def long(value: object) -> str:
    """Return `value` as a view of its own shows it. At most some 40,000 characters."""
    return _shortened(value, _LONG)


def type_name(value: object) -> str:
    """Return the name of the type of `value`, past its own `__class__`."""
    return encodable(_name_of(type(value)))


def raised(value: object, error: BaseException) -> str:
    """Return the text for `value`, whose `__repr__` raised `error`."""
    if issubclass(type(error), TookTooLong):
        _slow[id(type(value))] = time.monotonic()
        if len(_slow) > SLOW_KEPT:
            _slow.clear()
        return _too_slow(value)
    try:
        message = encodable(str(error))
    except BaseException as worse:
        if is_from_outside(worse):
            raise
        message = ""
    said = f": {_cut(message, MESSAGE_CHARACTERS)}" if message else ""
    return f"<{type_name(value)} object whose __repr__ raised {type_name(error)}{said}>"


def _too_slow(value: object) -> str:
    return f"<{type_name(value)} object whose __repr__ did not return in time>"


def _shortened(value: object, size: _Size) -> str:
    try:
        return _Writing(size).text(value, size.depth)
    except BaseException as error:  # the stack is used up, or memory is
        if is_from_outside(error):
            raise
        return "<not shown>"


class _Writing:
    """One value being written; `left` is how many characters there is still room for."""

    def __init__(self, size: _Size) -> None:
        self._size = size
        self._left = size.total
        self._inside: set[int] = set()  # the containers that are being written: one in itself is "..."

    def text(self, value: Any, depth: int) -> str:
        """Return `value` as text, `depth` containers deep at most."""
        try:
            text = self._text(value, depth)
        except BaseException as error:
            if is_from_outside(error):
                raise
            text = raised(value, error)
        self._left -= len(text)
        return text

    def _text(self, value: Any, depth: int) -> str:
        cls = type(value)
        shown_by = type.__getattribute__(cls, "__repr__")
        write = _BY_REPR.get(shown_by) if type(shown_by) is _SLOT else None
        if write is not None:
            return write(self, value, depth)
        if cls is not tuple and getattr(shown_by, "__code__", None) is _NAMED and issubclass(cls, tuple):
            return self._named_tuple(value, depth)
        if _slow and time.monotonic() - _slow.get(id(cls), -SLOW_SECONDS) < SLOW_SECONDS:
            return _too_slow(value)
        return _cut_middle(encodable(repr(value)), self._size.leaf)

    # --- Values without parts ---------------------------------------------------------------------------------

    def _int(self, value: Any, _depth: int) -> str:
        bits = int.bit_length(value)
        if bits > INT_BITS:
            return f"<int of {bits} bits>"
        return _cut_middle(int.__repr__(value), self._size.leaf)

    def _str(self, value: Any, _depth: int) -> str:
        return self._cut_first(str.__str__(value), str.__repr__)

    def _bytes(self, value: Any, _depth: int) -> str:
        return self._cut_first(bytes.__getitem__(value, slice(None)), bytes.__repr__)

    def _bytearray(self, value: Any, _depth: int) -> str:
        return self._cut_first(bytearray.__getitem__(value, slice(self._size.leaf + 1)), bytearray.__repr__)

    def _cut_first(self, whole: Any, show: Callable[[Any], str]) -> str:
        """Return a string as text. Its middle goes before the text is made: it may be very long."""
        room = self._size.leaf
        if len(whole) > room:
            return encodable(f"{show(whole[: room // 2])[:-1]}...{show(whole[-room // 4 :])[-room // 4 :]}")
        return encodable(_cut_middle(show(whole), room))

    # --- Containers ---------------------------------------------------------------------------------------------

    def _parts(self, value: Any, items: Iterable[Any], length: int, write: Callable[[Any], str], depth: int) -> str:
        """Return the items as text with commas; items that do not fit become "..."."""
        if depth <= 0 or id(value) in self._inside:
            return "..." if length else ""
        self._inside.add(id(value))
        texts = []
        for item in islice(items, self._size.items):
            if self._left <= 0:
                break
            texts.append(write(item))
        self._inside.discard(id(value))
        if len(texts) < length:
            texts.append("...")
        return ", ".join(texts)

    def _tuple(self, value: Any, depth: int) -> str:
        length = tuple.__len__(value)
        text = self._parts(value, tuple.__iter__(value), length, self._deeper(depth), depth)
        return f"({text},)" if length == 1 else f"({text})"

    def _named_tuple(self, value: Any, depth: int) -> str:
        names = [encodable(name) for name in type.__getattribute__(type(value), "_fields")]
        deeper = self._deeper(depth)
        pairs = zip(names, tuple.__iter__(value), strict=False)
        text = self._parts(value, pairs, tuple.__len__(value), lambda pair: f"{pair[0]}={deeper(pair[1])}", depth)
        return f"{type_name(value)}({text})"

    def _list(self, value: Any, depth: int) -> str:
        return f"[{self._parts(value, list.__iter__(value), list.__len__(value), self._deeper(depth), depth)}]"

    def _deque(self, value: Any, depth: int) -> str:
        items = list(islice(deque.__iter__(value), self._size.items + 1))  # another thread may go on adding to it
        return f"deque([{self._parts(value, items, deque.__len__(value), self._deeper(depth), depth)}])"

    def _set(self, value: Any, depth: int) -> str:
        items = list(islice(set.__iter__(value), self._size.items + 1))
        text = self._parts(value, items, set.__len__(value), self._deeper(depth), depth)
        return f"{{{text}}}" if text else "set()"

    def _frozenset(self, value: Any, depth: int) -> str:
        items = frozenset.__iter__(value)
        text = self._parts(value, items, frozenset.__len__(value), self._deeper(depth), depth)
        return f"frozenset({{{text}}})" if text else "frozenset()"

    def _dict(self, value: Any, depth: int) -> str:
        items = list(islice(dict.items(value), self._size.items + 1))
        deeper = self._deeper(depth)
        return (
            f"{{{self._parts(value, items, dict.__len__(value), lambda i: f'{deeper(i[0])}: {deeper(i[1])}', depth)}}}"
        )

    def _other_dict(self, value: Any, depth: int) -> str:
        return f"{type_name(value)}({self._dict(value, depth)})"

    def _array(self, value: Any, depth: int) -> str:
        items = array.__getitem__(value, slice(self._size.items + 1))
        text = self._parts(value, items, array.__len__(value), self._deeper(depth), depth)
        return f"array({value.typecode!r}, [{text}])"

    def _exception(self, value: Any, depth: int) -> str:
        args = _args_of(value)
        text = self._parts(value, args, len(args), self._deeper(depth), depth)
        return f"{type_name(value)}({text})"

    def _deeper(self, depth: int) -> Callable[[Any], str]:
        return lambda item: self.text(item, depth - 1)


class _ANamedTuple(NamedTuple):
    """A named tuple: the `__repr__` of all of them is the same code."""

    item: None


_SLOT = type(list.__repr__)
_NAMED = _ANamedTuple.__repr__.__code__
_BY_REPR: dict[Any, Callable[[_Writing, Any, int], str]] = {
    int.__repr__: _Writing._int,
    str.__repr__: _Writing._str,
    bytes.__repr__: _Writing._bytes,
    bytearray.__repr__: _Writing._bytearray,
    tuple.__repr__: _Writing._tuple,
    list.__repr__: _Writing._list,
    deque.__repr__: _Writing._deque,
    set.__repr__: _Writing._set,
    frozenset.__repr__: _Writing._frozenset,
    dict.__repr__: _Writing._dict,
    defaultdict.__repr__: _Writing._other_dict,
    OrderedDict.__repr__: _Writing._other_dict,
    array.__repr__: _Writing._array,
    BaseException.__repr__: _Writing._exception,
}


def encodable(text: str) -> str:
    """Return `text`, of a class of its own perhaps, as a plain str that has a form in UTF-8: no lone surrogates."""
    text = str.__str__(text)
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[:characters]}..."


def _cut_middle(text: str, characters: int) -> str:
    """Return `text` without its middle if it is longer: of a `__repr__` both ends say something."""
    if len(text) <= characters:
        return text
    tail = characters // 3
    return f"{text[: characters - tail - 3]}...{text[-tail:]}"
