"""Methods about the history of versions.

(call 4 code/history ("/project/counter.py"))
(return 4 (:module "counter" :path "/project/counter.py" :versions ((:version 1 :vsn "..." :current nil :alive t
           :processes 3 :loaded-at 1790000000.5 :by "Emacs 28.2, connection 1" :changed ("loop") ...)...)))
"""

from __future__ import annotations

import os

from midflight import code
from midflight.code import lowlevel
from midflight.epc.method import Method
from midflight.epc.methods.arguments import absolute_path, number, text
from midflight.errors import RequestError

__all__ = ["HistoryMethods"]

Plist = dict[str, object]
_MOST = 1000  # processes in an answer, which must fit into a frame; `total` says how many there are


class HistoryMethods:
    """The past of modules, as any connection may see it. MODULE is a name or an absolute path."""

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("code/history", self.history),
            Method("code/lingering", self.lingering),
            Method("code/why-alive", self.why_alive),
        )

    def history(self, module: object) -> Plist:
        """Return the versions of MODULE, oldest first, gone ones too as long as their text is kept."""
        name = _module(module)
        return {
            "module": name,
            "path": code.is_loaded(name),
            "versions": [_record(each) for each in code.version_history(name)],
        }

    def lingering(self, module: object) -> Plist:
        """Return the processes in older versions of MODULE: those that a purge would end."""
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
                for each in found[:_MOST]
            ],
        }

    def why_alive(self, module: object, version: object) -> Plist:
        """Say what keeps VERSION of MODULE in memory; looks at all objects, which takes its time."""
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
    """Return the name of the module that the argument MODULE means. Raises: RequestError, UnknownModuleError."""
    given = text(value, "MODULE")
    if not given:
        raise RequestError("MODULE must not be empty; nothing was done. Send a name or an absolute path.")
    return lowlevel.module_name(absolute_path(given, "MODULE") if os.sep in given else given)


def _record(record: code.VersionRecord) -> Plist:
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
    }
