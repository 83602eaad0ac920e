"""Methods about modules and their versions.

    (call 4 code/load ("/project/counter.py" nil nil))
    (return 4 (:status "loaded" :module "counter" :version 2 :path "/project/counter.py" :summary ... ))

A load that is refused is not an error of the protocol: its answer has the status "failed" and the diagnostics.
"""

from __future__ import annotations

from midflight import code
from midflight.code import lowlevel
from midflight.epc.method import Lane, Method
from midflight.epc.methods.arguments import absolute_path, flags, number, text
from midflight.epc.methods.loading import Loading, Plist, loads_plists, moves_plist

__all__ = ["CodeMethods"]

_OPTIONS = ("force", "two_versions", "move")
_ROLLBACK_OPTIONS = ("force", "move")


class CodeMethods:
    """The code server, as one connection may use it."""

    def __init__(self, loading: Loading) -> None:
        self._loading = loading

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("code/load", self.load),
            Method("code/loading", self.loading, Lane.ASIDE),
            Method("code/interrupt", self.interrupt, Lane.ASIDE),
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
        return self._loading.one(lambda: lowlevel.load_or_upgrade(file, given, **switches))

    def loading(self) -> list[Plist]:
        """Return the loads under way, of all clients, and those given up whose threads run on, oldest first."""
        return loads_plists()

    def interrupt(self, load: object = None) -> list[Plist]:
        """Break off the load of number LOAD; nil: all of this connection; t: of these, those that have begun.

        `:outcome` of each is "ended", "given-up" if its body runs on, or "late" if it was current before.
        """
        if load is None or load is True:
            return self._loading.break_off_own(is_begun=load is True)
        return self._loading.break_off(number(load, "LOAD"))

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
        return self._loading.one(lambda: code.rollback(name, to, **switches))

    def move(self, module: object) -> Plist:
        """Move the idle processes in old versions of MODULE to the current one; say of each of the others why not."""
        report = code.move(text(module, "MODULE"))
        said = {"summary": code.summary(report), "text": code.text(report)}
        return {"module": report.module, "version": report.version} | said | moves_plist(report)

    def soft_purge(self, module: object) -> bool:
        """Drop the old versions of MODULE if nobody runs them; say whether they are gone."""
        return code.soft_purge(text(module, "MODULE"))

    def purge(self, module: object) -> list[str]:
        """Drop the old versions of MODULE, killing the processes that run them; return their pids."""
        return [repr(pid) for pid in code.purge(text(module, "MODULE"))]
