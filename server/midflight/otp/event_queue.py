"""The events of a state machine that wait: queued ones, postponed ones, and timeouts. Knows no process.

The life of an event: it comes, or is inserted -> the machine takes it -> it is done, or postponed -> a postponed one is
taken again, before all others, after the next change of the state.

Law: timeouts of zero seconds come after all that is queued, in the order they were set, and before any message.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

__all__ = ["EVENT_TIMEOUT", "STATE_TIMEOUT", "Event", "EventQueue"]

Event = tuple[Any, Any]  # its type and its content: ("cast", message), (("call", client), request)

EVENT_TIMEOUT = "timeout"
STATE_TIMEOUT = "state_timeout"


class EventQueue:
    """The events that one state machine has still to take.

    A timer is known by the type of its event: "state_timeout", "timeout" or ("timeout", name). `timers` holds those
    that run, as (timer, content), where `timer` is the caller's own object.
    """

    def __init__(self) -> None:
        self.queued: deque[Event] = deque()
        self.postponed: list[Event] = []
        self.at_once: dict[Any, Any] = {}  # the content of each timeout of zero seconds, by the type of its event
        self.timers: dict[Any, tuple[Any, Any]] = {}

    def __repr__(self) -> str:
        waiting = {
            "queued": list(self.queued),
            "postponed": self.postponed,
            "timeouts": {kind: content for kind, (_, content) in self.timers.items()} | self.at_once,
        }
        return f"<{', '.join(f'{name}: {value!r}' for name, value in waiting.items() if value) or 'no events'}>"

    def __bool__(self) -> bool:
        return bool(self.queued or self.at_once)

    def take(self) -> Event:
        """Take the event that is next. Raises: LookupError if none waits."""
        if self.queued:
            return self.queued.popleft()
        for kind in self.at_once:
            return kind, self.at_once.pop(kind)
        raise LookupError("no event waits")

    def insert(self, events: Iterable[Event]) -> None:
        """Put events before all that wait, in their order."""
        self.queued.extendleft(reversed(list(events)))

    def postpone(self, event: Event) -> None:
        """Keep an event until the state changes."""
        self.postponed.append(event)

    def change_state(self) -> None:
        """Put the postponed events before all that wait, oldest first."""
        self.insert(self.postponed)
        self.postponed.clear()

    def set_timer(self, kind: Any, timer: Any, content: Any) -> None:
        """Note that `timer` runs, or, for None, that its time is up at once. The one that it replaces is cancelled."""
        self.cancel(kind)
        if timer is None:
            self.at_once[kind] = content
        else:
            self.timers[kind] = (timer, content)

    def cancel(self, kind: Any) -> Any:
        """Forget the timeout of this type; return its timer, None if there is none that runs."""
        self.at_once.pop(kind, None)
        return self.timers.pop(kind, (None, None))[0]

    def ring(self, kind: Any, timer: Any) -> Event | None:
        """Return the event of `timer`, whose time is up; None if it was cancelled or replaced meanwhile."""
        if self.timers.get(kind, (None, None))[0] is not timer:
            return None
        return kind, self.timers.pop(kind)[1]
