"""The work that follows the swap of a commit, on the runtime's thread, before any process runs.

`AFTER_SWAP` is the list of it: add to it what must be done or found out then. What can wait until processes run again
belongs into `AFTER_COMMIT`, in after_commit.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from midflight.code.census.bystanders import FrameCounts, bystanders, forget_typing_caches
from midflight.code.census.census import Census
from midflight.code.held.enum_members import is_enum
from midflight.code.held.forwarding import look_at_held
from midflight.code.held.listeners import update_listeners
from midflight.code.held.live import refresh_live
from midflight.code.held.on_change import TOOLS, ModuleChange, adapters, after_search, tell_of_new_versions, told_of
from midflight.code.held.references import stale_subclasses
from midflight.code.held.waiting_messages import waiting_messages
from midflight.code.load.new_version import NewVersion
from midflight.code.load.outcome import Commit
from midflight.code.load.steps import Step
from midflight.code.move.move import move_idle
from midflight.code.report.load_report import SHOWN, Diagnostic
from midflight.code.report.state_report import StateChange
from midflight.code.report.who_lingers import versions_of
from midflight.code.source.look import is_class
from midflight.code.version import hooks
from midflight.code.version.version import Version
from midflight.text import exception_said

__all__ = ["AFTER_SWAP", "MOVES_UNKNOWN", "Swapped", "steps_after"]

MOVES_UNKNOWN = "which processes were moved is not known: see code.processes"


class Swapped:
    """A commit whose versions are about to be current, with what the work after it needs.

    `is_urgent` says that idle processes must not take one more step in old code, `is_forwarded` that functions that
    others hold become the current ones. `may_load` is held while load hooks
    run. `started` is when the commit began, in seconds of `time.perf_counter`.
    """

    def __init__(
        self,
        commit: Commit,
        census: Census,
        *,
        is_urgent: bool,
        is_forwarded: bool,
        may_load: Callable[[], AbstractContextManager[None]],
        started: float,
    ) -> None:
        self.commit = commit
        self.census: Census | None = census
        self.is_urgent = is_urgent
        self.is_forwarded = is_forwarded
        self.may_load = may_load
        self.started = started
        self.changes = {each: change_of(each) for each in commit.new}
        self.told: list[object] = []  # functions of other modules
        self.load_hooks = [  # by number: a hook that loads must be held by nothing but its version and its frame
            (each, number) for each in commit.new for number in range(len(hooks.hooks_of(each.namespace, "load")))
        ]


class AfterSwap(NamedTuple):
    """Something to do after the swap: for each version by itself, or once for all; the other one is None.

    It may be begun again, as a Step. `unknown` says what is not known if it fails.
    """

    unknown: str
    once: Callable[[Swapped], object] | None = None
    each: Callable[[Commit, NewVersion], object] | None = None
    must: bool = False


def steps_after(swapped: Swapped) -> list[Step]:
    """Return AFTER_SWAP as steps."""
    steps = []
    for unknown, once, each, must in AFTER_SWAP:
        if once is not None:
            steps.append(Step(partial(once, swapped), unknown, must))
        if each is not None:
            steps += [Step(partial(each, swapped.commit, new), unknown, must) for new in swapped.commit.new]
    return steps


def run_load_hooks(swapped: Swapped) -> None:
    """Call the load hooks of the new versions, each once."""
    with swapped.may_load():
        while swapped.load_hooks:
            new, number = swapped.load_hooks[0]
            found = [hooks.hooks_of(new.namespace, "load")[number]]  # before it is taken away: the look may fail
            try:
                del swapped.load_hooks[0]  # here: Ctrl-C takes no hook away that it does not fall into
                found.pop()()
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # a hook's fault is a warning, whatever it is: the swap stays
                hook = hooks.hooks_of(new.namespace, "load")[number]
                swapped.commit.warn(new, [hooks.hook_problem(new.unit.path, hook, "load", error)])
                del hook


def empty_typing_caches(_: Swapped) -> None:
    """Take old versions out of the caches of typing."""
    forget_typing_caches()


def note_bystanders(commit: Commit, new: NewVersion) -> None:
    """Warn of threads and tasks that run older versions."""
    was_current = new.record.versions  # not one that was given up, of which another note tells
    commit.warn(
        new,
        [
            Diagnostic(version.path, line, 0, line, 0, "note", text, "bystander")
            for who, version, function, line in bystanders(_other_than(new.version))
            if was_current.get(version.number) is version
            for text in [f"{who} runs version {version.number} at {function}:{line}, and goes on there until it ends"]
        ],
    )


def note_lingering(swapped: Swapped) -> None:
    """Note the processes that run older versions."""
    assert swapped.census is not None
    for new in swapped.commit.new:
        swapped.commit[new].lingering = swapped.census.in_module(new.unit.name, _other_than(new.version))


def tell_others(swapped: Swapped) -> None:
    """Call the functions of other modules that are told of the new versions, tools, and the adapters of libraries."""
    if TOOLS:
        tell_of_new_versions([new.version.path for new in swapped.commit.new])
    for new in swapped.commit.new:
        change = swapped.changes[new]
        for hook in told_of(new.unit.name):
            if hook not in swapped.told:
                swapped.told.append(hook)  # before: Ctrl-C falls into it once
                try:
                    hook(change)
                except KeyboardInterrupt:
                    raise
                except BaseException as error:  # its fault is a warning, whatever it is: the swap stays
                    swapped.commit.warn(new, [hooks.hook_problem(new.unit.path, hook, "change", error)])
        for library, adapter in adapters():
            try:
                said = [replace(new.problem(text, "adapter"), severity="note") for text in adapter.changed(change)]
            except Exception as error:
                text = f"the adapter for {library} failed: {exception_said(error)}"
                said = [replace(new.problem(text, "adapter"), severity="warning")]
            else:
                if said and hasattr(adapter, "settles"):
                    words = [each.message for each in new.warnings]
                    swapped.commit[new].settled += tuple(each for each in words if adapter.settles(each))
            swapped.commit.warn(new, said)


def note_held(swapped: Swapped) -> None:
    """Note the functions of older versions that others hold, and the classes elsewhere that are made of old ones.

    If that is asked for, the functions are forwarded.
    """
    assert swapped.census is not None
    frames = FrameCounts(swapped.census)
    for new in swapped.commit.new:
        learned = swapped.commit[new]
        swapped.commit.warn(new, listeners(new, frames))
        after = after_search(swapped.changes[new], new.namespace)
        found = look_at_held(new.record, new.namespace, frames, after, is_forwarded=swapped.is_forwarded)
        learned.held, learned.holders, forwarded, learned.not_forwarded = found
        learned.forwarded += forwarded  # begun again, it finds those forwarded that it was at
        if new.before is not None and (before := new.before.namespace) is not None:
            learned.subclasses = tuple(stale_subclasses(before, new.namespace))


def listeners(new: NewVersion, frames: FrameCounts) -> Iterator[Diagnostic]:
    """Bring listeners up to date: methods that others hold, and functions that the body has registered again."""
    renewed, done, left = update_listeners(new.record, new.namespace, frames)
    if renewed:
        text = (
            f"{', '.join(renewed)}: held as bound methods of objects that took the new class, which call the new code"
        )
        yield replace(new.problem(text, "listener"), severity="note")
    if done:
        text = (
            f"{', '.join(done)}: registered again by the body, so the registration of the version before was withdrawn"
        )
        yield replace(new.problem(text, "listener"), severity="note")
    for name in left:
        text = (
            f"{name} of an older version is registered besides the current one, in a registry that somebody iterates "
            "over: both are called; load again later, or take it out"
        )
        yield replace(new.problem(text, "listener"), severity="warning")


def note_waiting_messages(swapped: Swapped) -> None:
    """Count the messages that wait and are of superseded classes, enums apart: their members have been renewed."""
    for new in swapped.commit.new:
        before = new.before.namespace if new.before is not None else None
        if before is None or new.identity is None or not new.identity.superseded:
            continue
        names = [each.name for each in new.identity.superseded]
        old = {cls: name for name in names if is_class(cls := before.get(name)) and not is_enum(cls)}
        learned = swapped.commit[new]
        learned.state = [*learned.state, *waiting_messages(old)]


def move_urgent(swapped: Swapped) -> None:
    """Move all idle processes, if some of them must not take one more step in old code."""
    if not swapped.is_urgent:
        return
    swapped.census = None  # it holds the frames that a move leaves
    for new in swapped.commit.new:
        swapped.commit.note_moves(new, move_idle(new.record))


def note_live(commit: Commit, new: NewVersion) -> None:
    """Bring live callables of the module up to date, and warn of what they cannot show."""
    commit.warn(new, [replace(new.problem(text, "live"), severity="warning") for text in refresh_live(new.unit.name)])


def note_lost_writes(commit: Commit, new: NewVersion) -> None:
    """Warn of the names in `__persist__` that processes in older versions may bind again, for themselves only."""
    commit.warn(new, lost_writes(commit, new))


def lost_writes(commit: Commit, new: NewVersion) -> Iterable[Diagnostic]:
    """Yield the warnings of `note_lost_writes`."""
    if not commit[new].lingering or new.identity is None:
        return
    for name, line in hooks.persistent(new.unit.tree).items():
        if name in new.identity.rebound:
            text = (
                f"{name} is in __persist__, and functions of the version before bind it anew by `global`, which is "
                "not seen here: keep an object in it, and change that"
            )
            yield Diagnostic(new.unit.path, line, 0, line, 0, "warning", text, "persist")


def note_apart(commit: Commit, new: NewVersion) -> None:
    """Name the scalars that processes in older versions bind again, for themselves only."""
    learned = commit[new]
    if new.state is None or not learned.lingering:
        return
    persistent = hooks.persistent(new.unit.tree)
    names = [name for name in new.state.counted_apart() if name not in persistent]
    if not names:
        return
    shown = [repr(each.pid) for each in learned.lingering[:SHOWN]]
    more = f" and {len(learned.lingering) - SHOWN} more" if len(learned.lingering) > SHOWN else ""
    numbers = sorted(versions_of(learned.lingering))
    versions = f"version{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
    go = "goes on with a copy of its" if len(shown) == 1 and not more else "go on with copies of their"
    why = f"{', '.join(shown)}{more} {go} own in {versions}: what is bound there is not seen here"
    learned.state = [*learned.state, *(StateChange(name, "apart", why) for name in names)]


def note_seconds(swapped: Swapped) -> None:
    """Note how long the commit took."""
    for new in swapped.commit.new:
        swapped.commit[new].seconds = time.perf_counter() - swapped.started


def change_of(new: NewVersion) -> ModuleChange:
    """Return the change of a module, for those who are told of it."""
    added, changed, removed = new.differences
    old = (new.before.namespace if new.before is not None else None) or {}
    return ModuleChange(new.unit.name, new.version.number, old, new.namespace, added, changed, removed)


def _other_than(current: Version) -> Callable[[Version], bool]:
    return lambda version: version.name == current.name and version is not current


AFTER_SWAP: tuple[AfterSwap, ...] = (
    AfterSwap("which of its @on_load functions have run is not known", run_load_hooks, must=True),
    AfterSwap("which @on_change functions and adapters were told is not known", tell_others),
    AfterSwap("the caches of typing may keep old versions in memory", empty_typing_caches),
    AfterSwap("who else runs old versions is not known", each=note_bystanders),
    AfterSwap("which processes run old versions is not known: see code.processes", note_lingering),
    AfterSwap("which functions of old versions others hold is not known", note_held),
    AfterSwap("how many messages of old classes wait is not known", note_waiting_messages),
    AfterSwap(MOVES_UNKNOWN, move_urgent),
    AfterSwap("what live callables of it show is not known", each=note_live),
    AfterSwap("which scalars count apart is not known", each=note_apart),
    AfterSwap("what __persist__ misses is not known", each=note_lost_writes),
    AfterSwap("how long it took is not known", note_seconds),
)
