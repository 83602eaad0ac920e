"""Loads in two phases, for several servers that are to load the same, all of them or none.

    (call 4 code/prepare-many (("/project/shop.py") nil))
    (return 4 (:status "prepared" :load 7))
    (call 5 code/commit-prepared (7))
    (return 5 (:status "loaded" :summary "shop v2 loaded: price changed (3.1 ms)" ...))

A load that is prepared has run its bodies and its checks, and nothing has changed. It holds up other loads of its
modules until its client decides: `code/commit-prepared`, or `code/interrupt` with its number. It is broken off if the
client goes, or has not decided within a minute.
"""

from __future__ import annotations

import threading
from typing import Any

from midflight import code
from midflight.code import lowlevel
from midflight.epc.method import Method
from midflight.epc.methods.arguments import flags, modules_of, number
from midflight.epc.methods.loading import Loading, Plist
from midflight.epc.services import Services
from midflight.errors import RequestError

__all__ = ["TogetherMethods"]

DECISION_SECONDS = 60.0

_OPTIONS = ("force", "two_versions", "move", "forward")

Reports = tuple[code.LoadReport, ...]


class _Decision:
    """The point between the two phases of one load: its thread waits there."""

    def __init__(self) -> None:
        self.is_reached = threading.Event()  # or the load has ended before
        self._is_made = threading.Event()

    def wait(self, load: lowlevel.Load) -> None:
        """Wait in the load's thread for `make`, or until the load is told to end."""
        load.on_end.append(lambda _: self._is_made.set())
        self.is_reached.set()
        if not self._is_made.wait(DECISION_SECONDS):
            load.ask_to_end(f"its server, for nobody had decided within {DECISION_SECONDS:.0f} s")

    def make(self) -> None:
        """Let the load go on."""
        self._is_made.set()


class TogetherMethods:
    """The prepared loads of one connection."""

    def __init__(self, services: Services, loading: Loading) -> None:
        self._loading = loading
        self._forwards = {"forward": services.forwards}
        self._prepared: dict[int, tuple[lowlevel.LoadThread[Reports], _Decision]] = {}

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("code/prepare-many", self.prepare),
            Method("code/commit-prepared", self.commit),
        )

    def prepare(self, modules: object, options: object = None) -> Plist:
        """Prepare a load of MODULES as `code/load-many` does them; `:load` is its number if nothing refuses it."""
        switches: dict[str, Any] = self._forwards | flags(options, _OPTIONS)
        wanted = modules_of(modules)
        decision = _Decision()
        thread = self._loading.begin(lambda: lowlevel.load_or_upgrade_many(wanted, **switches), decision.wait)
        thread.future.add_done_callback(lambda _: decision.is_reached.set())
        self._loading.show_progress(thread, decision.is_reached)
        if thread.future.done():
            return self._loading.outcome(lambda: self._loading.finish(thread))
        self._prepared[thread.load.number] = thread, decision
        return {"status": "prepared", "load": thread.load.number}

    def commit(self, load: object) -> Plist:
        """Make the prepared load of that number current; return the answer of `code/load-many`."""
        found = self._prepared.pop(number(load, "LOAD"), None)
        if found is None:
            raise RequestError(f"Load {load} is not prepared; nothing was loaded. Prepare it again.")
        thread, decision = found
        decision.make()
        return self._loading.outcome(lambda: self._loading.finish(thread))
