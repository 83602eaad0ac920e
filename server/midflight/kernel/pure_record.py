"""A process and its pid, in Python: the record, and what `pid << message` does to it. The half of `pure_core` at rest.

Laws: see `pure_core`. What the fields mean is said here for both kernels.
"""

from __future__ import annotations

from _thread import get_ident
from collections import deque
from collections.abc import Callable
from contextvars import Context
from types import CoroutineType
from typing import TYPE_CHECKING, Any, TypeVar

from midflight.kernel.behaviour import Behaviour
from midflight.kernel.frames import function_name
from midflight.kernel.futures import FutureWaiter
from midflight.kernel.mailbox import HANDED, RECEIVE, Receive
from midflight.kernel.refs import Ref
from midflight.kernel.split_mailbox import Mailbox

if TYPE_CHECKING:
    from midflight.kernel.pure_core import Core

__all__ = ["Pid", "Process", "Queue", "again"]

Message = TypeVar("Message")
Queue = deque  # of the run queue, and of a mailbox


class Pid:
    """A process identifier, shown as <0.37.0>. Equal to itself only; ordered by age. OTP: pid().

    `node` and `creation` are 0 for one of this life of this node; `lives` says what others mean. As in OTP they come
    after the number in the order, and one of an earlier life looks like one of this.
    """

    __slots__ = ("__weakref__", "creation", "node", "number", "process")

    def __init__(self, number: int, process: Process | None = None, node: int = 0, creation: int = 0) -> None:
        self.number = number
        self.process = process  # None once it is dead
        self.node = node
        self.creation = creation

    def __lshift__(self, message: Message) -> Message:
        """Send `message` and return it; to a dead process it is dropped. Safe from any thread. OTP: `!`."""
        process = self.process
        if process is None:
            return message
        core = process.core
        if get_ident() != core.fast_thread:
            core._send_slowly(process, message)
            return message
        waiting = process.waiting
        if waiting is RECEIVE:
            process.waiting = HANDED
            process.value = message
            core.queue.append(process)
            if not core.awake:
                core._wake()
            return message
        mailbox = process.mailbox
        if mailbox is None:
            process.mailbox = deque((message,))
        else:
            mailbox.append(message)
        process.arrived += 1
        if type(waiting) is Receive:
            process.waiting = None
            process.value = waiting
            process.resume = again  # looked at by the receiver itself, in its own turn
            core.queue.append(process)
            if not core.awake:
                core._wake()
        return message

    def __lt__(self, other: Pid) -> bool:
        return (self.number, self.node, self.creation) < (other.number, other.node, other.creation)

    def __repr__(self) -> str:
        return f"<{self.node}.{self.number}.0>"

    def __copy__(self) -> Pid:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Pid:
        return self


class Process(FutureWaiter):
    """One process. Only the kernel sees it; others hold its pid.

    `arrived` counts the messages ever put into the mailbox, `reductions` the steps and receives it was given.
    `pending` is an exception to throw in its next step, or where it next waits if it runs. `start` is what is called
    in the first step, and None from then on. `exit_reason` is a 1-tuple once the reason is settled: by an exit signal,
    else by the end. All else that only some processes have (links, monitors, a name, a dictionary...) is None until it
    is needed.
    """

    __slots__ = (
        "__weakref__",
        "aliases",
        "arrived",
        "behaviour",
        "cancels",
        "context",
        "core",
        "coro",
        "dictionary",
        "exit_reason",
        "extras",
        "initial_name",
        "last_message",
        "links",
        "mailbox",
        "monitored_by",
        "monitors",
        "name",
        "parent",
        "pending",
        "pid",
        "reductions",
        "resume",
        "start",
        "timer",
        "trap_exit",
        "value",
        "waiting",
    )

    def __init__(
        self,
        number: int,
        core: Core,
        context: Context,
        start: tuple[Callable[..., Any], tuple[Any, ...]],
    ) -> None:
        self.pid = Pid(number, self)
        self.core = core
        self.context = context
        self.start: tuple[Callable[..., Any], tuple[Any, ...]] | None = start
        self.initial_name = ""
        self.behaviour: Any = None
        self.resume = self._begin
        self.value = None
        self.waiting = None
        self.coro = None
        self.mailbox: Mailbox | None = None
        self.arrived = 0
        self.reductions = 0
        self.pending = None
        self.cancels = 0
        self.exit_reason = None
        self.extras = None
        self.last_message: Any = None
        self.trap_exit = False
        self.links: dict[Process, None] | None = None
        self.monitors: dict[Ref, Process] | None = None  # those it watches
        self.monitored_by: dict[Ref, tuple[Process, Pid | tuple[str, str]]] | None = (
            None  # who watches it, and by what name
        )
        self.aliases: set[Ref] | None = None
        self.name: str | None = None
        self.dictionary: dict[Any, Any] | None = None
        self.timer: Any = None
        self.parent: Pid | None = None

    def _begin(self, _: None) -> Any:
        """Call the process function, in the process's own first step: an error that it raises ends the process."""
        assert self.start is not None
        function: Any
        function, arguments = self.start
        # Only its name is kept: the function would keep the version that made it alive as long as the process.
        self.initial_name = function_name(function)
        self.start = None
        if isinstance(function, Behaviour):
            self.behaviour = function
        try:
            result = function(*arguments)
            if type(result) is not CoroutineType:
                raise StopIteration(result)
            self.coro = result
            self.resume = result.send
            return result.send(None)
        finally:
            del self, function, arguments  # what was raised holds this frame

    @property
    def initial_call(self) -> str:
        """The name of the function that the process began with, or will."""
        return self.initial_name if self.start is None else function_name(self.start[0])

    def __repr__(self) -> str:
        return f"<Process {self.pid!r}>"


def again(request: Any) -> Any:
    """Yield `request` once more in the place of a process that need not be woken to do so."""
    return request
