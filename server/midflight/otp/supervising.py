"""The process of a supervisor: it starts its children, starts them again when they end, and stops them.

The life of a child: `start` -> running -> its Exit comes -> started again, kept (a transient one) or forgotten (a
temporary one) -> stopped with the supervisor, or by terminate_child. What a client asks for is in supervisor.py.

Laws:
1. Children start in order and stop in the reverse order, each one's end awaited before the next is told.
2. A process that is not in `by_pid` is not a child: the late Exit of a child that was stopped means nothing.
3. A start that fails is tried again by a message to itself, so that other requests come in between; each try counts
   as a restart. But a child whose code does not take the state that was kept is left out, as one that IGNOREs.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Hashable
from itertools import count
from typing import Any, Generic, NamedTuple, TypeVar

from midflight.collection import callers_of
from midflight.errors import InitFailed
from midflight.kernel import Exit, Pid, current_scheduler, self_, trap_exit
from midflight.otp.calls import cast
from midflight.otp.child_spec import SIMPLE, ChildSpec, Flags, checked_children, launch
from midflight.otp.children import Child, stop_at_once, stop_child
from midflight.otp.gen_server import GenServer
from midflight.otp.keeper import is_refused_state
from midflight.otp.protocol import IGNORE, Stop, value_of
from midflight.otp.renewal import Renewal, compared
from midflight.otp.reports import report, report_progress
from midflight.otp.restart import AutoShutdown, Strategy, add_restart, affected, ends_itself, is_restarted
from midflight.text import Token

__all__ = ["OWN", "Given", "Options", "Supervising", "starter"]

OWN: Any = Token("the class's own")  # the default of an option
PACKAGE = __name__.partition(".")[0] + "."

Value = TypeVar("Value")
Options = tuple[Strategy, int, float, AutoShutdown]  # of a start, in the order of flags_of; OWN where none is given


class Starter(NamedTuple):
    """The program's own function that has started a supervisor, by the names of its module and of itself."""

    module: str
    function: str


class Given(NamedTuple, Generic[Value]):
    """The values that a supervisor was started with whose class has no init of its own: the one argument of init.

    `value` are its children, or the number that there may be of them.
    """

    value: Value
    options: Options
    started_by: Starter | None


def is_given(args: tuple[Any, ...]) -> bool:
    """Say whether these arguments are what a supervisor was started with whose class has no init of its own."""
    return len(args) == 1 and type(args[0]) is Given


def starter() -> Starter | None:
    """Return the innermost function on the stack that is the program's own; None if there is none."""
    for frame in callers_of(sys._getframe(1)):
        module = frame.f_globals.get("__name__")
        if type(module) is str and not module.startswith(PACKAGE):
            return Starter(module, frame.f_code.co_qualname)
    return None


class TryAgain(NamedTuple):
    """The message of a supervisor to itself when the child with that key did not start."""

    key: Hashable


