"""A portable form of states: text, a line of JSON for each, for another machine, a repository or a look.

The first line says what it is, the last one how many states there were: one that was cut off is known. What is loaded
is `state`, with a digest over the whole line; `attributes` says in Python what is in it, and is for people only.

{"midflight": "states", "format": 1, "python": "3.11.7", "dumped_at": 1764448200.5}
{"name": "till", "module": "shop", "class": "Till", "vsn": "'2'", "is_explicit": true, "code_change": "9f86d08188",
 "python": "3.11.7", "saved_at": 1764448199.0, "attributes": {"total": "3"}, "state": "gAWV...", "digest": "5e88489..."}
{"end": 1}

Law: nothing is unpickled when a dump is loaded into a store. Its states run when their servers start, as any pickle.
"""

from __future__ import annotations

import ast
import json
import pickletools
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import blake2b
from typing import Any

from midflight.code.lowlevel import Acceptance
from midflight.durable.pickling import MOST_BYTES
from midflight.durable.reading import peeked
from midflight.durable.row import PYTHON, Row
from midflight.errors import RequestError

__all__ = ["digest_of", "dumped", "rows_in"]

KIND = "states"
FORMAT = 1
SHOWN = 10_000  # characters of one attribute
NOTHING = "nothing was loaded"

_TEXTS = ("name", "module", "class", "vsn", "code_change", "python", "state", "digest")
_FIELDS = frozenset((*_TEXTS, "is_explicit", "saved_at", "attributes"))


def dumped(rows: Iterable[Row], now: float) -> Iterator[str]:
    """Yield the lines of a dump, without their newlines. `now` is in seconds since the epoch."""
    yield _line({"midflight": KIND, "format": FORMAT, "python": PYTHON, "dumped_at": now})
    count = 0
    for row in rows:
        count += 1  # the last line has it
        fields = {
            "name": row.key,
            "module": row.module,
            "class": row.class_name,
            "vsn": _literal(row.accepted.vsn),
            "is_explicit": row.accepted.is_explicit,
            "code_change": row.accepted.digest,
            "python": row.python,
            "saved_at": row.saved_at,
            "attributes": _attributes(row.state),
            "state": b64encode(row.state).decode("ascii"),
        }
        yield _line(fields | {"digest": digest_of(fields)})
    yield _line({"end": count})


def rows_in(lines: Iterable[str]) -> list[Row]:
    """Return the states of a dump. Raises: RequestError, which names the line, if it is not a whole one of ours."""
    found: dict[str, Row] = {}
    end: object = None
    number = 0
    for number, line in enumerate(lines, 1):
        fields = _parsed(line, number)
        if number == 1:
            _check_head(fields)
        elif end is not None:
            raise _refused(number, "comes after the end")
        elif "end" in fields:
            end = fields["end"]
        else:
            row = _row(fields, number)
            if row.key in found:
                raise _refused(number, f"has the state of {row.key[:100]!r} a second time")
            found[row.key] = row
    if number == 0:
        raise RequestError(f"it is empty, not a dump of states; {NOTHING}. Make one: midflight state dump")
    if type(end) is not int or end != len(found):
        had = f"has {len(found)} states"
        raise RequestError(f"the dump is cut off: it {had}, and its last line is not their number; {NOTHING}")
    return list(found.values())


def _check_head(fields: dict[str, Any]) -> None:
    version = fields.get("format")
    if fields.get("midflight") != KIND or type(version) is not int:
        raise RequestError(f"it is not a dump of states; {NOTHING}. Make one: midflight state dump")
    if version > FORMAT:
        raise RequestError(
            f"the dump has format {version}, and this Midflight knows {FORMAT}: a newer one wrote it; {NOTHING}. "
            "Load it with that one."
        )


def _row(fields: dict[str, Any], number: int) -> Row:
    """Return the state of a line. Raises: RequestError."""
    if set(fields) != _FIELDS:
        raise _refused(number, "is not that of a state")
    if any(type(fields[name]) is not str for name in _TEXTS) or type(fields["is_explicit"]) is not bool:
        raise _refused(number, "has a value of a wrong type")
    if type(fields["saved_at"]) not in (int, float):
        raise _refused(number, "has a saved_at that is not a number")
    if not (fields["name"] and fields["module"] and fields["class"]):
        raise _refused(number, "has an empty name, module or class")
    if fields["digest"] != digest_of(fields):
        raise _refused(number, "was edited or damaged: its digest differs")
    try:
        state = b64decode(fields["state"], validate=True)
        vsn = ast.literal_eval(fields["vsn"])
        _check_pickle(state)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise _refused(number, f"has a damaged state ({error})") from error
    if len(state) > MOST_BYTES:
        raise _refused(number, f"has a state of {len(state):,} bytes, and a store takes {MOST_BYTES:,}")
    accepted = Acceptance(vsn, fields["is_explicit"], fields["code_change"])
    return Row(
        fields["name"], fields["module"], fields["class"], accepted, state, float(fields["saved_at"]), fields["python"]
    )


def _check_pickle(state: bytes) -> None:
    """Look through a pickle without running it. Raises: ValueError if it is not one, from its begin to its end."""
    last = -1
    for _, _, position in pickletools.genops(state):
        last = position or 0
    if last != len(state) - 1:
        raise ValueError("bytes follow its end")


def _parsed(line: str, number: int) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        if number == 1:
            raise RequestError(f"it is not a dump of states; {NOTHING}. Make one: midflight state dump") from error
        raise _refused(number, f"is not JSON ({error})") from error
    if type(found) is not dict:
        if number == 1:
            raise RequestError(f"it is not a dump of states; {NOTHING}. Make one: midflight state dump")
        raise _refused(number, "is not that of a state")
    return found


def _refused(number: int, why: str) -> RequestError:
    return RequestError(f"line {number} of the dump {why}; {NOTHING}. Dump the states again.")


def _line(fields: dict[str, Any]) -> str:
    return json.dumps(fields)


def digest_of(fields: dict[str, Any]) -> str:
    """Return the digest of a line, its `attributes` too: an edit of those would change nothing, and is refused."""
    named = {name: value for name, value in fields.items() if name != "digest"}
    return blake2b(json.dumps(named, sort_keys=True).encode("ascii"), digest_size=16).hexdigest()


def _literal(vsn: object) -> str:
    """Return a vsn as Python's literal; as text if it has none."""
    with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
        if ast.literal_eval(repr(vsn)) == vsn:
            return repr(vsn)
    return repr(repr(vsn))


def _attributes(state: bytes) -> dict[str, str] | None:
    """Return the attributes in a state as people read them, None if they need a module that is not here."""
    try:
        return {name: repr(value)[:SHOWN] for name, value in peeked(state).items()}
    except Exception:
        return None
