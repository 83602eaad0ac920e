"""The look at live code, before a commit and again in it: calls ahead of processes that new versions cannot take."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from types import FunctionType
from typing import Any

from midflight.code.census.census import Census, take_census
from midflight.code.checks.live_calls import BrokenCall
from midflight.code.load.attempt import Options
from midflight.code.load.new_version import NewVersion
from midflight.code.load.outcome import Commit
from midflight.code.load.refused import Failure, Refused
from midflight.code.load.will_run import broken_by
from midflight.code.move.move import read_ahead
from midflight.code.report.load_report import SHOWN, Diagnostic
from midflight.code.source.look import carried_module, carried_name, class_names, is_class
from midflight.kernel import Pid

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


def take_last_look(
    commit: Commit, census: Census, options: Options, changed: Callable[[], Collection[Pid]] = tuple
) -> bool:
    """Look at live code once more, on the runtime's thread, which brings `census` up to date; warn in `commit`.

    With `move`, say whether the load is right only if idle processes move with the swap. `changed` are the servers
    that are given new states with it; it is asked only if there is a server that may be unfit. Raises: Refused.
    """
    census.update()
    broken = broken_by(commit.new, census, move=False)
    is_urgent = options.move and any(broken.values())
    if is_urgent:
        broken = broken_by(commit.new, census, move=True)
    unfit = _look_at_servers(commit, census, changed)
    refusals = [
        (each, tuple(_refusals(commit, each, census, broken[each], unfit.get(each, ()), options)))
        for each in commit.new
    ]
    failures = [Failure(each.unit.name, each.unit.path, problems) for each, problems in refusals if problems]
    if failures:
        raise Refused(failures)
    return is_urgent


def _refusals(
    commit: Commit,
    new: NewVersion,
    census: Census,
    broken_calls: Sequence[BrokenCall],
    unfit: Sequence[Diagnostic],
    options: Options,
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
    for problem in unfit:
        if options.force:
            commit.warn(new, [replace(problem, severity="warning")])
        else:
            yield problem


def _look_at_servers(
    commit: Commit, census: Census, changed: Callable[[], Collection[Pid]]
) -> dict[NewVersion, tuple[Diagnostic, ...]]:
    """Return what is wrong with servers that keep their state and cannot go on from it with the new class.

    Note in `commit` which of the servers are supervisors.
    """
    by_name: dict[str, NewVersion] = {}
    for each in commit.new:
        by_name[each.unit.name] = each
    found: dict[tuple[NewVersion, str], list[Pid]] = {}
    for pid, server in census.servers():
        if hasattr(type(server), "renew"):
            commit.supervisors.append((pid, server))
        asks = getattr(type(server), "unfit_for", None)
        version = None if asks is None else by_name.get(str(carried_module(type(server))))
        cls = None if version is None else _class_in(version, type(server))
        if asks is None or version is None or cls is None or (why := asks(server, cls)) is None:
            continue
        if pid not in changed():
            found.setdefault((version, why), []).append(pid)
    problems: dict[NewVersion, tuple[Diagnostic, ...]] = {}
    for (version, why), pids in found.items():
        who = _several([repr(pid) for pid in pids])
        text = f"{who} would end at the next message, and so would not keep the state: {why}"
        problems[version] = (*problems.get(version, ()), version.problem(text, "live-state"))
    return problems


def _class_in(version: NewVersion, old: type[Any]) -> type[Any] | None:
    """Return the class of that name in a new version, None if there is none."""
    first, *rest = str(carried_name(old)).split(".")
    found = version.namespace.get(first)
    for name in rest:
        found = class_names(found).get(name) if is_class(found) else None
    return found if is_class(found) else None


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
