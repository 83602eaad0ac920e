"""`Held`, `Holders` and `StaleSubclass`: functions and classes of older versions that others have, and their words.

How many there are is known with the load. Who has them is looked for afterwards, if somebody asks: `Holders`.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = [
    "ForwardReport",
    "Held",
    "Holder",
    "Holders",
    "NotForwarded",
    "StaleCall",
    "StaleSubclass",
    "forward_lines",
    "forward_summary",
    "held_lines",
    "holder_lines",
]

LISTED = 50  # in the whole text
_SHOWN = 3  # names in the one line


@dataclass(frozen=True, slots=True)
class Held:
    """A function of an older version that something outside of it refers to: it is called as it was.

    `name` is its qualified name, `version` the number of its version, `count` how many references there are, of a
    closure how many closures. `is_closure` says that it was made in a call of a function.
    """

    name: str
    version: int
    count: int
    is_closure: bool = False


@dataclass(frozen=True, slots=True)
class Holder:
    """An object that refers to a function of an older version. `text` says where it is: "main.app, in a Route".

    `renewed` says what an adapter has done: the object calls the current version now. "" if it still holds the old one.
    """

    name: str
    version: int
    text: str
    renewed: str = ""


@dataclass(frozen=True, slots=True)
class StaleCall:
    """A function of an older version that ran after a load. `caller` is "server.py:12 in handle", "" if not known."""

    module: str
    version: int
    name: str
    line: int
    caller: str

    @property
    def text(self) -> str:
        """The words for people."""
        by = f", called by {self.caller}" if self.caller else ""
        return f"{self.module} version {self.version} is old, and {self.name}:{self.line} of it ran{by}"


@dataclass(frozen=True, slots=True)
class NotForwarded:
    """A function of an older version that others hold and that stays old, with the reason."""

    name: str
    version: int
    reason: str


@dataclass(frozen=True, slots=True)
class ForwardReport:
    """The outcome of forwarding the functions that others hold to `version`, the current one of a module.

    `forwarded` are names of functions, `not_forwarded` the others with the reasons; `holders` as in a LoadReport.
    Closures that others hold are forwarded when the search finds them.
    """

    module: str
    version: int | None
    forwarded: tuple[str, ...] = ()
    not_forwarded: tuple[NotForwarded, ...] = ()
    holders: Holders | None = None


@dataclass(frozen=True, slots=True)
class StaleSubclass:
    """A class in another module that inherits from a superseded class, and so from its old methods."""

    module: str
    name: str
    base: str


class Holders:
    """The search for those who hold functions of older versions. It begins when somebody asks for what it finds.

    Equal to any other, so that reports compare by what they say.
    """

    __slots__ = ("_callbacks", "_done", "_found", "_lock", "_start")

    def __init__(self, start: Callable[[Holders], object]) -> None:
        self._start: Callable[[Holders], object] | None = start
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._found: tuple[Holder, ...] = ()
        self._callbacks: list[Callable[[tuple[Holder, ...]], object]] = []

    def begin(self) -> None:
        """Begin the search, if nobody has."""
        with self._lock:
            start, self._start = self._start, None
        if start is not None:
            start(self)

    def finish(self, found: Sequence[Holder]) -> None:
        """Take what was found, and tell all who wait. For the search itself."""
        with self._lock:
            self._found = tuple(found)
            self._done.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self._found)

    def wait(self, timeout: float | None = None) -> tuple[Holder, ...]:
        """Wait for the search, in a thread that may stand still, and return the holders.

        Raises: TimeoutError after `timeout` seconds.
        """
        self.begin()
        if not self._done.wait(timeout):
            raise TimeoutError(f"the search for holders goes on after {timeout} s; ask again")
        return self._found

    def when_done(self, callback: Callable[[tuple[Holder, ...]], object]) -> None:
        """Have `callback` called with the holders: in the thread that searches, or at once if they are known."""
        with self._lock:
            is_done = self._done.is_set()
            if not is_done:
                self._callbacks.append(callback)
        if is_done:
            callback(self._found)
        else:
            self.begin()

    def __await__(self) -> Generator[Any, None, tuple[Holder, ...]]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[tuple[Holder, ...]] = loop.create_future()

        def take(found: tuple[Holder, ...]) -> None:
            if not future.done():
                future.set_result(found)

        self.when_done(lambda found: loop.call_soon_threadsafe(take, found))
        return (yield from future)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Holders) or NotImplemented

    def __hash__(self) -> int:
        return hash(Holders)

    def __repr__(self) -> str:
        return f"<Holders: {self._found!r}>" if self._done.is_set() else "<Holders: not known yet>"


def held_lines(module: str, held: Sequence[Held], subclasses: Sequence[StaleSubclass]) -> list[str]:
    """Return the paragraphs of a report on what others hold."""
    lines = []
    if held:
        lines += ["", "Functions of older versions that others hold, and call as they were"]
        lines += [f"  {_held(each)}" for each in held[:LISTED]]
        if len(held) > LISTED:
            lines.append(f"  and {len(held) - LISTED} more")
        if sys.version_info < (3, 12):
            lines.append("  Whether they are called is not known on Python 3.11; from 3.12 on the first call is told.")
        name = next((each.name for each in held if not each.is_closure and "<" not in each.name), None)
        if name is not None:
            lines.append(f"  Register live({module}.{name}) in its place: that is always the current version.")
    if subclasses:
        lines += ["", "Classes elsewhere that inherit from a superseded class, with its old methods"]
        lines += [f"  {each.name} in {each.module}, of {each.base}" for each in subclasses[:LISTED]]
        names = [module, *dict.fromkeys(each.module for each in subclasses)]
        lines.append(f"  Load those modules too, to have them inherit from the current one: load_many({names!r})")
    return lines


def forward_lines(forwarded: Sequence[str], others: Sequence[NotForwarded]) -> list[str]:
    """Return the paragraph of a report on functions that were forwarded, and on those that were not."""
    lines = [f"  {'forwarded: '}{', '.join(forwarded)}"] if forwarded else []
    if others:
        lines += ["", "Functions that others hold, and that were not forwarded"]
        lines += [f"  {each.name}, v{each.version}: {each.reason}" for each in others[:LISTED]]
    return lines


def forward_summary(report: ForwardReport) -> str:
    """Return one line on a ForwardReport: "shop: index forwarded to v2; 1 not forwarded: f (its captures changed)"."""
    names, others = report.forwarded, report.not_forwarded
    parts = []
    if names:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        parts.append(f"{', '.join(names[:_SHOWN])}{more} forwarded to v{report.version}")
    if others:
        parts.append(f"{len(others)} not forwarded: {others[0].name} ({others[0].reason})")
    elif report.holders is not None:
        parts.append("closures follow when the search has found them")
    return f"{report.module}: {'; '.join(parts) or 'nobody holds a function of an older version'}"


def _held(held: Held) -> str:
    noun = "closure" if held.is_closure else "reference"
    return f"{held.name}, v{held.version}: {held.count} {noun}{'' if held.count == 1 else 's'}"


def holder_lines(holders: Sequence[Holder]) -> list[str]:
    """Return a line for each holder, those of one kind together: "index, v1: held by main.app, in a Route"."""
    counts: dict[Holder, int] = {}
    for each in holders:
        counts[each] = counts.get(each, 0) + 1
    return [
        f"{each.name}, v{each.version}: {f'{each.renewed}, ' if each.renewed else ''}"
        f"held by {each.text}{f' ({count} times)' if count > 1 else ''}"
        for each, count in counts.items()
    ]
