"""Methods about traces: the events of chosen processes, told while they happen.

    (call 5 trace/start ((:pids ("counter") :kinds ("in" "call"))))
    (return 5 (:trace 1 :followed ("<0.37.0>") :kinds ("in" "call")))
    (call 1 trace/events (1 ((:at 1800000000.25 :kind "in" :pid "<0.37.0>" :name "counter" :text "('print',)")) 0))

A trace belongs to the connection that started it, and ends with it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from functools import partial
from itertools import count

from midflight.code import lowlevel
from midflight.epc.feed import TraceFeed
from midflight.epc.method import Method
from midflight.epc.methods.arguments import find_pid, keywords, number, text
from midflight.epc.server import ServerConnection
from midflight.epc.services import Services
from midflight.errors import NotFound, RequestError
from midflight.kernel import KINDS, Process, Trace, TraceEvent, follow, leave
from midflight.observer import look_at, parts_of, place_of

__all__ = ["TraceMethods"]

Plist = dict[str, object]

_TRACES = 8
_NAMES = ("pids", "modules")
_OPTIONS = (*_NAMES, "kinds", "new", "all", "children", "held")
_CHANGES = ("add", "remove", "modules", "kinds", "paused")
_BEGIN_SECONDS = 0.5
_LOOK = 200


class TraceMethods:
    """The traces of one connection, by number."""

    def __init__(self, services: Services, connection: ServerConnection) -> None:
        self._scheduler = services.scheduler
        self._connection = connection
        self._traces: dict[int, tuple[Trace, TraceFeed]] = {}
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._is_closed = False

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("trace/start", self.start),
            Method("trace/change", self.change),
            Method("trace/stop", self.stop),
        )

    def start(self, options: object) -> Plist:
        """Begin a trace.

        OPTIONS: `:pids` (pids or names; a name stands for its holder at the time), `:modules` (processes that run one
        now, are spawned in one or go on in one), `:new` (processes spawned from now on), `:children` (of those that are
        followed), `:all`, `:kinds` (of "in" "out" "call" "spawn" "link" "exit"; nil: all of them), `:held` (a name that
        no process has is refused, and not waited for).
        """
        chosen = keywords(options, _OPTIONS)
        names = _texts(chosen.get("pids"), ":pids")
        modules = _texts(chosen.get("modules"), ":modules")
        if chosen.get("held"):
            self._require_held(names)
        if not (names or modules or chosen.get("new") or chosen.get("all")):
            raise RequestError("No process is chosen; nothing is traced. Send :pids, :modules, :new or :all.")
        if len(self._traces) >= _TRACES:
            raise RequestError(f"This connection has {_TRACES} traces already; nothing was begun. Stop one first.")
        key = next(self._numbers)
        scheduler = self._scheduler
        offset = time.time() - scheduler.clock.now()
        feed = TraceFeed(self._connection, key, lambda events: [_event(each, offset) for each in events])
        trace = Trace(
            _kinds(chosen.get("kinds")),
            new=bool(chosen.get("new")),
            everyone=bool(chosen.get("all")),
            children=bool(chosen.get("children")),
            on_event=feed.wake,
        )
        self._choose(trace, names, modules)  # first: it may refuse a name
        feed.open(trace)
        self._traces[key] = trace, feed
        self._connection.at_close(partial(self._end, key))
        begun = scheduler.call_threadsafe(follow, scheduler, trace)
        with suppress(FutureTimeout):  # if a process does not yield, the trace begins when that process does
            begun.result(_BEGIN_SECONDS)
        return {"trace": key, "followed": self._followed(trace), "kinds": sorted(trace.kinds, key=KINDS.index)}

    def change(self, trace: object, options: object) -> Plist:
        """Change TRACE: `:add` and `:remove` pids or names, `:modules` to add, `:kinds`, `:paused` (t or nil)."""
        found, _ = self._find(trace)
        chosen = keywords(options, _CHANGES)
        kinds = None if chosen.get("kinds") is None else _kinds(chosen["kinds"])
        removed = _texts(chosen.get("remove"), ":remove")
        self._choose(found, _texts(chosen.get("add"), ":add"), _texts(chosen.get("modules"), ":modules"))
        processes = [find_pid(self._scheduler, each).process for each in removed if _is_known(self._scheduler, each)]

        def apply() -> None:
            found.processes.difference_update(each for each in processes if each is not None)
            found.names.difference_update(removed)
            if kinds is not None:
                found.kinds = frozenset(kinds)
            if "paused" in chosen:
                found.is_paused = bool(chosen["paused"])

        for _ in look_at(self._scheduler, [apply]):
            pass
        return {
            "trace": trace,
            "followed": self._followed(found),
            "kinds": sorted(found.kinds, key=KINDS.index),
            "paused": found.is_paused,
        }

    def stop(self, trace: object) -> bool:
        """End TRACE. No event of it comes after the answer."""
        self._find(trace)
        self._end(number(trace, "TRACE"))
        return True

    def _end(self, key: int) -> None:
        found = self._traces.pop(key, None)
        if found is not None:
            found[1].close()
            self._scheduler.on_own_thread(leave, self._scheduler, found[0])

    def _find(self, trace: object) -> tuple[Trace, TraceFeed]:
        found = self._traces.get(number(trace, "TRACE"))
        if found is None:
            raise RequestError(f"This connection has no trace {trace}; nothing was done. Begin one with trace/start.")
        return found

    def _choose(self, trace: Trace, names: Iterable[str], modules: Iterable[str]) -> None:
        """Let `trace` follow further processes. Raises: RequestError for a word that is neither a pid nor a name."""
        scheduler = self._scheduler
        for name in names:
            if _is_known(scheduler, name):
                process = find_pid(scheduler, name).process
                if process is not None:
                    trace.processes.add(process)
                elif name not in scheduler.names:
                    raise NotFound(f"{name} is not alive; it is not traced. See midflight ps.")
            if not name.lstrip("<").startswith("0."):
                trace.names.add(name)  # who has it now is followed by it, and who takes it later
        wanted = set(modules)
        trace.modules |= wanted
        if wanted:
            everyone = list(scheduler.processes.values())
            looks = [partial(self._running, part, wanted) for part in parts_of(everyone, _LOOK)]
            for some in look_at(scheduler, looks):
                trace.processes |= some

    def _require_held(self, names: Iterable[str]) -> None:
        for name in names:
            if not _is_known(self._scheduler, name):
                raise NotFound(f"No process has the name {name}; nothing is traced. See midflight ps.")

    def _running(self, some: Iterable[Process], modules: set[str]) -> set[Process]:
        return {
            each for each in some if each.pid.process is not None and place_of(self._scheduler, each).module in modules
        }

    def _followed(self, trace: Trace) -> list[str]:
        names = {each.name for each in list(trace.processes)}
        pids = sorted((each.pid for each in list(trace.processes)), key=lambda pid: pid.number)
        return [repr(pid) for pid in pids[:100]] + sorted(trace.names - names)


def _is_known(scheduler: object, name: str) -> bool:
    return name.lstrip("<").startswith("0.") or name in getattr(scheduler, "names", ())


def _texts(value: object, name: str) -> list[str]:
    """Return a list of strings; nil is an empty one. Raises: RequestError."""
    if value is None:
        return []
    return [text(each, name) for each in (value if isinstance(value, list) else [value])]


def _kinds(value: object) -> tuple[str, ...]:
    kinds = tuple(_texts(value, ":kinds")) or KINDS
    unknown = [each for each in kinds if each not in KINDS]
    if unknown:
        raise RequestError(
            f":kinds are of {' '.join(KINDS)}, received {unknown[0]!r}; nothing was done. Send some of these."
        )
    return kinds


def _event(event: object, offset: float) -> Plist:
    assert isinstance(event, TraceEvent)
    plist: Plist = {"at": round(event.at + offset, 6), "kind": event.kind, "pid": repr(event.pid)}
    if event.name is not None:
        plist["name"] = event.name
    if event.other is not None:
        plist["other"] = repr(event.other)
    plist["text"] = event.text
    if event.kind == "call":
        plist |= {"module": event.module, "version": event.version, "line": event.line, "function": event.function}
        if event.file is not None:
            plist["path"] = lowlevel.real_path(event.file)[0]
        if event.from_file is not None and event.from_file != event.file:
            path, number = lowlevel.real_path(event.from_file)
            plist["from"] = os.path.splitext(os.path.basename(path))[0] + ("" if number is None else f" v{number}")
    return plist
