"""S-expressions: `read`, in time linear in the text and within limits, and `write`, as Emacs reads them.

    read('(return 7 (:pid "<0.37.0>" :line 9))')     # ["return", 7, [":pid", "<0.37.0>", ":line", 9]]

Law: whatever the text, `read` returns a list or raises `WireError`; it never recurses, and it gives up at the first
token over a limit. So a message costs what its bytes cost, not what its author wants it to cost.

The text is what Emacs's `prin1` prints and what the `epc` package writes: lists, vectors, strings with their escapes
or text properties, symbols with theirs, numbers, and quotes, which are dropped.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache

from midflight.errors import WireError

__all__ = [
    "ATOM_CHARACTERS",
    "DEPTH_LIMIT",
    "ITEMS_LIMIT",
    "Symbol",
    "Vector",
    "Written",
    "arguments_of",
    "plain",
    "read",
    "write",
]

DEPTH_LIMIT = 100
"""How deep a value may nest, read or written."""

ITEMS_LIMIT = 200_000
"""How many lists and atoms a request may have. The largest request of our own clients has some thousands."""

ATOM_CHARACTERS = 500
"""How many characters a symbol or a number may have: fewer digits than the least limit of Python for `int`."""

_MESSAGE_LEVELS = 2  # a message, and the arguments of a call in it: what nests begins in there

# No step takes more than some milliseconds, however long the text: other threads wait while a pattern is matched.
_BLANK = r"(?:[\x00-\x20\xa0]++|;[^\n]*+){0,500}+"  # and comments
_PLAIN = r"[^\x00-\x20\xa0\"'`,;()\[\]\\#]"  # a character of a symbol
_TOKEN = re.compile(
    _BLANK + r"(?:(\#?\(|\[)"  # 1: a list, a string with properties, a vector begins
    r"|([)\]])"  # 2: it ends
    r'|(")'  # 3: a string begins
    rf"|((?:{_PLAIN}|\#\#|\\.)(?:{_PLAIN}|\#|\\.){{0,500}}+)"  # 4: a symbol or a number
    rf"|((?:(?:['`]|,@?|\#'){_BLANK}){{1,500}}+)"  # 5: quotes
    r"|(\Z)"  # 6: the end
    r"|(?=[\x00-\x20\xa0;]))",  # more blanks
    re.DOTALL,
)
_OPEN, _CLOSE, _STRING, _ATOM, _QUOTE, _END = 1, 2, 3, 4, 5, 6

_PIECE_OF_STRING = re.compile(r'(?:[^"\\]{1,1000}+|\\.){1,1000}+', re.DOTALL)
_SIMPLE_ESCAPES = (('\\"', '"'), ("\\n", "\n"), ("\\t", "\t"), ("\\r", "\r"), ("\\f", "\f"), ("\\b", "\b"))
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{1,8})|([0-7]{1,3})|(.))", re.DOTALL)
_ESCAPED = {"a": "\a", "e": "\x1b", "v": "\v", "d": "\x7f", "s": " ", " ": "", "\n": ""}  # a blank ends a \x escape
_BACKSLASH = "\ud800"  # stands for an escaped one meanwhile: text that was UTF-8 has no surrogates
_INTEGER = re.compile(r"[-+]?[0-9]+\.?")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.?[eE][-+]?[0-9]+|[0-9]*\.[0-9]+(?:[eE][-+]?[0-9]+)?)")
_NOT_FINITE = re.compile(r"[-+]?[0-9]+\.[0-9]+[eE]\+(?:INF|NaN)")
_SYMBOL_SPECIAL = re.compile(r"[\\\"'`,;()\[\]#?\x00-\x20\xa0]")
_STRING_SPECIAL = re.compile('[\\\\"\b\f\n\r\t\ud800-\udfff]')
_STRING_ESCAPES = {"\\": r"\\", '"': r"\"", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t"}


class Symbol(str):
    """A name that is written without quotes, as of a method or a key."""

    __slots__ = ()


class Written(str):
    """A value as it is written already."""

    __slots__ = ()


class Vector(list[object]):
    """A vector in the two outer levels, where it must not be taken for a list of arguments."""


def read(text: str, *, items_limit: int = ITEMS_LIMIT) -> list[object]:
    """Read `text`, one list, which is a message: the lists in it stay as they are, all deeper values are plain.

    nil is None, and so is an empty list in there; t is True; symbols are `Symbol` in the two outer levels.
    `arguments_of` and `plain` make plain values of what stands there. `text` was decoded from UTF-8, strictly.

    Raises: WireError if it is not one list or has more than `items_limit` lists and atoms, nests deeper than
    `DEPTH_LIMIT` or has an atom longer than `ATOM_CHARACTERS`, strings apart.
    """
    token = _TOKEN.match
    outer: list[tuple[list[object], str]] = []
    current: list[object] = []
    opener = ""
    position = count = 0
    is_quoted = False
    while True:
        match = token(text, position)
        if match is None:
            raise WireError(_what_is_wrong(text, position))
        position = match.end()
        kind = match.lastindex
        value: object
        if kind is None:
            continue
        if kind == _ATOM:
            value = _atom(match[_ATOM])
        elif kind == _STRING:
            end = text.find('"', position)
            if end < 0 or text.find("\\", position, end) >= 0:
                value, position = _escaped_string(text, position)
            else:
                value, position = text[position:end], end + 1
        elif kind == _OPEN:
            if len(outer) > DEPTH_LIMIT + _MESSAGE_LEVELS:
                raise WireError(f"it nests deeper than {DEPTH_LIMIT} levels")
            outer.append((current, opener))
            current, opener, is_quoted = [], match[_OPEN], False
            continue
        elif kind == _QUOTE:
            is_quoted = True
            continue
        elif kind == _CLOSE and not is_quoted and opener and (opener == "[") == (match[_CLOSE] == "]"):
            value = _closed(current, opener, len(outer))
            current, opener = outer.pop()
        else:
            break
        is_quoted = False
        current.append(value)
        count += 1
        if count > items_limit:
            raise WireError(f"it has more than {items_limit} lists and atoms")
        if not outer:
            break
    message = current[0] if len(current) == 1 and not outer else None
    rest = token(text, position)
    while rest is not None and rest.lastindex is None:  # blanks without an end
        rest = token(text, rest.end())
    if type(message) is list and rest is not None and rest.lastindex == _END:
        return message
    raise WireError("it is not one list: a bracket or a quote is open or one too many")


def plain(value: object) -> object:
    """Return the value of a message as a plain value, as all deeper ones are.

    A symbol is its name; a vector is a list; an empty list is None; a list of keywords and values is a dict with
    underscores in its keys.
    """
    return _closed(value, "(", _MESSAGE_LEVELS + 1) if type(value) is list else _item(value)


def arguments_of(call: list[object]) -> tuple[object, ...]:
    """Return the arguments in a message as plain values. The list of them as a whole is not taken for a value."""
    return tuple(map(_item, call))


def _closed(items: list[object], opener: str, depth: int) -> object:
    """Return the value of a bracket that ends, the `depth`th open one."""
    if opener == "#(":
        if not items or type(items[0]) is not str:
            raise WireError("an object of Emacs has no form on the wire")
        return items[0]
    if depth <= _MESSAGE_LEVELS:
        return Vector(items) if opener == "[" else items
    if opener == "(":
        if not items:
            return None
        keys = items[::2]
        if len(items) % 2 == 0 and all(type(key) is Symbol and key[:1] == ":" for key in keys):
            names = (str(key)[1:].replace("-", "_") for key in keys)
            return dict(zip(names, map(_item, items[1::2]), strict=True))
    return [str(item) if type(item) is Symbol else item for item in items]


def _item(value: object) -> object:
    if type(value) is Symbol:
        return str(value)
    return list(arguments_of(value)) if type(value) is Vector else value


def _atom(text: str) -> object:
    if text == "nil":
        return None
    if text == "t":
        return True
    if len(text) > ATOM_CHARACTERS:
        raise WireError(f"a symbol or number has more than {ATOM_CHARACTERS} characters")
    if text[0] in "+-.0123456789":
        if _INTEGER.fullmatch(text):
            return int(text.rstrip("."))
        if _FLOAT.fullmatch(text) or _NOT_FINITE.fullmatch(text):
            value = math.inf if text[-1] in "FN" else float(text)
            if math.isinf(value):
                raise WireError(f"the number {text[:40]} is not finite")
            return value
    if text == "##":
        return Symbol("")
    return Symbol(re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL) if "\\" in text else text)


def _escaped_string(text: str, start: int) -> tuple[str, int]:
    """Return the string with escapes whose first character is at `start`, and the index of its end."""
    pieces = []
    position = start
    while not text.startswith('"', position):
        match = _PIECE_OF_STRING.match(text, position)
        if match is None:
            raise WireError("a string is open at its end")
        pieces.append(_without_escapes(match[0]))
        position = match.end()
    return "".join(pieces), position + 1


def _without_escapes(piece: str) -> str:
    if "\\" not in piece:
        return piece
    piece = piece.replace("\\\\", _BACKSLASH)
    for escape, character in _SIMPLE_ESCAPES:
        piece = piece.replace(escape, character)
    if "\\" in piece:
        piece = _ESCAPE.sub(_character, piece)
    return piece.replace(_BACKSLASH, "\\")


def _character(match: re.Match[str]) -> str:
    four, eight, hexadecimal, octal, other = match.groups()
    if other is not None:
        return _ESCAPED.get(other, other)
    code = int(octal, 8) if octal else int(four or eight or hexadecimal, 16)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise WireError(f"a string has the character {code:#x}, which UTF-8 has no form for")
    return chr(code)


def _what_is_wrong(text: str, position: int) -> str:
    blank = re.compile(_BLANK).match(text, position)
    is_object = blank is not None and text.startswith("#", blank.end())
    return "an object of Emacs has no form on the wire" if is_object else "it ends in a backslash"


def write(value: object, depth: int = 0) -> str:
    """Write a value as Emacs reads it.

    None, False and empty collections are nil, True is t. A dict is a property list: its keys, strings, become
    keywords with hyphens (`end_line` is `:end-line`). A list or tuple is a list; a Symbol goes unquoted. A lone
    surrogate in a string, which UTF-8 has no form for, goes as the text of its escape.

    Raises: WireError for any other type, for nan and infinities, for an integer of more than `ATOM_CHARACTERS` digits,
    and beyond `DEPTH_LIMIT` levels.
    """
    if value is None or value is False:
        return "nil"
    if value is True:
        return "t"
    if isinstance(value, str):
        if isinstance(value, Written):
            return str(value)
        return _written_symbol(value) if isinstance(value, Symbol) else _written_string(value)
    if isinstance(value, int):
        if value.bit_length() > 3 * ATOM_CHARACTERS:
            raise WireError(f"an integer has more than {ATOM_CHARACTERS} digits")
        return int.__repr__(value)
    if isinstance(value, float) and math.isfinite(value):
        return float.__repr__(value)
    if depth > DEPTH_LIMIT:
        raise WireError(f"the value nests deeper than {DEPTH_LIMIT} levels (or holds itself)")
    if isinstance(value, (list, tuple)):
        return f"({' '.join([write(item, depth + 1) for item in value])})" if value else "nil"
    if isinstance(value, Mapping):
        items = [f"{_keyword(key)} {write(item, depth + 1)}" for key, item in value.items()]
        return f"({' '.join(items)})" if items else "nil"
    raise WireError(f"a {type(value).__name__} has no form on the wire")


def _written_string(text: str) -> str:
    if _STRING_SPECIAL.search(text):
        text = text.encode("utf-8", "backslashreplace").decode()
        for character, escape in _STRING_ESCAPES.items():
            text = text.replace(character, escape)
    return f'"{text}"'


def _written_symbol(text: str) -> str:
    text = _SYMBOL_SPECIAL.sub(r"\\\g<0>", text) or "##"
    return f"\\{text}" if _INTEGER.fullmatch(text) or _FLOAT.fullmatch(text) else text


@lru_cache(maxsize=500)
def _keyword(key: object) -> str:
    if not isinstance(key, str):
        raise WireError(f"a key of a property list must be a string, received {key!r}")
    return f":{_written_symbol(key.replace('_', '-'))}"
