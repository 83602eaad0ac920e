"""The command line: arguments in, text or JSON out. It decides nothing; the server and the application do.

Exit codes: 0 done, 1 refused or failed (the reason is on stderr), 2 wrong arguments, 130 broken off.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from midflight import code
from midflight.app import serve, start_detached
from midflight.editors import examine, run_shell
from midflight.epc import Client, Place, find_root
from midflight.errors import MidflightError, ProcessExit, RequestError
from midflight.program import function_of

__all__ = ["main"]

_STOP_SECONDS = 15.0
_AROUND_A_PROGRAM = ("midflight", "asyncio", "__main__")  # whose frames say nothing of it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (MidflightError, TimeoutError) as error:
        print(f"midflight: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


# --- Servers ------------------------------------------------------------------------------------------


def _serve(options: argparse.Namespace) -> int:
    root = _root(options)
    if options.detach:
        print(start_detached(root, port=options.port).port)
        return 0
    _make_importable(root)
    _log_to_stderr()
    serve(root, lambda port: print(port, flush=True), port=options.port)
    return 0


def _run(options: argparse.Namespace) -> int:
    root = _root(options)
    _make_importable(root)
    function = function_of(options.target)

    def program() -> Any:
        return function(*options.arguments)

    try:
        serve(root, lambda _port: None, program=program)
    except ProcessExit as exit_:
        print(f"midflight: {options.target} ended with exit reason {exit_.reason!r}", file=sys.stderr)
        return 1
    except Exception as error:
        print(_traceback(error), end="", file=sys.stderr)
        return 1
    return 0


def _traceback(error: Exception) -> str:
    """Return the traceback of the program's own frames, with the files that people edit."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals["__name__"].partition(".")[0] in _AROUND_A_PROGRAM:
        trace = trace.tb_next
    return code.readable("".join(traceback.format_exception(error.with_traceback(trace))))


def _shell(options: argparse.Namespace) -> int:
    place = Place(_root(options))
    is_own = place.running() is None
    if is_own:
        start_detached(place.root)
        print("No server ran for this project; this shell starts one, which ends with it.", file=sys.stderr)
    try:
        name = "midflight shell"
        return run_shell(lambda handlers, on_lost: Client.attach(place.root, handlers, on_lost=on_lost, name=name))
    finally:
        if is_own and place.running() is not None:
            with Client.attach(place.root) as client:
                client.call("server/stop")


def _stop(options: argparse.Namespace) -> int:
    place = Place(_root(options))
    found, cookie = place.find()
    with Client(found.port, cookie) as client:
        client.call("server/stop")
    deadline = time.monotonic() + _STOP_SECONDS
    while (still := place.read()) is not None and still.pid == found.pid:
        if time.monotonic() > deadline:
            raise TimeoutError(
                f"The server (process id {found.pid}) was asked to end and has not within {_STOP_SECONDS:.0f} s; "
                f"see {place.log_path}, or end it with: kill {found.pid}"
            )
        time.sleep(0.02)
    return 0


# --- Requests to the running server -------------------------------------------------------------------


def _load(options: argparse.Namespace) -> int:
    paths = [os.path.abspath(file) for file in options.files]
    switches = _switches(options, "force", "two_versions", "move")
    if len(paths) == 1:
        return _show_load(options, _ask(options, "code/load", paths[0], None, switches, near=paths[0]))
    return _show_load(options, _ask(options, "code/load-many", paths, switches, near=paths[0]))


def _rollback(options: argparse.Namespace) -> int:
    switches = _switches(options, "force", "move")
    return _show_load(options, _ask(options, "code/rollback", options.module, options.version, switches))


def _switches(options: argparse.Namespace, *names: str) -> dict[str, bool] | None:
    return {name: True for name in names if getattr(options, name)} or None


def _upgrade(options: argparse.Namespace) -> int:
    is_file = options.module.endswith(".py") or os.sep in options.module
    module = os.path.abspath(options.module) if is_file else options.module
    chosen = {name: getattr(options, name) for name in ("force", "dry_run", "extra", "to", "timeout")}
    chosen = {name: value for name, value in chosen.items() if value is not None and value is not False}
    near = module if is_file else "."
    report = _ask(options, "code/upgrade", module, None, chosen or None, near=near)
    _show(options, report, lambda: report["text"])
    return 1 if report["status"] == "failed" else 0


