"""`ChildSpec`, a supervisor's rules for one child, and `Flags`, those for all; their checks, and a child's start."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from types import CoroutineType
from typing import Any, Literal, get_args

from midflight.errors import InitFailed
from midflight.kernel import Pid, arguments, coroutine_in, current_process, function_name, link, spawn_link
from midflight.otp.newest import newest
from midflight.otp.protocol import IGNORE, Name
from midflight.otp.restart import AutoShutdown, Restart, Strategy
from midflight.otp.starting import Starting, checked_name, start_plain
from midflight.outside import is_from_outside
from midflight.text import short

__all__ = ["SIMPLE", "ChildSpec", "Flags", "Shutdown", "check_significance", "checked_children", "launch"]

Shutdown = float | Literal["brutal_kill", "infinity"]

STRATEGIES = get_args(Strategy)
AUTO_SHUTDOWNS = get_args(AutoShutdown)
SIMPLE = "simple_one_for_one"
RESTARTS = ("permanent", "transient", "temporary")
TYPES = ("worker", "supervisor")


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """The rules by which a supervisor starts, restarts and stops a child.

    `id`: distinct among the children of a supervisor; any hashable value.
    `start`, called with `args` in the supervisor's process at each start, in the newest version of its name:
        a class with `start_link` (a GenServer, Supervisor, Registry): that is called;
        an async function: spawned linked, and it is started at once;
        a plain function that starts a process and returns its pid, or what `start_link` returns; None or IGNORE:
        there is to be no process now. It runs in the supervisor: while it waits, all children wait.
    `restart`: "permanent", "transient" (only after an abnormal end) or "temporary" (never).
    `shutdown`: the seconds between the exit signal "shutdown" and `kill` when it is stopped; "infinity"; or
        "brutal_kill": `kill` at once. By default 5.0 for a worker, "infinity" for a supervisor.
    `type`: "worker" or "supervisor".
    `name`: registered for its process, at each start; for a class or an async function only.
    `waits`: the supervisor goes on once the child has called `started()`, and a child that ends before has not started;
        for an async function only: a class is waited for until its init is done.
    `significant`: if it ends by itself and is not restarted, its supervisor may end too, by its `auto_shutdown`. Not
        for a permanent child, which is always restarted.

    Raises: TypeError or ValueError that names the field, the value and what is allowed.
    OTP: child_spec(); `modules` is not there.

    Example:

        child = ChildSpec("log", receive, restart="transient")
        child.restart, child.shutdown  # -> ('transient', 5.0)
    """

    id: Hashable
    start: Callable[..., Any]
    args: tuple[Any, ...] = ()
    restart: Restart = "permanent"
    shutdown: Shutdown | None = None
    type: Literal["worker", "supervisor"] = "worker"
    name: str | Name | None = None
    waits: bool = False
    significant: bool = False

    def __post_init__(self) -> None:
        if self.shutdown is None:
            object.__setattr__(self, "shutdown", "infinity" if self.type == "supervisor" else 5.0)
        start: object = self.start
        args: object = self.args
        arguments.hashable("ChildSpec: id", self.id, "nothing was started")
        if not callable(start):
            allowed = "a GenServer class, an async function or a function that returns a Pid"
            raise TypeError(_refusal(self, "start", allowed))
        if not isinstance(args, tuple):
            raise TypeError(_refusal(self, "args", "a tuple; for one argument: (argument,)"))
        if self.restart not in RESTARTS:
            raise ValueError(_refusal(self, "restart", f"one of {RESTARTS}"))
        if self.type not in TYPES:
            raise ValueError(_refusal(self, "type", f"one of {TYPES}"))
        if not _is_shutdown(self.shutdown):
            raise ValueError(_refusal(self, "shutdown", 'seconds >= 0, "brutal_kill" or "infinity"'))
        object.__setattr__(self, "name", checked_name(self.name))
        if self.name is not None and not (_is_server_class(self.start) or inspect.iscoroutinefunction(self.start)):
            allowed = "None with a plain function, which names itself what it starts"
            raise ValueError(_refusal(self, "name", allowed))
        if type(self.waits) is not bool:
            raise TypeError(_refusal(self, "waits", "True or False"))
        if type(self.significant) is not bool:
            raise TypeError(_refusal(self, "significant", "True or False"))
        if self.significant and self.restart == "permanent":
            raise ValueError(_refusal(self, "significant", "False for a permanent child, which is always restarted"))
        if self.waits and not inspect.iscoroutinefunction(self.start):
            raise ValueError(_refusal(self, "waits", "False unless start is an async function, which calls started()"))


def _refusal(spec: ChildSpec, field: str, allowed: str) -> str:
    value = short(getattr(spec, field))
    return f"ChildSpec {short(spec.id)}: {field} must be {allowed}, not {value}; nothing was started"


def _is_shutdown(value: object) -> bool:
    if type(value) is str:
        return value in ("brutal_kill", "infinity")
    try:
        return arguments.timeout("shutdown", value) is not None
    except (TypeError, ValueError):
        return False


def _is_server_class(start: object) -> bool:
    return isinstance(start, type) and hasattr(start, "start_link")


async def launch(spec: ChildSpec, args: tuple[Any, ...]) -> Pid | None:
    """Start a child, linked to the calling process; return its pid, None if it wants no process now.

    Raises: what its start raises; TypeError if that returns anything else.
    """
    start: Any = newest(spec.start)
    if _is_server_class(start):
        options = {} if spec.name is None else {"name": spec.name}
        found = await start.start_link(*args, **options)
    elif inspect.iscoroutinefunction(start):
        if spec.waits:
            return await start_plain(start, args, spec.name)
        if isinstance(spec.name, str) or spec.name is None:
            return spawn_link(start, *args, name=spec.name)
        return spawn_link(_claim_and_start, spec.name, start, args)
    else:
        found = _called(start, args)
        if type(found) is Starting:
            found = await found
        elif (coro := coroutine_in(found)) is not None:  # of a decorated async function: that is the process
            return spawn_link(_go_on_as, coro)
    if found is None or found is IGNORE:
        return None
    if type(found) is not Pid:
        raise TypeError(
            f"child {short(spec.id)}: start must return a Pid, not {short(found)}; the child is not supervised"
        )
    link(found)  # it is already, unless the function forgot; a dead one is heard of by its Exit
    return found


def _called(start: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Call a start function and return its value. Raises: an Exception of it; InitFailed for a SystemExit, say.

    The supervisor ends of what is meant for itself alone: an exit signal, or an exit of its own. OTP: the same.
    """
    try:
        return start(*args)
    except Exception:
        raise
    except BaseException as error:
        if is_from_outside(error) or current_process("a start function").exit_reason is not None:
            raise
        raise InitFailed(function_name(start), error) from error


