"""The commands that look at processes: ps, tree, state."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from midflight.cli.show import ask, attach, root_of, show, table
from midflight.cli.tasks import task_table
from midflight.epc import RemoteServer, ServerFile, running_servers
from midflight.errors import NoServer, NotFound, RequestError

__all__ = ["frame_lines", "ps", "state", "tree"]

SHOWN = 1000
"""The rows that are shown as text unless --limit says otherwise."""

ROW = (
    "pid",
    "name",
    "module",
    "version",
    "function",
    "line",
    "status",
    "messages",
    "links",
    "link",
    "behaviour",
    "others",
)
HEADING = ("PID", "NAME", "MODULE", "VERSION", "AT", "STATUS", "MESSAGES")


def ps(options: argparse.Namespace) -> int:
    """List processes, those that the options choose."""
    most = options.limit if options.limit is not None or options.json else SHOWN
    heading: tuple[str, ...] = HEADING
    rows: list[dict[str, Any]] = []
    left = 0
    tasks = ""
    holders: list[str] = []
    if options.all and options.connect:
        raise RequestError("--all is for the servers here, and --connect for one elsewhere; nothing was asked.")
    if options.all:
        heading = ("SERVER", *heading)
        for server in _all_servers(options):
            with RemoteServer.to(server, name="midflight ps") as client:
                found, more = _rows(client, options, most)
                holders += _holder(client)
            rows += [{"server": server.name} | row for row in found]
            left += more
    else:
        with attach(options) as client:
            rows, left = _rows(client, options, most)
            holders = _holder(client)
            tasks = "" if options.json else task_table(client.call("task/list"))

    def cells(row: dict[str, Any]) -> tuple[object, ...]:
        place = f"{row['function']}:{row['line']}"
        own = (row["pid"], row["name"], row["module"], row["version"], place, row["status"], row["messages"])
        return (row["server"], *own) if options.all else own

    show(options, rows, lambda: "\n\n".join(filter(None, [*holders, table(heading, map(cells, rows)), tasks])))
    if left and not options.json:
        sys.stdout.flush()
        print(f"{left:,} more; --limit 0 shows all, and --module, --name and --text choose some.", file=sys.stderr)
    return 0


def _holder(client: RemoteServer) -> list[str]:
    """Return what all processes stand for, in a list with one sentence or none."""
    found = client.call("process/holder")
    return [] if found is None else [found["text"]]


def _rows(client: RemoteServer, options: argparse.Namespace, most: int | None) -> tuple[list[dict[str, Any]], int]:
    """Return the processes that the options choose, `most` of them, 0 and None for all; and how many more there are."""
    filters = [[kind, text] for kind in ("module", "name", "text") for text in getattr(options, kind) or ()]
    known: dict[str, Any] = {"filters": filters or None, "sort": [options.sort, options.reverse]}
    known |= {"old": "only" if options.old else None, "limit": most or None}
    rows = []
    while True:
        answer = client.call("process/changes", known)
        rows += [dict(zip(ROW, row, strict=True)) for row in answer["rows"] or ()]
        if not answer["more"]:
            break
        known |= {"watch": answer["watch"], "stamp": answer["stamp"]}
    rows = _sorted(rows, options)
    matching = answer["matching"] if answer["matching"] is not None else answer["total"]
    return rows, max(matching - len(rows), 0)


def _sorted(rows: list[dict[str, Any]], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the rows in order: they come as they were looked at."""

    def key(row: dict[str, Any]) -> tuple[Any, ...]:
        value = f"{row['function']}:{row['line']}" if options.sort == "place" else row[options.sort]
        number = int(row["pid"].split(".")[1])
        return (value is None, number if options.sort == "pid" else value or 0 if value is not None else 0, number)

    return sorted(rows, key=key, reverse=options.reverse)


def _all_servers(options: argparse.Namespace) -> list[ServerFile]:
    if options.server is not None:
        raise RequestError("--all is for all servers of the project, and --server for one; nothing was done. Give one.")
    root = root_of(options)
    found = running_servers(root)
    if not found:
        raise NoServer(str(root))
    return found


def tree(options: argparse.Namespace) -> int:
    """Show the processes as a tree: each below the one that started it, and below supervisors their children."""
    found = ask(options, "process/tree")
    nodes = [node | {"row": node["row"] and dict(zip(ROW, node["row"], strict=True))} for node in found["nodes"] or ()]

    def text() -> str:
        left = [f"and {found['left']:,} more"] if found["left"] else []
        return "\n".join([*map(_line, nodes), *left]) or "No process runs."

    return show(options, {"nodes": nodes, "left": found["left"]}, text)


def _line(node: dict[str, Any]) -> str:
    row = node["row"]
    words: list[str] = [node["id"]] if node["is_child"] and node["id"] not in (None, row and row["name"]) else []
    if row is None:
        words.append(node["state"] or "stopped")
    else:
        version = "" if row["version"] is None else f" v{row['version']}"
        words += [row["pid"], row["name"] or "", f"{row['module']}{version} {row['function']}:{row['line']}"]
        if row["messages"]:
            words.append(f"{row['messages']} messages")
    words += [f"({node['strategy']})"] if node["strategy"] else []
    return "  " * int(node["depth"]) + " ".join(filter(None, words))


def state(options: argparse.Namespace) -> int:
    """Show the state of a process; of a server as text that can be edited and put back."""
    with attach(options) as client:
        if options.put is not None:
            return _put(options, client)
        view = client.call("process/view", options.pid)
        if view is None:
            raise NotFound(f"{options.pid} is not alive; its state went with it. See midflight crashes.")
        if view["state"] is not None:
            found = client.call("process/state", options.pid)
            return show(options, found, lambda: str(found["text"]))
    return show(options, view, lambda: "\n".join(frame_lines(view)))


def _put(options: argparse.Namespace, client: RemoteServer) -> int:
    text = sys.stdin.read() if options.put == "-" else Path(options.put).read_text("utf-8")
    base = client.call("process/state", options.pid)["text"]
    found = client.call("process/replace-state", options.pid, text, {"base": base})
    changed = ", ".join([*(found["changed"] or ()), *(f"{name} removed" for name in found["removed"] or ())])
    return show(options, found, lambda: f"{found['pid']}: {changed or 'nothing'} changed.")


def frame_lines(view: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a process that is not a server: its place and its local variables, innermost first."""
    for frame in reversed(view["frames"] or ()):
        if frame["ours"]:
            continue
        version = "" if frame["version"] is None else f" v{frame['version']}"
        yield f"{frame['module']}{version} {frame['function']}, line {frame['line']}: {frame['text'] or ''}".rstrip(
            ": "
        )
        yield from (f"  {name} = {value}" for name, value in frame["locals"] or ())
