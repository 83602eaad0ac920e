"""Methods about modules and their versions.

    (call 4 code/load ("/project/counter.py" nil nil))
    (return 4 (:status "loaded" :module "counter" :version 2 :path "/project/counter.py" :summary ... ))

A load that is refused is no error of the protocol: its answer has the status "failed" and the diagnostics.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from functools import partial

from midflight import code
from midflight.epc.method import Method
from midflight.epc.methods.arguments import absolute_path, flags, keywords, number, text
from midflight.epc.pushes import Output
from midflight.epc.server import ServerConnection
from midflight.epc.services import Services
from midflight.errors import LoadError, RequestError
from midflight.kernel import Scheduler, group_leader_var
from midflight.shell import Session

__all__ = ["CodeMethods", "report_plist"]

Plist = dict[str, object]
_OPTIONS = ("force", "two_versions", "move")
_ROLLBACK_OPTIONS = ("force", "move")
_UPGRADE_OPTIONS = ("force", "dry_run", "extra", "to", "timeout")
_MOST = 1000  # servers in an answer, which must fit into a frame; `text` says how many more there are
_NAMED = 50  # processes in an answer, which an editor reads while somebody waits; `text` says how many more there are


def report_plist(report: code.LoadReport) -> Plist:
    """Translate a report; `status` is "failed" if nothing was loaded, or would have been, "dry-run" if it would."""
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
        **_moves(report),
        "upgraded": [_server(each) for each in report.servers[:_MOST]]
        if isinstance(report, code.UpgradeReport)
        else [],
        "stale_imports": [{"module": each.module, "name": each.name} for each in report.stale_imports],
        "kept": report.kept,
        "superseded": [{"name": each.name, "reason": each.reason} for each in report.superseded],
        "prepare_ms": report.prepare_ms,
        "commit_ms": report.commit_ms,
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


def _moves(report: code.LoadReport | code.MoveReport) -> Plist:
    return {
        "moved": [repr(pid) for pid in report.moved[:_NAMED]],
        "not_moved": [_place(each) | {"reason": each.reason} for each in report.not_moved[:_NAMED]],
    }


class CodeMethods:
    """The code server, as one connection may use it.

    `output` gives the sink of the connection's shell, None without one: what a module's body prints while it is
    loaded shows there.
    """

    def __init__(self, services: Services, connection: ServerConnection, output: Callable[[], Output | None]) -> None:
        self._scheduler = services.scheduler
        self._connection = connection
        self._output = output

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("code/load", self.load),
            Method("code/upgrade", self.upgrade),
            Method("code/versions", self.versions),
            Method("code/source", self.source),
            Method("code/diff", self.diff),
            Method("code/rollback", self.rollback),
            Method("code/move", self.move),
            Method("code/soft-purge", self.soft_purge),
            Method("code/purge", self.purge),
        )

    def load(self, path: object, source: object, options: object) -> Plist:
        """Load the file PATH, or SOURCE in its place, as a new version. Tells the other connections."""
        file = absolute_path(path, "PATH")
        given = None if source is None else text(source, "SOURCE")
        switches = flags(options, _OPTIONS)
        return self._loaded(lambda: code.load_or_upgrade(file, given, **switches))

    def upgrade(self, module: object, source: object, options: object) -> Plist:
        """Load MODULE, a name or an absolute path, or SOURCE in its place, and change the states of its servers."""
        name = text(module, "MODULE")
        if os.sep in name:
            absolute_path(name, "MODULE")
        given = None if source is None else text(source, "SOURCE")
        chosen = keywords(options, _UPGRADE_OPTIONS)
        if given is not None and chosen.get("to") is not None:
            raise RequestError("SOURCE and :to exclude each other; nothing was done. Send one of them.")
        extra = chosen.get("extra")
        call = partial(
            code.upgrade_sync,
            name,
            given,
            None if extra is None else _value_of(self._scheduler, text(extra, ":extra")),
            force=bool(chosen.get("force")),
            dry_run=bool(chosen.get("dry_run")),
            to=None if chosen.get("to") is None else number(chosen["to"], ":to"),
        )
        if chosen.get("timeout") is not None:
            call = partial(call, timeout=number(chosen["timeout"], ":timeout"))
        return self._loaded(call)

    def versions(self, module: object) -> list[Plist]:
        """Return the versions of MODULE, oldest first, each with how many processes run it."""
        name = text(module, "MODULE")
        return [
            {
                "version": each.version,
                "vsn": None if each.vsn is None else str(each.vsn),
                "current": each.current,
                "processes": len(code.processes(name, each.version)),
            }
            for each in code.versions(name)
        ]

    def source(self, module: object, version: object) -> str:
        """Return the text of a version of MODULE."""
        return code.source(text(module, "MODULE"), number(version, "VERSION"))

    def diff(self, module: object, a: object, b: object) -> str:
        """Return how the texts of the versions A and B of MODULE differ, as a unified diff."""
        return code.diff(text(module, "MODULE"), number(a, "A"), number(b, "B")).text

    def rollback(self, module: object, version: object, options: object = None) -> Plist:
        """Load the text of an earlier VERSION (nil: the one before the current) of MODULE as a new one."""
        name = text(module, "MODULE")
        to = None if version is None else number(version, "VERSION")
        switches = flags(options, _ROLLBACK_OPTIONS)
        return self._loaded(lambda: code.rollback(name, to, **switches))

    def move(self, module: object) -> Plist:
        """Move the idle processes in old versions of MODULE to the current one; say of each of the others why not."""
        report = code.move(text(module, "MODULE"))
        said = {"summary": code.summary(report), "text": code.text(report)}
        return {"module": report.module, "version": report.version} | said | _moves(report)

    def soft_purge(self, module: object) -> bool:
        """Drop the old versions of MODULE if nobody runs them; say whether they are gone."""
        return code.soft_purge(text(module, "MODULE"))

    def purge(self, module: object) -> list[str]:
        """Drop the old versions of MODULE, killing who runs them; return the pids of those."""
        return [repr(pid) for pid in code.purge(text(module, "MODULE"))]

    def _loaded(self, load: Callable[[], code.LoadReport]) -> Plist:
        """Load, and translate the report of it or of its refusal."""
        token, loader = group_leader_var.set(self._output()), code.loader_var.set(self._connection.title)
        try:
            report = load()
        except LoadError as error:
            return report_plist(error.report)
        finally:
            group_leader_var.reset(token)
            code.loader_var.reset(loader)
        plist = report_plist(report)
        if plist["status"] != "loaded":
            return plist
        self._connection.server.report("code/loaded", plist | {"by": self._connection.title}, but=self._connection)
        return plist


def _value_of(scheduler: Scheduler, expression: str) -> object:
    """Return what an expression comes to in a shell. Raises: RequestError if it is none, or raises."""
    session = Session(scheduler, io.StringIO())
    try:
        result = session.eval(f"(\n{expression}\n)\n").result()
        if result.status != "ok":
            why = result.error or "it is not one whole expression"
            raise RequestError(f":extra could not be evaluated; nothing was done.\n{why}")
        return session.history.job(-1).value
    finally:
        session.close()
