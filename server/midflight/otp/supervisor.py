"""Supervisor: a process whose children are processes, that starts them, starts them again, and stops them.

The life of a child: `start` -> running -> its Exit comes -> started again, kept (a transient one) or forgotten (a
temporary one) -> stopped with the supervisor, or by terminate_child.

Laws:
1. Children start in order and stop in the reverse order, each one's end awaited before the next is told.
2. A process that is not in `by_pid` is not a child: the late Exit of a child that was stopped means nothing.
3. A start that fails is tried again by a message to itself, so that other requests come in between; each try counts
   as a restart.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterable
from itertools import count
from typing import Any, NamedTuple

from midflight.errors import AlreadyStarted, ChildError, InitFailed
from midflight.kernel import Client, Exit, Pid, arguments, current_scheduler, self_, trap_exit, trouble
from midflight.otp.calls import call, cast
from midflight.otp.child_spec import SIMPLE, ChildSpec, Flags, checked_children, launch
from midflight.otp.children import Child, ChildInfo, stop_at_once, stop_child
from midflight.otp.gen_server import GenServer
from midflight.otp.protocol import Dest, Name, Stop
from midflight.otp.restart import Strategy, add_restart, affected, is_restarted
from midflight.otp.starting import Starting
from midflight.text import medium, short

__all__ = ["Supervisor"]

logger = logging.getLogger("midflight.supervisor")


class RequestRefused(Exception):
    """A request was not done. It is answered to the client in the place of a value, which raises its `error`."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class TryAgain(NamedTuple):
    """The message of a supervisor to itself when `child` did not start because of `error`."""

    child: Child
    error: Exception


