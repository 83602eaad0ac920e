"""The text before the cursor: the name being written there, its owner and the call that it stands in. Pure.

The text is the beginning of a statement, so it is seldom valid Python: it is read as tokens, not parsed.
"""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass, field

__all__ = ["Call", "Written", "read_written"]

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)
      | (?P<string>(?:\b[rRbBuUfF]{1,2})?(?:'''|\"\"\"|'|\"))
      | (?P<name>\w+)
      | (?P<space>(?:\s|\\\n)+)
      | (?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_PAIRS = {")": "(", "]": "[", "}": "{"}
_VALUES = ("None", "True", "False")
_IMPORT = re.compile(
    r"\s*(?:from\s+(?P<source>[\w.]+)\s+import\s+(?:\(?[\w\s,]*,)?\s*\(?\s*|(?P<plain>import|from)\s+)(?P<last>[\w.]*)\Z"
)


@dataclass(frozen=True, slots=True)
class Call:
    """A call with arguments being written: `callee` as text, the arguments before this one, the keyword of this one."""

    callee: str
    index: int
    keyword: str | None
    is_argument_start: bool


@dataclass(frozen=True, slots=True)
class Written:
    """The name and its surroundings at the end of a text.

    `last` is the name that is being written, "" before its first character. `owner` is the expression that it is an
    attribute of, None for a plain name. In a string or a comment nothing is written: `is_text`. In an import statement
    `imports_from` is the module, "" for the name of a module itself.
    """

    last: str = ""
    owner: str | None = None
    call: Call | None = None
    is_text: bool = False
    imports_from: str | None = None


@dataclass(slots=True)
class _Bracket:
    sign: str
    start: int
    primary: int | None  # where the expression starts that the bracket belongs to
    dot: int | None
    commas: int = 0
    keyword: str | None = None
    tokens: int = 0  # since the last comma


@dataclass(slots=True)
class _Scan:
    """The state of one walk over a text."""

    text: str
    brackets: list[_Bracket] = field(default_factory=list)
    primary: int | None = None  # where the expression starts that is going on
    dot: int | None = None  # its last dot, outside of brackets
    before: str = ""  # the last token that is not a space
    before_that: str = ""
    is_text: bool = False


def read_written(text: str) -> Written:
    """Return the name at the end of `text` and its surroundings."""
    scan = _Scan(text)
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        assert match is not None  # any character is a sign
        position = _take(scan, match)
    if scan.is_text:
        return Written(is_text=True, call=_call(scan))
    line = re.split(r"[\n;]", text)[-1]
    if (found := _IMPORT.fullmatch(line)) is not None:
        return Written(last=found["last"], imports_from=found["source"] or "")
    last = re.search(r"\w*\Z", text)
    assert last is not None
    name = last[0]
    if scan.primary is None or not (name or text.endswith(".")):
        return Written(call=_call(scan))
    if scan.dot is None:
        return Written(last="" if name[:1].isdigit() else name, call=_call(scan))
    return Written(name, text[scan.primary : scan.dot], _call(scan))


def _take(scan: _Scan, match: re.Match[str]) -> int:
    """Take one token into account; return where the next begins."""
    token, end = match[0], match.end()
    kind = match.lastgroup
    if kind == "space":
        if "\n" in token and not scan.brackets:
            scan.primary = scan.dot = None
        return end
    if kind == "comment":
        scan.is_text = end == len(scan.text)
        return end
    if kind == "string":
        end = _end_of_string(scan, match)
        scan.primary, scan.dot, token = match.start(), None, '"'
    elif kind == "name":
        if scan.before != "." or scan.primary is None:
            is_word = keyword.iskeyword(token) and token not in _VALUES
            scan.primary, scan.dot = None if is_word and end < len(scan.text) else match.start(), None
    else:
        _take_sign(scan, token, match.start())
    if kind != "sign" or token not in ",([{":
        for bracket in scan.brackets[-1:]:
            bracket.tokens += 1
    scan.before_that, scan.before = scan.before, token
    return end


def _end_of_string(scan: _Scan, match: re.Match[str]) -> int:
    quote = match[0].lstrip("rRbBuUfF")
    position = match.end()
    while position < len(scan.text):
        if scan.text[position] == "\\":
            position += 2
        elif scan.text.startswith(quote, position):
            return position + len(quote)
        elif scan.text[position] == "\n" and len(quote) == 1:
            return position  # it was never closed; what follows is another line all the same
        else:
            position += 1
    scan.is_text = True
    return len(scan.text)


def _take_sign(scan: _Scan, sign: str, position: int) -> None:
    top = scan.brackets[-1] if scan.brackets else None
    if sign in "([{":
        primary = scan.primary if sign != "{" and scan.before_that not in ("def", "class") else None
        scan.brackets.append(_Bracket(sign, position, primary, scan.dot if primary is not None else None))
        scan.primary = scan.dot = None
    elif sign in ")]}":
        while scan.brackets:
            bracket = scan.brackets.pop()
            if bracket.sign == _PAIRS[sign]:
                scan.primary = bracket.start if bracket.primary is None else bracket.primary
                scan.dot = None
                break
    elif sign == ".":
        scan.dot = position if scan.primary is not None else None
    else:
        if sign == "," and top is not None:
            top.commas, top.keyword, top.tokens = top.commas + 1, None, 0
        elif sign == "=" and top is not None and top.tokens == 1 and scan.text[position + 1 : position + 2] != "=":
            top.keyword = scan.before if scan.before.isidentifier() else None
        scan.primary = scan.dot = None


def _call(scan: _Scan) -> Call | None:
    """Return the innermost call whose arguments are being written."""
    for bracket in reversed(scan.brackets):
        if bracket.sign == "(" and bracket.primary is not None:
            is_start = bracket is scan.brackets[-1] and bracket.tokens <= 1 and scan.dot is None
            return Call(scan.text[bracket.primary : bracket.start], bracket.commas, bracket.keyword, is_start)
    return None
