"""One project of one Neovim: the connections to its server, the requests to it, and its answers.

The life of a request: a method (Neovim's thread, never waits) -> the worker of its kind -> the connection, made or
a server started if need be -> the request -> its answer -> an event to show. Code and shell have a connection and a
worker each, since the server answers the requests of one connection in order: a load does not wait for an
evaluation. An evaluation does wait for the load that was asked for before it.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from midflight.editors.history import versions_in_memory
from midflight.editors.neovim.tables import process_table, task_table, version_table
from midflight.editors.taken import taken_text
from midflight.epc import ProjectFiles, RemoteServer
from midflight.errors import ConnectionLost, MidflightError, NoServer

__all__ = ["Editor", "Project"]

START_SECONDS = 30.0
COMMANDS = (".venv/bin/midflight", "venv/bin/midflight")  # the project's own, under its root


class Editor(Protocol):
    """The part of Neovim that a project needs. Called from the project's threads; each call returns when it is done."""

    def show(self, event: str, **values: object) -> None:
        """Show `event`; its values are of msgpack's types."""

    def may_start(self, root: str) -> bool:
        """Say whether a server may be started for the project `root`, asking the user if that is the policy."""


class Project:
    """The project whose root folder is `root`.

    Events: `loaded` (what code/load answers, and `buffer`), `shell` (a session was opened: `text`), `input` (a line
    that was evaluated by a command), `output` (`text`), `prompt` (`prompt`, and `text`, the value or traceback
    before it), `message` (`text`, `level` "info" or "error"), `crash`, `page` (`name`, `text`), `holders` (of functions
    of older versions: `buffer`, `module`, `text`).
    """

    def __init__(self, root: str, editor: Editor) -> None:
        self.root = root
        self._editor = editor
        self._code_worker = ThreadPoolExecutor(1, "midflight-code")
        self._shell_worker = ThreadPoolExecutor(1, "midflight-shell")
        self._lock = threading.Lock()  # of what follows
        self._clients: dict[str, RemoteServer] = {}
        self._is_leaving = False
        self._loading: Future[None] | None = None
        self._session: int | None = None  # of the shell's worker, with those below
        self._number = 1
        self._lines: list[str] = []
        self._is_open = threading.Event()  # the shell, and its first line is shown: what was missed comes behind it
        self._is_open.set()

    # --- What Neovim asks ---------------------------------------------------------------------------------

    def load(self, buffer: int, path: str, text: str, options: dict[str, object] | None = None) -> None:
        """Load `text` as the module of `path`."""
        self._loading = self._do(self._code_worker, self._load, buffer, path, text, options)

    def open_shell(self) -> None:
        """Open a shell session, if none is open."""
        self._do(self._shell_worker, self._require_session)

    def type(self, line: str) -> None:
        """Evaluate `line`, typed at the prompt; the lines of an incomplete input before it belong to it."""
        self._do(self._shell_worker, self._type, self._loading, line)

    def evaluate(self, text: str) -> None:
        """Evaluate `text`, one or more whole statements, and show it as if it were typed."""
        self._do(self._shell_worker, self._evaluate, self._loading, text)

    def interrupt(self) -> None:
        """Break off the load that runs, else the evaluation."""
        self._do_aside(self._interrupt)

    def list_processes(self) -> None:
        """Show a page with all processes."""
        self._do(self._code_worker, self._list_processes)

    def exit(self, pid: str, reason: str) -> None:
        """Send the process `pid` (a pid or a name) an exit signal, and show the outcome."""
        self._do_aside(self._exit, pid, reason)

    def list_versions(self, module: str) -> None:
        """Show a page with the versions of `module`."""
        self._do(self._code_worker, self._list_versions, module)

    def forward(self, module: str) -> None:
        """Make functions of older versions of `module` that others hold the current ones, and show the outcome."""
        self._do_aside(self._forward, module)

    def recover(self, module: str, name: str) -> None:
        """Bring back the value of the variable `name` of `module` that a load left behind."""
        self._do_aside(self._recover, module, name)

    def leave(self, stop_server: bool) -> None:
        """End the connections; `stop_server` ends the server first."""
        self._do_aside(self._leave, stop_server)

    def close(self) -> None:
        """End the connections now and tell nobody: Neovim is gone."""
        self._is_leaving = True
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            client.close()
        for worker in (self._code_worker, self._shell_worker):
            worker.shutdown(wait=False, cancel_futures=True)

    def _do(self, worker: ThreadPoolExecutor, function: Callable[..., object], *args: Any) -> Future[None]:
        return worker.submit(self._report, function, *args)

    def _do_aside(self, function: Callable[..., object], *args: Any) -> None:
        """Run a command that must not wait for a load or an evaluation that takes its time."""
        threading.Thread(target=self._report, args=(function, *args), daemon=True).start()

    def _report(self, function: Callable[..., object], *args: Any) -> None:
        """Call `function`; show its error if it raises one."""
        try:
            function(*args)
        except (MidflightError, TimeoutError, OSError) as error:
            if not self._is_leaving:
                self._editor.show("message", level="error", text=str(error))

    # --- Connections ----------------------------------------------------------------------------------------

    def _client(self, kind: str) -> RemoteServer:
        """Return the connection for `kind`, "code" or "shell"; make it, start a server if none runs.

        Raises: NoServer if none runs and none may be started; what starting and connecting raises.
        """
        with self._lock:
            if kind in self._clients:
                return self._clients[kind]
            self._is_leaving = False
            client = self._clients[kind] = self._attach(kind)
            if kind == "code":
                client.call("shell/open")  # never asked: what a module prints while it is loaded needs a place
            return client

    def _attach(self, kind: str) -> RemoteServer:
        place = ProjectFiles(self.root)
        if place.running() is not None:
            try:
                return self._connect(kind)
            except (ConnectionLost, NoServer):
                if place.running() is not None:
                    raise
                # else it was ending, and its port open for an instant longer than its connections
        if not self._editor.may_start(self.root):
            raise NoServer(self.root)
        start_server(self.root)
        self._editor.show("message", level="info", text=f"Midflight: started a server for {self.root}")
        return self._connect(kind)

    def _connect(self, kind: str) -> RemoteServer:
        made: list[RemoteServer] = []
        handlers = self._handlers(kind)
        made.append(RemoteServer.attach(self.root, handlers, on_lost=lambda: self._lost(kind, made), name="Neovim"))
        return made[0]

    def _handlers(self, kind: str) -> dict[str, Callable[..., object]]:
        if kind == "code":
            return {
                "shell/output": self._output,
                "code/loaded": self._loaded_elsewhere,
                "code/refused": self._refused_elsewhere,
                "code/progress": self._show_progress,
                "code/stale": self._show_stale,
                "process/crashed": self._crashed,
                "process/stuck": self._crashed,
            }
        return {
            "shell/output": self._output,
            "code/loaded": _ignore,
            "code/refused": _ignore,
            "code/stale": _ignore,
            "process/crashed": _ignore,
            "process/stuck": _ignore,
        }

    def _lost(self, kind: str, made: list[RemoteServer]) -> None:
        """Take in that the connection in `made` has ended; it is empty if it never came to be one."""
        with self._lock:
            if not made or self._clients.get(kind) is not made[0]:
                return  # closed by us, or the other one told already; a new one may be there by now
            del self._clients[kind]
            others, self._clients = list(self._clients.values()), {}
        for other in others:
            other.close()
        if not self._is_leaving:
            self._session = None
            self._lines = []
            text = f"Midflight: the server of {self.root} has ended, and its processes. :MidflightLoad starts another"
            self._editor.show("message", level="error", text=text)
            text = "The server has ended, and its processes with their state. The next input starts another.\n"
            self._editor.show("prompt", text=text, prompt="")

    # --- Code -----------------------------------------------------------------------------------------------

    def _load(self, buffer: int, path: str, text: str, options: dict[str, object] | None) -> None:
        answer = self._client("code").call("code/load", path, text, options, timeout_seconds=None)
        self._editor.show("loaded", buffer=buffer, **answer)
        if answer["held"] and answer["status"] == "loaded":
            self._do_aside(self._show_holders, buffer, answer["module"])

    def _show_holders(self, buffer: int, module: str) -> None:
        """Add to the report of the buffer who holds functions of older versions, when the search is done."""
        found = self._client("code").call("code/holders", module, timeout_seconds=None)
        if found["holders"]:
            self._editor.show("holders", buffer=buffer, module=module, text=found["text"])

    def _forward(self, module: str) -> None:
        found = self._client("code").call("code/forward", module)
        self._editor.show("message", level="info", text=found["summary"])

    def _recover(self, module: str, name: str) -> None:
        found = self._client("code").call("code/recover", module, name)
        self._editor.show("message", level="info", text=f"Midflight: {module}.{name} is {found['value']} again")

    def _loaded_elsewhere(self, answer: dict[str, Any]) -> None:
        text = f"{answer['summary']} (by {answer.get('by') or 'another editor'})"
        self._editor.show("message", level="info", text=text)

    def _refused_elsewhere(self, answer: dict[str, Any]) -> None:
        text = f"{answer['summary']} (by {answer.get('by')})"
        self._editor.show("message", level="error", text=text)

    def _show_progress(self, load: dict[str, Any]) -> None:
        text = f"Midflight: {load['text']}; :MidflightInterrupt breaks it off"
        self._editor.show("message", level="info", text=text)

    def _show_stale(self, call: dict[str, Any]) -> None:
        self._editor.show("message", level="warn", text=f"Midflight: {call['text']}")

    def _crashed(self, crash: dict[str, Any]) -> None:
        self._editor.show("crash", text=crash["text"])

    def _list_processes(self) -> None:
        rows = self._client("code").call("process/list") or []
        tasks = task_table(self._client("code").call("task/list")["tasks"] or [])
        self._editor.show("page", name="processes", text=process_table(rows) + (f"\n{tasks}" if tasks else ""))

    def _exit(self, pid: str, reason: str) -> None:
        answer = self._client("code").call("process/exit", pid, reason)
        is_heard = answer is True  # a text says what keeps it from taking the signal
        said = f"exit signal sent to {pid}" if is_heard else answer or f"{pid} was dead already"
        self._editor.show("message", level="info" if is_heard else "warn", text=f"Midflight: {said}")

    def _list_versions(self, module: str) -> None:
        rows = versions_in_memory(self._client("code").call("code/history", module))
        self._editor.show("page", name=f"versions of {module}", text=version_table(module, rows))

    # --- The shell ------------------------------------------------------------------------------------------

    def _require_session(self) -> RemoteServer:
        self._client("code")  # what others load and what crashes is told there
        client = self._client("shell")
        if self._session is None:
            self._is_open.clear()
            try:
                opened = client.call("shell/open", {"keep": True, "take": True})
                self._session, self._number = opened["session"], opened["number"]
                self._lines = []
                said = (
                    taken_text(opened) if opened.get("resumed") else f"{opened['banner']}. help() says what there is."
                )
                self._editor.show("shell", text=f"{said}\n")
            finally:
                self._is_open.set()
            self._show_missed(client, opened)
            self._editor.show("prompt", text="", prompt=self._prompt())
        return client

    def _show_missed(self, client: RemoteServer, opened: dict[str, Any]) -> None:
        """Show the answers of a shell that was taken up; wait for its evaluation."""
        answers = opened.get("answers") or []
        if opened.get("busy"):
            self._editor.show("busy")
            answers = answers + (client.call("shell/wait", self._session, timeout_seconds=None) or [])
        for answer in answers:
            self._number = answer["number"]
            self._editor.show("output", text=_shown(answer))

    def _prompt(self) -> str:
        return f"{self._number}> " if not self._lines else f"{'...':>{len(str(self._number)) + 1}} "

    def _type(self, loading: Future[None] | None, line: str) -> None:
        client = self._require_session()
        self._lines.append(line)
        self._ask(client, loading, "\n".join(self._lines))

    def _evaluate(self, loading: Future[None] | None, text: str) -> None:
        client = self._require_session()
        self._lines = []
        self._editor.show("input", text=text)
        self._ask(client, loading, text.rstrip("\n") + "\n")  # a newline at the end: nothing more will be typed

    def _ask(self, client: RemoteServer, loading: Future[None] | None, text: str) -> None:
        if loading is not None:
            loading.result()
        self._editor.show("busy")
        try:
            answer = client.call("shell/eval", self._session, text, timeout_seconds=None)
        except ConnectionLost:
            return  # said already, by what lost it
        except MidflightError:
            self._lines = []
            self._editor.show("prompt", text="", prompt=self._prompt())
            raise
        self._number = answer["number"]
        if answer["status"] != "incomplete":
            self._lines = []
        self._editor.show("prompt", text=_shown(answer), prompt=self._prompt(), failed=answer["error"] is not None)

    def _output(self, _session: int, text: str) -> None:
        self._is_open.wait()
        self._editor.show("output", text=text)

    def _interrupt(self) -> None:
        with self._lock:
            client, loading = self._clients.get("shell"), self._clients.get("code")
        if loading is not None and loading.call("code/interrupt", None):
            return
        if client is None or self._session is None or not client.call("interrupt", self._session):
            self._editor.show(
                "message", level="info", text="Midflight: no load and no evaluation runs; nothing was interrupted"
            )

    def _leave(self, stop_server: bool) -> None:
        text = f"Midflight: disconnected from {self.root}; its server and processes run on"
        if stop_server:
            if ProjectFiles(self.root).running() is None:
                raise NoServer(self.root)
            self._client("code").call("server/stop")
            text = f"Midflight: the server of {self.root} ends"
        self._is_leaving = True
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            client.close()
        self._session = None
        self._lines = []
        self._editor.show("prompt", text="Disconnected.\n", prompt="")
        self._editor.show("message", level="info", text=text)


def _shown(answer: dict[str, Any]) -> str:
    """Return the text to show for an evaluated input."""
    return str(answer["error"] or (answer["value"] and f"{answer['value']}\n") or "")


def _ignore(*_: object) -> None:
    """Ignore an event of the other connection."""


def start_server(root: str) -> None:
    """Start a server of the project `root` that outlives the editor; return when it answers.

    Raises: ConnectionLost, with what the command said, if it does not start.
    """
    own = next((str(Path(root) / each) for each in COMMANDS if (Path(root) / each).is_file()), None)
    command = [own] if own is not None else [sys.executable, "-P", "-m", "midflight.cli"]
    done = subprocess.run(
        [*command, "serve", "--detach", "--root", root],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise ConnectionLost(
            f"No server could be started for {root}; nothing was sent. {' '.join(command)} says: {done.stderr.strip()}"
        )
