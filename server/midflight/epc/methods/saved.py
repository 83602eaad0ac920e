"""The method for files that were saved: those that run are loaded, and a refusal is told to all connections.

(call 4 code/load-saved (("/project/shop.py" "/project/notes.py")))
(return 4 (:status "loaded" :summary "shop v2 loaded: price changed (3.1 ms)" :text ... :reports (...)))
"""

from __future__ import annotations

import os

from midflight.code import lowlevel
from midflight.epc.method import Method
from midflight.epc.methods.arguments import absolute_path, names
from midflight.epc.methods.loading import Loading, Plist
from midflight.epc.services import Services

__all__ = ["SavedMethods"]


class SavedMethods:
    """Loads of saved files, for one connection."""

    def __init__(self, services: Services, loading: Loading) -> None:
        self._loading = loading
        self._forwards = services.forwards

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (Method("code/load-saved", self.load_saved),)

    def load_saved(self, files: object) -> Plist:
        """Load those of FILES, absolute paths, whose modules run another text, together or not at all.

        Files that no module comes from are left alone; of a module whose file is gone `:text` says so. The other
        connections are told of refusals too.
        """
        paths = [os.path.realpath(absolute_path(each, "FILES")) for each in names(files, "FILES")]
        saved = lowlevel.saved_modules(paths)
        if not saved:
            plist: Plist = {"status": "loaded", "summary": "", "text": "", "reports": []}
        else:
            plist = self._loading.many(lambda: lowlevel.load_or_upgrade_many(saved, forward=self._forwards))
            self._loading.tell_of_refusals(plist)
        missing = [str(each) for each in lowlevel.gone_modules(paths)]
        if not missing:
            return plist
        summary = "; ".join([*filter(None, [str(plist["summary"])]), *missing])
        return plist | {"summary": summary, "text": "\n".join([str(plist["text"]).rstrip("\n"), *missing]).lstrip("\n")}
