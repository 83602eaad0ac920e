"""The second half of a load, on the runtime's thread: the last look at live code, the swap, the hooks.

Every version of a module becomes current in this file. No process runs while it does, so a process finds all modules
of a load at their old version, or all at their new one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from types import FunctionType

from midflight.code.census.bystanders import bystanders, forget_typing_caches
from midflight.code.census.census import Census, take_census
from midflight.code.checks.live_calls import BrokenCall
from midflight.code.held.live import refresh_live
from midflight.code.load.prepare import Failure, Prepared, Refused
from midflight.code.load.steps import Step, take_all, undisturbed
from midflight.code.load.will_run import broken_by
from midflight.code.move.move import move_idle, read_ahead
from midflight.code.report.load_report import SHOWN, Diagnostic
from midflight.code.version import hooks
from midflight.code.version.facade import Namespace
from midflight.code.version.version import Version
from midflight.text import exception_said

__all__ = ["MOVES_UNKNOWN", "check", "commit", "look_at_live_code", "run_unload_hooks"]

MOVES_UNKNOWN = "which processes were moved is not known: see code.processes"


def commit(
    made: Sequence[Prepared],
    census: Census,
    *,
    force: bool,
    two_versions: bool,
    move: bool,
    may_load: Callable[[], AbstractContextManager[None]],
    states: Callable[[], object] = lambda: None,
) -> bool:
    """Make what was made current, all of it, and note in it what the report is to say. Brings `census` up to date.

    `states` is called with the swap, cannot fail either, and may be called again. `may_load` is held while load hooks
    run. With `move` idle processes are about to be moved; if some of them must not take one more step in old code,
    all are moved here. Say whether.
    Raises: Refused, before anything has changed; KeyboardInterrupt, either so or when all is done.
    """
    started = time.perf_counter()
    with undisturbed() as interrupts:
        is_urgent = check(made, census, force=force, two_versions=two_versions, move=move)
        for each in made:
            each.record.facade.end()
        for each in made:
            if each.before is not None:
                each.warnings += run_unload_hooks(each.unit.path, each.before.namespace or {})
        commitment = _Commitment(made, census, is_urgent, may_load, states, started)
        del census  # it holds the frames that a move leaves
        interrupts.check()
        interrupt = take_all(commitment.steps(), made)
    if interrupt is not None:
        raise interrupt
    return is_urgent


class _Commitment:
    """The steps from the swap on, in their order. Each may be begun again."""

    def __init__(
        self,
        made: Sequence[Prepared],
        census: Census,
        move: bool,
        may_load: Callable[[], AbstractContextManager[None]],
        states: Callable[[], object],
        started: float,
    ) -> None:
        self._made = made
        self._census: Census | None = census
        self._move = move
        self._may_load = may_load
        self._states = states
        self._started = started
        self._load_hooks = [(each, hook) for each in made for hook in hooks.hooks_of(each.namespace, "load")]

    def steps(self) -> list[Step]:
        """Return the steps."""
        return [
            Step(self._swap, None, must=True),
            Step(self._run_load_hooks, "which of its @on_load functions have run is not known", must=True),
            Step(forget_typing_caches, "the caches of typing may keep old versions in memory"),
            *(Step(partial(_note_bystanders, each), "who else runs old versions is not known") for each in self._made),
            Step(self._note_lingering, "which processes run old versions is not known: see code.processes"),
            Step(self._move_idle, MOVES_UNKNOWN),
            *(Step(partial(_note_live, each), "what live callables of it show is not known") for each in self._made),
            *(Step(partial(_note_lost_writes, each), "what __persist__ misses is not known") for each in self._made),
            Step(self._note_seconds, "how long it took is not known"),
        ]

    def _swap(self) -> None:
        for each in self._made:
            each.switch()
        self._states()

    def _run_load_hooks(self) -> None:
        with self._may_load():
            while self._load_hooks:
                each, hook = self._load_hooks[0]
                try:
                    del self._load_hooks[0]  # here: Ctrl-C takes no hook away that it does not fall into
                    hook()
                except KeyboardInterrupt:
                    raise
                except BaseException as error:  # a hook's fault is a warning, whatever it is: the swap stays
                    each.warnings.append(_hook_problem(each.unit.path, hook, "load", error))

    def _note_lingering(self) -> None:
        assert self._census is not None
        for each in self._made:
            each.lingering = self._census.in_module(each.unit.name, _other_than(each.version))

    def _move_idle(self) -> None:
        self._census = None
        for each in self._made if self._move else ():
            each.note_moves(move_idle(each.record))

    def _note_seconds(self) -> None:
        for each in self._made:
            each.commit_seconds = time.perf_counter() - self._started


def check(made: Sequence[Prepared], census: Census, *, force: bool, two_versions: bool, move: bool) -> bool:
    """Take the last look at live code, which brings `census` up to date.

    With `move`, say whether the load is right only if idle processes move with the swap. Raises: Refused.
    """
    census.update()
    broken = broken_by(made, census, move=False)
    is_urgent = move and any(broken.values())
    if is_urgent:
        broken = broken_by(made, census, move=True)
    refusals = [(each, tuple(_refusals(each, census, broken[each], force, two_versions))) for each in made]
    failures = [Failure(each.unit.name, each.unit.path, problems) for each, problems in refusals if problems]
    if failures:
        raise Refused(failures)
    return is_urgent


def look_at_live_code(made: Sequence[Prepared], *, move: bool) -> Census:
    """Do the part of the commit's look that is slow the first time, in the thread that prepares: to parse, and to look
    at every process. Return the census, which the commit brings up to date.
    """
    census = take_census()
    broken_by(made, census, move=False)
    for each in made if move else ():
        read_ahead(each.record, each.unit.text)
    census.update()  # the first look took long if there are many; so the commit has few left to look at again
    return census


def _refusals(
    made: Prepared, census: Census, broken_calls: Sequence[BrokenCall], force: bool, two_versions: bool
) -> Iterator[Diagnostic]:
    if two_versions:
        lingering = census.rows(made.unit.name, lambda version: version is not made.before)
        if lingering:
            pids = _several([repr(pid) for pid, *_ in lingering])
            text = f"{pids} still in version {lingering[0][2]}, and two_versions=True allows one old version"
            yield made.problem(f"{text}; let them move, or purge({made.unit.name!r}), load again", "not-purged")
    for broken in broken_calls:
        problem = _say(made, broken)
        if force or broken.reached:
            made.warnings.append(replace(problem, severity="warning"))
        else:
            yield problem


def _say(made: Prepared, broken: BrokenCall) -> Diagnostic:
    """Say it at the line of the new text where the remedy belongs: the function that is called, else the caller's."""
    where = f"{broken.module} version {broken.version}" if broken.version is not None else broken.module
    pids = _several([repr(pid) for pid in broken.pids])
    does = f"{where}, {broken.function}:{broken.line}, uses {made.unit.name}.{broken.name}, {broken.why}"
    comes = "may come" if broken.reached else "would end"
    text = f"{does}; {pids} {comes} there; keep {broken.name} as it was until they have left that code"
    value = made.namespace.get(broken.name) or made.namespace.get(broken.function)
    line = value.__code__.co_firstlineno if isinstance(value, FunctionType) else 1
    return Diagnostic(made.unit.path, line, 0, line, 0, "error", text, "live-call")


