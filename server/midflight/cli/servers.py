"""The commands that start and end servers: serve, run, shell, stop."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from pathlib import Path
from typing import Any

from midflight.app import NodePlace, start_detached
from midflight.app import serve as serve_project
from midflight.cli.show import ask, attach, root_of, show, table
from midflight.cli.watch import start_watching
from midflight.cluster import checked_endpoints, checked_node_name
from midflight.code.lowlevel import readable
from midflight.editors import clock_of, run_shell
from midflight.epc import MAIN, ProjectFiles, RemoteServer, ServerFile, running_servers
from midflight.errors import ConnectionLost, ProcessExit, RemoteError, RequestError
from midflight.program import function_of
from midflight.text import exception_text, trace_of

__all__ = ["list_servers", "restart", "run", "serve", "shell", "stop"]

_STOP_SECONDS = 15.0
_AROUND_A_PROGRAM = ("midflight", "asyncio", "__main__")  # whose frames say nothing of it


def serve(options: argparse.Namespace) -> int:
    root = root_of(options)
    if options.detach and options.watch:
        raise RequestError("--watch is for a server that stays here; nothing was started. Leave it: midflight watch.")
    if options.detach and options.require_start:
        raise RequestError("--require-start is for a server that stays here; nothing was started. Give one of them.")
    node = _node(options)
    if options.detach:
        print(start_detached(root, port=options.port, store=options.store, code=options.code, node=node).port)
        if sys.stderr.isatty():
            print(f"Its log is {ProjectFiles(root).log_path}; midflight log shows it.", file=sys.stderr)
        return 0
    _make_importable(root)
    _log_to_stderr()

    def announce(port: int) -> None:
        print(port, flush=True)
        if options.watch:
            start_watching(root)

    failures = serve_project(
        root,
        announce,
        port=options.port,
        store=options.store,
        code=options.code,
        requires_start=options.require_start,
        node=node,
    )
    return 1 if options.require_start and failures else 0


def _node(options: argparse.Namespace) -> NodePlace | None:
    """Return the node that the server is to be. Raises: ClusterError; RequestError."""
    if options.name is None:
        if options.listen or options.join:
            raise RequestError("--listen and --join are for a node; nothing was started. Give it a --name.")
        return None
    join = checked_endpoints("--join", options.join)
    return NodePlace(checked_node_name(options.name), tuple(checked_endpoints("--listen", options.listen)), tuple(join))


def run(options: argparse.Namespace) -> int:
    root = root_of(options)
    _make_importable(root)
    function = function_of(options.target)

    def program() -> Any:
        return function(*options.arguments)

    try:
        serve_project(root, lambda _port: start_watching(root) if options.watch else None, program=program)
    except ProcessExit as exit_:
        print(f"midflight: {options.target} ended with exit reason {exit_.reason!r}", file=sys.stderr)
        return 1
    except Exception as error:
        print(_traceback(error), end="", file=sys.stderr)
        return 1
    return 0


def _traceback(error: Exception) -> str:
    """Return the traceback of the program's own frames, with the files that people edit."""
    trace = trace_of(error)
    while trace is not None and trace.tb_frame.f_globals["__name__"].partition(".")[0] in _AROUND_A_PROGRAM:
        trace = trace.tb_next
    return readable(exception_text(BaseException.with_traceback(error, trace)))


def shell(options: argparse.Namespace) -> int:
    if options.connect:
        if options.list:
            return _list_shells(options)
        return run_shell(
            lambda handlers, on_lost: attach(options, handlers=handlers, on_lost=on_lost),
            options.take,
            options.expression,
        )
    place = ProjectFiles.chosen(root_of(options), options.server)
    if options.list:
        return _list_shells(options)
    if options.take is not None:
        place.find()  # a server that was started for it would have none to take
    is_own = options.server is None and place.running() is None
    if is_own:
        start_detached(place.root)
        if options.expression is None:
            print("No server ran for this project; this shell starts one, which ends with it.", file=sys.stderr)
    try:
        name = "midflight shell"
        return run_shell(
            lambda handlers, on_lost: RemoteServer.attach(
                place.root, handlers, on_lost=on_lost, name=name, server=place.name
            ),
            options.take,
            options.expression,
        )
    finally:
        if is_own and place.running() is not None:
            with RemoteServer.attach(place.root) as client:
                client.call("server/stop")


def _list_shells(options: argparse.Namespace) -> int:
    rows = ask(options, "shell/parked") or []
    heading = ("SHELL", "OF", "SINCE", "INPUTS", "BINDINGS", "STATE", "LAST INPUT")

    def cells(row: dict[str, Any]) -> tuple[object, ...]:
        states = [name for name in ("busy", "waiting") if row[name]]
        state = " ".join("evaluates" if name == "busy" else "has printed" for name in states) or None
        of = row["client"] if row["gone"] else f"{row['client']}, set aside"
        return (row["session"], of, clock_of(row["since"]), row["number"] - 1, row["bindings"], state, row["last"])

    return show(options, rows, lambda: table(heading, map(cells, rows)) if rows else "No shell waits to be taken up.")


def list_servers(options: argparse.Namespace) -> int:
    """Show the servers of the project, each with what it says of itself."""
    rows = []
    for server in running_servers(root_of(options)):
        row = {"name": server.name, "pid": server.pid, "port": server.port, "socket": server.socket}
        try:
            with RemoteServer.to(server, name="midflight servers") as client:
                info = client.call("server/info")
        except (ConnectionLost, RemoteError) as error:
            row |= {"processes": None, "connections": None, "trouble": str(error)}
        else:
            # This command is one of them.
            row |= {"processes": info["processes"], "connections": len(info["connections"]) - 1, "trouble": None}
        rows.append(row)
    heading = ("NAME", "PROCESS ID", "PORT", "PROCESSES", "CONNECTIONS", "TROUBLE")
    names = ("name", "pid", "port", "processes", "connections", "trouble")
    cells = [[row[name] for name in names] for row in rows]
    return show(options, rows, lambda: table(heading, cells) if rows else "No server runs for this project.")


def restart(options: argparse.Namespace) -> int:
    """End the server and start another one in the background; print its port."""
    place = ProjectFiles.chosen(root_of(options), options.server)
    found = place.find()
    if found.name != MAIN:
        raise RequestError(
            f"The server {found.name} belongs to a program, which alone can start it; nothing was ended. "
            "Restart that program."
        )
    _stop(place, found)
    print(start_detached(place.root).port)
    return 0


def stop(options: argparse.Namespace) -> int:
    if options.connect:
        ask(options, "server/stop")
        return 0
    place = ProjectFiles.chosen(root_of(options), options.server)
    _stop(place, place.find())
    return 0


def _stop(place: ProjectFiles, found: ServerFile) -> None:
    """End the server `found` and wait until it has. Raises: TimeoutError."""
    with RemoteServer.to(found) as client:
        client.call("server/stop")
    deadline = time.monotonic() + _STOP_SECONDS
    while (still := place.read()) is not None and still.pid == found.pid:
        if time.monotonic() > deadline:
            raise TimeoutError(
                f"The server (process id {found.pid}) was asked to end and has not within {_STOP_SECONDS:.0f} s; "
                f"see {place.log_path}, or end it with: kill {found.pid}"
            )
        time.sleep(0.02)


def _make_importable(root: Path) -> None:
    """Let modules in the root of the project be imported, before any of them was loaded."""
    if str(root) not in sys.path:
        sys.path.append(str(root))


def _log_to_stderr() -> None:
    """Show the server's log, and leave the logging of the project's programs to them."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))
    log = logging.getLogger("midflight")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
