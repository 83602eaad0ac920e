"""Values as pages for an inspector: their type, text and parts, and the way into each part.

An inspected value is known by a number. The table of them is bounded and belongs to one connection; a value that can
be held weakly is, so that looking at something keeps it alive no longer than its owners do. The value of an
expression, which often nobody else holds, is held until its page is left.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from threading import Lock
from types import ModuleType
from typing import Any

from midflight.errors import RequestError
from midflight.introspect.safe_look import (
    Found,
    Instance,
    bases_of,
    class_name,
    code_of,
    find_member,
    is_a,
    kind_of,
    members_of,
    own_names,
    version_number,
)
from midflight.introspect.signatures import signature_text
from midflight.kernel import Pid, sleep
from midflight.text import long, short

__all__ = ["Page", "Part", "Table", "page_of", "part_of"]

PAGE = 100
KEPT = 500
_REPR_CHARACTERS = 4000
_WALKED = 1_000_000

_CONTAINERS = (dict, list, tuple, set, frozenset, deque)
_NO_ATTRIBUTES = (int, float, complex, bool, str, bytes, type(None), *_CONTAINERS)


class _Reference(weakref.ref[Any]):
    """A weak reference, of a type of its own: a load looks at those of others."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A row of a page: `index` leads into it. `section` is "item", "attribute" or "class"; `pid` that of a process."""

    index: int
    section: str
    label: str
    kind: str
    text: str
    pid: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a value: `parts` from `start` of `total`, `length` items of a container."""

    type: str
    module: str
    version: int | None
    text: str
    signature: str
    pid: str | None
    length: int | None
    parts: tuple[Part, ...]
    start: int
    total: int


@dataclass(frozen=True, slots=True)
class _Row:
    section: str
    label: Callable[[], str]
    found: Found


class Table:
    """The values that one connection looks at, by number; the oldest of too many are forgotten."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._numbers = count(1)
        self._held: OrderedDict[int, Callable[[], Any]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._held)

    def add(self, value: Any, *, is_owned: bool = False) -> int:
        """Keep `value`, weakly where that can be unless it `is_owned` by the table; return its number."""
        hold: Callable[[], Any]
        try:
            hold = (lambda: value) if is_owned else _Reference(value)
        except TypeError:
            hold = lambda: value  # noqa: E731  # a list or a number cannot be held weakly
        with self._lock:
            number = next(self._numbers)
            self._held[number] = hold
            while len(self._held) > self._kept:
                self._held.popitem(last=False)
        return number

    def get(self, number: int) -> Any:
        """Return value `number`. Raises: RequestError if it was forgotten, or nobody holds it any more."""
        with self._lock:
            hold = self._held.get(number)
        if hold is None:
            raise RequestError(f"Value {number} is not inspected any more; nothing was done. Inspect it again.")
        value = hold()
        if value is None and type(hold) is _Reference:
            raise RequestError(
                f"Value {number} is gone: nobody holds it any more. Go back, or inspect what was to hold it."
            )
        return value

    def drop(self, numbers: Iterable[int]) -> None:
        """Forget values; unknown numbers are passed over."""
        with self._lock:
            for number in numbers:
                self._held.pop(number, None)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._held.clear()


async def page_of(value: Any, start: int = 0) -> Page:
    """Return the page of `value` from part `start` on. It runs the `__repr__` of the parts, so: in a process."""
    total, length = _count(value)
    start = max(0, min(start, total - 1)) // PAGE * PAGE
    parts = []
    for index, row in enumerate(islice(_rows(value), start, start + PAGE), start):
        parts.append(
            Part(index, row.section, row.label(), kind_of(row.found), _row_text(row.found), _pid_text(row.found.value))
        )
        await sleep(0)  # a repr may take long; the other processes go on
    cls = type(value)
    described = value if is_a(value, type, ModuleType) or code_of(value) is not None else cls
    module = own_names(described).get("__module__") or own_names(described).get("__name__")
    if code_of(value) is not None:
        module = own_names(value).get("__module__") or getattr(value, "__module__", "")
    return Page(
        type=class_name(cls, is_qualified=True),
        module=module if type(module) is str else "",
        version=version_number(described),
        text=_bounded(long(value)),
        signature=signature_text(Found(value)) if kind_of(Found(value)) != class_name(cls) else "",
        pid=_pid_text(value),
        length=length,
        parts=tuple(parts),
        start=start,
        total=total,
    )


