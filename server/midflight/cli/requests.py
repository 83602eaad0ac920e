"""The commands that ask the running server: one request each, and its answer as text or JSON."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from midflight.cli.choices import EXIT_CODES
from midflight.cli.ending import error_of
from midflight.cli.everywhere import load_everywhere
from midflight.cli.show import ask, ask_for_load, root_of, show, table
from midflight.cli.tasks import task_table
from midflight.cli.wording import in_options
from midflight.epc import RemoteServer, ServerFile, running_servers
from midflight.errors import NoServer, NotFound, RequestError, RequestTimeout

__all__ = [
    "call",
    "diff",
    "exit",
    "forward",
    "load",
    "move",
    "ps",
    "purge",
    "recover",
    "rollback",
    "send",
    "upgrade",
    "versions",
]


CALL_SECONDS = 5.0  # as in OTP
LATER_SECONDS = 10.0  # for the server to say that there is no answer


def load(options: argparse.Namespace) -> int:
    if options.all:
        return load_everywhere(options)
    paths = [os.path.abspath(file) for file in options.files]
    for path in paths:
        if not os.path.exists(path):
            raise NotFound(f"{path} does not exist; nothing was loaded. Check the name.")
    switches = _switches(options, "force", "two_versions", "move", "forward")
    is_one = len(paths) == 1 and not os.path.isdir(paths[0])
    if (options.thread and not is_one) or (options.fresh and options.modified):
        raise RequestError("--thread is for one file, and --fresh for files; nothing was loaded. Name the file.")
    special = {name: value for name in ("fresh", "thread") if (value := getattr(options, name))}
    if options.modified:
        return _show_load(options, ask_for_load(options, "code/load-modified", switches))
    given = {**(switches or {}), **special} or None
    if is_one:
        return _show_load(options, ask_for_load(options, "code/load", paths[0], None, given, near=paths[0]))
    paths = [path + os.sep if os.path.isdir(path) else path for path in paths]
    return _show_load(options, ask_for_load(options, "code/load-many", paths, given, near=paths[0]))


def rollback(options: argparse.Namespace) -> int:
    switches = _switches(options, "force", "move")
    return _show_load(options, ask_for_load(options, "code/rollback", options.module, options.version, switches))


def _switches(options: argparse.Namespace, *names: str) -> dict[str, bool] | None:
    return {name: True for name in names if getattr(options, name)} or None


def upgrade(options: argparse.Namespace) -> int:
    modules = [os.path.abspath(each) if _is_file(each) else each for each in options.modules]
    chosen = {name: getattr(options, name) for name in ("force", "dry_run", "extra", "to", "timeout")}
    chosen = {name: value for name, value in chosen.items() if value is not None and value is not False}
    near = next((each for each in modules if os.path.isabs(each)), ".")
    if len(modules) == 1:
        report = ask_for_load(options, "code/upgrade", modules[0], None, chosen or None, near=near)
    elif "to" in chosen:
        raise RequestError("--to takes one module back, not several; nothing was done. Upgrade each alone.")
    else:
        report = ask_for_load(options, "code/upgrade-many", modules, chosen or None, near=near)
    return _show_load(options, report)


def _is_file(module: str) -> bool:
    return module.endswith(".py") or os.sep in module


def move(options: argparse.Namespace) -> int:
    report = ask(options, "code/move", options.module)
    show(options, report, lambda: report["text"])
    return 1 if report["not_moved"] else 0


def _show_load(options: argparse.Namespace, report: dict[str, Any]) -> int:
    if report["status"] != "failed":
        return show(
            options, report, lambda: "\n".join([in_options(report["text"]).rstrip("\n"), *_holders_lines(report)])
        )
    error = error_of("broken-off" if options.is_broken_off else "refused", in_options(report["summary"]))
    if options.json:
        show(options, {**report, "error": error}, str)
    else:
        print(in_options(report["text"]).rstrip("\n"), file=sys.stderr)
    return EXIT_CODES[str(error["kind"])]


def _holders_lines(report: dict[str, Any]) -> list[str]:
    """Return the lines on who holds functions of older versions, with what makes those current."""
    lines = []
    for each in report.get("reports") or [report]:
        if "holders" not in each:
            continue
        found = each["holders"]
        said = ["Not known yet: the search goes on. --holders SECONDS waits longer."]
        if found is not None:
            said = found["text"].splitlines() or ["Nobody: they have let go of them."]
        lines += ["", f"Who holds functions of older versions of {each['module']}", *(f"  {line}" for line in said)]
        if found is None or found["holders"]:
            lines.append(f"  To have them call the current version: midflight forward {each['module']}")
    return lines


def forward(options: argparse.Namespace) -> int:
    report = ask(options, "code/forward", options.module)
    left = [f"  {each['name']}, v{each['version']}: {each['reason']}" for each in report["not_forwarded"] or []]
    show(options, report, lambda: "\n".join([report["summary"], *left]))
    return 1 if left else 0


def recover(options: argparse.Namespace) -> int:
    found = ask(options, "code/recover", options.module, options.name)
    return show(options, found, lambda: f"{options.module}.{options.name} is {found['value']} again.")


def ps(options: argparse.Namespace) -> int:
    heading: tuple[str, ...] = ("PID", "NAME", "MODULE", "VERSION", "AT", "STATUS", "MESSAGES")
    if options.all:
        heading = ("SERVER", *heading)
        rows = [{"server": server.name} | row for server in _all_servers(options) for row in _processes_of(server)]
    else:
        rows = ask(options, "process/list") or []

    def cells(row: dict[str, Any]) -> tuple[object, ...]:
        place = f"{row['function']}:{row['line']}"
        own = (row["pid"], row["name"], row["module"], row["version"], place, row["status"], row["messages"])
        return (row["server"], *own) if options.all else own

    def text() -> str:
        processes = table(heading, map(cells, rows))
        tasks = "" if options.all else task_table(ask(options, "task/list"))
        return f"{processes}\n\n{tasks}" if tasks else processes

    return show(options, rows, text)


def _all_servers(options: argparse.Namespace) -> list[ServerFile]:
    if options.server is not None:
        raise RequestError("--all is for all servers of the project, and --server for one; nothing was done. Give one.")
    root = root_of(options)
    found = running_servers(root)
    if not found:
        raise NoServer(str(root))
    return found


def _processes_of(server: ServerFile) -> list[dict[str, Any]]:
    with RemoteServer.to(server, name="midflight ps") as client:
        return client.call("process/list") or []


def versions(options: argparse.Namespace) -> int:
    if options.why is not None:
        said = ask(options, "code/why-alive", options.module, options.why)
        return show(options, said, lambda: str(said["text"]))
    rows = ask(options, "code/history", options.module)["versions"]
    heading = ("VERSION", "VSN", "STATE", "PROCESSES")
    cells = [(row["version"], row["vsn"], _state_of(row), row["processes"]) for row in rows]
    return show(options, rows, lambda: table(heading, cells))


def _state_of(version: dict[str, Any]) -> str:
    """Return what there is of a version: of a kept one only its text, which a rollback takes."""
    if version["current"]:
        return "current"
    return "runs" if version["processes"] else "kept" if version["text"] else "no text"


def diff(options: argparse.Namespace) -> int:
    text = ask(options, "code/diff", options.module, options.a, options.b) or ""
    return show(options, {"diff": text}, lambda: text)


def purge(options: argparse.Namespace) -> int:
    if options.soft:
        is_gone = bool(ask(options, "code/soft-purge", options.module))
        said = (
            "No old version is left." if is_gone else "Processes still run old versions, which stay; see midflight ps."
        )
        show(options, {"purged": is_gone, "killed": []}, lambda: said)
        return 0 if is_gone else 1
    pids = ask(options, "code/purge", options.module) or []
    killed = f"; killed {', '.join(pids)}" if pids else ""
    return show(options, {"purged": True, "killed": pids}, lambda: f"No old version is left{killed}.")


def send(options: argparse.Namespace) -> int:
    return _to_process(options, "process/send", options.expression)


def call(options: argparse.Namespace) -> int:
    seconds = options.timeout or CALL_SECONDS
    with RemoteServer.attach(root_of(options), name="midflight call", server=options.server) as client:
        patience = seconds + LATER_SECONDS
        answer = client.call("process/call", options.pid, options.expression, seconds, timeout_seconds=patience)
    return show(options, {"answer": answer}, lambda: str(answer))


def exit(options: argparse.Namespace) -> int:
    return _to_process(options, "process/exit", options.reason)


def _to_process(options: argparse.Namespace, method: str, what: str) -> int:
    answer = ask(options, method, options.pid, what)
    if not answer:
        raise NotFound(f"{options.pid} is not alive; nothing was sent. See midflight ps.")
    if isinstance(answer, str):  # what keeps it from taking the signal
        raise RequestTimeout(answer)
    return 0
