"""Methods that look at modules and change none: previews, checks, comparisons, the history of versions.

    (call 4 code/compare ("/project/counter.py" "async def loop..."))
    (return 4 (:status "differs" :module "counter" :version 2
               :differences ((:name "loop" :status "changed" :line 4 :end-line 9)) :gone ()))
    (call 5 code/history ("/project/counter.py"))
    (return 5 (:module "counter" :path "/project/counter.py" :versions ((:version 1 :vsn "..." :current nil :alive t
               :processes 3 :loaded-at 1790000000.5 :by "Emacs 28.2, connection 1" :changed ("loop") ...)...)))

PATH is the file of a module, which SOURCE is an edited text of. MODULE is a name or an absolute path.
"""

from __future__ import annotations

import os

from midflight import code
from midflight.code import lowlevel
from midflight.epc.method import Lane, Method
from midflight.epc.methods.arguments import absolute_path, number, text
from midflight.epc.methods.loading import MOST_NAMES, Loading, Plist, report_plist
from midflight.errors import RequestError

__all__ = ["CodeLookMethods"]

_DIFF_CHARACTERS = 2_000_000
_MOST_LINGERING = 1000  # in an answer, which must fit into a frame; `total` says how many there are


class CodeLookMethods:
    """The code server, as one connection may look at it."""

    def __init__(self, loading: Loading) -> None:
        self._loading = loading

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("code/preview", self.preview),
            Method("code/check", self.check),
            Method("code/compare", self.compare, Lane.ASIDE),  # an editor asks by itself: no load waits for it
            Method("code/waiting", self.waiting, Lane.ASIDE),
            Method("code/history", self.history),
            Method("code/source", self.source),
            Method("code/diff", self.diff),
            Method("code/lingering", self.lingering),
            Method("code/why-alive", self.why_alive),
        )

    def preview(self, path: object, source: object) -> Plist:
        """Report on a load of the file PATH, or of SOURCE in its place, without making it. Changes nothing."""
        file, given = absolute_path(path, "PATH"), None if source is None else text(source, "SOURCE")
        found = self._loading.as_loader(lambda: code.preview(file, given))
        diff = found.diff
        if len(diff) > _DIFF_CHARACTERS:
            diff = diff[:_DIFF_CHARACTERS].rpartition("\n")[0] + "\n"
        plist = report_plist(found.report)
        who = {key: plist[key] for key in ("lingering", "moved", "not_moved")}
        cut = {key: value[:MOST_NAMES] for key, value in who.items() if isinstance(value, list)}
        return (plist | cut) | {
            "changes": [each._asdict() for each in found.changes[:MOST_NAMES]],
            "diff": diff,
            "running": None if found.running is None else found.running.version,
        }

    def check(self, path: object, source: object) -> Plist:
        """Compile the file PATH, or SOURCE in its place, and check its text. Runs and changes nothing."""
        file, given = absolute_path(path, "PATH"), None if source is None else text(source, "SOURCE")
        found = code.check(file, given)
        refusal = code.LoadReport(found.module, None, found.path, refusals=found.problems)
        return {
            "status": "failed" if found.is_refused else "ok",
            "module": found.module,
            "path": found.path,
            "summary": found.summary,
            "text": found.text,
            "diagnostics": report_plist(refusal)["diagnostics"] if found.problems else [],
        }

    def compare(self, path: object, source: object) -> Plist:
        """Say which statements of SOURCE, an edited text of the file PATH, differ from what runs.

        The status is "not-loaded", "unknown" (what runs is not known, or the text is not a valid module), "same" or
        "differs".
        """
        file, given = absolute_path(path, "PATH"), text(source, "SOURCE")
        running = lowlevel.running_at(file)
        if running is None:
            return {"status": "not-loaded", "module": None, "version": None, "differences": [], "gone": []}
        known = {"module": running.name, "version": running.version}
        found = None if running.text is None else lowlevel.compare_texts(running.text, given)
        if found is None:
            return known | {"status": "unknown", "differences": [], "gone": []}
        return known | {
            "status": "differs" if found.differences or found.gone else "same",
            "differences": [
                {"name": each.name, "status": each.status, "line": each.line, "end_line": each.end_line}
                for each in found.differences[:MOST_NAMES]
            ],
            "gone": [{"name": each.name, "line": each.line} for each in found.gone[:MOST_NAMES]],
        }

    def waiting(self, path: object, source: object) -> list[Plist]:
        """Return the lines of SOURCE, an edited text of the file PATH, at which processes are."""
        file, given = absolute_path(path, "PATH"), text(source, "SOURCE")
        running = lowlevel.running_at(file)
        current = None if running is None else running.version
        return [
            {
                "line": each.line,
                "count": each.count,
                "pids": [repr(pid) for pid in each.pids],
                "versions": [
                    {"version": number, "count": count, "current": number == current}
                    for number, count in sorted(each.versions.items())
                ],
            }
            for each in lowlevel.waiting(file, given)[:MOST_NAMES]
        ]

    def history(self, module: object) -> Plist:
        """Return the versions of MODULE, oldest first, gone ones too as long as their text is kept."""
        name = _module(module)
        return {
            "module": name,
            "path": code.is_loaded(name),
            "versions": [_record(each) for each in code.version_history(name)],
        }

    def source(self, module: object, version: object) -> str:
        """Return the text of a version of MODULE."""
        return code.source(_module(module), number(version, "VERSION"))

    def diff(self, module: object, a: object, b: object) -> str:
        """Return how the texts of the versions A and B of MODULE differ, as a unified diff."""
        one, other = number(a, "A"), number(b, "B")
        return code.diff(_module(module), one, other).text

    def lingering(self, module: object) -> Plist:
        """Return the processes in older versions of MODULE: a purge would end them."""
        found = code.lingering(_module(module))
        return {
            "total": len(found),
            "processes": [
                {
                    "pid": repr(each.pid),
                    "name": each.name,
                    "version": each.version,
                    "function": each.function,
                    "line": each.line,
                }
                for each in found[:_MOST_LINGERING]
            ],
        }

    def why_alive(self, module: object, version: object) -> Plist:
        """Name the processes and objects that keep VERSION of MODULE in memory; the look takes its time."""
        found = code.why_alive(_module(module), number(version, "VERSION"))
        return {
            "module": found.module,
            "version": found.version,
            "current": found.is_current,
            "alive": found.is_alive,
            "whole": found.is_whole,
            "keepers": [{"kind": each.kind, "count": each.count, "text": each.text} for each in found.keepers],
            "text": found.text(),
        }


def _module(value: object) -> str:
    """Return the name of the module that the argument MODULE means.

    A module that the project has imported and never loaded becomes version 1.
    Raises: RequestError, UnknownModuleError.
    """
    given = text(value, "MODULE")
    if not given:
        raise RequestError("MODULE must not be empty; nothing was done. Send a name or an absolute path.")
    meant = absolute_path(given, "MODULE") if os.sep in given else given
    return lowlevel.module_name(meant)


def _record(record: code.VersionInfo) -> Plist:
    return {
        "version": record.version,
        "vsn": None if record.vsn is None else str(record.vsn),
        "current": record.is_current,
        "alive": record.is_alive,
        "imported": record.is_imported,
        "processes": record.processes,
        "loaded_at": record.loaded_at,
        "by": record.loaded_by,
        "added": record.added,
        "changed": record.changed,
        "removed": record.removed,
        "text": record.has_text,
        "earlier": record.is_earlier,
    }