class Supervisor(GenServer):
    """A supervisor. Its functions that take one are called on the class: `await Supervisor.which_children(pid)`.

    OTP: supervisor; there a callback module's init returns the children. Here they are given, and what starts each
    is looked up again at every start, so a child that is started again runs the current version.

    Example:

        async def log(): await receive()

        pid = await Supervisor.start_link([ChildSpec("log", log, name="log")])
        exit(whereis("log"), "kill")  # and it is started again
        await Supervisor.count_children(pid)  # -> {'specs': 1, 'active': 1, 'supervisors': 0, 'workers': 1}
        await Supervisor.terminate_child(pid, "log")
        await Supervisor.delete_child(pid, "log")
        await Supervisor.which_children(pid)  # -> []
    """

    # --- What its clients call ------------------------------------------------------------------------------

    @classmethod
    def start_link(  # type: ignore[override]  # a server's arguments are its own
        cls,
        children: Iterable[ChildSpec] = (),
        strategy: Strategy = "one_for_one",
        intensity: int = 1,
        period: float = 5,
        *,
        name: str | Name | None = None,
    ) -> Starting:
        """Start a supervisor linked to the caller, and its children, in order; to be awaited for the pid.

        `strategy`: who stops and starts again when a child ended and is to be restarted: "one_for_one" that child;
        "one_for_all" all; "rest_for_one" it and those after it; "simple_one_for_one": `children` is one ChildSpec,
        none is started, and each start_child adds one with further arguments.
        More than `intensity` restarts in `period` seconds: the children are stopped, the supervisor ends, "shutdown".
        Raises: TypeError or ValueError for what cannot be a supervisor, before anything is started; InitFailed, from
        the child's own error, if a child did not start: those before it are stopped; as GenServer.start_link.
        OTP: supervisor:start_link/2,3.
        """
        flags = Flags(strategy, intensity, period)
        return super().start_link(checked_children(children, flags), flags, name=name)

    @classmethod
    def start(  # type: ignore[override]  # a server's arguments are its own
        cls,
        children: Iterable[ChildSpec] = (),
        strategy: Strategy = "one_for_one",
        intensity: int = 1,
        period: float = 5,
        *,
        name: str | Name | None = None,
    ) -> Starting:
        """Start a supervisor that outlives the caller: the top of a tree, or one that is tried out in a shell.

        As start_link without the link. OTP has no such function.
        """
        flags = Flags(strategy, intensity, period)
        return super().start(checked_children(children, flags), flags, name=name)

    @staticmethod
    async def which_children(supervisor: Dest) -> list[ChildInfo]:
        """Return the children in start order. OTP: supervisor:which_children/1, newest first."""
        return list(await ask(supervisor, "which_children"))

    @staticmethod
    async def count_children(supervisor: Dest) -> dict[str, int]:
        """Return how many "specs", "active" (running) children, "supervisors" and "workers" there are.

        OTP: supervisor:count_children/1.
        """
        return dict(await ask(supervisor, "count_children"))

    @staticmethod
    async def start_child(supervisor: Dest, child: ChildSpec | tuple[Any, ...]) -> Pid | None:
        """Add a child and start it; return its pid, None if it wants no process.

        `child` is a ChildSpec; for simple_one_for_one a tuple of arguments to come after those of its one spec.
        Raises: what the start raised, and the child is not added; AlreadyStarted if one with that id runs; ChildError
        ("already_present") if it is there and does not; TypeError for the wrong kind of `child`.
        OTP: supervisor:start_child/2.
        """
        pid: Pid | None = await ask(supervisor, ("start_child", child))
        return pid

    @staticmethod
    async def restart_child(supervisor: Dest, id: Hashable) -> Pid | None:
        """Start a child that is there and does not run; return its pid.

        Raises: what the start raised; ChildError ("running", "restarting", "not_found", "simple_one_for_one").
        OTP: supervisor:restart_child/2.
        """
        pid: Pid | None = await ask(supervisor, ("restart_child", arguments.hashable("restart_child: id", id)))
        return pid

    @staticmethod
    async def terminate_child(supervisor: Dest, id: Hashable) -> None:
        """Stop a child; it is not restarted, but kept, unless it is temporary. Of simple_one_for_one, `id` is its pid.

        Raises: ChildError ("not_found", "simple_one_for_one"). OTP: supervisor:terminate_child/2.
        """
        await ask(supervisor, ("terminate_child", arguments.hashable("terminate_child: id", id)))

    @staticmethod
    async def delete_child(supervisor: Dest, id: Hashable) -> None:
        """Forget a child that does not run.

        Raises: ChildError ("running", "restarting", "not_found", "simple_one_for_one").
        OTP: supervisor:delete_child/2.
        """
        await ask(supervisor, ("delete_child", arguments.hashable("delete_child: id", id)))

    # --- Its process ----------------------------------------------------------------------------------------

    async def init(self, children: tuple[ChildSpec, ...], flags: Flags) -> None:
        """Start the children. Raises: Stop(InitFailed) if one does not start; those before it are stopped."""
        trap_exit(True)
        self.flags = flags
        self.restarts: tuple[float, ...] = ()
        self.template = children[0] if flags.strategy == SIMPLE else None
        self.keys = count(1)  # of children that share the template
        self.children = {} if self.template else {spec.id: Child(spec.id, spec, spec.args) for spec in children}
        self.by_pid: dict[Pid, Child] = {}
        for child in list(self.children.values()):
            try:
                await self._start(child)
            except Exception as error:
                await self.terminate("shutdown")
                failure = InitFailed(f"child {child.key!r} of {type(self).__name__} {self_()!r}", error)
                failure.__cause__ = error
                raise Stop(failure) from None

    async def handle_call(self, request: Any, client: Client) -> Any:  # noqa: ARG002  # answered at once
        """Carry out a client's request; a refused one is answered as RequestRefused."""
        kind = request[0] if type(request) is tuple and request else request
        if type(kind) is not str:  # a client's own object: to compare it would run its code, in this process
            return RequestRefused(TypeError(f"a supervisor knows no request {short(request)}; nothing was done"))
        try:
            match request:
                case "which_children":
                    return [self._info(child) for child in self.children.values()]
                case "count_children":
                    return self._counted()
                case ("start_child", child):
                    return await self._add(child)
                case ("terminate_child", id):
                    return await self._terminate(id)
                case ("restart_child", id):
                    return await self._start_or_refuse(self._not_running(id))
                case ("delete_child", id):
                    del self.children[self._not_running(id).key]
                    return None
        except RequestRefused as refused:
            return refused
        return RequestRefused(TypeError(f"a supervisor knows no request {short(request)}; nothing was done"))

    async def handle_info(self, message: Any) -> None:
        """Take in that a child has ended. The Exit of one that was stopped, and of a stranger, means nothing."""
        if type(message) is not Exit:
            super().handle_info(message)
            return
        child = self.by_pid.get(message.pid)
        if child is None:
            return
        if is_restarted(child.spec.restart, message.reason):
            await self._restart(child, message.reason)
        else:
            self._drop(child)

    async def handle_cast(self, message: Any) -> None:
        """Try again to start a child that did not start, if that is still wanted."""
        if type(message) is TryAgain and message.child.is_restarting:
            await self._restart(message.child, message.error)

    async def terminate(self, reason: object) -> None:  # noqa: ARG002  # whatever it is
        """Stop the children: in the reverse of their order, or all at once if they share a spec."""
        if self.template is not None:
            await stop_at_once(self.template, [child.running for child in self.children.values() if child.running])
            return
        for child in reversed(list(self.children.values())):
            await self._stop(child)

    # --- Starting and stopping children ---------------------------------------------------------------------

    async def _start(self, child: Child) -> None:
        """Start the process of `child`. Raises: the exception of its start."""
        child.is_restarting = False
        if child.pid is not None:
            del self.by_pid[child.pid]
            child.pid = None
        child.pid = await launch(child.spec, child.args)
        if child.pid is not None:
            self.by_pid[child.pid] = child
        elif child.spec.restart == "temporary":
            self.children.pop(child.key, None)

    async def _stop(self, child: Child) -> None:
        """Stop the process of `child`, if there is one, and wait until it has ended."""
        pid = child.running
        self._drop(child)
        if pid is not None:
            await stop_child(child.spec, pid)

    def _drop(self, child: Child) -> None:
        """Note that `child` does not run and is not to; forget it if it could not be started again."""
        if child.pid is not None:
            del self.by_pid[child.pid]
        child.pid = None
        child.is_restarting = False
        if child.spec.restart == "temporary" or self.template is not None:
            del self.children[child.key]

    async def _restart(self, child: Child, reason: object) -> None:
        """Start `child` again, and the children that the strategy names; give up if that is too often.

        Raises: Stop("shutdown") then.
        """
        flags, now = self.flags, current_scheduler().clock.now()
        is_allowed, self.restarts = add_restart(self.restarts, now, flags.intensity, flags.period)
        if not is_allowed:
            text = (
                f"supervisor {self_()!r} stops its children and ends: child {short(child.spec.id)} ended with "
                f"{medium(reason)}, which makes {len(self.restarts)} restarts within {flags.period} s; "
                f"{flags.intensity} are allowed"
            )
            trouble.log(logger, logging.ERROR, text)
            raise Stop("shutdown")
        together = [self.children[key] for key in affected(flags.strategy, self.children, child.key)]
        for one in reversed(together):
            if one is not child:
                await self._stop(one)
        for one in together:
            if one.key not in self.children:  # it was temporary
                continue
            last_pid = one.pid
            try:
                await self._start(one)
            except Exception as error:
                who = f"child {short(one.spec.id)} of {self_()!r}"
                trouble.log(logger, logging.ERROR, f"{who} did not start: {medium(error)}; it is tried again")
                one.is_restarting = True
                if last_pid is not None:  # by which terminate_child finds it
                    one.pid = last_pid
                    self.by_pid[last_pid] = one
                cast(self_(), TryAgain(one, error))
                return

    # --- Requests -------------------------------------------------------------------------------------------

    async def _add(self, wanted: Any) -> Pid | None:
        if self.template is not None:
            if not isinstance(wanted, tuple):
                raise RequestRefused(
                    TypeError(f"start_child: simple_one_for_one takes a tuple of arguments, not {short(wanted)}")
                )
            child = Child(next(self.keys), self.template, self.template.args + wanted)
        else:
            if not isinstance(wanted, ChildSpec):
                said = f"start_child takes a ChildSpec, not {short(wanted)}; nothing was started"
                raise RequestRefused(TypeError(said))
            present = self.children.get(wanted.id)
            if present is not None and present.running is not None:
                raise RequestRefused(AlreadyStarted(present.running))
            if present is not None:
                advice = "restart_child() or delete_child() it"
                raise RequestRefused(ChildError(wanted.id, "already_present", advice))
            child = Child(wanted.id, wanted, wanted.args)
        self.children[child.key] = child
        pid = await self._start_or_refuse(child, is_new=True)
        if pid is None and self.template is not None:
            self.children.pop(child.key, None)
        return pid

    async def _start_or_refuse(self, child: Child, is_new: bool = False) -> Pid | None:
        try:
            await self._start(child)
        except Exception as error:
            if is_new:
                del self.children[child.key]
            raise RequestRefused(error) from None
        return child.pid

    async def _terminate(self, id: Hashable) -> None:
        if self.template is None:
            child = self._child(id)
        elif isinstance(id, Pid):
            child = self.by_pid.get(id)
            if child is None and id.process is None:
                return  # it has ended: that is what was asked for
        else:
            raise RequestRefused(ChildError(id, SIMPLE, "Its children have no ids; give the pid"))
        if child is None:
            raise RequestRefused(ChildError(id, "not_found", "which_children() lists them"))
        await self._stop(child)

    def _child(self, id: Hashable) -> Child | None:
        """Return the child with that id, or None. Raises: RequestRefused if it cannot be looked for."""
        try:
            return self.children.get(id)
        except Exception as error:  # of the client's object: it has no hash, or cannot be compared
            raise RequestRefused(error) from None

    def _not_running(self, id: Hashable) -> Child:
        """Return the child with that id. Raises: RequestRefused if there is none, or none that does not run."""
        if self.template is not None:
            raise RequestRefused(ChildError(id, SIMPLE, "Its children have no ids, and go when they end"))
        child = self._child(id)
        if child is None:
            raise RequestRefused(ChildError(id, "not_found", "which_children() lists them"))
        if child.is_restarting or child.pid is not None:
            reason = "restarting" if child.is_restarting else "running"
            raise RequestRefused(ChildError(id, reason, "terminate_child() it first"))
        return child

    def _info(self, child: Child) -> ChildInfo:
        pid = "restarting" if child.is_restarting else child.pid
        return ChildInfo(None if self.template is not None else child.key, pid, child.spec.type)

    def _counted(self) -> dict[str, int]:
        children = self.children.values()
        return {
            "specs": 1 if self.template is not None else len(children),
            "active": sum(child.running is not None for child in children),
            "supervisors": sum(child.spec.type == "supervisor" for child in children),
            "workers": sum(child.spec.type == "worker" for child in children),
        }


async def ask(supervisor: Dest, request: Any) -> Any:
    """Call a supervisor, however long it takes: a child's start may. Raises: what it refuses with; CallError."""
    answer = await call(supervisor, request, timeout=None)
    if isinstance(answer, RequestRefused):
        raise answer.error
    return answer
