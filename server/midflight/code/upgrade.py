"""Upgrade: a new version of a module and new states of its live servers, together or not at all.

The life of an upgrade: the version is prepared, in a thread of its own -> the servers are held between two messages
-> each makes its new state, in its own process, on a copy -> code and states become current in one step -> the servers
go on. What fails before that step leaves all as it was; nothing fails after it.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from dataclasses import fields, replace
from functools import partial
from threading import Thread
from types import ModuleType
from typing import TypeVar

from midflight.code.callbacks import age_of
from midflight.code.commit import check
from midflight.code.failures import body_problems
from midflight.code.holding import Busy, Held, Holding
from midflight.code.load import PathOrName, load_units, loaded_places, unit_of_version
from midflight.code.lock import LoadLock
from midflight.code.modules import module_of
from midflight.code.planning import Planner, Terms, stragglers
from midflight.code.prepare import Refused
from midflight.code.report import SHOWN, Diagnostic, LoadReport, summary
from midflight.code.snapshots import readable
from midflight.code.source import Unit, unit_of
from midflight.code.ticket import Stopped, Ticket
from midflight.code.transaction import Transaction
from midflight.code.upgrade_report import ServerChange, UpgradeReport
from midflight.errors import NotInProcess, UpgradeError
from midflight.kernel import Process, current_process, schedulers

__all__ = ["load_or_upgrade", "upgrade", "upgrade_sync"]

Result = TypeVar("Result")

HELD_SECONDS = 4.0  # less than the 5 s that a call waits: so nobody's call to a held server fails of it


async def upgrade(
    path_or_name: PathOrName,
    source: str | None = None,
    extra: object = None,
    force: bool = False,
    dry_run: bool = False,
    *,
    to: int | None = None,
    timeout: float | None = HELD_SECONDS,
) -> UpgradeReport:
    """Load a module as its new version and change the states of its live servers to it, all of them or nothing.

    Each server whose class is of the module, in whatever version, is held between two messages. Then
    `code_change(old_vsn, extra)` of its class in the new version runs in its process, with `self` a copy of it:
    lists, dicts, sets, deques and bytearrays are copied, in one another too, all else is shared, so locks and sockets
    live. Without a code_change the copy is as the server was. Then version and states become current in one step, and
    the servers go on; calls made meanwhile have waited, and see the new state. Pids, names, links and mailboxes stay.

    `old_vsn` is the vsn of the version that the server's object was of: `__vsn__` if the module sets it, else a digest
    of its text. `to` loads the text of that version again. Servers of younger ones then go down to it: code_change of
    their own class runs, which knows both kinds of state, with ("down", the vsn of that version).
    `dry_run` does all but the last step: its report says what would become of each server. Whatever a code_change does
    beside changing `self`, it does then too.
    No server is held for longer than `timeout` seconds (of the runtime's clock; None for ever). `path_or_name`, `source`
    and `force` are those of `load`. To be awaited in a process or in any asyncio task. Cancelled, it changes nothing.

    Raises: UpgradeError, a LoadError, if a code_change raises, a server does not come to its next message in time, or
    a load on a runtime's thread comes in between; LoadError, as `load` does; UnknownModuleError and
    UnknownVersionError, of `to`. Code, states and mailboxes are as they were then, and the servers go on.
    OTP: a release upgrade with {update, Module, {advanced, Extra}}; there a failure restarts the emulator.
    """
    ticket = Ticket()
    terms = Terms(extra, timeout, dry_run, caller=_caller())
    work = partial(_upgrade, ticket, terms, path_or_name, source, force, to)
    future = asyncio.wrap_future(_in_a_thread(work))
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        ticket.stop("it was cancelled")
        while ticket.is_holding and not future.done():
            try:
                await asyncio.wait([future])
            except asyncio.CancelledError:  # once more; the servers go on first
                pass
        raise
    except GeneratorExit:  # the process is killed, and may not wait
        ticket.stop("the process that asked for it was killed")
        raise


def upgrade_sync(
    path_or_name: PathOrName,
    source: str | None = None,
    extra: object = None,
    force: bool = False,
    dry_run: bool = False,
    *,
    to: int | None = None,
    timeout: float | None = HELD_SECONDS,
) -> UpgradeReport:
    """Do what `upgrade` does, from a thread that runs no runtime, and wait for it there.

    Raises: as `upgrade`; RuntimeError on a runtime's own thread, which has to run the servers meanwhile.
    """
    _check_thread("upgrade_sync")
    return _upgrade(Ticket(), Terms(extra, timeout, dry_run), path_or_name, source, force, to)


def load_or_upgrade(
    path_or_name: PathOrName,
    source: str | None = None,
    force: bool = False,
    two_versions: bool = False,
    move: bool = False,
    extra: object = None,
    timeout: float | None = HELD_SECONDS,
) -> LoadReport:
    """Load a module; if the new version brings a `code_change` for live servers, upgrade those. What `C-c C-k` does.

    A server's class brings one if the class that its object is of had none, or another one (its text differs, layout
    apart), or if the module sets another `__vsn__`. So a code_change that stays in the text does not run at every load.
    The other servers take their new class at their next message, as after any load. From a thread that runs no runtime.

    Returns: an UpgradeReport if servers were upgraded, else a LoadReport.
    Raises: as `upgrade_sync` does.
    """
    _check_thread("load_or_upgrade")
    unit = unit_of(path_or_name, source, loaded_places())
    make = partial(Upgrade, ticket=Ticket(), terms=Terms(extra, timeout, only_news=True))
    return load_units([unit], force, two_versions, move, make)[0]


def _upgrade(
    ticket: Ticket, terms: Terms, path_or_name: PathOrName, source: str | None, force: bool, to: int | None
) -> UpgradeReport:
    if to is None:
        unit = unit_of(path_or_name, source, loaded_places())
    elif source is not None:
        raise ValueError("upgrade takes a source or a version to go to, not both; nothing was done")
    else:
        name = str(path_or_name)
        terms = replace(terms, back_to=age_of(module_of(name).version(to)))
        unit = unit_of_version(name, to)
    report = load_units([unit], force, make=partial(Upgrade, ticket=ticket, terms=terms))[0]
    return report if isinstance(report, UpgradeReport) else _with_servers(report)


def _caller() -> Process | None:
    try:
        return current_process("upgrade()")
    except NotInProcess:
        return None


def _check_thread(function: str) -> None:
    if any(scheduler.is_own_thread() for scheduler in schedulers()):
        raise RuntimeError(
            f"{function}() waits for processes, and this thread runs them; nothing was done. "
            f"`await upgrade(...)`, or `await asyncio.to_thread({function}, ...)`"
        )


def _in_a_thread(function: Callable[[], Result]) -> Future[Result]:
    """Call `function` in a new thread, in this context.

    One of its own and not asyncio's pool: upgrades that wait for one another would fill that, and a code_change that
    wants a thread of it would wait for ever.
    """
    future: Future[Result] = Future()
    future.set_running_or_notify_cancel()
    context = copy_context()

    def work() -> None:
        try:
            future.set_result(context.run(function))
        except BaseException as error:
            future.set_exception(error)

    Thread(target=work, name="midflight-upgrade", daemon=True).start()
    return future


class _Rehearsed(Exception):
    """All but the commit is done, and that is not wanted."""

    def __init__(self, report: UpgradeReport) -> None:
        super().__init__()
        self.report = report


class Upgrade(Transaction):
    """A load of one module that takes its servers along."""

    def __init__(
        self,
        units: Sequence[Unit],
        lock: LoadLock,
        reload: Callable[[ModuleType], object],
        *,
        force: bool,
        two_versions: bool,
        move: bool,
        ticket: Ticket,
        terms: Terms,
    ) -> None:
        super().__init__(units, lock, reload, force=force, two_versions=two_versions, move=move)
        self._ticket = ticket
        self._terms = terms
        self._holding: Holding | None = None
        self._since: float | None = None

    def run(self) -> tuple[LoadReport, ...]:
        """Upgrade; return the report. Raises: UpgradeError, LoadError."""
        try:
            (report,) = super().run()
        except _Rehearsed as rehearsed:
            return (rehearsed.report,)
        if self._since is None:
            return (report,)
        return (self._report(report),)

    def _finish(self) -> None:
        """Hold the servers, have them make their states, and make all current."""
        planner = Planner(self._made[0], self._terms)
        planner.read_ahead()
        self._holding = holding = Holding(planner, self._ticket, self._terms.timeout, self._terms.caller)
        self._ticket.is_holding = True
        try:
            with self._lock.giving_way(lambda: self._ticket.stop("a load on the runtime's own thread had to go first")):
                self._take_and_commit(holding)
        except Busy as error:
            raise self._busy(error) from None
        except Stopped as error:
            raise self._error([self._problem(str(error), "stopped")], []) from None
        finally:
            holding.release()
            self._ticket.is_holding = False

    def _take_and_commit(self, holding: Holding) -> None:
        """Go round until no server is left that is not held: while some are held, others start."""
        while self._terms.is_rehearsal or not self._lock.call(partial(self._switch, holding)):
            self._since = self._since or time.perf_counter()
            holding.take()
            failed = [each for each in holding.servers if each.error is not None]
            if self._terms.is_rehearsal:
                raise _Rehearsed(self._rehearsed(failed))
            if failed:
                raise self._error(list(self._problems(failed)), failed)

    def _switch(self, holding: Holding) -> bool:
        """Commit code and states if all servers are held; say whether they were. On the runtime's thread."""
        self._ticket.check()
        if not holding.is_complete():
            return False
        touched = holding.touched()
        if touched:
            raise Stopped(f"somebody else has resumed {touched[0]!r} meanwhile, or replaced its state")
        self._made[0].warnings += stragglers(self._made[0])
        self._commit(states=holding.install)
        return True

    # --- What is said of it -------------------------------------------------------------------------------------

    def _rehearsed(self, failed: Sequence[Held]) -> UpgradeReport:
        made = self._made[0]
        refusals = list(self._problems(failed))
        try:
            self._lock.call(partial(check, self._made, force=self._force, two_versions=self._two_versions))
        except Refused as refused:
            refusals += [problem for failure in refused.failures for problem in failure.problems]
        report = self._report(replace(made.report(), current=self._current, refusals=tuple(refusals)))
        return replace(report, version=None if refusals else report.version, is_rehearsed=True)

    def _busy(self, error: Busy) -> UpgradeError:
        problems = [self._problem(place, "busy") for place in error.places]
        return self._error(problems, error.servers)

    def _error(self, problems: Sequence[Diagnostic], culprits: Sequence[Held]) -> UpgradeError:
        unit = self._made[0].unit
        base = LoadReport(unit.name, None, unit.path, refusals=tuple(problems), current=self._current)
        report = self._report(base)
        first = culprits[0] if culprits else None
        error = UpgradeError(summary(report), report, first and first.pid, (first and first.before) or None)
        error.__cause__ = first and first.error
        return error

    @property
    def _current(self) -> int | None:
        before = self._made[0].before
        return None if before is None else before.number

    def _problem(self, message: str, code: str) -> Diagnostic:
        return self._made[0].problem(message, code)

    def _problems(self, failed: Sequence[Held]) -> Iterator[Diagnostic]:
        """Yield what was raised, once for all servers that raised it at one place."""
        made = self._made[0]
        groups: dict[tuple[object, ...], tuple[Diagnostic, list[Held]]] = {}
        for each in failed:
            assert each.error is not None and made.version.snapshot is not None
            problem = next(body_problems(each.error, made.unit.path, made.unit.text, made.version.snapshot.file))
            key = problem.line, problem.column, problem.message
            groups.setdefault(key, (problem, []))[1].append(each)
        for problem, servers in groups.values():
            more = f" and {len(servers) - SHOWN} more" if len(servers) > SHOWN else ""
            who = ", ".join(map(repr, servers[:SHOWN])) + more
            said = f"code_change of {who} raised {problem.message}; its state is {servers[0].before or 'empty'}"
            code = "code-change" if (problem.line, problem.end_column) != (1, 0) else "state"
            yield replace(problem, message=said, code=code)

    def _report(self, report: LoadReport) -> UpgradeReport:
        servers = () if self._holding is None else tuple(_change(each) for each in self._holding.servers)
        held = 0.0 if self._since is None else time.perf_counter() - self._since
        return _with_servers(report, servers, held * 1000)


def _with_servers(
    report: LoadReport, servers: tuple[ServerChange, ...] = (), held_ms: float = 0.0
) -> UpgradeReport:
    known = {field.name: getattr(report, field.name) for field in fields(LoadReport)}
    return UpgradeReport(**known, servers=servers, held_ms=held_ms)


def _change(held: Held) -> ServerChange:
    plan, error = held.plan, held.error
    assert plan is not None
    return ServerChange(
        pid=held.pid,
        name=held.name,
        class_name=plan.cls.__qualname__,
        old_version=None if plan.old_version is None else plan.old_version.number,
        old_vsn=plan.old_vsn,
        is_changed=plan.changer is not None,
        before=held.before,
        after=None if error is not None else held.after,
        error=None if error is None else f"{type(error).__name__}: {error}",
        traceback=None if error is None else readable("".join(traceback.format_exception(error))),
    )
