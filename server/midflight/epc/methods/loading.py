"""The answers to loads and upgrades, of one module or of several, and the news of them for the other connections.

    (return 4 (:status "loaded" :module "counter" :version 2 :path "/project/counter.py" :summary ... ))

A refused load is not an error of the protocol: its answer has the status "failed" and the diagnostics.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from midflight import code
from midflight.code import lowlevel
from midflight.epc.pushes import Output
from midflight.epc.server import ServerConnection
from midflight.errors import LoadError, RequestError
from midflight.kernel import group_leader_var

__all__ = [
    "MOST_NAMES",
    "Loading",
    "Plist",
    "forward_plist",
    "loads_plists",
    "moves_plist",
    "report_plist",
    "stale_plist",
]

Plist = dict[str, object]
Result = TypeVar("Result")

_PROGRESS_SECONDS = 1.0

MOST_NAMES = 2000  # entries of a list of names or lines in an answer, which must fit into a frame
_MOST = 1000  # servers in an answer, which must fit into a frame; `text` says how many more there are
_NAMED = 50  # processes in an answer, which an editor reads while somebody waits; `text` says how many more there are


class Loading:
    """Loads for one connection.

    `output` gives the sink of the connection's shell, None without one: what a module's body prints while it is
    loaded shows there.
    """

    def __init__(self, connection: ServerConnection, output: Callable[[], Output | None]) -> None:
        self._connection = connection
        self._output = output
        self._threads: set[lowlevel.LoadThread[Any]] = set()
        self._lock = threading.Lock()
        self._holders: dict[str, code.Holders] = {}  # of the last load of each module
        self._broken_off = 0  # how many of the connection's requests had come when all loads were broken off
        connection.at_close(self._end)

    def one(self, load: Callable[[], code.LoadReport]) -> Plist:
        """Call `load`, and translate the report of it or of its refusal. Tells the other connections."""
        try:
            report = self.as_loader(load)
        except LoadError as error:
            report = error.report
        self.note_holders(report)
        plist = report_plist(report)
        self.tell([plist])
        return plist

    def many(self, load: Callable[[], Sequence[code.LoadReport]]) -> Plist:
        """As `one`, of several modules, loaded together or not at all."""
        return self.outcome(lambda: self.as_loader(load))

    def outcome(self, load: Callable[[], Sequence[code.LoadReport]]) -> Plist:
        """Translate the reports that `load` returns, or raises, and tell the other connections."""
        try:
            reports = tuple(load())
        except LoadError as error:
            reports = error.reports
        for each in reports:
            self.note_holders(each)
        most = _MOST // max(1, len(reports))
        plists = [report_plist(each, most) for each in reports]
        self.tell(plists)
        return {
            "status": plists[0]["status"] if plists else "loaded",
            "summary": lowlevel.summary_of_many(reports),
            "text": lowlevel.text_of_many(reports) if reports else lowlevel.summary_of_many(reports),
            "reports": plists,
        }

    def note_holders(self, report: code.LoadReport | code.ForwardReport) -> None:
        """Remember the search that a report offers, until the next report of the module. A refusal changes nothing."""
        if report.version is None or (isinstance(report, code.UpgradeReport) and report.is_rehearsed):
            return
        if report.holders is None:
            self._holders.pop(report.module, None)
        else:
            self._holders[report.module] = report.holders

    def holders_of(self, module: str) -> code.Holders | None:
        """Return the search for the holders of older versions of `module`, None if its last load has left none."""
        return self._holders.get(module)

    def as_loader(self, function: Callable[[], Result]) -> Result:
        """Call `function` in a thread that can be broken off, and wait for it.

        What code prints while it is loaded shows in the shell, and people see who loads it. A load that takes longer
        than a moment does not hold up the requests behind it, and the peer is told each second what it does.
        Raises: RequestError if it was broken off before it began.
        """
        return self.finish(self.begin(function))

    def begin(
        self, function: Callable[[], Result], gate: Callable[[lowlevel.Load], object] | None = None
    ) -> lowlevel.LoadThread[Result]:
        """Do the first half of `as_loader`; `gate` is that of the thread. Raises: RequestError, as there."""
        token, loader = group_leader_var.set(self._output()), lowlevel.loader_var.set(self._connection.title)
        try:
            with self._lock:
                if not self._connection.has_begun(self._broken_off + 1):
                    raise RequestError("It was broken off before it began; nothing was loaded. Load again.")
                thread = lowlevel.LoadThread(function, gate=gate)
                self._threads.add(thread)
        finally:
            group_leader_var.reset(token)
            lowlevel.loader_var.reset(loader)
        return thread

    def show_progress(self, thread: lowlevel.LoadThread[Any], until: threading.Event) -> None:
        """Wait for `until`, and tell the peer each second what the load does."""
        while not until.wait(_PROGRESS_SECONDS):
            self._connection.step_aside()
            self._connection.reports.add("code/progress", _row(thread.load.info()))

    def finish(self, thread: lowlevel.LoadThread[Result]) -> Result:
        """Do the second half of `as_loader`: wait for the outcome."""
        is_over = threading.Event()
        thread.future.add_done_callback(lambda _: is_over.set())
        try:
            self.show_progress(thread, is_over)
            return thread.result()
        finally:
            self._threads.discard(thread)

    def break_off(self, number: int) -> list[Plist]:
        """Break off the load of that number, no matter which client asked for it."""
        found = next((each for each in code.loads() if each.number == number), None)
        outcome = code.break_off(number, self._connection.title)
        return [] if found is None or outcome is None else [_row(found) | {"outcome": outcome}]

    def break_off_own(self, *, is_begun: bool) -> list[Plist]:
        """Break off the loads of this connection; unless only what `is_begun` is meant, those that wait for their turn
        in it, too, are refused when that comes.
        """
        title = self._connection.title
        with self._lock:
            if not is_begun:
                self._broken_off = self._connection.received_count
            threads = list(self._threads)
        rows = [_row(thread.load.info()) for thread in threads]
        return [row | {"outcome": thread.break_off(title)} for row, thread in zip(rows, threads, strict=True)]

    def _end(self) -> None:
        """Break off all loads, under way or waiting: the connection has ended."""
        with self._lock:
            self._broken_off = sys.maxsize
            threads = list(self._threads)
        for thread in threads:
            thread.break_off_aside(f"{self._connection.title}, which is gone")

    def tell(self, plists: Sequence[Plist]) -> None:
        """Tell the other connections of the loaded modules."""
        for plist in plists:
            if plist["status"] == "loaded":
                by = {"by": self._connection.title}
                self._connection.server.report("code/loaded", plist | by, but=self._connection)

    def tell_of_refusals(self, plist: Plist) -> None:
        """Tell the other connections of the modules in the answer `plist` that were refused, so that editors show why.

        For loads that no editor has asked for.
        """
        reports = plist["reports"]
        for each in reports if isinstance(reports, list) else ():
            if each["status"] == "failed":
                by = {"by": self._connection.title}
                self._connection.server.report("code/refused", each | by, but=self._connection)


def loads_plists() -> list[Plist]:
    """Translate the loads under way."""
    return [_row(each) for each in code.loads()]


def _row(load: code.LoadInfo) -> Plist:
    return {
        "number": load.number,
        "modules": list(load.modules),
        "by": load.by,
        "thread": load.thread,
        "state": load.state,
        "seconds": round(load.seconds, 3),
        "total_seconds": round(load.total_seconds, 3),
        "waits_for": load.waits_for,
        "place": load.place or None,
        "text": load.text,
    }


def report_plist(report: code.LoadReport, most: int = _MOST) -> Plist:
    """Translate a report, with `most` servers at most.

    `status` is "failed" if nothing was loaded, or would have been, "dry-run" if it would.
    """
    is_rehearsed = isinstance(report, code.UpgradeReport) and report.is_rehearsed
    return {
        "status": "failed" if report.version is None else "dry-run" if is_rehearsed else "loaded",
        "module": report.module,
        "version": report.version,
        "path": report.path,
        "summary": code.summary(report),
        "text": code.text(report),
        "added": report.added,
        "changed": report.changed,
        "removed": report.removed,
        "diagnostics": [
            {
                "path": each.path,
                "line": each.line,
                "column": each.column,
                "end_line": each.end_line,
                "end_column": each.end_column,
                "severity": each.severity,
                "message": each.message,
                "code": each.code,
            }
            for each in (*report.refusals, *report.warnings)
        ],
        "lingering": [_place(each) for each in report.lingering[:_NAMED]],
        **moves_plist(report),
        "upgraded": [_server(each) for each in report.servers[:most]] if isinstance(report, code.UpgradeReport) else [],
        "stale_imports": [{"module": each.module, "name": each.name} for each in report.stale_imports],
        "can_be_forced": report.can_be_forced,
        "held": [_held(each) for each in report.held[:_NAMED]],
        "forwarded": report.forwarded,
        "not_forwarded": [_held(each) for each in report.not_forwarded[:_NAMED]],
        "subclasses": [
            {"module": each.module, "name": each.name, "base": each.base} for each in report.subclasses[:_NAMED]
        ],
        "kept": report.kept,
        "superseded": [{"name": each.name, "reason": each.reason} for each in report.superseded],
        "state": [_state(each) for each in report.state[:_MOST]],
        "prepare_ms": report.prepare_ms,
        "commit_ms": report.commit_ms,
    }


def _state(change: code.StateChange) -> Plist:
    return {
        "name": change.name,
        "outcome": change.outcome,
        "why": change.why,
        "size": change.size,
        "new_size": change.new_size,
    }


def _held(function: code.Held | code.NotForwarded) -> Plist:
    plist: Plist = {"name": function.name, "version": function.version}
    if isinstance(function, code.NotForwarded):
        return plist | {"reason": function.reason}
    return plist | {"count": function.count, "closure": function.is_closure}


def forward_plist(report: code.ForwardReport) -> Plist:
    """Translate the outcome of forwarding what others hold."""
    return {
        "module": report.module,
        "version": report.version,
        "summary": lowlevel.forward_summary(report),
        "forwarded": report.forwarded,
        "not_forwarded": [_held(each) for each in report.not_forwarded[:_NAMED]],
    }


def stale_plist(call: code.StaleCall) -> Plist:
    """Translate the news of old code that ran."""
    return {
        "module": call.module,
        "version": call.version,
        "name": call.name,
        "line": call.line,
        "caller": call.caller or None,
        "text": call.text,
    }


def _place(who: code.Lingering | code.NotMoved) -> Plist:
    return {
        "pid": repr(who.pid),
        "name": who.name,
        "version": who.version,
        "function": who.function,
        "line": who.line,
    }


def _server(change: code.ServerChange) -> Plist:
    is_down = isinstance(change.old_vsn, tuple)  # ("down", vsn)
    vsn = change.old_vsn[1] if isinstance(change.old_vsn, tuple) else change.old_vsn
    return {
        "pid": repr(change.pid),
        "name": change.name,
        "class": change.class_name,
        "old_version": change.old_version,
        "old_vsn": None if vsn is None else str(vsn),
        "down": is_down,
        "code_change": change.is_changed,
        "before": change.before,
        "after": change.after,
        "error": change.error,
    }


def moves_plist(report: code.LoadReport | code.MoveReport) -> Plist:
    """Translate the pids that were moved, and the others with the reasons; the first of each."""
    return {
        "moved": [repr(pid) for pid in report.moved[:_NAMED]],
        "not_moved": [_place(each) | {"reason": each.reason} for each in report.not_moved[:_NAMED]],
    }
