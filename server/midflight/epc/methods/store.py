"""Methods about the store of durable servers: what it has, earlier states, what a kill would lose.

(call 5 store/list nil)
(return 5 (:path "/project/state-main.sqlite" :total 1
           :window (:seconds 0.01 :longest 0.4 :waiting 2 :unwritten 0 :share 20 :trouble "" :text "a kill...")
           :states ((:name "till" :class "shop.Till" :size 117 :saved-at 1764448200.5 :python "3.11.7" :vsn "2"
                     :pid "<0.5.0>"))))
(call 6 store/history ("till"))
(return 6 ((:number 3 :why "earlier" :class "shop.Till" :size 117 :saved-at 1764448140.5)))
(call 7 store/restore ("till" 3))    (return 7 (:name "till" :aside 4 :pid "<0.5.0>"))
(call 8 store/delete ("till"))       (return 8 (:name "till" :aside 5 :pid nil))
"""

from __future__ import annotations

import builtins
from functools import partial

from midflight.durable import Change, LiveStore
from midflight.epc.method import Lane, Method
from midflight.epc.methods.arguments import number, text
from midflight.epc.services import Services
from midflight.errors import RequestError
from midflight.observer import run_aside

__all__ = ["StoreMethods", "live_store", "window_plist"]

Plist = dict[str, object]

MOST = 10_000
"""The states that one answer lists."""


class StoreMethods:
    """The store of the server, as any connection may use it."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("store/list", self.list, Lane.ASIDE),
            Method("store/history", self.history, Lane.ASIDE),
            Method("store/restore", self.restore, Lane.ASIDE),
            Method("store/delete", self.delete, Lane.ASIDE),
        )

    def list(self) -> Plist:
        """Return the first 10,000 states of the store, how many there are, and what a kill would lose just now.

        `:pid` is the server that lives with a state. Raises: RequestError if the server has no store.
        """
        store = live_store(self._services)
        rows = store.rows()
        return {
            "path": store.path,
            "total": len(rows),
            "window": window_plist(store),
            "states": [
                {
                    "name": row.name,
                    "class": f"{row.module}.{row.class_name}",
                    "size": row.size,
                    "saved-at": row.saved_at,
                    "python": row.python,
                    "vsn": row.vsn,
                    "pid": None if pid is None else repr(pid),
                }
                for row, pid in rows[:MOST]
            ],
        }

    def history(self, name: object) -> builtins.list[Plist]:
        """Return the earlier states of the server NAME, the newest first."""
        return [
            {
                "number": each.number,
                "why": each.why,
                "class": each.class_name,
                "size": each.size,
                "saved-at": each.saved_at,
            }
            for each in live_store(self._services).history(text(name, "NAME"))
        ]

    def restore(self, name: object, earlier: object) -> Plist:
        """Give the server NAME its earlier state EARLIER, a number of its history; a live one between two messages."""
        store, key, which = live_store(self._services), text(name, "NAME"), number(earlier, "EARLIER")
        if store.pid_of(key) is None:
            return _plist(store.put_back(key, which))
        work = partial(store.restore, key, which)
        return _plist(run_aside(self._services.scheduler, work, "The restoration", sink=self._services.log))

    def delete(self, name: object) -> Plist:
        """Move the state of NAME into its history, and its next start begins by init. A live one keeps its own."""
        return _plist(live_store(self._services).delete(text(name, "NAME")))


def live_store(services: Services) -> LiveStore:
    """Return the store of the server. Raises: RequestError if it has none."""
    if services.scheduler.states is None:
        raise RequestError(
            "This server has no store, so no server in it is durable; nothing was done. Give it one: store in "
            "[tool.midflight], or midflight serve --store"
        )
    return LiveStore(services.scheduler.states)


def window_plist(store: LiveStore) -> Plist:
    """Return what a kill would lose just now; `:text` says it."""
    window = store.window()
    return {
        "seconds": round(window.seconds, 3),
        "longest": round(window.longest_seconds, 3),
        "waiting": window.waiting,
        "unwritten": window.unwritten,
        "share": window.share,
        "trouble": window.trouble,
        "text": window.text,
    }


def _plist(change: Change) -> Plist:
    return {"name": change.name, "aside": change.aside, "pid": None if change.pid is None else repr(change.pid)}