def _move(options: argparse.Namespace) -> int:
    report = _ask(options, "code/move", options.module)
    _show(options, report, lambda: report["text"])
    return 1 if report["not_moved"] else 0


def _show_load(options: argparse.Namespace, report: dict[str, Any]) -> int:
    _show(options, report, lambda: report["text"])
    return 0 if report["status"] == "loaded" else 1


def _ps(options: argparse.Namespace) -> int:
    rows = _ask(options, "process/list") or []
    heading = ("PID", "NAME", "MODULE", "VERSION", "AT", "STATUS", "MESSAGES")

    def cells(row: dict[str, Any]) -> tuple[object, ...]:
        place = f"{row['function']}:{row['line']}"
        return (row["pid"], row["name"], row["module"], row["version"], place, row["status"], row["messages"])

    return _show(options, rows, lambda: _table(heading, map(cells, rows)))


def _versions(options: argparse.Namespace) -> int:
    if options.why is not None:
        said = _ask(options, "code/why-alive", options.module, options.why)
        return _show(options, said, lambda: str(said["text"]))
    rows = _ask(options, "code/versions", options.module) or []
    heading = ("VERSION", "VSN", "CURRENT", "PROCESSES")
    cells = [(row["version"], row["vsn"], "current" if row["current"] else None, row["processes"]) for row in rows]
    return _show(options, rows, lambda: _table(heading, cells))


def _diff(options: argparse.Namespace) -> int:
    text = _ask(options, "code/diff", options.module, options.a, options.b) or ""
    return _show(options, {"diff": text}, lambda: text)


def _purge(options: argparse.Namespace) -> int:
    if options.soft:
        is_gone = bool(_ask(options, "code/soft-purge", options.module))
        said = (
            "No old version is left." if is_gone else "Processes still run old versions, which stay; see midflight ps."
        )
        _show(options, {"purged": is_gone, "killed": []}, lambda: said)
        return 0 if is_gone else 1
    pids = _ask(options, "code/purge", options.module) or []
    killed = f"; killed {', '.join(pids)}" if pids else ""
    return _show(options, {"purged": True, "killed": pids}, lambda: f"No old version is left{killed}.")


def _send(options: argparse.Namespace) -> int:
    return _to_process(options, "process/send", options.expression)


def _exit(options: argparse.Namespace) -> int:
    return _to_process(options, "process/exit", options.reason)


def _to_process(options: argparse.Namespace, method: str, what: str) -> int:
    if not _ask(options, method, options.pid, what):
        raise RequestError(f"{options.pid} is not alive; nothing was sent. See midflight ps.")
    return 0


def _doctor(options: argparse.Namespace) -> int:
    findings = examine(_root(options))
    _show(options, findings, lambda: _table(("WHAT", "FOUND"), findings.items()))
    return 1 if findings["trouble"] else 0


# --- Helpers -------------------------------------------------------------------------------------------


def _root(options: argparse.Namespace, near: str = ".") -> Path:
    return Path(options.root).resolve() if options.root else find_root(near)


def _ask(options: argparse.Namespace, method: str, *arguments: object, near: str = ".") -> Any:
    with Client.attach(_root(options, near), name=f"midflight {options.run.__name__.strip('_')}") as client:
        return client.call(method, *arguments)


def _show(options: argparse.Namespace, data: object, text: Callable[[], str]) -> int:
    """Print `data` as JSON if asked for, else the text."""
    said = json.dumps(data, ensure_ascii=False, indent=2) if options.json else text()
    if said:
        print(said.rstrip("\n"))
    return 0


