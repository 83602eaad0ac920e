"""Methods for an editor of a file: what a load would do, differences from what runs, loads of a part or of several.

(call 4 code/compare ("/project/counter.py" "async def loop..."))
(return 4 (:status "differs" :module "counter" :version 2
           :differences ((:name "loop" :status "changed" :line 4 :end-line 9)) :gone ()))
"""

from __future__ import annotations

from midflight import code
from midflight.code import lowlevel
from midflight.epc.method import Lane, Method
from midflight.epc.methods.arguments import absolute_path, flags, modules_of, number, text
from midflight.epc.methods.loading import Loading, Plist, report_plist
from midflight.errors import RequestError

__all__ = ["EditingMethods"]

_MOST = 2000  # entries of a list in an answer, which must fit into a frame
_DIFF_CHARACTERS = 2_000_000
_LOAD_OPTIONS = ("force", "two_versions", "move")


class EditingMethods:
    """The code server, as the editor of one connection uses it besides loading."""

    def __init__(self, loading: Loading) -> None:
        self._loading = loading

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("code/preview", self.preview),
            Method("code/check", self.check),
            Method("code/define", self.define),
            Method("code/load-many", self.load_many),
            Method("code/load-modified", self.load_modified),
            Method("code/compare", self.compare, Lane.ASIDE),  # an editor asks by itself: no load waits for it
            Method("code/waiting", self.waiting, Lane.ASIDE),
        )

    def preview(self, path: object, source: object) -> Plist:
        """Say what a load of the file PATH, or of SOURCE in its place, would do. Changes nothing."""
        file, given = absolute_path(path, "PATH"), None if source is None else text(source, "SOURCE")
        found = self._loading.as_loader(lambda: code.preview(file, given))
        diff = found.diff
        if len(diff) > _DIFF_CHARACTERS:
            diff = diff[:_DIFF_CHARACTERS].rpartition("\n")[0] + "\n"
        plist = report_plist(found.report)
        who = {key: plist[key] for key in ("lingering", "moved", "not_moved")}
        cut = {key: value[:_MOST] for key, value in who.items() if isinstance(value, list)}
        return (plist | cut) | {
            "changes": [each._asdict() for each in found.changes[:_MOST]],
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

    def define(self, path: object, source: object, line: object, method: object) -> Plist:
        """Load the definition around LINE of SOURCE into what runs of the file PATH; with METHOD that method alone."""
        file, given, at = absolute_path(path, "PATH"), text(source, "SOURCE"), number(line, "LINE")
        try:
            found = self._loading.as_loader(lambda: lowlevel.load_definition(file, given, at, is_method=bool(method)))
        except lowlevel.NoDefinition as error:
            raise RequestError(f"{error}; nothing was loaded.") from None
        plist = report_plist(found.report)
        self._loading.tell([plist])
        return plist | {
            "summary": found.summary,
            "definition": found.name,
            "left_out": list(found.left_out or ())[:_MOST],
        }

    def load_many(self, modules: object, options: object = None) -> Plist:
        """Load MODULES, each a name, an absolute path, or a list of a path and a text, together or not at all."""
        switches = flags(options, _LOAD_OPTIONS)
        wanted = modules_of(modules)
        return self._loading.many(lambda: lowlevel.load_or_upgrade_many(wanted, **switches))

    def load_modified(self, options: object = None) -> Plist:
        """Load all loaded modules whose file differs from the running text, together or not at all."""
        switches = flags(options, _LOAD_OPTIONS)
        return self._loading.many(lambda: lowlevel.load_or_upgrade_many(code.modified_modules(), **switches))

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
                for each in found.differences[:_MOST]
            ],
            "gone": [{"name": each.name, "line": each.line} for each in found.gone[:_MOST]],
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
            for each in lowlevel.waiting(file, given)[:_MOST]
        ]
