"""`Supervisor`: a process whose children are processes. What a program defines and what a supervisor is asked.

How the children are started, restarted and stopped is in supervising.py.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from midflight.errors import AlreadyStarted, ChildError
from midflight.kernel import Client, Pid, arguments
from midflight.otp.calls import call
from midflight.otp.child_spec import SIMPLE, ChildSpec, check_significance, checked_children
from midflight.otp.children import Child, ChildInfo
from midflight.otp.protocol import Dest, Name
from midflight.otp.restart import AutoShutdown, Strategy
from midflight.otp.starting import Starting
from midflight.otp.supervising import OWN, Given, Options, Supervising, starter
from midflight.text import short

__all__ = ["Supervisor", "ask"]


class RequestRefused(Exception):
    """A request was not done. It is answered to the client in the place of a value, which raises its `error`."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class Supervisor(Supervising):
    """A supervisor: started with its children, or a class of your own whose `init` returns them.

    Its functions that take one are called on the class: `await Supervisor.which_children(pid)`. What starts a child is
    looked up again at every start, so a child that is started again runs the current version.
    In a class of your own `strategy`, `intensity`, `period` and `auto_shutdown` are attributes, and
    `MyTree.start_link(*args)` passes `args` to init.
    An upgrade of its module asks init again: added children start, removed ones stop (docs/upgrade.md).
    OTP: supervisor.

    Example:

        async def log(): await receive()

        class Tree(Supervisor):
            strategy = "one_for_all"

            def init(self, name):
                return [ChildSpec("log", log, name=name)]

        pid = await Tree.start_link("log")
        exit(whereis("log"), "kill")  # and it is started again
        await Supervisor.count_children(pid)  # -> {'specs': 1, 'active': 1, 'supervisors': 0, 'workers': 1}
        await Supervisor.terminate_child(pid, "log")
        await Supervisor.delete_child(pid, "log")
        await Supervisor.which_children(pid)  # -> []
    """

    # --- Starting -------------------------------------------------------------------------------------------

    @classmethod
    def start_link(
        cls, *args: Any, name: str | Name | None = None, timeout: float | None = None, **options: Any
    ) -> Starting:
        """Start a supervisor linked to the caller, and its children in order; to be awaited for the pid.

        Of a class with an `init` of its own, `args` are that one's. Else `children`, an iterable of ChildSpecs, and
        `strategy`, `intensity`, `period` and `auto_shutdown`, in this order or by keyword.
        `strategy`: who stops and starts again when a child ended and is to be restarted: "one_for_one" that child;
        "one_for_all" all; "rest_for_one" it and those after it; "simple_one_for_one": `children` is one ChildSpec,
        none is started, and each start_child adds one with further arguments.
        More than `intensity` restarts in `period` seconds, 1 in 5 by default: the children are stopped, the
        supervisor ends, "shutdown".
        `auto_shutdown`: so it does when a significant child has ended by itself and is not restarted
        ("any_significant"), or the last one of those that run ("all_significant"); "never", the default: it does not.
        Raises: TypeError or ValueError for what cannot be a supervisor, before anything is started; InitFailed, from
        the child's own error, if a child did not start: those before it are stopped; as GenServer.start_link.
        OTP: supervisor:start_link/2,3.
        """
        return super().start_link(*cls.init_arguments(args, options), name=name, timeout=timeout)

    @classmethod
    def start(
        cls, *args: Any, name: str | Name | None = None, timeout: float | None = None, **options: Any
    ) -> Starting:
        """Start a supervisor that outlives the caller: the top of a tree, or one that is tried out in a shell.

        As start_link without the link. OTP has no such function.
        """
        return super().start(*cls.init_arguments(args, options), name=name, timeout=timeout)

    @classmethod
    def init_arguments(cls, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[Any, ...]:
        """Return the arguments of init. Raises: TypeError or ValueError for wrong ones."""
        if cls.init is Supervisor.init:
            return (Given(*cls._checked(*args, **options), starter()),)
        if options:
            names = ", ".join(options)
            raise TypeError(
                f"{cls.__qualname__} has an init of its own, and takes no {names}: they are attributes of the class; "
                "nothing was started"
            )
        return args

    @classmethod
    def _checked(
        cls,
        children: Iterable[ChildSpec] = (),
        strategy: Strategy = OWN,
        intensity: int = OWN,
        period: float = OWN,
        auto_shutdown: AutoShutdown = OWN,
    ) -> tuple[tuple[ChildSpec, ...], Options]:
        options = strategy, intensity, period, auto_shutdown
        return checked_children(children, cls.flags_of(*options)), options

    # --- What a program defines -----------------------------------------------------------------------------

    def init(self, *args: Any) -> Any:
        """Return the children, an iterable of ChildSpecs, or IGNORE; the first to run, in the new process.

        Not defined: the children are those that start_link was given. OTP: Module:init/1.
        """
        given: Given[tuple[ChildSpec, ...]] = self.given(args)
        self.flags = self.flags_of(*given.options)  # those of its class may be others after an upgrade
        return given.value

    # --- What its clients call ------------------------------------------------------------------------------

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
    async def get_childspec(supervisor: Dest, id: Hashable) -> ChildSpec:
        """Return the ChildSpec of a child. Of simple_one_for_one, `id` is its pid.

        Raises: ChildError ("not_found"). OTP: supervisor:get_childspec/2.
        """
        spec: ChildSpec = await ask(supervisor, ("get_childspec", arguments.hashable("get_childspec: id", id)))
        return spec

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

    # --- Callbacks ------------------------------------------------------------------------------------------

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
                case ("get_childspec", id):
                    return self._found(id).spec
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

    # --- Requests -------------------------------------------------------------------------------------------

    async def _add(self, wanted: Any) -> Pid | None:
        child = self._new(wanted)
        self.children[child.key] = child
        pid = await self._start_or_refuse(child, is_new=True)
        if pid is None and self.is_dynamic:
            self.children.pop(child.key, None)
        return pid

    def _new(self, wanted: Any) -> Child:
        """Return the record of a child that is wanted. Raises: RequestRefused if it cannot be one."""
        if self.template is not None:
            if not isinstance(wanted, tuple):
                raise RequestRefused(
                    TypeError(f"start_child: simple_one_for_one takes a tuple of arguments, not {short(wanted)}")
                )
            return self.new_child(self.template, self.template.args + wanted)
        if not isinstance(wanted, ChildSpec):
            said = f"start_child takes a ChildSpec, not {short(wanted)}; nothing was started"
            raise RequestRefused(TypeError(said))
        try:
            check_significance([wanted], self.flags)
        except ValueError as error:
            raise RequestRefused(error) from None
        if self.is_dynamic:
            if self.max_children is not None and len(self.children) >= self.max_children:
                advice = f"it has {self.max_children} already, as many as it may; terminate_child() one first"
                raise RequestRefused(ChildError(wanted.id, "max_children", advice))
            return self.new_child(wanted, wanted.args)
        present = self.children.get(wanted.id)
        if present is not None and present.running is not None:
            raise RequestRefused(AlreadyStarted(present.running))
        if present is not None:
            advice = "restart_child() or delete_child() it"
            raise RequestRefused(ChildError(wanted.id, "already_present", advice))
        return self.new_child(wanted, wanted.args)

    async def _start_or_refuse(self, child: Child, is_new: bool = False) -> Pid | None:
        try:
            await self.start_one(child)
        except Exception as error:
            if is_new:
                del self.children[child.key]
            raise RequestRefused(error) from None
        return child.pid

    async def _terminate(self, id: Hashable) -> None:
        if self.template is not None and isinstance(id, Pid) and id not in self.by_pid and id.process is None:
            return  # it has ended: that is what was asked for
        await self.stop_one(self._found(id))

    def _found(self, id: Hashable) -> Child:
        """Return the child with that id, or pid if it has no id. Raises: RequestRefused if there is none."""
        if not self.is_dynamic:
            child = self._child(id)
        elif isinstance(id, Pid):
            child = self.by_pid.get(id)
        else:
            raise RequestRefused(ChildError(id, self._kind(), "Its children have no ids; give the pid"))
        if child is None:
            raise RequestRefused(ChildError(id, "not_found", "which_children() lists them"))
        return child

    def _child(self, id: Hashable) -> Child | None:
        """Return the child with that id, or None. Raises: RequestRefused if it cannot be looked for."""
        try:
            return self.children.get(id)
        except Exception as error:  # of the client's object: it has no hash, or cannot be compared
            raise RequestRefused(error) from None

    def _kind(self) -> str:
        return SIMPLE if self.template is not None else "dynamic"

    def _not_running(self, id: Hashable) -> Child:
        """Return the child with that id. Raises: RequestRefused if there is none, or none that does not run."""
        if self.is_dynamic:
            raise RequestRefused(ChildError(id, self._kind(), "Its children have no ids, and go when they end"))
        child = self._found(id)
        if child.is_restarting or child.pid is not None:
            reason = "restarting" if child.is_restarting else "running"
            raise RequestRefused(ChildError(id, reason, "terminate_child() it first"))
        return child

    def _info(self, child: Child) -> ChildInfo:
        pid = "restarting" if child.is_restarting else child.pid
        return ChildInfo(None if self.is_dynamic else child.key, pid, child.spec.type)

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
