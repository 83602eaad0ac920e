"""The work that follows a commit in the thread that loads, while processes run again; the report waits for it.

`AFTER_COMMIT` is the list of it: add to it what is to be found out or done then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from midflight.code.held.on_change import adapters, libraries_in
from midflight.code.load.after_swap import MOVES_UNKNOWN
from midflight.code.load.attempt import Attempt
from midflight.code.load.outcome import Commit
from midflight.code.load.steps import undisturbed
from midflight.code.loading.lock import load_lock
from midflight.code.move.move import move_in_parts
from midflight.code.version.text_keeper import text_keepers, write_soon

__all__ = ["AFTER_COMMIT", "after_commit"]


class AfterCommit(NamedTuple):
    """Something to do when the versions are current. `unknown` says what is not known if it fails."""

    unknown: str
    do: Callable[[Attempt, Commit], object]


def after_commit(load: Attempt) -> None:
    """Do all of AFTER_COMMIT, if the versions are current. Raises: KeyboardInterrupt, when all is done."""
    commit = load.commit
    if commit is None:
        return
    with undisturbed():
        if text_keepers:
            write_soon()
        for unknown, do in AFTER_COMMIT:
            try:
                do(load, commit)
            except Exception as error:
                commit.note_failure(unknown, error)


def move_others(load: Attempt, commit: Commit) -> None:
    """Move idle processes, if that is asked for and the commit has not, in parts between which all run."""
    for new in commit.new if load.options.move and not commit.is_moved else ():
        commit.note_moves(new, move_in_parts(new.record, load_lock))


def find_holders(load: Attempt, commit: Commit) -> None:
    """Begin the search for holders if it does something: it forwards closures, and adapters renew what it finds."""
    with_adapter = {library for library, adapter in adapters() if adapter.types}
    for new in commit.new:
        holders, has_closures = commit[new].holders, any(each.is_closure for each in commit[new].held)
        has_adapters = holders is not None and not with_adapter.isdisjoint(libraries_in(new.namespace))
        if holders is not None and (has_adapters or (load.options.forward and has_closures)):
            holders.begin()


AFTER_COMMIT: tuple[AfterCommit, ...] = (
    AfterCommit(MOVES_UNKNOWN, move_others),
    AfterCommit("some holders of old functions were not brought up to date", find_holders),
)