def _several(words: Sequence[str]) -> str:
    more = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    return ", ".join(words[:SHOWN]) + more


def run_unload_hooks(path: str, namespace: Namespace) -> Iterator[Diagnostic]:
    """Call the unload hooks of a version, and yield the exceptions that they raised."""
    for hook in hooks.hooks_of(namespace, "unload"):
        try:
            hook()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a hook's fault is a warning, whatever it is
            yield _hook_problem(path, hook, "unload", error)


def _hook_problem(path: str, hook: Callable[[], object], kind: str, error: BaseException) -> Diagnostic:
    name = getattr(hook, "__qualname__", repr(hook))
    line = hook.__code__.co_firstlineno if isinstance(hook, FunctionType) else 1
    text = f"@on_{kind} {name} raised {exception_said(error)}"
    return Diagnostic(path, line, 0, line, 0, "warning", text, "hook")


def _other_than(current: Version) -> Callable[[Version], bool]:
    return lambda version: version.name == current.name and version is not current


def _note_bystanders(made: Prepared) -> None:
    was_current = made.record.versions  # not one that was given up, of which another note tells
    found = [
        Diagnostic(version.path, line, 0, line, 0, "note", text, "bystander")
        for who, version, function, line in bystanders(_other_than(made.version))
        if was_current.get(version.number) is version
        for text in [f"{who} runs version {version.number} at {function}:{line}, and goes on there until it ends"]
    ]
    made.warnings += found


def _note_lost_writes(made: Prepared) -> None:
    found = list(made.lost_writes())
    made.warnings += found


def _note_live(made: Prepared) -> None:
    made.warnings += [replace(made.problem(text, "live"), severity="warning") for text in refresh_live(made.unit.name)]
