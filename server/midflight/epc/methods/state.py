"""Methods about the state of a live server: as text to edit, and the edited text put into it.

(call 5 process/state ("till"))
(return 5 (:pid "<0.37.0>" :name "till" :class "Till" :module "till" :text "total = 5\\n" :kept ()))
(call 6 process/replace-state ("till" "total = 6\\n" (:base "total = 5\\n")))
(return 6 (:pid "<0.37.0>" :name "till" :changed ("total") :removed () :attributes (("total" "6"))))
"""

from __future__ import annotations

from collections.abc import Callable

from midflight.epc.method import Lane, Method
from midflight.epc.methods.arguments import keywords, text
from midflight.epc.methods.pids import find_pid
from midflight.epc.methods.process_view import items_list
from midflight.epc.pushes import Output
from midflight.epc.services import Services
from midflight.observer import replace_state, state_text

__all__ = ["StateMethods"]

Plist = dict[str, object]

_OPTIONS = ("base", "force")


class StateMethods:
    """The states of servers, for any connection to edit. `output` gives the sink of its shell, None without one."""

    def __init__(self, services: Services, output: Callable[[], Output | None]) -> None:
        self._scheduler = services.scheduler
        self._names = services.names
        self._log = services.log
        self._output = output

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("process/state", self.state, Lane.ASIDE),
            Method("process/replace-state", self.replace_state, Lane.ASIDE),
        )

    def state(self, pid: object) -> Plist:
        """Return the state of the server PID as text: `name = expression` for each attribute.

        :kept are those that no expression makes; their lines, `lock = lock`, leave them as they are.
        """
        found = state_text(self._scheduler, find_pid(self._scheduler, pid))
        return {
            "pid": repr(found.pid),
            "name": found.name,
            "class": found.class_name,
            "module": found.module,
            "text": found.text,
            "kept": found.kept,
        }

    def replace_state(self, pid: object, source: object, options: object = None) -> Plist:
        """Put TEXT, an edited state, into the live server PID, between two messages, all of it or nothing.

        OPTIONS: `:base`, the text that was edited: only what differs is put in, and only if that attribute is as in it
        still; `:force`, to put it in all the same.
        """
        chosen = keywords(options, _OPTIONS)
        found = replace_state(
            self._scheduler,
            find_pid(self._scheduler, pid),
            text(source, "TEXT"),
            base="" if chosen.get("base") is None else text(chosen["base"], ":base"),
            force=bool(chosen.get("force")),
            sink=self._output() or self._log,
            names=self._names,
        )
        return {
            "pid": repr(found.pid),
            "name": found.name,
            "changed": found.changed,
            "removed": found.removed,
            "attributes": items_list(found.attributes),
        }
