"""`TextKeeper`: what keeps the texts of versions for later interpreters: a store of states does.

The life of a text: its version becomes current -> `keep` puts it to what is to be written -> `write_soon`, when nobody
is held up any more, has the thread wake up that writes it, and waits for no disk -> a later interpreter makes a record
of the module -> `past_of` gives it the versions of before, which nothing can run.

Laws:
1. Numbers go on: a later interpreter gives no number a second time. But a module that begins with the text that was
   current last is that version again: a restart alone makes no new one.
2. No state that a version has made is written before its text.
3. What `delete`, `purge` and a rollback let go of stays kept: a text that ran once can be read and run again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from midflight.code.version.version import Version

__all__ = ["Past", "TextKeeper", "keep", "leave", "note_text_keeper", "past_of", "text_keepers", "write_soon"]


class Past(NamedTuple):
    """The versions of a module that earlier interpreters have run, by number; `last` is the one that ran last."""

    versions: dict[int, Version]
    last: Version | None


class TextKeeper(Protocol):
    """Keeps texts. All can be called from any thread, and none waits for a disk to write."""

    def past_of(self, module: str) -> Past:
        """Return the versions of a module that earlier interpreters have run; none if they cannot be read."""

    def keep(self, version: Version) -> object:
        """Keep the text of a version, which is the current one of its module. One that is kept is not kept twice."""

    def leave(self, module: str) -> object:
        """Note that a module has no current version any more."""

    def write_soon(self) -> object:
        """Have all this written."""


text_keepers: list[TextKeeper] = []
"""Those that keep texts now. A list, to be looked at without a call: most programs have none."""


def note_text_keeper(keeper: TextKeeper) -> Callable[[], None]:
    """Have texts kept by `keeper` until what is returned is called."""
    text_keepers.append(keeper)
    return lambda: text_keepers.remove(keeper)


def past_of(module: str) -> Past:
    """Return the versions of a module that earlier interpreters have run. Of several keepers the first one counts."""
    for keeper in list(text_keepers):
        found = keeper.past_of(module)
        if found.versions:
            return found
    return Past({}, None)


def keep(versions: Iterable[Version]) -> None:
    """Keep the texts of current versions, those that are known. Wakes nobody up: see `write_soon`."""
    listed = [version for version in versions if version.digest]
    for keeper in list(text_keepers):
        for version in listed:
            keeper.keep(version)


def leave(module: str) -> None:
    """Note that a module has no current version any more."""
    for keeper in list(text_keepers):
        keeper.leave(module)


def write_soon() -> None:
    """Have all that was kept written, by a thread that wakes up for it: not while processes are held up."""
    for keeper in list(text_keepers):
        keeper.write_soon()
