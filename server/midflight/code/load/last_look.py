"""The look at live code, before a commit and again in it: calls ahead of processes that new versions cannot take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import FunctionType

from midflight.code.census.census import Census, take_census
from midflight.code.checks.live_calls import BrokenCall
from midflight.code.load.attempt import Options
from midflight.code.load.new_version import NewVersion
from midflight.code.load.outcome import Commit
from midflight.code.load.refused import Failure, Refused
from midflight.code.load.will_run import broken_by
from midflight.code.move.move import read_ahead
from midflight.code.report.load_report import SHOWN, Diagnostic

__all__ = ["look_at_live_code", "take_last_look"]


def look_at_live_code(new: Sequence[NewVersion], *, move: bool) -> Census:
    """Do the part of the last look that is slow the first time, in the thread that prepares: to parse, and to look at
    every process. Return the census, which the commit brings up to date.
    """
    census = take_census()
    broken_by(new, census, move=False)
    for each in new if move else ():
        read_ahead(each.record, each.unit.text)
    census.update()  # the first look took long if there are many; so the commit has few left to look at again
    census.read_ahead()
    return census


def take_last_look(commit: Commit, census: Census, options: Options) -> bool:
    """Look at live code once more, on the runtime's thread, which brings `census` up to date; warn in `commit`.

    With `move`, say whether the load is right only if idle processes move with the swap. Raises: Refused.
    """
    census.update()
    broken = broken_by(commit.new, census, move=False)
    is_urgent = options.move and any(broken.values())
    if is_urgent:
        broken = broken_by(commit.new, census, move=True)
    refusals = [(each, tuple(_refusals(commit, each, census, broken[each], options))) for each in commit.new]
    failures = [Failure(each.unit.name, each.unit.path, problems) for each, problems in refusals if problems]
    if failures:
        raise Refused(failures)
    return is_urgent


def _refusals(
    commit: Commit, new: NewVersion, census: Census, broken_calls: Sequence[BrokenCall], options: Options
) -> Iterator[Diagnostic]:
    if options.two_versions:
        lingering = census.rows(new.unit.name, lambda version: version is not new.before)
        if lingering:
            pids = _several([repr(pid) for pid, *_ in lingering])
            text = f"{pids} still in version {lingering[0][2]}, and two_versions=True allows one old version"
            yield new.problem(f"{text}; let them move, or purge({new.unit.name!r}), load again", "not-purged")
    for broken in broken_calls:
        problem = _say(new, broken)
        if options.force or broken.reached:
            commit.warn(new, [replace(problem, severity="warning")])
        else:
            yield problem


def _say(new: NewVersion, broken: BrokenCall) -> Diagnostic:
    """Say it at the line of the new text where the remedy belongs: the function that is called, else the caller's."""
    where = f"{broken.module} version {broken.version}" if broken.version is not None else broken.module
    pids = _several([repr(pid) for pid in broken.pids])
    does = f"{where}, {broken.function}:{broken.line}, uses {new.unit.name}.{broken.name}, {broken.why}"
    comes = f"{pids} {'may come' if broken.reached else 'would end'} there"
    if broken.is_callback:
        comes = f"the callback would fail there, which {pids} set"
    text = f"{does}; {comes}; keep {broken.name} as it was until they have left that code"
    value = new.namespace.get(broken.name) or new.namespace.get(broken.function)
    line = value.__code__.co_firstlineno if type(value) is FunctionType else 1
    return Diagnostic(new.unit.path, line, 0, line, 0, "error", text, "live-call")


def _several(words: Sequence[str]) -> str:
    more = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    return ", ".join(words[:SHOWN]) + more
