"""Limits of a process: how many messages may wait for it, and how much memory it may hold. Looked at by samples.

A server has them as attributes of its class, `max_mailbox`, `max_heap` and `over_limit`, so a load changes them; a
plain process sets its own by `limit_process`. A process without limits costs nothing: no send and no step is looked at.
Those with limits are looked at twice a second, so a limit may be passed for that long.
"""

from __future__ import annotations

import logging
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from midflight.kernel import (
    Pid,
    Process,
    Scheduler,
    current_process,
    current_scheduler,
    exit,
    is_own_frame,
    locals_of,
    message_count,
    messages_of,
    server_of,
    trouble,
)
from midflight.otp.protocol import Call, Cast
from midflight.otp.reach import Reach
from midflight.text import short

__all__ = ["LimitReport", "OverLimit", "Policy", "has_limits", "limit_process", "note_limits"]

Policy = Literal["kill", "warn", "shed"]
POLICIES = ("kill", "warn", "shed")
OVERLOADED = "overloaded"  # the reason of a call that was refused

SAMPLE_SECONDS = 0.5
BUDGET_SECONDS = 0.002  # of a turn of the event loop, for counting memory; what is left is counted in the next ones
NEXT_SECONDS = 0.01  # until then

logger = logging.getLogger("midflight.limits")


class LimitReport(NamedTuple):
    """A process over a limit, "max_mailbox" or "max_heap": the attribute `report` of a record on `midflight.limits`.

    `size` and `most` are messages, or bytes. `shed` is how many requests were taken out of its mailbox.
    A function as `over_limit` gets it too, before anything is done.
    """

    pid: Pid
    name: str | None
    limit: str
    size: int
    most: int
    is_killed: bool
    shed: int = 0

    def text(self) -> str:
        """Return the report as it is logged, one line."""
        who = f"{self.pid!r} ({self.name})" if self.name else repr(self.pid)
        has = f"{self.size} messages waiting" if self.limit == "max_mailbox" else f"{self.size} bytes or more"
        then = "it is killed" if self.is_killed else "it goes on"
        if self.shed:
            then = f"its {self.shed} oldest requests were refused"
        return f"{who} has {has}, over its {self.limit} of {self.most}; {then}"


OverLimit = Policy | Callable[[LimitReport], Policy | None]


@dataclass(frozen=True, slots=True)
class Limit:
    """The limits of a process. Raises: TypeError or ValueError for wrong values."""

    max_mailbox: int | None
    max_heap: int | None
    over_limit: OverLimit

    def __post_init__(self) -> None:
        for what, value in (("max_mailbox", self.max_mailbox), ("max_heap", self.max_heap)):
            if value is not None and (type(value) is not int or value < 1):
                raise ValueError(f"{what} must be a whole number >= 1 or None, not {short(value)}; nothing was changed")
        wanted: object = self.over_limit
        if not callable(wanted) and (type(wanted) is not str or wanted not in POLICIES):
            allowed = f"one of {POLICIES}, or a function that gets a LimitReport and returns one of them, or None"
            raise ValueError(f"over_limit must be {allowed}, not {short(wanted)}; nothing was changed")
        if type(wanted) is str and wanted == "shed" and self.max_heap is not None:
            advice = "nothing was changed. A function may choose by the `limit` of its report"
            raise ValueError(f'over_limit="shed" is of messages, and there is a max_heap; {advice}')


def limit_process(
    *, max_mailbox: int | None = None, max_heap: int | None = None, over_limit: OverLimit = "kill"
) -> None:
    """Set the limits of the calling process: of messages that wait for it, and of bytes that it holds.

    Both are looked at twice a second, so one may be passed for that long. The bytes are those of all objects that can
    be reached from its variables and its messages, however many processes share them, apart from modules, classes and
    functions; counting them takes at most 2 ms at a time.
    `over_limit` says what happens to a process over one. It is logged on `midflight.limits`, with a LimitReport:
        "kill": it is killed;
        "warn": it is told of, once until it is below again;
        "shed", of max_mailbox alone: the oldest calls and casts that wait are taken out of its mailbox until no more
            wait than may. The calls fail with CallError ("overloaded"), so that their callers know at once; a cast is
            lost. Other messages stay: exit signals, the ends of what it monitors, its own timers;
        a function that is called with the LimitReport at each look, outside of all processes: it returns one of these,
            or None for nothing. One that raises counts as "warn". So it may tell others, or choose.
    While an upgrade holds a server it is not killed for its messages, which it cannot take then.
    Called again, it replaces them; without arguments there are none. A GenServer sets attributes of its class instead.
    Raises: ValueError for wrong values; NotInProcess.
    OTP: process_flag(max_heap_size, Map), which is looked at by each garbage collection, and counts messages too. The
    handlers of its logger shed load by themselves.

    Example:

        async def slow():
            limit_process(max_mailbox=1000)
            await receive("never")

        is_alive(spawn(slow))  # -> True
    """
    process = current_process("limit_process()")
    limit = Limit(max_mailbox, max_heap, over_limit)
    watch = _watch_of(current_scheduler())
    if max_mailbox is None and max_heap is None:
        watch.own.pop(process.pid, None)
    else:
        watch.own[process.pid] = limit
        watch.begin()


def has_limits(server: Any) -> bool:
    """Say whether the class of a server sets a limit."""
    return getattr(server, "max_mailbox", None) is not None or getattr(server, "max_heap", None) is not None


def note_limits() -> None:
    """Have the calling server looked at, by the limits of its class."""
    watch = _watch_of(current_scheduler())
    watch.servers.add(current_process("a server").pid)
    watch.begin()


