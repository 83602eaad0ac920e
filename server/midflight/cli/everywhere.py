"""`midflight load --all`: the same load in all servers of a project, or in none.

Each server prepares it: bodies are run, all is checked, nothing has changed. If every one is ready, each is told to
commit; else each is told to let go. A server that ends between the two, or refuses at its last checks, cannot take back
what the others have committed: the outcome says what stands where, and how those go back.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from midflight.cli.choices import EXIT_CODES
from midflight.cli.show import root_of, show
from midflight.cli.wording import in_options
from midflight.epc import RemoteServer, ServerFile, running_servers
from midflight.errors import ConnectionLost, NoServer, RemoteError, RequestError

__all__ = ["Everywhere", "in_part", "load_everywhere"]

Answer = dict[str, Any]


class Everywhere:
    """One load in several servers. Use as a context manager: leaving it closes the connections."""

    def __init__(self, servers: Sequence[ServerFile]) -> None:
        self._clients: dict[str, RemoteServer] = {}
        try:
            for server in servers:
                self._clients[server.name] = RemoteServer.to(server, name="midflight load --all")
        except BaseException:
            self._close()
            raise

    def prepare(self, paths: Sequence[str], switches: Mapping[str, bool] | None) -> dict[str, Answer]:
        """Have each server prepare; return its answer by the server's name. If one is not "prepared", none is."""
        answers = self._ask(lambda _, client: client.submit("code/prepare-many", list(paths), switches))
        if any(each["status"] != "prepared" for each in answers.values()):
            self._let_go(answers)
        self._prepared = answers
        return answers

    def commit(self) -> dict[str, Answer]:
        """Have each server commit what it has prepared; return its answer. "lost" is one that has ended."""
        return self._ask(lambda name, client: client.submit("code/commit-prepared", self._prepared[name]["load"]))

    def _let_go(self, answers: Mapping[str, Answer]) -> None:
        ready = {name: each["load"] for name, each in answers.items() if each["status"] == "prepared"}
        for name, number in ready.items():
            try:
                self._clients[name].call("code/interrupt", number)
            except (ConnectionLost, RemoteError):
                pass  # it has let go of it: its client is gone, or it is

    def _ask(self, ask: Callable[[str, RemoteServer], Future[Any]]) -> dict[str, Answer]:
        """Ask all at the same time; wait for every answer."""
        asked: dict[str, Future[Any] | Exception] = {}
        for name, client in self._clients.items():
            try:
                asked[name] = ask(name, client)
            except (ConnectionLost, RemoteError) as error:
                asked[name] = error
        return {name: _answer(each) for name, each in asked.items()}

    def _close(self) -> None:
        for client in self._clients.values():
            client.close()

    def __enter__(self) -> Everywhere:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()


def _answer(asked: Future[Any] | Exception) -> Answer:
    try:
        if isinstance(asked, Exception):
            raise asked
        answer: Answer = asked.result()
        return answer
    except ConnectionLost as error:
        return {"status": "lost", "summary": str(error), "text": str(error)}
    except RemoteError as error:
        return {"status": "failed", "summary": str(error), "text": str(error)}


def load_everywhere(options: argparse.Namespace) -> int:
    """Load the files of the command line in all servers; say of each what became of it."""
    if options.server is not None or options.modified or options.fresh or options.thread or not options.files:
        raise RequestError(
            "--all is for files, and for all servers: --server, --modified, --fresh and --thread are not; "
            "nothing was loaded. Leave those out."
        )
    paths = [os.path.abspath(each) + (os.sep if os.path.isdir(each) else "") for each in options.files]
    switches = {name: True for name in ("force", "two_versions", "move", "forward") if getattr(options, name)}
    root = root_of(options, paths[0])
    servers = running_servers(root)
    if not servers:
        raise NoServer(str(root))
    with Everywhere(servers) as everywhere:
        answers = everywhere.prepare(paths, switches or None)
        is_ready = all(each["status"] == "prepared" for each in answers.values())
        if is_ready:
            answers = everywhere.commit()
    return _show(options, answers, is_ready=is_ready)


def in_part(answers: Mapping[str, Answer]) -> str:
    """Say what stands where, of a load that some servers have committed and others have not."""
    there: list[str] = []
    gone: list[str] = []
    left: list[str] = []
    back: list[str] = []
    for name, answer in answers.items():
        if answer["status"] == "loaded":
            reports = answer["reports"] or [answer]
            versions = ", ".join(f"{each['module']} v{each['version']}" for each in reports)
            there.append(f"{name} ({versions})")
            back += [f"midflight rollback {each['module']} --server {name}" for each in reports]
        else:
            (gone if answer["status"] == "lost" else left).append(name)
    parts = ["Not in all servers."]
    if there:
        parts.append(f"Loaded in {', '.join(there)}.")
    if left:
        parts.append(f"In {', '.join(left)} all is as it was before.")
    if gone:
        parts.append(
            f"{', '.join(gone)} ended, and whether it had loaded is not known; started again, it imports the files."
        )
    if there:
        parts.append(f"Load again, or go back: {'; '.join(back)}.")
    return " ".join(parts)


def _show(options: argparse.Namespace, answers: Mapping[str, Answer], *, is_ready: bool) -> int:
    faulty = [name for name, each in answers.items() if each["status"] not in ("loaded", "prepared")]
    status = "refused" if not is_ready else "in-part" if faulty else "loaded"
    rows = [{"server": name} | answer for name, answer in answers.items()]
    if not is_ready:
        last = f"Nothing was loaded, in none of the {len(rows)} servers: {', '.join(faulty)} did not take it."
    elif faulty:
        last = in_part(answers)
    else:
        last = f"Loaded in {len(rows)} servers."

    def text() -> str:
        shown = [row for row in rows if is_ready or row["server"] in faulty]
        return "\n".join([*(f"{row['server']}: {in_options(row['summary'])}" for row in shown), last])

    code = 0 if status == "loaded" else EXIT_CODES["refused" if status == "refused" else "failed"]
    if options.json or not code:
        show(options, {"status": status, "servers": rows}, text)
    else:
        print(text(), file=sys.stderr)
    return code
