"""`LiveStore`: the store of a runtime that runs, as people see and change it: states of servers that live, and others.

What is shown of a live server is its last state in the store. To restore an earlier one puts it into the live server,
between two messages; a server that does not live starts with it. What was there before goes into the history.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from midflight.durable.history import put_aside, put_back, put_by, restored_why
from midflight.durable.shelf import Earlier, Shelf, Stored
from midflight.durable.states import SHARE, States
from midflight.durable.store_error import StoreError
from midflight.errors import NotFound, RequestError
from midflight.kernel import Pid
from midflight.otp import sys as otp_sys
from midflight.text import short

__all__ = ["Change", "LiveStore", "Window"]

WAIT_SECONDS = 10.0  # for the disk
BUSY_SECONDS = 3.0  # for a server to come to its next message


class Window(NamedTuple):
    """The changes that a kill would lose just now, and the most that one has waited since the start, in seconds.

    `waiting` states have changed and are to be pickled, which takes one part in `share` of the time at most;
    `unwritten` ones are on their way to the disk; `trouble` is why the store cannot be written, "" if it can.
    """

    seconds: float
    longest_seconds: float
    waiting: int
    unwritten: int
    share: int
    trouble: str

    @property
    def text(self) -> str:
        """The window as a sentence."""
        if self.trouble:
            return f"it cannot be written ({self.trouble}): {self.unwritten} states wait in memory"
        changes = f"{self.waiting} states wait to be pickled and {self.unwritten} for the disk"
        return (
            f"a kill would lose the changes of the last {self.seconds:.2f} s ({changes}), the most was "
            f'{self.longest_seconds:.2f} s; pickling takes 1/{self.share} of the time at most, and "sync" loses none'
        )


class Change(NamedTuple):
    """The change of a state: its name, the number of the one before in the history, the server that has it."""

    name: str
    aside: int | None
    pid: Pid | None


class LiveStore:
    """The store behind `states`. Its methods, but `restore`, wait for the disk: not on the runtime's thread."""

    def __init__(self, states: States) -> None:
        self.states = states

    @property
    def path(self) -> str:
        """The file."""
        return str(self.states.store.path)

    def window(self) -> Window:
        """Return what a kill would lose."""
        states, writer = self.states, self.states.store.writer
        return Window(
            states.window_seconds(),
            states.longest_seconds,
            len(states.dirty),
            writer.unwritten(),
            SHARE,
            "" if writer.trouble is None else str(writer.trouble),
        )

    def rows(self) -> list[tuple[Stored, Pid | None]]:
        """Return all states, by name, each with the server that lives with it. Raises: StoreError."""
        return [(each, self.pid_of(each.name)) for each in self._shelf().states()]

    def history(self, name: str) -> list[Earlier]:
        """Return the earlier states of a server, the newest first. Raises: NotFound; StoreError."""
        return self._shelf().history(name)

    def attributes(self, name: str, number: int | None) -> dict[str, Any]:
        """Return the attributes of a state, objects of the project as Gone. Raises: NotFound; StoreError."""
        return self._shelf().attributes(name, number)

    def pid_of(self, name: str) -> Pid | None:
        """Return the server that lives with that state, None if none does."""
        kept = self.states.kept.get(name)
        return kept.process.pid if kept is not None and kept.is_live else None

    def delete(self, name: str) -> Change:
        """Move the state of a server that does not live into its history.

        Raises: RequestError if it lives: its next change would be stored again; NotFound; StoreError.
        """
        pid = self.pid_of(name)
        if pid is not None:
            raise RequestError(
                f"{short(name)} lives, as {pid!r}, and would store its state again; nothing was deleted. End it first: "
                f"midflight exit {pid!r} shutdown"
            )
        aside = self._do(partial(put_aside, key=name, why="deleted"))
        if aside is None:
            raise NotFound(f"{short(name)} has no state in {self.path}; nothing was changed")
        return Change(name, aside, None)

    def put_back(self, name: str, number: int) -> Change:
        """Take an earlier state for the next start of a server that does not live. Raises: NotFound; StoreError."""
        self._shelf().earlier(name, number)
        aside = self._do(partial(put_back, key=name, number=number))
        return Change(name, aside, None)

    async def restore(self, name: str, number: int) -> Change:
        """Give a live server an earlier state, between two messages. Call it in a process of the runtime.

        It goes through code_change if that is due; `restored` does not run, for its timers, links and monitors are
        there, and attributes that are not stored stay. Raises: NotFound; StoreError; NotDurable if the state cannot be
        taken; CallTimeout if the server does not come to its next message in 3 s; what code_change raises. Nothing has
        changed then.
        """
        kept = self.states.kept[name]
        row = self._shelf().earlier(name, number)
        asides: list[int] = []

        async def take(server: Any) -> Any:
            found = await kept.earlier_server(row, server)
            before = kept.row_of(server, kept.pickled(server))
            work = partial(put_by, row=before, why=restored_why(number))
            asides.append(await kept.wait_for(self.states.store.writer.do(work), "nothing was changed"))
            return kept.take_over(found, server)

        await otp_sys.replace_state(kept.process.pid, take, BUSY_SECONDS)
        return Change(name, asides[0], kept.process.pid)

    def _shelf(self) -> Shelf:
        return Shelf(self.states.store.path)

    def _do(self, deed: Callable[[sqlite3.Connection], Any]) -> Any:
        """Return what a deed in a transaction of its own gives. Raises: StoreError; what it raises of ours."""
        try:
            return self.states.store.writer.do(deed).result(WAIT_SECONDS)
        except (sqlite3.Error, TimeoutError, RuntimeError) as error:
            raise StoreError(self.path, f"could not be written ({error})", "nothing was changed") from error
