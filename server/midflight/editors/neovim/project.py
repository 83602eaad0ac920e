"""One project of one Neovim: the connections to its server, the requests to it, and its answers.

The life of a request: a method (Neovim's thread, never waits) -> the worker of its kind -> the connection, made or
a server started if need be -> the request -> its answer -> an event to show. Code and shell have a connection and a
worker each, since the server answers the requests of one connection in order: a load does not wait for an
evaluation. An evaluation does wait for the load that was asked for before it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol

from midflight.editors.history import versions_in_memory
from midflight.editors.neovim.actions import Actions
from midflight.editors.neovim.connections import Connections
from midflight.editors.neovim.names import Names, completions
from midflight.editors.neovim.questions import Questions
from midflight.editors.neovim.stored import StoredActions
from midflight.editors.neovim.tables import process_table, task_table, version_table
from midflight.editors.taken import taken_text
from midflight.editors.traced import trace_line
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
    of older versions: `buffer`, `module`, `text`), `value` (of an expression in a buffer: `buffer`,
    `line`, `text`, `failed`), `traced` (`lines`, for the page of the trace); those of names.py, actions.py and
    questions.py.
    """

    def __init__(self, root: str, editor: Editor) -> None:
        self.root = root
        self._editor = editor
        self._connections = Connections(root, editor, self._handlers, self._lost)
        self._actions = Actions(partial(self._connections.client, "code"), editor)
        names = Names(partial(self._connections.client, "code"), editor)
        self._questions = Questions(editor, self._connections.client)
        stored = StoredActions(partial(self._connections.client, "code"), editor)
        self._requests = self._actions.requests() | stored.requests() | names.requests() | self._questions.requests()
        self._code_worker = ThreadPoolExecutor(1, "midflight-code")
        self._shell_worker = ThreadPoolExecutor(1, "midflight-shell")
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

    def evaluate_in(self, path: str, text: str, buffer: int, line: int) -> None:
        """Evaluate `text` with the names of the file's module; the value is shown behind the line of the buffer."""
        self._do(self._shell_worker, self._evaluate_in, self._loading, path, text, buffer, line)

    def define(self, buffer: int, path: str, text: str, line: int) -> None:
        """Load the definition around the line alone."""
        self._loading = self._do(self._code_worker, self._define, buffer, path, text, line)

    def request(self, name: str, values: dict[str, Any]) -> None:
        """Do what names.py, actions.py and questions.py have under that name; another name does nothing."""
        if name in self._requests:
            self._do_aside(partial(self._requests[name], **values))

    def complete(self, path: str, before: str) -> dict[str, Any]:
        """Return what completes the end of `before`, at once; nothing if no server is connected."""
        client = self._connections.open("code")
        return {"written": 0, "items": []} if client is None else completions(client, path, before)

    def interrupt(self) -> None:
        """Break off the load that runs, else the evaluation."""
        self._do_aside(self._interrupt)

    def list_processes(self) -> None:
        """Show a page with all processes."""
        self._do(self._code_worker, self._list_processes)

    def exit(self, pid: str, reason: str) -> None:
        """Send the process `pid` (a pid or a name) an exit signal, and show the outcome."""
        self._do_aside(self._exit, pid, reason)

    def go_on(self, pid: str | None) -> None:
        """Let go on what all processes wait for, `pid` if one is given, and show the outcome."""
        self._do_aside(self._go_on, pid)

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
        self._connections.close()
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
            if not self._connections.is_leaving:
                self._editor.show("message", level="error", text=str(error))

    # --- Connections ----------------------------------------------------------------------------------------

    def _handlers(self, kind: str) -> dict[str, Callable[..., object]]:
        asks = self._questions.handlers(kind)
        if kind == "code":
            return asks | {
                "shell/output": self._output,
                "code/loaded": self._loaded_elsewhere,
                "code/refused": self._refused_elsewhere,
                "code/progress": self._show_progress,
                "code/stale": self._show_stale,
                "process/crashed": self._crashed,
                "process/stuck": self._crashed,
                "store/trouble": self._store_trouble,
                "trace/events": self._traced,
            }
        return asks | {
            "shell/output": self._output,
            "code/loaded": _ignore,
            "code/refused": _ignore,
            "code/stale": _ignore,
            "process/crashed": _ignore,
            "process/stuck": _ignore,
            "store/trouble": _ignore,
        }

    def _lost(self) -> None:
        """Take in that the server has gone."""
        self._session = None
        self._lines = []
        self._actions.forget_trace()
        text = f"Midflight: the server of {self.root} has ended, and its processes. :MidflightLoad starts another"
        self._editor.show("message", level="error", text=text)
        text = "The server has ended, and its processes with their state. The next input starts another.\n"
        self._editor.show("prompt", text=text, prompt="")

    # --- Code -----------------------------------------------------------------------------------------------

    def _load(self, buffer: int, path: str, text: str, options: dict[str, object] | None) -> None:
        answer = self._connections.client("code").call("code/load", path, text, options, timeout_seconds=None)
        self._editor.show("loaded", buffer=buffer, **answer)
        if answer["held"] and answer["status"] == "loaded":
            self._do_aside(self._show_holders, buffer, answer["module"])

    def _define(self, buffer: int, path: str, text: str, line: int) -> None:
        answer = self._connections.client("code").call("code/define", path, text, line, None, timeout_seconds=None)
        self._editor.show("loaded", buffer=buffer, **answer)

    def _show_holders(self, buffer: int, module: str) -> None:
        """Add to the report of the buffer who holds functions of older versions, when the search is done."""
        found = self._connections.client("code").call("code/holders", module, timeout_seconds=None)
        if found["holders"]:
            self._editor.show("holders", buffer=buffer, module=module, text=found["text"])

    def _forward(self, module: str) -> None:
        found = self._connections.client("code").call("code/forward", module)
        self._editor.show("message", level="info", text=found["summary"])

    def _recover(self, module: str, name: str) -> None:
        found = self._connections.client("code").call("code/recover", module, name)
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

    def _store_trouble(self, trouble: dict[str, Any]) -> None:
        self._editor.show("message", level="error", text=trouble["text"])

    def _traced(self, _trace: int, events: list[dict[str, Any]] | None, dropped: int) -> None:
        lines = [trace_line(each) for each in events or ()]
        self._editor.show("traced", lines=[*lines, f"-- {dropped} events dropped"] if dropped else lines)

    def _list_processes(self) -> None:
        rows = self._connections.client("code").call("process/list") or []
        tasks = task_table(self._connections.client("code").call("task/list")["tasks"] or [])
        text = process_table(rows) + (f"\n{tasks}" if tasks else "")
        self._editor.show("page", name="processes", kind="processes", text=text)

    def _exit(self, pid: str, reason: str) -> None:
        answer = self._connections.client("code").call("process/exit", pid, reason)
        is_heard = answer is True  # a text says what keeps it from taking the signal
        said = f"exit signal sent to {pid}" if is_heard else answer or f"{pid} was dead already"
        self._editor.show("message", level="info" if is_heard else "warn", text=f"Midflight: {said}")

    def _go_on(self, pid: str | None) -> None:
        client = self._connections.client("code")
        holder = client.call("process/holder")
        if holder is None or not client.call("process/continue", pid):
            self._editor.show("message", level="warn", text="Midflight: nothing stands; all processes run")
        else:
            does = "finds the end of its input" if holder["kind"] == "line" else "goes on"
            self._editor.show("message", level="info", text=f"Midflight: {holder['pid'] or 'it'} {does}")

    def _list_versions(self, module: str) -> None:
        rows = versions_in_memory(self._connections.client("code").call("code/history", module))
        page = {"name": f"versions of {module}", "kind": "versions", "module": module}
        self._editor.show("page", text=version_table(module, rows), **page)

    # --- The shell ------------------------------------------------------------------------------------------

    def _require_session(self) -> RemoteServer:
        self._connections.client("code")  # what others load and what crashes is told there
        client = self._connections.client("shell")
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

    def _evaluate_in(self, loading: Future[None] | None, path: str, text: str, buffer: int, line: int) -> None:
        client = self._require_session()
        if loading is not None:
            loading.result()
        answer = client.call("shell/eval", self._session, text + "\n", {"file": path}, timeout_seconds=None)
        self._number = answer["number"]
        failed = answer["error"] is not None
        self._editor.show("prompt", text="", prompt=self._prompt())
        self._editor.show("value", buffer=buffer, line=line, text=_shown(answer).strip(), failed=failed)

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
        client, loading = self._connections.open("shell"), self._connections.open("code")
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
            self._connections.client("code").call("server/stop")
            text = f"Midflight: the server of {self.root} ends"
        self._connections.close()
        self._session = None
        self._lines = []
        self._editor.show("prompt", text="Disconnected.\n", prompt="")
        self._editor.show("message", level="info", text=text)


def _shown(answer: dict[str, Any]) -> str:
    """Return the text to show for an evaluated input."""
    return str(answer["error"] or (answer["value"] and f"{answer['value']}\n") or "")


def _ignore(*_: object) -> None:
    """Ignore an event of the other connection."""
