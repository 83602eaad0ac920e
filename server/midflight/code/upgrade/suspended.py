"""One suspended server: the work of its process while it is suspended, and its release.

A new state is made in the server's own process, on a copy; the server does not notice, whatever comes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, Protocol

from midflight.code.census.census import spots_of
from midflight.code.identity.fields import fields_of, with_class
from midflight.code.identity.migrate import become
from midflight.code.identity.server_state import copied
from midflight.code.version.version import Version, version_of
from midflight.errors import MigrationError
from midflight.kernel import OUTSIDE, Client, Pid, Process, Ref, Scheduler, System, coroutine_in

__all__ = ["Plan", "SuspendedServer", "called_by", "let_go", "place_of", "preparing", "what_it_does"]

PACKAGE = __name__.partition(".")[0] + "."


class Plan(NamedTuple):
    """The plan for the servers of a class: they become objects of `cls`.

    `module` is the one that they are of. `renews` says that they have a part to renew: see Renewing.
    `changer` is the class whose `code_change(old_vsn, extra)` makes their states,
    None if none has to: then the class is
    changed as that of any other object, by its `__migrate__` if it has one.
    """

    module: str
    cls: type[Any]
    changer: type[Any] | None
    old_version: Version | None
    old_vsn: object
    extra: object
    renews: bool = False


class Renewing(Protocol):
    """A server with a part that is outside of its state, and is made with it, such as the children of a supervisor."""

    async def renew(self, *, is_rehearsal: bool) -> None:
        """Make the new part, of a copy that is of the new class already; with `is_rehearsal` only see what it is.

        If it raises, nothing is left of it.
        """

    async def undo_renewal(self) -> None:
        """Take back what `renew` has done, of a copy that is dropped."""

    async def settle_renewal(self) -> None:
        """Drop the old part; the copy is the server."""


class SuspendedServer:
    """One server that is suspended, or that was asked to be.

    `old` is the object that has its state, `new` the one that is to take its place, `error` what kept that from being
    made.
    """

    def __init__(self, scheduler: Scheduler, process: Process, plan: Plan) -> None:
        self.scheduler = scheduler
        self.process = process
        self.pid: Pid = process.pid
        self.name = process.name
        self.behaviour = process.behaviour
        self.was_suspended: bool = process.behaviour.is_suspended
        self.plan: Plan | None = plan
        self.is_asked = self.is_taken = False
        self.message: System | None = None  # the one that it has not answered
        self.is_changing = False
        self.is_given_up = False
        self.old: Any = None
        self.new: Any = None
        self.error: BaseException | None = None
        self.callback = "code_change"  # what runs, or ran last
        self.attributes: dict[str, Any] = {}  # of `old`, as they were

    def __repr__(self) -> str:
        return f"{self.pid!r} ({self.name})" if self.name else repr(self.pid)

    @property
    def is_alive(self) -> bool:
        """True if its process lives, and is not on its way out."""
        return self.pid.process is not None and self.process.exit_reason is None

    @property
    def is_as_it_was(self) -> bool:
        """True if nobody has resumed it or replaced its state since its copy was made."""
        return bool(self.behaviour.is_suspended) and self.behaviour.server is self.old


def preparing(
    suspended: SuspendedServer, plan: Plan, *, is_rehearsal: bool
) -> Callable[[Any], Coroutine[Any, Any, Any]]:
    """Return the function that makes the new state, to be run in the server's process; it replaces nothing."""

    async def prepare(server: Any) -> Any:
        suspended.old, suspended.attributes = server, fields_of(server)
        suspended.is_changing = True
        try:
            suspended.callback = "__migrate__" if plan.changer is None else "code_change"
            found = await _changed(server, plan)
            suspended.callback = "the check of the state"
            if (asks := getattr(type(found), "unfit_for", None)) is not None and (why := asks(found, type(found))):
                raise ValueError(why)
            if plan.renews:
                suspended.callback = "init"
                await found.renew(is_rehearsal=is_rehearsal)
            suspended.new = found
        except (GeneratorExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # SystemExit and Stop too: what ends no server that is only being copied
            if suspended.process.exit_reason is not None:  # an exit signal, which ends the server
                raise
            suspended.error = error.with_traceback(_without_ours(error))
        finally:
            suspended.is_changing = False
            if suspended.is_given_up:
                suspended.process.uncancel()
        return server

    return prepare


async def _changed(server: Any, plan: Plan) -> Any:
    if plan.changer is None:
        return _migrated(copied(server, type(server)), plan.cls)
    found = copied(server, plan.changer)
    answer = found.code_change(plan.old_vsn, plan.extra)
    while (coro := coroutine_in(answer)) is not None:
        answer = await coro
    return found if type(found) is plan.cls else with_class(found, plan.cls)


def _migrated(server: Any, cls: type[Any]) -> Any:
    """Return `server` as an object of `cls`. Raises: what its `__migrate__` raised, MigrationError."""
    try:
        return server if type(server) is cls else become(server, cls, sets_slots_later=True)
    except MigrationError as error:
        raise error.__cause__ or error from None


def _without_ours(error: BaseException) -> Any:
    """Return the traceback of `error` from the first step on that is the program's own."""
    trace = error.__traceback__
    while trace is not None and str(trace.tb_frame.f_globals.get("__name__")).startswith(PACKAGE):
        trace = trace.tb_next
    return trace or error.__traceback__


def what_it_does(suspended: SuspendedServer) -> str:
    """Say where in the program's code a server is, that does not come to its next message."""
    what = "is busy" if suspended.behaviour.server is not None else "is in its init"
    return f"{what}{place_of(suspended)}"


def place_of(suspended: SuspendedServer) -> str:
    """Say where in the program's code a server is: " at Ledger.handle_call:13"; "" if in none."""
    for spot in reversed(spots_of(suspended.pid)):
        name = str(spot.f_globals.get("__name__"))
        if version_of(spot.f_globals) is not None or not name.startswith(PACKAGE):
            return f" at {spot.f_code.co_qualname}:{spot.f_lineno}"
    return ""


def called_by(process: Process) -> Process | None:
    """Return the process whose answer this one waits for; None if it waits for no answer."""
    for ref, target in (process.monitors or {}).items():
        if isinstance(ref, Client) and process.waiting is ref.request is not None:
            return target
    return None


def let_go(suspended: SuspendedServer, *, is_installed: bool) -> None:
    """Undo the request to a server, on its thread. `is_installed` says that its new state is current."""
    suspended.behaviour.is_held = False
    if suspended.pid.process is None or not suspended.is_asked:
        return
    if suspended.is_changing:
        suspended.is_given_up = True
        suspended.process.cancel()
    is_untouched = _take_back(suspended) and not suspended.is_taken
    if suspended.new is not None and suspended.plan is not None and suspended.plan.renews:
        request = ("replace_state", _ending(suspended.new, is_installed=is_installed))
        suspended.scheduler.deliver(suspended.process, System(request, Ref(), OUTSIDE))
    if not is_untouched and not suspended.was_suspended:
        suspended.scheduler.deliver(suspended.process, System("resume", Ref(), OUTSIDE))


def _ending(new: Renewing, *, is_installed: bool) -> Callable[[Any], Coroutine[Any, Any, Any]]:
    """Return the function that ends a renewal, to be run in the server's process; it replaces nothing."""

    async def end(server: Any) -> Any:
        await (server.settle_renewal() if is_installed else new.undo_renewal())
        return server

    return end


def _take_back(suspended: SuspendedServer) -> bool:
    """Take the message that a server has not got to out of its mailbox; say whether it was there."""
    mailbox = suspended.process.mailbox
    for index, message in enumerate(mailbox or ()):
        if message is suspended.message is not None:
            assert mailbox is not None
            del mailbox[index]
            return True
    return False
