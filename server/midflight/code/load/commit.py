"""`commit`, the second half of a load, on the runtime's thread: the last look at live code, the changes, the swap.

Every version of a module becomes current in this file. No process runs while it does, so a process finds all modules
of a load at their old version, or all at their new one.

`CHANGES` is the list of what changes besides the modules themselves, each with the way to undo it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from enum import Enum
from functools import partial
from typing import Any, Protocol

from midflight.code.census.bystanders import FrameCounts
from midflight.code.census.census import Census, take_census
from midflight.code.held.enum_members import is_enum, renew_held_members
from midflight.code.load.after_swap import Swapped, steps_after
from midflight.code.load.attempt import Attempt
from midflight.code.load.journal import Changed, journals, look_into_journals, write_journals
from midflight.code.load.last_look import take_last_look
from midflight.code.load.new_version import NewVersion
from midflight.code.load.outcome import Commit
from midflight.code.load.steps import Step, take_all, undisturbed
from midflight.code.loading import half_made
from midflight.code.loading.lock import load_lock
from midflight.code.loading.under_way import Doing
from midflight.code.report.load_report import Diagnostic
from midflight.code.state.left_behind import keep_left
from midflight.code.state.take_new_classes import superseded_pairs, take_new_classes
from midflight.code.version import hooks
from midflight.code.version.class_files import note_classes
from midflight.code.version.import_hook import carry_submodules
from midflight.code.version.modules import remember
from midflight.code.version.text_keeper import keep, text_keepers
from midflight.collection import without_collection
from midflight.kernel import Pid

__all__ = ["CHANGES", "Committed", "States", "commit", "rehearse_changes"]


def _settle_state(commit: Commit, new: NewVersion, undo: ExitStack) -> None:
    if new.state is not None:
        new.state.settle(undo)
        keep_left(new.unit.name, new.version.number, new.state.left, undo)
        commit[new].state = new.state.changes


def _migrate_objects(commit: Commit, new: NewVersion, undo: ExitStack) -> None:
    classes: dict[type, type] = {}
    for each in commit.new:
        if each.identity is not None and each.identity.superseded and each.state is not None:
            names = [superseded.name for superseded in each.identity.superseded]
            classes |= superseded_pairs(each.state.carry.before, each.namespace, names)
    if new.state is not None and (classes or new.state.carry.own.has_functions_held()):
        own = [each.state.carry.own for each in commit.new if each.state is not None]

        def renewed(definition: Any) -> Any:
            found = (each.renewed(definition) for each in own)
            return next((each for each in found if each is not definition), definition)

        found = take_new_classes(new.unit.name, new.namespace, new.state.roots, classes, renewed, undo)
        commit[new].state = [*commit[new].state, *found]


def _renew_enum_members(commit: Commit, new: NewVersion, undo: ExitStack) -> None:
    before = new.before.namespace if new.before is not None else None
    if new.identity is None or not new.identity.superseded or before is None:
        return
    names = [superseded.name for superseded in new.identity.superseded]
    pairs = {old: cls for old, cls in superseded_pairs(before, new.namespace, names).items() if is_enum(old)}
    if pairs:
        frames = FrameCounts(take_census())
        books = set() if new.state is None else new.state.books()
        found = renew_held_members(pairs, before, new.namespace, frames, undo, books)
        commit[new].state = [*commit[new].state, *found]


CHANGES: tuple[Callable[[Commit, NewVersion, ExitStack], object], ...] = (
    _settle_state,
    _migrate_objects,
    _renew_enum_members,
)
"""Called for each version in turn, on the runtime's thread, after the last look and before the swap.

One puts the way back on the stack before each change that it makes (`undo.callback(...)`): if it or a later one raises,
or Ctrl-C has come meanwhile, all is undone, the last change first, and the load is refused.
"""


class Committed(Enum):
    """The outcome of a commit that was not refused."""

    ALL = "the versions are current, and the new states with them"
    BEHIND = "nothing: others have committed what these versions name, so they are to be prepared again"
    UNREADY = "nothing: the new states are not there yet"


class States(Protocol):
    """New states of servers, which become current together with the code."""

    def are_ready(self, commit: Commit) -> bool:
        """Say whether they are all there, and warn in `commit` of servers without one. On the runtime's thread."""

    def changed(self) -> Sequence[Changed]:
        """Return the servers with the states that they are to take."""

    def install(self) -> object:
        """Make them current. Cannot fail, and may be called again."""


