"""Methods about all processes at once: a list, whole or kept up to date by what changed, and the tree.

    (call 4 process/list nil)
    (return 4 ((:pid "<0.37.0>" :name () :module "counter" :version 1 :function "loop" :line 9
                :status "waiting" :messages 0 :reductions 4 :links ())))

    (call 5 process/changes (nil))
    (return 5 (:watch 1 :stamp 1 :all t :more () :total 2 :matching () :gone ()
               :rows (("<0.37.0>" () "counter" 1 "loop" 9 "waiting" 0 1 "<0.5.0>" () ()) ...)
               :current (("counter" 2))))
    (call 6 process/changes ((:watch 1 :stamp 1)))
    (return 6 (:watch 1 :stamp 1 :unchanged t))

A row is a list: pid, name, module, version, function, line, status, messages, links, the first of these, behaviour
("server", "supervisor", nil), and ((module version)...) of further frames in other versions. Rows as property lists
would be three times as many bytes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import count

from midflight.code import lowlevel
from midflight.epc.method import Lane, Method
from midflight.epc.methods.arguments import absolute_path, keywords, number, pid_text, text
from midflight.epc.services import Services
from midflight.errors import RequestError
from midflight.kernel import Process, Scheduler
from midflight.observer import (
    COLUMNS,
    KINDS,
    ROWS_AN_ANSWER,
    Choice,
    Node,
    Row,
    Watch,
    look_at,
    parts_of,
    row_of,
    rows_of,
    tree,
)

__all__ = ["ProcessListMethods"]

Plist = dict[str, object]

_ROWS_A_LOOK = 50  # a millisecond
_WATCHES = 8  # of one connection: an editor has one list a project, perhaps a few
_NODES = 10_000
_AT_A_LINE = 1000


class ProcessListMethods:
    """The lists of one connection."""

    def __init__(self, services: Services) -> None:
        self._scheduler = services.scheduler
        self._watches: dict[int, tuple[Watch, threading.Lock]] = {}
        self._numbers: Iterator[int] = count(1)
        self._lock = threading.Lock()

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("process/list", self.list),
            # Aside: a list goes on being refreshed while a load runs.
            Method("process/changes", self.changes, Lane.ASIDE),
            Method("process/tree", self.tree, Lane.ASIDE),
            Method("process/at", self.at, Lane.ASIDE),
        )

    def list(self) -> list[Plist]:
        """Return one row a process, oldest first; `messages` counts those that wait, `links` are pids."""
        everyone = [*self._scheduler.processes.values()]
        looks = [partial(self._look, part) for part in parts_of(everyone, _ROWS_A_LOOK)]
        return [row for rows in look_at(self._scheduler, looks) for row in rows]

    def _look(self, some: Iterable[Process]) -> Iterable[Plist]:
        return [_whole_row(self._scheduler, each) for each in some if each.pid.process is not None]

    def changes(self, known: object) -> Plist:
        """Return the changes in the list of processes since KNOWN, the :watch and :stamp of the last answer.

        nil, and a watch that is not known any more: everything, as :all says. At most :most rows, 2000 if that is not
        given; :more says that there are more, to be asked for in the same way.

        KNOWN may have a choice too: :limit, the most rows of the list; :filters, ((KIND TEXT)...), whose KIND is
        "module", "name" or "text"; :old "only" or "first"; :sort (COLUMN DESCENDING). :matching is then how many pass
        the filters.
        """
        given = keywords(known, ("watch", "stamp", "most", "limit", "filters", "old", "sort"))
        choice, most = _choice(given), _positive(given, "most", ROWS_AN_ANSWER)
        key = None if given.get("watch") is None else number(given["watch"], ":watch")
        stamp = None if given.get("stamp") is None else number(given["stamp"], ":stamp")
        with self._lock:
            if key is None or key not in self._watches:
                key, stamp = next(self._numbers), None
                self._watches[key] = Watch(self._scheduler), threading.Lock()
                for old in list(self._watches)[:-_WATCHES]:
                    del self._watches[old]
            watch, lock = self._watches[key]
        with lock:
            found = watch.changes(stamp, choice, min(most, ROWS_AN_ANSWER))
        if stamp == found.stamp and not found.is_all:
            return {"watch": key, "stamp": found.stamp, "unchanged": True}
        return {
            "watch": key,
            "stamp": found.stamp,
            "all": found.is_all,
            "more": found.is_more,
            "total": found.total,
            "matching": found.matching,
            "gone": [pid_text(each) for each in found.gone],
            "rows": [_row(each) for each in found.rows],
            "current": [[module, version] for module, version in (found.current or {}).items()],
        }

    def tree(self) -> Plist:
        """Return the processes as a tree: lines, each parent before its children, and how many more there are."""
        nodes, left = tree(self._scheduler, _NODES)
        return {"nodes": [_node(each) for each in nodes], "left": left}

    def at(self, path: object, source: object, line: object) -> Plist:
        """Return the processes at LINE of SOURCE, an edited text of the file PATH: how many, rows of the first 1000."""
        pids = lowlevel.waiting_at(absolute_path(path, "PATH"), text(source, "SOURCE"), number(line, "LINE"))
        return {"count": len(pids), "rows": [_row(each) for each in rows_of(self._scheduler, pids[:_AT_A_LINE])]}


def _choice(given: Plist) -> Choice:
    """Return the choice of rows that KNOWN asks for."""
    column, is_descending = _sort(given.get("sort"))
    old = given.get("old")
    if old not in (None, "only", "first"):
        raise RequestError(
            f':old must be nil, "only" or "first", received {old!r}; nothing was done. Send one of these.'
        )
    return Choice(
        limit=None if given.get("limit") is None else _positive(given, "limit", 0),
        filters=_filters(given.get("filters")),
        is_only_old=old == "only",
        is_old_first=old == "first",
        column=column,
        is_descending=is_descending,
    )


def _positive(given: Plist, name: str, default: int) -> int:
    value = default if given.get(name) is None else number(given[name], f":{name}")
    if value < 1:
        raise RequestError(f":{name} must be 1 or more, received {value}; nothing was done. Send such a number.")
    return value


def _sort(value: object) -> tuple[str, bool]:
    match value:
        case None:
            return "pid", False
        case [str(column), *rest] if column in COLUMNS and len(rest) <= 1:
            return column, bool(rest and rest[0])
    raise RequestError(
        f":sort must be a list of one of {', '.join(COLUMNS)} and whether it is descending, received {value!r}; "
        "nothing was done. Send one of these forms."
    )


def _filters(value: object) -> tuple[tuple[str, str], ...]:
    """Return the filters that are given as ((KIND TEXT)...)."""
    if value is None:
        return ()
    filters = []
    for each in value if isinstance(value, list) else [value]:
        match each:
            case [str(kind), said] if kind in KINDS:
                filters.append((kind, text(said, "the text of a filter")))
            case _:
                raise RequestError(
                    f":filters must be a list of lists of {', '.join(KINDS)} and a text, received {value!r}; nothing "
                    "was done. Send one of these forms."
                )
    return tuple(filters)


def _whole_row(scheduler: Scheduler, process: Process) -> Plist:
    row = row_of(scheduler, process)
    return {
        "pid": pid_text(row.number),
        "name": row.name,
        "module": row.place.module,
        "version": row.place.version,
        "function": row.place.function,
        "line": row.place.line,
        "status": row.status,
        "messages": row.messages,
        "reductions": process.reductions,
        "links": [repr(other.pid) for other in process.links or ()],
    }


def _row(row: Row) -> list[object]:
    place = row.place
    return [
        pid_text(row.number),
        row.name,
        place.module,
        place.version,
        place.function,
        place.line,
        row.status,
        row.messages,
        row.links,
        None if row.link is None else pid_text(row.link),
        place.behaviour,
        [[module, version] for module, version in place.others],
    ]


def _node(node: Node) -> Plist:
    child = node.child
    about: Plist = {} if child is None else {
        "id": child.id, "restart": child.restart, "type": child.type, "state": child.state
    }  # fmt: skip
    return {
        "depth": node.depth,
        "row": None if node.row is None else _row(node.row),
        "strategy": node.strategy,
        "is_child": child is not None,
        **about,
    }