class Watch:
    """The samples of one runtime. It asks to be called again as long as there is a limited process."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = weakref.ref(scheduler)
        self.own: dict[Pid, Limit] = {}
        self.servers: set[Pid] = set()
        self._over: set[tuple[Pid, str]] = set()  # told of, and over it still
        self._counts: list[tuple[Pid, Limit, Reach]] = []  # under way
        self._is_waiting = False

    def begin(self) -> None:
        """Have a look taken after a while, unless one is to come."""
        self._ask_again(SAMPLE_SECONDS)

    def _ask_again(self, seconds: float) -> None:
        scheduler = self._scheduler()
        if not self._is_waiting and scheduler is not None:
            self._is_waiting = True
            scheduler.loop.call_later(seconds, self._look, context=scheduler.context)

    def _look(self) -> None:
        """Take a look at all limited processes, or go on with the last one. Called by the event loop."""
        self._is_waiting = False
        scheduler = self._scheduler()
        if scheduler is None:
            return
        if not self._counts:
            for pid, limit in self._limited():
                self._look_at(scheduler, pid, limit)
        until = time.perf_counter() + BUDGET_SECONDS
        while self._counts:
            pid, limit, count = self._counts[-1]
            if not count.go_on(until):
                break
            self._counts.pop()
            assert limit.max_heap is not None
            self._judge(pid, "max_heap", count.bytes, limit.max_heap, limit)
        if self._counts:
            self._ask_again(NEXT_SECONDS)
        elif self.own or self.servers:
            self._ask_again(SAMPLE_SECONDS)

    def _limited(self) -> list[tuple[Pid, Limit]]:
        """Return the living processes with limits, and forget those that have ended or have none any more."""
        self.own = {pid: limit for pid, limit in self.own.items() if pid.process is not None}
        found = dict(self.own)
        for pid in list(self.servers):
            server = None if pid.process is None else server_of(pid.process)
            if server is None or not has_limits(server):
                self.servers.discard(pid)
                continue
            try:
                found[pid] = Limit(server.max_mailbox, server.max_heap, server.over_limit)
            except ValueError as error:
                self.servers.discard(pid)
                trouble.tell(f"The limits of {pid!r}, {type(server).__qualname__}", error)
        self._over = {each for each in self._over if each[0] in found}
        return list(found.items())

    def _look_at(self, scheduler: Scheduler, pid: Pid, limit: Limit) -> None:
        process = pid.process
        assert process is not None
        if limit.max_mailbox is not None:
            self._judge(pid, "max_mailbox", message_count(scheduler, process), limit.max_mailbox, limit)
        if limit.max_heap is not None and pid.process is not None:
            own = [locals_of(frame) for frame in scheduler.frames(process) if not is_own_frame(frame)]
            roots = [*own, server_of(process), messages_of(scheduler, process)]
            self._counts.append((pid, limit, Reach(roots, limit.max_heap, (scheduler, scheduler.loop))))

    def _judge(self, pid: Pid, what: str, size: int, most: int, limit: Limit) -> None:
        process = pid.process
        if size <= most or process is None:
            self._over.discard((pid, what))
            return
        report = LimitReport(pid, process.name, what, size, most, False)
        policy = self._policy(limit.over_limit, report)
        if policy == "kill" and what == "max_mailbox" and process.behaviour is not None and process.behaviour.is_held:
            policy = "warn"
        if policy == "shed":
            if shed := _shed(process, size - most):
                report = report._replace(shed=shed)
                trouble.log(logger, logging.WARNING, report.text(), report=report)
                return
            policy = "warn"
        is_killed = policy == "kill"
        if is_killed or (policy == "warn" and (pid, what) not in self._over):
            self._over.add((pid, what))
            report = report._replace(is_killed=is_killed)
            trouble.log(logger, logging.ERROR if is_killed else logging.WARNING, report.text(), report=report)
        if is_killed:
            exit(pid, "kill")

    def _policy(self, wanted: OverLimit, report: LimitReport) -> Policy | None:
        """Return what is to be done, as a function says if there is one; "warn" if that fails."""
        if isinstance(wanted, str):
            return wanted
        scheduler = self._scheduler()
        assert scheduler is not None
        try:
            found: object = scheduler.limit.run(wanted, report)
            if found is not None and (type(found) is not str or found not in POLICIES):
                raise ValueError(f"it must return one of {POLICIES}, or None, not {short(found)}")
        except BaseException as error:
            trouble.tell(f"The over_limit {short(wanted)} of {report.pid!r}", error)
            return "warn"
        return found  # type: ignore[return-value]  # it is one of them


def _shed(process: Process, excess: int) -> int:
    """Take the oldest calls and casts out of a mailbox, at most `excess`; refuse the calls; return how many there were.

    On the runtime's thread, between two steps. Each message of the mailbox is moved at most twice.
    """
    kept: list[Any] = []
    requests: list[Any] = []
    while len(requests) < excess and process.mailbox:
        message = process.mailbox.popleft()
        (requests if type(message) is Call or type(message) is Cast else kept).append(message)
    for message in reversed(kept):
        assert process.mailbox is not None
        process.mailbox.appendleft(message)
    for message in requests:
        if type(message) is Call:
            message.client.fail(OVERLOADED)
    return len(requests)


_watches: weakref.WeakKeyDictionary[Scheduler, Watch] = weakref.WeakKeyDictionary()


def _watch_of(scheduler: Scheduler) -> Watch:
    found = _watches.get(scheduler)
    if found is None:
        found = _watches[scheduler] = Watch(scheduler)
    return found
