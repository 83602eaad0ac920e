"""Methods about one process: all that can be seen of it, and its mailbox a page at a time.

(call 5 process/view ("counter"))
(return 5 (:pid "<0.37.0>" :name "counter" :status "waiting" ... :frames ((:path "/project/counter.py" :line 9 ...))
           :messages ("('print',)") :counts (:messages 1 ...)))
"""

from __future__ import annotations

from collections.abc import Iterable

from midflight.epc.method import Lane, Method
from midflight.epc.methods.arguments import find_pid, number
from midflight.epc.services import Services
from midflight.observer import FrameView, Kin, ProcessView, State, holdings_of, messages_from, view_of

__all__ = ["ProcessViewMethods", "frames_plist", "items_list", "kin_list"]

Plist = dict[str, object]


class ProcessViewMethods:
    """One process, as any connection may look at it."""

    def __init__(self, services: Services) -> None:
        self._scheduler = services.scheduler

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("process/view", self.view, Lane.ASIDE),
            Method("process/messages", self.messages, Lane.ASIDE),
            Method("process/memory", self.memory, Lane.ASIDE),
        )

    def view(self, pid: object) -> Plist | None:
        """Return all that can be seen of the process PID: its place, state, messages, links and monitors.

        nil for a dead one. Lists are cut, at 100 mostly; :counts has their lengths.
        """
        process = find_pid(self._scheduler, pid).process
        view = None if process is None else view_of(self._scheduler, process)
        return None if view is None else _plist(view)

    def messages(self, pid: object, start: object) -> Plist | None:
        """Return up to 100 of the messages that wait for the process PID, from number START on, 0 the oldest.

        nil for a dead one.
        """
        process = find_pid(self._scheduler, pid).process
        if process is None:
            return None
        messages, total = messages_from(self._scheduler, process, max(0, number(start, "START")))
        return {"messages": messages, "total": total}

    def memory(self, pid: object) -> Plist | None:
        """Return the memory of the objects that the process PID reaches; :more if there are more than were counted.

        nil for a dead one.
        """
        process = find_pid(self._scheduler, pid).process
        if process is None:
            return None
        found = holdings_of(self._scheduler, process)
        return {"bytes": found.bytes, "objects": found.objects, "more": found.is_cut}


def _plist(view: ProcessView) -> Plist:
    info, place = view.info, view.place
    return {
        "pid": repr(info["pid"]),
        "name": view.name,
        "status": info["status"],
        "waiting_for": info["waiting_for"],
        "module": place.module,
        "version": place.version,
        "function": place.function,
        "line": place.line,
        "initial_call": info["initial_call"],
        "parents": kin_list(view.parents),
        "trap_exit": info["trap_exit"],
        "reductions": info["reductions"],
        "group_leader": info["group_leader"],
        "links": kin_list(view.links),
        "monitors": kin_list(view.monitors),
        "monitored_by": kin_list(view.monitored_by),
        "frames": frames_plist(view.frames),
        "state": None if view.state is None else _state(view.state),
        "dictionary": items_list(view.dictionary),
        "messages": view.messages,
        "counts": view.counts,
    }


def _state(state: State) -> Plist:
    return {
        "class": state.class_name,
        "module": state.module,
        "version": state.version,
        "current": state.current,
        "attributes": items_list(state.attributes),
    }


def kin_list(kin: Iterable[Kin]) -> list[list[object]]:
    """Translate processes to (PID NAME) each."""
    return [[repr(each.pid), each.name] for each in kin]


def items_list(items: Iterable[tuple[str, str]]) -> list[list[object]]:
    """Translate named values to (NAME VALUE) each."""
    return [[name, value] for name, value in items]


def frames_plist(frames: Iterable[FrameView]) -> list[Plist]:
    """Translate frames, outermost first."""
    return [
        {
            "path": each.path,
            "line": each.line,
            "function": each.function,
            "module": each.module,
            "version": each.version,
            "current": each.is_current,
            "ours": each.is_ours,
            "text": each.text,
            "locals": items_list(each.locals),
        }
        for each in frames
    ]
