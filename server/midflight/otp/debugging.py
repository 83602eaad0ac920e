"""The eyes on a server: its last events, statistics, and functions that see each event. What `sys` turns on.

An event is ("in", message), before the callback runs; then ("out", reply, pid) if the callback answers the call, else
("noreply",). `message` is a Call or a Cast, or what came to handle_info. System messages are not events, nor is what
a callback sends itself. OTP: sys, dbg_opt().
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from typing import Any

from midflight.kernel import Pid, current_process, current_scheduler
from midflight.text import short

__all__ = ["Debug", "Event"]

Event = tuple[Any, ...]
Watcher = Callable[[Any, Event, Any], Any]

DONE = "done"
KEPT = 10  # events, unless told otherwise


class Debug:
    """All that is turned on for one server; it is there only while something is."""

    def __init__(self) -> None:
        self.log: deque[Event] | None = None
        self.is_traced = False
        self.since: float | None = None  # when the counts began
        self.messages_in = self.messages_out = 0
        self.watchers: dict[Hashable, tuple[Watcher, Any]] = {}  # each with its state

    def __bool__(self) -> bool:
        return bool(self.log is not None or self.is_traced or self.since is not None or self.watchers)

    # --- While messages are handled -------------------------------------------------------------------------

    def came_in(self, message: Any, server: Any) -> None:
        """Take in that the server is about to handle a message."""
        self.messages_in += 1
        self._see(("in", message), server)

    def went_out(self, reply: Any, pid: Pid, server: Any) -> None:
        """Take in that a callback has answered the call of `pid`."""
        self.messages_out += 1
        self._see(("out", reply, pid), server)

    def gave_nothing(self, server: Any) -> None:
        """Take in that a callback has answered nothing."""
        self._see(("noreply",), server)

    def _see(self, event: Event, server: Any) -> None:
        if self.log is not None:
            self.log.append(event)
        if self.is_traced:
            print(f"*DBG* {current_process('a server').pid!r} {_said(event)}")
        for id, (function, state) in list(self.watchers.items()):
            try:
                state = function(state, event, server)
            except Exception:  # its own fault, which must not be the server's: it is taken out, as OTP does
                state = DONE
            if state is DONE or (type(state) is str and state == DONE):
                self.watchers.pop(id, None)
            elif id in self.watchers:
                self.watchers[id] = function, state

    # --- What sys asks for ----------------------------------------------------------------------------------

    def obey(self, request: tuple[Any, ...]) -> Any:
        """Carry out a request of `sys`; return its value."""
        match request:
            case ("log", "get"):
                return list(self.log or ())
            case ("log", flag):
                self.log = None if flag is False else deque(self.log or (), KEPT if flag is True else flag)
            case ("trace", flag):
                self.is_traced = flag
            case ("statistics", "get"):
                return self._statistics()
            case ("statistics", flag):
                self.since = current_scheduler().clock.now() if flag else None
                self.messages_in = self.messages_out = 0
            case ("install", id, function, state):
                self.watchers.setdefault(id, (function, state))
            case ("remove", id):
                self.watchers.pop(id, None)
            case ("no_debug",):
                self.log, self.is_traced, self.since = None, False, None
                self.watchers.clear()
        return None

    def _statistics(self) -> dict[str, Any] | None:
        if self.since is None:
            return None
        return {
            "start_time": self.since,
            "current_time": current_scheduler().clock.now(),
            "messages_in": self.messages_in,
            "messages_out": self.messages_out,
        }


def _said(event: Event) -> str:
    match event:
        case ("in", message):
            return f"got {short(message)}"
        case ("out", reply, pid):
            return f"sent {short(reply)} to {pid!r}"
    return "answered nothing"