def _claim_and_start(name: Name, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    name.claim()
    return function(*args)


def _go_on_as(coro: CoroutineType[Any, Any, Any]) -> CoroutineType[Any, Any, Any]:
    return coro


@dataclass(frozen=True, slots=True)
class Flags:
    """The options of a supervisor. Raises: ValueError or TypeError for wrong values. OTP: sup_flags()."""

    strategy: Strategy
    intensity: int
    period: float
    auto_shutdown: AutoShutdown = "never"

    def __post_init__(self) -> None:
        strategy: object = self.strategy
        if type(strategy) is not str or strategy not in STRATEGIES:
            raise ValueError(f"strategy must be one of {STRATEGIES}, not {short(self.strategy)}; nothing was started")
        intensity: object = self.intensity
        if type(intensity) is not int or intensity < 0:
            raise ValueError(f"intensity must be a whole number >= 0, not {short(self.intensity)}; nothing was started")
        period = arguments.seconds("period", self.period, "nothing was started", or_ever=True)
        if not period:
            raise ValueError(f"period must be seconds > 0, not {short(self.period)}; nothing was started")
        object.__setattr__(self, "period", period)
        wanted: object = self.auto_shutdown
        if type(wanted) is not str or wanted not in AUTO_SHUTDOWNS:
            said = f"auto_shutdown must be one of {AUTO_SHUTDOWNS}, not {short(wanted)}; nothing was started"
            raise ValueError(said)


def checked_children(children: Iterable[ChildSpec], flags: Flags) -> tuple[ChildSpec, ...]:
    """Return the children of a supervisor, in order. Raises: TypeError or ValueError for wrong values."""
    specs = tuple(arguments.items("a supervisor's children", children, "nothing was started"))
    for spec in specs:
        if not issubclass(type(spec), ChildSpec):
            raise TypeError(f"a child is described by a ChildSpec, not {short(spec)}; nothing was started")
    twice = [short(id) for id, times in Counter(spec.id for spec in specs).items() if times > 1]
    if twice:
        raise ValueError(f"children have distinct ids; more than once: {', '.join(twice)}; nothing was started")
    if flags.strategy == SIMPLE and len(specs) != 1:
        raise ValueError(f"{SIMPLE} takes one ChildSpec for all its children, not {len(specs)}; nothing was started")
    check_significance(specs, flags)
    return specs


def check_significance(specs: Iterable[ChildSpec], flags: Flags) -> None:
    """Raise ValueError if one of the children is significant, and its supervisor takes no notice of that."""
    if flags.auto_shutdown == "never":
        for spec in specs:
            if spec.significant:
                allowed = 'False, as the supervisor has auto_shutdown="never"'
                raise ValueError(_refusal(spec, "significant", allowed))