class NoStates:
    """The states of a load that takes no server along."""

    def are_ready(self, commit: Commit) -> bool:  # noqa: ARG002  # as States has it
        """Say yes."""
        return True

    def changed(self) -> tuple[()]:
        """Return none."""
        return ()

    def install(self) -> None:
        """Do nothing."""


def commit(load: Attempt, states: States | None = None) -> Committed:
    """Make what `load` has prepared current, with the `states`, or nothing of it; from any thread.

    `load.commit` is there when they are, with all that the report is to say.
    Raises: Refused, before anything has changed; KeyboardInterrupt, either so or when all is done.
    """
    return load_lock.call(partial(_commit, load, states or NoStates()))


def _commit(load: Attempt, states: States) -> Committed:
    found = Commit(load.new)
    if not states.are_ready(found):
        return Committed.UNREADY
    with load_lock.committing(load.load):
        if load.news():
            return Committed.BEHIND
        load.load.enter(Doing.COMMITTING)
        for each in found.new:
            found.warn(each, _still_running(each))
        without_collection(_make_current, load, found, states)
        return Committed.ALL


def _make_current(load: Attempt, found: Commit, states: States) -> None:
    started = time.perf_counter()
    census, load.census = load.census or Census(), None
    with undisturbed() as interrupts:
        found.is_moved = take_last_look(found, census, load.options, partial(_changed_by, states))
        if journals:
            look_into_journals(found)
        for each in found.new:
            each.record.facade.end()
        for each in found.new:
            if each.before is not None:
                found.warn(each, hooks.run_unload_hooks(each.unit.path, each.before.namespace or {}))
        may_load = partial(load_lock.opened, load.load)
        swapped = Swapped(
            found,
            census,
            is_urgent=found.is_moved,
            is_forwarded=load.options.forward,
            may_load=may_load,
            started=started,
        )
        if not found.is_moved:  # else it holds the frames that a move leaves
            load.census = census  # who prepared lets go of it: with 100,000 processes in it that takes 5 ms
        del census
        steps = [Step(partial(_swap, load, found, states), None, must=True), *steps_after(swapped)]
        if text_keepers:
            unknown = "whether a later start will know its text is not known"
            steps.insert(-1, Step(partial(keep, [each.version for each in found.new]), unknown, must=True))
        with ExitStack() as undo:
            for change in CHANGES:
                for each in found.new:
                    change(found, each, undo)
            interrupts.check()
            if journals:
                write_journals(found, states.changed())
            undo.pop_all()
        interrupt = take_all(steps, found.note_failure)
    if interrupt is not None:
        raise interrupt


def _changed_by(states: States) -> set[Pid]:
    return {each.process.pid for each in states.changed()}


def rehearse_changes(found: Commit) -> None:
    """Make the changes of a commit and take them back at once, for what they tell. On the runtime's thread.

    No process runs meanwhile, so nobody sees them but a thread that looks at the same containers at that moment.
    """
    with undisturbed(), ExitStack() as undo:
        for change in CHANGES:
            for each in found.new:
                change(found, each, undo)


def _swap(load: Attempt, found: Commit, states: States) -> None:
    """Make all current. Cannot fail; may be repeated, after an interrupt in the midst of it."""
    for each in found.new:
        switch(each)
    states.install()
    load_lock.note_commit(load.load)
    load.note_commit(found)


def switch(new: NewVersion) -> None:
    """Make one version the current one. Cannot fail; may be repeated."""
    facade = new.record.facade
    if not new.is_first:
        carry_submodules(new.namespace, new.unit.name, facade.namespace)
        facade.switch()
    else:
        facade.end()
    if new.identity is not None:
        new.identity.settle()
    new.record.make_current(new.version)
    note_classes(new.version, new.namespace)
    remember(new.record)
    half_made.leave_whole(new.unit.name)
    hooks.keep(new.version)
    if new.state is not None:
        new.state.release()


def _still_running(new: NewVersion) -> Iterator[Diagnostic]:
    """Yield a note on each earlier load of the module that was given up, and whose thread runs on."""
    for load in load_lock.given_up([new.unit.name]):
        text = f"{load.thread_name} {load.still()}, of a load by {load.by} that was given up"
        yield replace(new.problem(text, "given-up"), severity="note")