def _table(heading: Sequence[str], rows: Any) -> str:
    """Return `rows` under `heading` in columns; None is a dash."""
    lines = [tuple(heading), *(tuple("-" if cell is None else str(cell) for cell in row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _make_importable(root: Path) -> None:
    """Let modules in the root of the project be imported, before any of them was loaded."""
    if str(root) not in sys.path:
        sys.path.append(str(root))


def _log_to_stderr() -> None:
    """Show what the server logs, and leave the logging of the project's programs to them."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))
    log = logging.getLogger("midflight")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


# --- Arguments -----------------------------------------------------------------------------------------

_DESCRIPTION = """\
Hot code loading for Python: a server runs your processes, and loads new versions of their modules while they run
on. The commands find the server of a project by its root, the nearest folder upwards with a pyproject.toml, else
with a .git, else the current folder.
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="midflight", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"midflight {version('midflight')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, run: Callable[[argparse.Namespace], int], help: str, *, data: bool = False) -> Any:
        added = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
        added.set_defaults(run=run, json=False)
        added.add_argument("--root", metavar="DIR", help="the project's root, instead of looking for it")
        if data:
            added.add_argument("--json", action="store_true", help="print JSON")
        return added

    it = command("serve", _serve, "run the server of the project; the first line it prints is its port")
    it.add_argument("--detach", action="store_true", help="start it in the background and return when it answers")
    it.add_argument(
        "--port",
        type=_port,
        default=0,
        metavar="N",
        help="listen on this port of 127.0.0.1 (default: a free one)",
    )

    it = command("run", _run, "run a function as the first process, with a server around it, until it ends")
    it.add_argument("target", metavar="FILE_OR_MODULE:FUNCTION", help="for instance counter.py:start")
    it.add_argument("arguments", nargs="*", metavar="ARGUMENT", help="passed to the function, as strings")

    command("shell", _shell, "talk to the processes; a server is started for it if none runs")

    it = command("load", _load, "load files as new versions of their modules, all of them or none", data=True)
    it.add_argument("files", metavar="FILE", nargs="+")
    _add_load_switches(it)
    it.add_argument(
        "--two-versions",
        action="store_true",
        help="refuse it while processes run an older version than the current, as Erlang's limit has it",
    )

    it = command(
        "upgrade",
        _upgrade,
        "load a module and change the states of its live servers, all of them or nothing",
        data=True,
    )
    it.add_argument("module", metavar="MODULE_OR_FILE")
    it.add_argument("--extra", metavar="EXPR", help="what code_change gets as `extra`, in Python; default: None")
    it.add_argument("--dry-run", action="store_true", help="show what would become of each server; change nothing")
    it.add_argument(
        "--to", type=int, metavar="VERSION", help="load the text of that version again, states go down to it"
    )
    it.add_argument("--timeout", type=int, metavar="SECONDS", help="how long servers may be held (default: 4)")
    it.add_argument("--force", action="store_true", help="load it though a check refuses it")

    it = command(
        "move", _move, "move the idle processes of a module to its current version; exit 1 if some stay", data=True
    )
    it.add_argument("module", metavar="MODULE")

    command("ps", _ps, "list the processes: which version of which module each runs, and where", data=True)

    it = command("versions", _versions, "list the versions of a module and how many processes run each", data=True)
    it.add_argument("module", metavar="MODULE")
    it.add_argument("--why", type=int, metavar="VERSION", help="say instead what keeps that version in memory")

    it = command("diff", _diff, "show how two versions of a module differ", data=True)
    it.add_argument("module", metavar="MODULE")
    it.add_argument("a", type=int, metavar="A", help="number of a version")
    it.add_argument("b", type=int, metavar="B", help="number of another one")

    it = command("rollback", _rollback, "load an earlier version's text as a new version", data=True)
    it.add_argument("module", metavar="MODULE")
    it.add_argument("version", type=int, nargs="?", metavar="VERSION", help="default: the one before the current")
    _add_load_switches(it)

    it = command("purge", _purge, "drop a module's old versions and kill the processes that run them", data=True)
    it.add_argument("module", metavar="MODULE")
    it.add_argument("--soft", action="store_true", help="kill nobody; drop them only if nobody runs them")

    it = command("send", _send, "send a process a message")
    it.add_argument("pid", metavar="PID", help="a pid as ps shows it, or a registered name")
    it.add_argument(
        "expression", metavar="EXPRESSION", help="""the message in Python, for instance '("increment", 3)'"""
    )

    it = command("exit", _exit, "send a process an exit signal")
    it.add_argument("pid", metavar="PID", help="a pid as ps shows it, or a registered name")
    it.add_argument(
        "reason",
        nargs="?",
        default="shutdown",
        metavar="REASON",
        help="default: shutdown; kill ends it at once",
    )

    command("stop", _stop, "end the server of the project and all its processes")
    command("doctor", _doctor, "show what is installed, and what is known of the project's server", data=True)
    return parser


def _add_load_switches(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="load it though a check refuses it")
    parser.add_argument("--move", action="store_true", help="move the idle processes to it, as move does")


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{number} is no port, which are 0 to 65535")
    return number


if __name__ == "__main__":
    sys.exit(main())
