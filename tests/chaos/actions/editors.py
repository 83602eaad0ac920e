"""Actions of editors: they come and go, ask, load over the wire, evaluate, hang up amid a request, or say nonsense."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from random import Random
from typing import Any

from chaos.texts import BAD, bad_text, good_text
from helpers.epc_peer import Peer, frame
from midflight.epc import ProjectFiles, RemoteServer
from midflight.errors import MidflightError

__all__ = ["ACTIONS", "ANSWER_SECONDS", "Desk", "Editor"]

ANSWER_SECONDS = 60.0
MOST_EDITORS = 6

QUESTIONS: tuple[tuple[Any, ...], ...] = (
    ("ping",),
    ("process/list",),
    ("process/changes", None),
    ("process/tree",),
    ("server/info",),
    ("crash/list",),
    ("crash/dismiss", None),
    ("shell/parked",),
    ("code/history", "chaos_a"),
    ("code/history", "wire_a"),
    ("code/lingering", "chaos_b"),
    ("code/modified",),
    ("look/complete", None, "chaos_a.lo", None),
    ("look/doc", None, "chaos_a.loop", None),
    ("process/view", "witness"),
    ("process/messages", "witness", 0),
    ("a/method/that/nobody/has", 17),
    ("process/view", "<0.999999.0>"),
)


class Editor:
    """A client with a shell, or none yet. `loads` are the (module, version) that the server has told it of."""

    def __init__(self, number: int, root: Path) -> None:
        self.number = number
        self.loads: list[tuple[str, int]] = []
        self.is_lost = False
        self.shells: list[int] = []
        handlers: dict[str, Callable[..., object]] = {
            "code/loaded": lambda report: self.loads.append((report["module"], report["version"])),
            "shell/output": lambda *_: None,
            "process/crashed": lambda *_: None,
            "process/stuck": lambda *_: None,
            "trace/events": lambda *_: None,
        }
        self.client = RemoteServer.attach(root, handlers, on_lost=self._lost, name=f"editor {number}")

    def _lost(self) -> None:
        self.is_lost = True


class Desk:
    """The editors of a server, and what they have asked and not been told yet."""

    def __init__(self, rng: Random, root: Path) -> None:
        self.rng = rng
        self.root = root
        self.editors: list[Editor] = []
        self.waiting: list[tuple[str, Future[Any], Callable[[Any], object]]] = []
        self.counts: dict[str, int] = {}
        self.wrong: list[str] = []
        self.texts = dict.fromkeys(("wire_a", "wire_b"), 1)
        self.traces: list[tuple[Editor, int]] = []
        self._numbers = 0
        found, self.cookie = self._place()
        self.port = found

    def _place(self) -> tuple[int, str]:
        found = ProjectFiles(self.root).find()
        assert found.port is not None
        return found.port, found.cookie

    def count(self, what: str) -> None:
        """Count one."""
        self.counts[what] = self.counts.get(what, 0) + 1

    def come(self) -> Editor:
        """Let an editor come."""
        self._numbers += 1
        editor = Editor(self._numbers, self.root)
        self.editors.append(editor)
        self.count("editors")
        return editor

    def one(self) -> Editor:
        """Return one of the editors, or a new one if there is none."""
        return self.rng.choice(self.editors) if self.editors else self.come()

    def ask(self, editor: Editor, then: Callable[[Any], object], method: str, *arguments: object) -> None:
        """Send a request; `then` gets its answer, or the exception that a refusal is."""
        self.count("requests")
        self.waiting.append((f"{editor.number}: {method}", editor.client.submit(method, *arguments), then))

    def hear(self, *, all_of_them: bool = False) -> None:
        """Take the answers that have come; with `all_of_them`, wait for each. Raises: TimeoutError."""
        left = []
        for what, future, then in self.waiting:
            if not all_of_them and not future.done():
                left.append((what, future, then))
                continue
            try:
                answer: Any = future.result(ANSWER_SECONDS)
            except MidflightError as error:
                answer = error
            except TimeoutError:
                self.wrong.append(f"{what} was not answered within {ANSWER_SECONDS} s")
                continue
            then(answer)
        self.waiting = left


def come(desk: Desk) -> str:
    """Let an editor come."""
    if len(desk.editors) >= MOST_EDITORS:
        return ""
    return f"editor {desk.come().number} comes"


def leave(desk: Desk) -> str:
    """Let an editor go, after its answers."""
    if len(desk.editors) < 2:
        return ""
    desk.hear(all_of_them=True)
    editor = desk.rng.choice(desk.editors)
    desk.editors.remove(editor)
    desk.traces = [each for each in desk.traces if each[0] is not editor]
    editor.client.close()
    return f"editor {editor.number} goes"


def ask(desk: Desk) -> str:
    """Ask something; any answer will do."""
    editor, question = desk.one(), desk.rng.choice(QUESTIONS)
    desk.ask(editor, lambda answer: None, *question)
    return f"{editor.number} asks {question[0]}"


def load(desk: Desk) -> str:
    """Load over the wire, good or bad."""
    editor, name = desk.one(), desk.rng.choice(("wire_a", "wire_b"))
    desk.texts[name] += 1
    path, text = str(desk.root / f"{name}.py"), desk.texts[name]
    what = desk.rng.choice(sorted(BAD)) if desk.rng.random() < 0.3 else None
    move = desk.rng.random() < 0.4
    source = good_text(name, text, desk.rng.randrange(50)) if what is None else bad_text(name, text, what)

    def then(answer: Any) -> None:
        status = answer.get("status") if isinstance(answer, dict) else answer
        desk.count("loads over the wire, good" if what is None else "loads over the wire, bad")
        if status != ("loaded" if what is None else "failed"):
            why = answer.get("text") if isinstance(answer, dict) else ""
            desk.wrong.append(f"a load of {name} ({what or 'good'}) was answered with {status}: {why}")

    desk.ask(editor, then, "code/load", path, source, {"move": move})
    return f"{editor.number} loads {name} text {text}: {what or 'good'}"


def change_code(desk: Desk) -> str:
    """Upgrade, roll back, move, purge, preview, check, over the wire."""
    editor, name = desk.one(), desk.rng.choice(("wire_a", "wire_b"))
    path = str(desk.root / f"{name}.py")
    desk.texts[name] += 1
    source = good_text(name, desk.texts[name], 1)
    failing = good_text(name, desk.texts[name], 2, change_fails=True)
    request: tuple[Any, ...] = desk.rng.choice(
        (
            ("code/rollback", name, None, {"move": True}),
            ("code/move", name),
            ("code/purge", name),
            ("code/soft-purge", name),
            ("code/upgrade", path, source, {"timeout": 1}),
            ("code/upgrade", path, failing, {"timeout": 1}),
            ("code/upgrade", path, failing, {"dry-run": True, "timeout": 1}),
            ("code/preview", path, source),
            ("code/check", path, source),
            ("code/compare", path, source),
            ("code/waiting", path, source),
            ("code/define", path, source, 12, None),
            ("code/load-many", [[str(desk.root / f"{each}.py"), None] for each in desk.texts], None),
            ("code/why-alive", name, 1),
        )
    )
    desk.ask(editor, lambda answer: None, *request)
    desk.count(request[0])
    return f"{editor.number} asks {request[0]} {name}"


def evaluate(desk: Desk) -> str:
    """Evaluate in a shell; some inputs raise, print much, or are broken off."""
    editor = desk.one()
    if not editor.shells:
        opened = editor.client.call("shell/open", {"keep": True}, timeout_seconds=ANSWER_SECONDS)
        editor.shells.append(opened["session"])
    session = editor.shells[-1]
    text, value = desk.rng.choice(
        (
            ("6 * 7", "42"),
            ("1 / 0", None),
            ("print('x' * 100_000)", None),
            ("len(processes()) > 0", "True"),
            ("x = [spawn(lambda: None) for _ in range(20)]; len(x)", "20"),
            ("await sleep(0.05)", None),
            ("import time; time.sleep(0.02)", None),
            ("raise ProcessExit('told')", None),
            ("self() << 'hello'; await receive()", "'hello'"),
        )
    )

    def then(answer: Any) -> None:
        desk.count("evaluations")
        if isinstance(answer, dict) and answer["status"] == "ok" and value is not None and answer["value"] != value:
            desk.wrong.append(f"{text} was evaluated to {answer['value']}")

    desk.ask(editor, then, "shell/eval", session, text)
    if desk.rng.random() < 0.15:
        desk.ask(editor, lambda answer: None, "interrupt", session)
        value = None
    return f"{editor.number} evaluates {text}"


def park(desk: Desk) -> str:
    """Set a shell aside, and take it up in another editor, or close it."""
    editor = desk.one()
    if not editor.shells:
        return ""
    desk.hear(all_of_them=True)
    session, other = editor.shells.pop(), desk.one()
    try:
        editor.client.call("shell/park", session, timeout_seconds=ANSWER_SECONDS)
        if desk.rng.random() < 0.3:
            return f"{editor.number} sets shell {session} aside"
        other.client.call("shell/open", {"take": session, "keep": True}, timeout_seconds=ANSWER_SECONDS)
        if desk.rng.random() < 0.5:
            other.client.call("shell/close", session, timeout_seconds=ANSWER_SECONDS)
        else:
            other.shells.append(session)
    except MidflightError as error:
        return f"{editor.number} sets shell {session} aside: {error}"
    return f"{editor.number} sets shell {session} aside, {other.number} takes it up"


def trace(desk: Desk) -> str:
    """Trace all processes, or stop that."""
    if desk.traces:
        editor, number = desk.traces.pop()
        desk.ask(editor, lambda answer: None, "trace/stop", number)
        return f"{editor.number} stops tracing"
    editor = desk.one()
    answer = editor.client.call("trace/start", {"all": True}, timeout_seconds=ANSWER_SECONDS)
    desk.traces.append((editor, answer["trace"]))
    return f"{editor.number} traces all"


def hang_up(desk: Desk) -> str:
    """Come as the stock client, ask, and hang up without reading the answer; a shell of it waits then."""
    peer = Peer(desk.port)
    peer.authenticate(desk.cookie)
    keep = desk.rng.random() < 0.3
    peer.send(frame(f"(call 1 shell/open ((:keep {'t' if keep else 'nil'})))"))
    peer.send(frame("(call 2 shell/eval (1 \"print('y' * 1000000)\"))"))
    peer.send(frame("(call 3 process/list ())"))
    if desk.rng.random() < 0.5:
        peer.read()
    peer.close()
    desk.count("hung up amid a request")
    return "somebody hangs up amid a request"


def say_nonsense(desk: Desk) -> str:
    """Come with the cookie or without, and say what is no message."""
    peer = Peer(desk.port)
    if desk.rng.random() < 0.5:
        peer.authenticate(desk.cookie)
    nonsense = desk.rng.choice(
        (b"", b"\0" * 50, b"GET / HTTP/1.1\r\n\r\n", b"ffffff", b"00000a(((((((((", frame("(call)"), frame("(1 . 2)"))
    )
    peer.send(nonsense)
    peer.close()
    desk.count("nonsense")
    return f"somebody says {nonsense[:20]!r}"


ACTIONS = (
    (come, 6),
    (leave, 4),
    (ask, 20),
    (load, 14),
    (change_code, 14),
    (evaluate, 16),
    (park, 3),
    (trace, 2),
    (hang_up, 3),
    (say_nonsense, 3),
)
