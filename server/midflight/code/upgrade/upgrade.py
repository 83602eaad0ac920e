"""Upgrade: new versions of modules and new states of their live servers, together or not at all.

The life of an upgrade: the versions are prepared, in a thread of its own -> the servers are suspended between two
messages -> each makes its new state, in its own process, on a copy -> code and states become current in one step -> the
servers go on. What fails before that step leaves all as it was; nothing fails after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from midflight.code.load.attempt import Options, Thread
from midflight.code.load.load import PathAndText, PathOrName, names_in, names_of, thread_in, unit_of_version, units_of
from midflight.code.report.load_report import LoadReport
from midflight.code.report.upgrade_report import UpgradeReport
from midflight.code.source.unit import Rejection, Unit, unit_of
from midflight.code.upgrade.account import with_servers
from midflight.code.upgrade.awaited import in_a_thread
from midflight.code.upgrade.callbacks import age_of
from midflight.code.upgrade.in_thread import Ticket
from midflight.code.upgrade.plan import Terms
from midflight.code.upgrade.upgrade_units import rehearse_units, upgrade_units
from midflight.code.version.modules import LOADED, versions_of
from midflight.errors import NotInProcess
from midflight.kernel import Process, current_process, schedulers

__all__ = [
    "load_or_upgrade",
    "load_or_upgrade_many",
    "upgrade",
    "upgrade_many",
    "upgrade_many_sync",
    "upgrade_sync",
]

SUSPENDED_SECONDS = 4.0  # less than the 5 s that a call waits: so nobody's call to a suspended server fails of it


async def upgrade(
    path_or_name: PathOrName,
    source: str | None = None,
    extra: object = None,
    force: bool = False,
    dry_run: bool = False,
    *,
    to: int | None = None,
    timeout: float | None = SUSPENDED_SECONDS,
) -> UpgradeReport:
    """Load a module as its new version and change the states of its live servers to it, all of them or nothing.

    Each server whose class is of the module, in whatever version, is suspended between two messages. Then
    `code_change(old_vsn, extra)` of its class in the new version runs in its process, with `self` a copy of it:
    lists, dicts, sets, deques and bytearrays are copied, in one another too, all else is shared, so locks and sockets
    live. Without a code_change the copy migrates by `__migrate__`, if its class has one, else it is as the server was.
    Then version and states become current in one step, and the servers go on; calls made meanwhile have waited, and see
    the new state. Pids, names, links and mailboxes stay.

    `old_vsn` is the vsn of the version that the server's object was of: `__vsn__` if the module sets it, else a digest
    of its text. `to` loads the text of that version again. Servers of younger ones then go down to it: code_change of
    their own class runs, which knows both kinds of state, with ("down", the vsn of that version).
    `dry_run` does all but the last step: its report says what would become of each server. Whatever a code_change does
    besides changing `self`, it does then too.
    No server is suspended for longer than `timeout` seconds (of the runtime's clock; None: no limit). `path_or_name`,
    `source` and `force` are those of `load`. To be awaited in a process or in any asyncio task. Cancelled, it changes
    nothing.

    Raises: UpgradeError, a LoadError, if a code_change raises, a server does not come to its next message in time, or
    a load on a runtime's thread comes in between; LoadError, as `load` does; UnknownModuleError and
    UnknownVersionError, of `to`. Code, states and mailboxes are as they were then, and the servers go on.
    OTP: a release upgrade with {update, Module, {advanced, Extra}}; there a failure restarts the emulator.

    Example:

        pid = await shop.Till.start()
        new = TEXT + "    def code_change(self, old_vsn, extra): self.total = extra"
        report = await code.upgrade("shop", new, extra=7)
        report.servers[0].after  # -> 'total=7'
        await call(pid, 1)  # -> 8
    """
    ticket = Ticket()
    terms = Terms(extra, timeout, caller=_caller())
    return await in_a_thread(ticket, partial(_upgrade, ticket, terms, path_or_name, source, force, dry_run, to))


def upgrade_sync(
    path_or_name: PathOrName,
    source: str | None = None,
    extra: object = None,
    force: bool = False,
    dry_run: bool = False,
    *,
    to: int | None = None,
    timeout: float | None = SUSPENDED_SECONDS,
) -> UpgradeReport:
    """Upgrade one module as `upgrade` does, from a thread that runs no runtime, and wait for it there.

    Raises: as `upgrade`; RuntimeError on a runtime's own thread, which has to run the servers meanwhile.
    """
    check_thread("upgrade_sync")
    return _upgrade(Ticket(), Terms(extra, timeout), path_or_name, source, force, dry_run, to)


async def upgrade_many(
    modules: Iterable[PathOrName | PathAndText],
    extra: object = None,
    force: bool = False,
    dry_run: bool = False,
    *,
    timeout: float | None = SUSPENDED_SECONDS,
) -> tuple[UpgradeReport, ...]:
    """Load several modules and change the states of their live servers, all of it or nothing; report on each module.

    Each is a path or name, or a pair of that and a text, as for `load_many`; the reports come in their order. What
    `upgrade` does with the servers of one module is done with those of all: no server of any goes on before all have
    their new states, and then all modules and all states become current in one step. A server is its class's own
    module's, whatever that inherits from: its code_change runs once, with the vsn of that module, and is the new one
    also where a base in another of the modules has it. All get the same `extra`. A code_change that calls a server of
    another of the modules waits for one that is suspended too, and fails by its timeout.
    `dry_run` says of each module what would become of it; if one would be refused, so would be all. No `to`: `upgrade`
    takes one module back to an older version.

    Raises: as `upgrade`, with a report for each module at fault, that of the error's `pid` first; ValueError for one
    given twice. Code, states and mailboxes, of all of them, are as they were then.
    OTP: a release upgrade with several {update, Module, {advanced, Extra}} after its point_of_no_return.

    Example:

        reports = await code.upgrade_many([("shop", TEXT), ("desk", "import shop")])
        [report.version for report in reports]  # -> [2, 2]
    """
    ticket = Ticket()
    terms = Terms(extra, timeout, caller=_caller())
    wanted = modules if isinstance(modules, str) else list(modules)
    return await in_a_thread(ticket, partial(_upgrade_many, ticket, terms, wanted, force, dry_run))


def upgrade_many_sync(
    modules: Iterable[PathOrName | PathAndText],
    extra: object = None,
    force: bool = False,
    dry_run: bool = False,
    *,
    timeout: float | None = SUSPENDED_SECONDS,
) -> tuple[UpgradeReport, ...]:
    """Upgrade several modules as `upgrade_many` does, from a thread that runs no runtime, and wait for it there.

    Raises: as `upgrade_many`; RuntimeError on a runtime's own thread, which has to run the servers meanwhile.
    """
    check_thread("upgrade_many_sync", "upgrade_many")
    return _upgrade_many(Ticket(), Terms(extra, timeout), modules, force, dry_run)


def load_or_upgrade(
    path_or_name: PathOrName,
    source: str | None = None,
    force: bool = False,
    two_versions: bool = False,
    move: bool = False,
    extra: object = None,
    timeout: float | None = SUSPENDED_SECONDS,
    fresh: Iterable[str] = (),
    forward: bool = False,
    thread: Thread | None = None,
) -> LoadReport:
    """Load a module; upgrade its live servers if the new version brings a `code_change` for them. `C-c C-k` does this.

    A server's class brings one if the class that its object is of had none, or another one (its text differs, layout
    apart), or if the module sets another `__vsn__`. So a code_change that stays in the text does not run at every load.
    The other servers take their new class at their next message, as after any load. From a thread that runs no runtime.
    `fresh` and `thread` are those of `load`.

    Returns: an UpgradeReport if servers were upgraded, else a LoadReport.
    Raises: as `upgrade_sync` does.
    """
    check_thread("load_or_upgrade")
    options = Options(force, two_versions, move, names_in(fresh), forward, thread_in(thread))
    found = units_of([(path_or_name, source)])
    return upgrade_units(found, options, Ticket(), Terms(extra, timeout, only_news=True))[0]


def load_or_upgrade_many(
    modules: Iterable[PathOrName | PathAndText],
    force: bool = False,
    two_versions: bool = False,
    move: bool = False,
    extra: object = None,
    timeout: float | None = SUSPENDED_SECONDS,
    forward: bool = False,
    fresh: Iterable[str] = (),
) -> tuple[LoadReport, ...]:
    """Load several modules together; upgrade the live servers of all that the new versions bring a `code_change` for.

    What editors, the shell and the command line do for several, as `load_or_upgrade` does it for one: of each server's
    class that decides whether it is suspended. `modules`, `force`, `two_versions`, `move`, `forward` and `fresh` are
    those of `load_many`.

    Returns: for each module an UpgradeReport if servers of it were upgraded, else a LoadReport.
    Raises: as `upgrade_many_sync` does.
    """
    check_thread("load_or_upgrade_many", "upgrade_many")
    units = units_of(modules)
    options = Options(force, two_versions, move, names_of(units, fresh), forward)
    return upgrade_units(units, options, Ticket(), Terms(extra, timeout, only_news=True))


def _upgrade(
    ticket: Ticket,
    terms: Terms,
    path_or_name: PathOrName,
    source: str | None,
    force: bool,
    dry_run: bool,
    to: int | None,
) -> UpgradeReport:
    if to is None:
        unit = unit_of(path_or_name, source, LOADED)
    elif source is not None:
        raise ValueError("upgrade takes a source or a version to go to, not both; nothing was done")
    else:
        name = str(path_or_name)
        terms = replace(terms, back_to=age_of(versions_of(name).version(to)))
        unit = unit_of_version(name, to)
    return _upgraded([unit], ticket, terms, force, dry_run)[0]


def _upgrade_many(
    ticket: Ticket, terms: Terms, modules: Iterable[PathOrName | PathAndText], force: bool, dry_run: bool
) -> tuple[UpgradeReport, ...]:
    return _upgraded(units_of(modules), ticket, terms, force, dry_run)


def _upgraded(
    found: Sequence[Unit | Rejection], ticket: Ticket, terms: Terms, force: bool, dry_run: bool
) -> tuple[UpgradeReport, ...]:
    if dry_run:
        return rehearse_units(found, Options(force), ticket, terms)
    reports = upgrade_units(found, Options(force), ticket, terms)
    return tuple(each if isinstance(each, UpgradeReport) else with_servers(each) for each in reports)


def _caller() -> Process | None:
    try:
        return current_process("upgrade()")
    except NotInProcess:
        return None


def check_thread(function: str, awaited: str = "upgrade") -> None:
    if any(scheduler.is_own_thread() for scheduler in schedulers()):
        raise RuntimeError(
            f"{function}() waits for processes, and this thread runs them; nothing was done. "
            f"`await {awaited}(...)`, or `await asyncio.to_thread({function}, ...)`"
        )