def part_of(value: Any, index: int) -> tuple[Any, bool]:
    """Return part `index` of `value`, and whether it may be that nobody else holds it.

    A property is asked now, since somebody wants to see what it gives: so, in a process.

    Raises: RequestError if there is no such part any more; what a property raises.
    """
    row = next(islice(_rows(value), index, None), None)
    if row is None:
        raise RequestError(f"There is no part {index} any more; nothing was done. Refresh the page.")
    found = row.found.value
    if _is_asked(row.found):
        return found.__get__(value, type(value)), True
    return found, row.section != "item" and not any(each is found for each in own_names(value).values())


def _is_asked(found: Found) -> bool:
    return kind_of(found) == "property"


def _row_text(found: Found) -> str:
    if _is_asked(found):
        return "not asked yet"
    if signature := signature_text(found) if kind_of(found) != class_name(type(found.value)) else "":
        return signature
    return short(found.value)


def _pid_text(value: Any) -> str | None:
    return repr(value) if type(value) is Pid else None


def _bounded(text: str) -> str:
    return text if len(text) <= _REPR_CHARACTERS else text[:_REPR_CHARACTERS] + "..."


def _count(value: Any) -> tuple[int, int | None]:
    """Return how many parts `value` has, and how many items if it is a container."""
    length = _length(value)
    return (length or 0) + sum(1 for _ in islice(_attributes(value), _WALKED)), length


def _length(value: Any) -> int | None:
    for base in _CONTAINERS:
        if is_a(value, base):
            return base.__len__(value)
    return None


def _rows(value: Any) -> Iterator[_Row]:
    yield from _items(value)
    yield from _attributes(value)


def _items(value: Any) -> Iterator[_Row]:
    """Yield the items of a container, past its class's own `__iter__`."""
    if is_a(value, dict):
        for key, item in dict.items(value):
            yield _Row("item", lambda key=key: short(key), Found(item))  # type: ignore[misc]
        return
    for base in (list, tuple, deque):
        if is_a(value, base):
            for index, item in enumerate(base.__iter__(value)):
                yield _Row("item", lambda index=index: str(index), Found(item))  # type: ignore[misc]
            return
    for unordered in (set, frozenset):
        if is_a(value, unordered):
            for item in unordered.__iter__(value):
                yield _Row("item", lambda: "-", Found(item))


def _attributes(value: Any) -> Iterator[_Row]:
    """Yield the attributes of `value` itself, then those of its class, without the names that every object has."""
    if type(value) in _NO_ATTRIBUTES:
        return
    if is_a(value, type):
        yield _row("class", "bases", Found(tuple(bases_of(value)[1:])))
    own = own_names(value)
    is_space = is_a(value, type, ModuleType)
    for name in sorted(own) if is_space else own:
        if not (is_space and _is_hidden(name)):
            found = find_member(value, name)
            yield _row("attribute", name, found if found is not None else Found(own[name]))
    if is_space:
        return
    for name in sorted(members_of(Instance(type(value)))):
        found = find_member(value, name)
        if name not in own and not _is_hidden(name) and found is not None:
            is_data = not found.is_bound and not _is_asked(found) and code_of(found.value) is None
            yield _row("attribute" if is_data else "class", name, found)


def _is_hidden(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _row(section: str, name: str, found: Found) -> _Row:
    return _Row(section, lambda: name, found)
