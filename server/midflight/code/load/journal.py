"""`Journal`: a record on a disk of the states that a commit makes current, written before the swap.

Laws:
1. A journal is asked last, when nothing else can refuse the commit. If it can't write, nothing has changed.
2. The transaction decides. A program that dies between it and the swap has been upgraded: the next one finds the new
   states, the new texts and the new versions as the last ones, all of them. There is nothing to be repaired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from midflight.code.load.new_version import NewVersion
from midflight.code.load.outcome import Commit
from midflight.code.load.refused import Failure, Refused
from midflight.code.version.version import Version
from midflight.kernel import Process
from midflight.text import exception_said

__all__ = ["Changed", "Journal", "journals", "look_into_journals", "note_journal", "write_journals"]


class Changed(NamedTuple):
    """A server of `process` that is to take the state of `server`, an object of its new class."""

    process: Process
    server: Any


class Journal(Protocol):
    """The states of one runtime, on a disk. Both methods are called on the runtime's thread."""

    def look(self, module: str) -> Iterable[str]:
        """Return what a load of `module` should be told of its states: warnings."""

    def write(self, servers: Sequence[Changed], versions: Sequence[Version]) -> None:
        """Write the states of its servers among these, all in one transaction, and wait for the disk.

        If there are any, the texts of `versions` are in the transaction, and that they are current. Else nothing is
        written: nobody waits for a disk, and `text_keeper.keep` has the texts written after the swap.

        Raises: an Exception that says why not; nothing is written then.
        """


journals: list[Journal] = []
"""Those of the runtimes that have a store."""


def note_journal(journal: Journal) -> Callable[[], None]:
    """Have commits written into `journal` until what is returned is called."""
    journals.append(journal)
    return lambda: journals.remove(journal)


def look_into_journals(commit: Commit) -> None:
    """Warn in `commit` of states on a disk."""
    for each in commit.new:
        commit.warn(each, _warnings(each))


def _warnings(new: NewVersion) -> Iterator[Any]:
    for journal in list(journals):
        for text in journal.look(new.unit.name):
            yield replace(new.problem(text, "durable"), severity="warning")


def write_journals(commit: Commit, servers: Sequence[Changed]) -> None:
    """Write the new states. Raises: Refused."""
    for journal in list(journals):
        try:
            journal.write(servers, [each.version for each in commit.new])
        except Exception as error:
            first = commit.new[0]
            problem = first.problem(f"the new states could not be stored: {exception_said(error)}", "durable")
            raise Refused([Failure(first.unit.name, first.unit.path, (problem,))]) from error
