"""Upgrade: a new version of a module and new states of its live servers, together or not at all.

The life of an upgrade: the version is prepared, in a thread of its own -> the servers are held between two messages
-> each makes its new state, in its own process, on a copy -> code and states become current in one step -> the servers
go on. What fails before that step leaves all as it was; nothing fails after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from threading import Thread
from typing import TypeVar

from midflight.code.account import with_servers
from midflight.code.callbacks import age_of
from midflight.code.load import PathOrName, load_units, loaded_places, unit_of_version
from midflight.code.modules import module_of
from midflight.code.planning import Terms
from midflight.code.report import LoadReport
from midflight.code.source import unit_of
from midflight.code.ticket import Ticket
from midflight.code.upgrade_report import UpgradeReport
from midflight.code.upgrading import Upgrade
from midflight.errors import NotInProcess
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
    No server is held for longer than `timeout` seconds (of the runtime's clock; None for ever). `path_or_name`,
    `source` and `force` are those of `load`. To be awaited in a process or in any asyncio task. Cancelled, it changes
    nothing.

    Raises: UpgradeError, a LoadError, if a code_change raises, a server does not come to its next message in time, or
    a load on a runtime's thread comes in between; LoadError, as `load` does; UnknownModuleError and
    UnknownVersionError, of `to`. Code, states and mailboxes are as they were then, and the servers go on.
    OTP: a release upgrade with {update, Module, {advanced, Extra}}; there a failure restarts the emulator.
    """
    ticket = Ticket()
    terms = Terms(extra, timeout, dry_run, caller=_caller())
    work = partial(_upgrade, ticket, terms, path_or_name, source, force, to)
    future = asyncio.wrap_future(_in_a_thread(work))
    future.add_done_callback(asyncio.Future.exception)  # seen, though nobody may wait for it by then
    try:
        return await asyncio.shield(future)
    except GeneratorExit:  # the process is killed, and may not wait
        ticket.stop("the process that asked for it was killed")
        raise
    except (asyncio.CancelledError, KeyboardInterrupt):
        ticket.stop("it was broken off")
        while ticket.is_holding and not future.done():
            try:
                await asyncio.wait([future])
            except asyncio.CancelledError:  # once more; the servers go on first
                pass
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
    check_thread("upgrade_sync")
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
    check_thread("load_or_upgrade")
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
    return report if isinstance(report, UpgradeReport) else with_servers(report)


def _caller() -> Process | None:
    try:
        return current_process("upgrade()")
    except NotInProcess:
        return None


def check_thread(function: str) -> None:
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
