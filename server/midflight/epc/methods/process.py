"""Methods about the processes of the runtime.

(call 5 process/list nil)
(return 5 ((:pid "<0.37.0>" :name () :module "counter" :version 1 :function "loop" :line 9
            :status "waiting" :messages 0 :reductions 4 :links ())))
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import TimeoutError as FutureTimeout
from functools import partial

from midflight.code.lowlevel import readable
from midflight.epc.method import Method
from midflight.epc.methods.arguments import text
from midflight.epc.methods.pids import find_pid
from midflight.epc.server import ServerConnection
from midflight.epc.services import Services
from midflight.kernel import CrashReport, Process, StuckReport, describe, exit, why_not_ended
from midflight.observer import ProcessLocation, look_at, move_one, place_of
from midflight.text import medium

__all__ = ["ProcessMethods", "crash_plist", "stuck_plist"]

Plist = dict[str, object]

_ROWS_A_LOOK = 50  # a millisecond
_MESSAGES = 100
_CRASH_CHARACTERS = 64 * 1024
SIGNAL_SECONDS = 2.0  # for an exit signal to be taken
TURN_SECONDS = 0.1  # until later requests of the same client are let by


def crash_plist(report: CrashReport) -> Plist:
    """Translate the report of a crash."""
    return {
        "crash": report.number,
        "pid": repr(report.pid),
        "name": report.name,
        "initial_call": report.initial_call,
        "module": report.module,
        "version": report.version,
        "reason": medium(report.reason),
        "text": readable(report.text())[-_CRASH_CHARACTERS:],
    }


def stuck_plist(report: StuckReport) -> Plist:
    """Translate the report of a process that does not yield."""
    return {
        "pid": repr(report.pid),
        "name": report.name,
        "seconds": report.seconds,
        "text": readable(report.text())[-_CRASH_CHARACTERS:],
    }


class ProcessMethods:
    """The processes, as any connection may use them."""

    def __init__(self, services: Services, connection: ServerConnection) -> None:
        self._scheduler = services.scheduler
        self._step_aside = connection.step_aside

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("process/list", self.list),
            Method("process/info", self.info),
            Method("process/exit", self.exit),
            Method("process/move", self.move),
        )

    def list(self) -> list[Plist]:
        """Return one row a process, oldest first; `messages` counts those that wait, `links` are pids."""
        everyone = [*self._scheduler.processes.values()]
        parts = (everyone[start : start + _ROWS_A_LOOK] for start in range(0, len(everyone), _ROWS_A_LOOK))
        return [row for rows in look_at(self._scheduler, [partial(self._rows, part) for part in parts]) for row in rows]

    def _rows(self, some: Iterable[Process]) -> Iterable[Plist]:
        return [
            _row(describe(self._scheduler, each), place_of(self._scheduler, each))
            for each in some
            if each.pid.process is not None
        ]

    def info(self, pid: object) -> Plist | None:
        """Return all that can be seen of the process PID, values as printed; nil for a dead one."""
        target = find_pid(self._scheduler, pid).process
        if target is None:
            return None
        return next(look_at(self._scheduler, [lambda: _details(describe(self._scheduler, target))]))

    def exit(self, pid: object, reason: object) -> bool | str:
        """Send the process PID an exit signal; nil if it was dead already.

        A string says what keeps it from taking the signal, if it has not done so by two seconds: it still will.
        """
        target, why = find_pid(self._scheduler, pid), text(reason, "REASON")
        process = target.process
        if process is None:
            return False
        exit(target, why)
        taken = self._scheduler.call_threadsafe(lambda: None)  # behind the signal
        try:
            taken.result(TURN_SECONDS)
        except FutureTimeout:
            self._step_aside()
        try:
            taken.result(SIGNAL_SECONDS)
        except FutureTimeout:
            taken.cancel()
            if target.process is not None:
                return why_not_ended(self._scheduler, process)
        return True

    def move(self, pid: object) -> Plist:
        """Move the process PID to the current version, if it is idle; `:reason` says why it was not."""
        found = move_one(self._scheduler, find_pid(self._scheduler, pid))
        return {"moved": found.is_moved, "module": found.module, "version": found.version, "reason": found.reason}


def _row(info: Plist, place: ProcessLocation) -> Plist:
    return {
        "pid": repr(info["pid"]),
        "name": info["registered_name"],
        "module": place.module,
        "version": place.version,
        "function": place.function,
        "line": place.line,
        "status": info["status"],
        "messages": info["message_queue_len"],
        "reductions": info["reductions"],
        "links": _printed(info["links"]),
    }


def _details(info: Plist) -> Plist:
    messages, dictionary = info.pop("messages"), info.pop("dictionary")
    details = {key: _printed(value) for key, value in info.items()}
    assert isinstance(messages, list)
    assert isinstance(dictionary, dict)
    details["messages"] = [medium(message) for message in messages[:_MESSAGES]]
    details["dictionary"] = [[medium(key), medium(value)] for key, value in dictionary.items()]
    return details


def _printed(value: object) -> object:
    """Return `value` if the wire has a form for it, else as printed; a list item by item."""
    match value:
        case None | bool() | int() | str():
            return value
        case list():
            return [_printed(item) for item in value]
        case _:
            return medium(value)