class Supervising(GenServer):
    """The state and the callbacks of every supervisor; a subclass says by `init` what its children are.

    `strategy`, `intensity`, `period` and `auto_shutdown` are its options, unless init sets `flags`. `is_dynamic` says
    that its children have no ids: they are known by their pids, all stop at once, and one that ends is forgotten.
    """

    renewed_by = ("strategy", "intensity", "period", "auto_shutdown", "max_children")  # another one of these is news

    strategy: Strategy = "one_for_one"
    intensity: int = 1
    period: float = 5
    auto_shutdown: AutoShutdown = "never"
    is_dynamic = False
    max_children: int | None = None  # of a dynamic one
    renewal: Renewal | None = None  # while an upgrade has children started, or stopped

    flags: Flags
    children: dict[Hashable, Child]

    @classmethod
    def flags_of(
        cls,
        strategy: Strategy = OWN,
        intensity: int = OWN,
        period: float = OWN,
        auto_shutdown: AutoShutdown = OWN,
    ) -> Flags:
        """Return the options, those of the class where none is given. Raises: TypeError or ValueError."""
        return Flags(
            cls.strategy if strategy is OWN else strategy,
            cls.intensity if intensity is OWN else intensity,
            cls.period if period is OWN else period,
            cls.auto_shutdown if auto_shutdown is OWN else auto_shutdown,
        )

    async def begin(self, args: tuple[Any, ...]) -> Any:
        """Start the children. Raises: Stop(InitFailed) if one does not start; those before it are stopped."""
        trap_exit(True)
        self.init_args = args
        children = await self._ask()
        if children is None:
            return IGNORE
        self.restarts: deque[float] = deque()
        self.template = children[0] if self.flags.strategy == SIMPLE else None
        if self.template is not None:
            self.is_dynamic = True
            children = ()
        self.asked = frozenset(spec.id for spec in children)
        self.keys = count(1)  # of children that have no ids
        self.children = {spec.id: Child(spec.id, spec, spec.args) for spec in children}
        self.by_pid: dict[Pid, Child] = {}
        for child in list(self.children.values()):
            try:
                await self.start_one(child)
            except Exception as error:
                if is_refused_state(error):
                    self._leave_out(child, error)
                    continue
                report("start_error", error, child.spec, None, "those before it are stopped, and it ends", child.args)
                await self.terminate("shutdown")
                failure = InitFailed(f"child {child.key!r} of {type(self).__name__} {self_()!r}", error)
                failure.__cause__ = error
                raise Stop(failure) from None
        return None

    async def handle_info(self, message: Any) -> None:
        """Take in that a child has ended. The Exit of one that was stopped, and of a stranger, means nothing."""
        if type(message) is not Exit:
            super().handle_info(message)
            return
        child = self.by_pid.get(message.pid)
        if child is None:
            return
        if is_restarted(child.spec.restart, message.reason):
            report("child_terminated", message.reason, child.spec, message.pid, "it is to be started again", child.args)
            await self._restart(child)
            return
        if is_restarted("transient", message.reason):
            report("child_terminated", message.reason, child.spec, message.pid, "it is not started again", child.args)
        self.drop(child)
        others = (other.spec.significant and other.pid is not None for other in self.children.values())
        if child.spec.significant and ends_itself(self.flags.auto_shutdown, others):
            raise Stop("shutdown")

    async def handle_cast(self, message: Any) -> None:
        """Try again to start a child that did not start, if that is still wanted."""
        child = self.children.get(message.key) if type(message) is TryAgain else None
        if child is not None and child.is_restarting:
            await self._restart(child)

    async def terminate(self, reason: object) -> None:  # noqa: ARG002  # whatever it is
        """Stop the children: in the reverse of their order, or all at once if they have no ids."""
        if self.is_dynamic:
            await stop_at_once([(child.spec, child.running) for child in self.children.values() if child.running])
            return
        for child in reversed(list(self.children.values())):
            await self.stop_one(child)

    async def _ask(self) -> tuple[ChildSpec, ...] | None:
        """Ask init for the children, and take its flags; None if it returns IGNORE. Raises: TypeError; ValueError."""
        before = vars(self).pop("flags", None)
        is_own = not str(type(self).init.__module__).startswith(PACKAGE)  # of a text run by hand it is None
        args = () if is_own and is_given(self.init_args) else self.init_args  # its class had none at its start
        wanted = await value_of(self.init(*args))
        if wanted is IGNORE:
            if before is not None:
                self.flags = before
            return None
        if not hasattr(self, "flags"):
            self.flags = Flags(self.strategy, self.intensity, self.period, self.auto_shutdown)
        has_none = self.is_dynamic and self.flags.strategy != SIMPLE
        if wanted is None and not has_none:  # a forgotten `return`: an upgrade would stop every child
            what = "its children, a list of ChildSpecs; [] for none"
            raise TypeError(f"{type(self).__qualname__}.init must return {what}, not None; nothing was started")
        children = checked_children(() if wanted is None else wanted, self.flags)
        if has_none and children:
            raise TypeError(f"{type(self).__qualname__}.init must return no children: start_child adds them")
        return children

    def given(self, args: tuple[Any, ...]) -> Given[Any]:
        """Return what the supervisor was started with. Raises: TypeError if that were arguments of an init."""
        if not is_given(args):
            what = "has no init any more, which has said what its children are"
            raise TypeError(f"{type(self).__qualname__} {what}; it keeps them. Give it one")
        found: Given[Any] = args[0]
        return found

    @property
    def started_by(self) -> Starter | None:
        """The function that gave it its children, if its class had no init of its own at its start."""
        return self.given(self.init_args).started_by if is_given(self.init_args) else None

    # --- A new version of its class -------------------------------------------------------------------------

    async def renew(self, *, is_rehearsal: bool) -> None:
        """Ask init again, in a copy that is of the new class, and start the children that are added; an upgrade does.

        Raises: what init raises; InitFailed if a child does not start; then none of them runs.
        Differs from OTP, whose code_change starts and stops nobody.
        """
        before = self.flags
        specs = await self._ask()
        if specs is None:
            return
        if (self.flags.strategy == SIMPLE) is (self.template is None):
            raise ValueError(f"a live supervisor cannot go from {before.strategy} to {self.flags.strategy}")
        if self.template is not None:
            self.template = specs[0]
            self.children = {key: child.with_spec(specs[0]) for key, child in self.children.items()}
        elif not self.is_dynamic:
            self.renewal = renewal = compared(self.children, self.asked, specs)
            if not is_rehearsal:
                await renewal.start_added()
            self.children = renewal.children
            self.asked = frozenset(spec.id for spec in specs)
        self.by_pid = {child.pid: child for child in self.children.values() if child.pid is not None}

    async def undo_renewal(self) -> None:
        """Stop the children that `renew` has started; the copy is dropped."""
        if self.renewal is not None:
            await self.renewal.stop_started()

    async def settle_renewal(self) -> None:
        """Stop the children that are removed; the new version is current."""
        renewal, self.renewal = self.renewal, None
        if renewal is not None:
            await renewal.stop_removed()

    def shown_state(self) -> str:
        """Return the children, as the report of an upgrade shows them."""
        if self.is_dynamic:
            return f"{len(self.children)} children"
        return str(self.renewal or compared(self.children, frozenset(), ()))

    # --- Starting and stopping children ---------------------------------------------------------------------

    def new_child(self, spec: ChildSpec, args: tuple[Any, ...]) -> Child:
        """Return the record of a child that is to be added; it is not one of the children yet."""
        return Child(next(self.keys) if self.is_dynamic else spec.id, spec, args)

    async def start_one(self, child: Child) -> None:
        """Start the process of `child`. Raises: the exception of its start."""
        child.is_restarting = False
        if child.pid is not None:
            del self.by_pid[child.pid]
            child.pid = None
        child.pid = await launch(child.spec, child.args)
        report_progress(child.spec, child.pid, child.args)
        if child.pid is not None:
            self.by_pid[child.pid] = child
        elif child.spec.restart == "temporary":
            self.children.pop(child.key, None)

    def _leave_out(self, child: Child, error: Exception) -> None:
        """Go on without a child whose code does not take the state that was kept: another try would find the same."""
        then = "it is left out, and its state stays: load a text that takes it, then restart_child"
        report("start_error", error, child.spec, None, then, child.args)
        self.drop(child)
        states = current_scheduler().states
        if states is not None and not self.is_dynamic:
            states.note_left_out()

    async def stop_one(self, child: Child) -> None:
        """Stop the process of `child`, if there is one, and wait until it has ended."""
        pid = child.running
        self.drop(child)
        if pid is not None:
            await stop_child(child.spec, pid)

    def drop(self, child: Child) -> None:
        """Note that `child` does not run and is not to; forget it if it could not be started again."""
        if child.pid is not None:
            del self.by_pid[child.pid]
        child.pid = None
        child.is_restarting = False
        if child.spec.restart == "temporary" or self.is_dynamic:
            del self.children[child.key]

    async def _restart(self, child: Child) -> None:
        """Start `child` again, and the children that the strategy names; give up if that is too often.

        Raises: Stop("shutdown") then.
        """
        flags, now = self.flags, current_scheduler().clock.now()
        is_allowed = add_restart(self.restarts, now, flags.intensity, flags.period)
        if not is_allowed:
            count = f"{len(self.restarts)} within {flags.period} s, of {flags.intensity} that are allowed"
            then = f"{count}: it stops its children and ends"
            report("shutdown", "reached_max_restart_intensity", child.spec, child.pid, then, child.args)
            raise Stop("shutdown")
        together = [self.children[key] for key in affected(flags.strategy, self.children, child.key)]
        for one in reversed(together):
            if one is not child:
                await self.stop_one(one)
        for one in together:
            if one.key not in self.children:  # it was temporary
                continue
            last_pid = one.pid
            try:
                await self.start_one(one)
            except Exception as error:
                if is_refused_state(error):
                    self._leave_out(one, error)
                    continue
                report("start_error", error, one.spec, None, "it is tried again", one.args)
                one.is_restarting = True
                if last_pid is not None:  # by which terminate_child finds it
                    one.pid = last_pid
                    self.by_pid[last_pid] = one
                cast(self_(), TryAgain(one.key))
                return
