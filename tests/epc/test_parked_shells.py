"""A shell whose connection was lost: it waits, and goes on over another one. And who printed what."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from helpers.epc_peer import DEADLINE_SECONDS
from midflight.epc import Client

OPTIONS = {"writers": True, "keep": True}


class Editor:
    """A client that keeps what it is pushed."""

    def __init__(self, node: Any) -> None:
        self.text = ""
        self.writers: list[list[Any]] = []
        self.changed = threading.Condition()
        self.client: Client = node.connect({"shell/output": self._take})

    def _take(self, _session: int, text: str, writers: list[list[Any]]) -> None:
        with self.changed:
            self.text += text
            self.writers += writers
            self.changed.notify_all()

    def wait_for(self, text: str) -> None:
        """Return once `text` has come."""
        with self.changed:
            assert self.changed.wait_for(lambda: text in self.text, DEADLINE_SECONDS), self.text

    def open(self, **options: object) -> Any:
        """Open a shell or resume one."""
        return self.client.call("shell/open", OPTIONS | options)

    def eval(self, session: int, text: str) -> Any:
        """Evaluate `text` and return the answer."""
        return self.client.call("shell/eval", session, text, timeout_seconds=DEADLINE_SECONDS)

    def lose(self, node: Any) -> None:
        """End the connection as a crash of the editor would, and wait until the server knows."""
        gone = threading.Event()
        (connection,) = [
            peer for peer in node.server.peers() if peer.number == max(p.number for p in node.server.peers())
        ]
        connection.at_close(gone.set)
        self.client.close()
        assert gone.wait(DEADLINE_SECONDS)


@pytest.fixture
def editor(node: Any) -> Editor:
    """An editor."""
    return Editor(node)


def test_output_says_who_printed_it(editor: Editor) -> None:
    """Lengths that cover the text; nil for the shell's own evaluation."""
    session = editor.open()["session"]
    editor.eval(session, "async def say():\n    await receive()\n    print('from it')\n")
    pid = editor.eval(session, "pid = spawn(say)")["value"]

    editor.eval(session, "print('mine'); pid << 1; await sleep(0.01); print('again')")

    assert editor.text == "mine\nfrom it\nagain\n"
    assert sum(length for length, _ in editor.writers) == len(editor.text)
    assert [writer for _, writer in editor.writers] == [None, pid, None]


def test_who_does_not_ask_is_not_told(node: Any) -> None:
    """A push has two arguments then, as it always had."""
    seen: list[tuple[object, ...]] = []
    client = node.connect({"shell/output": lambda *arguments: seen.append(arguments)})

    client.call("shell/eval", client.call("shell/open")["session"], "print('x')")

    assert seen == [(1, "x\n")]


def test_a_lost_shell_is_resumed_with_its_bindings_and_output(node: Any, editor: Editor) -> None:
    """What processes printed meanwhile comes first."""
    session = editor.open()["session"]
    editor.eval(session, "x = 41\nasync def say():\n    print(await receive())\n    await receive()\n")
    editor.eval(session, "pid = spawn(say, name='say')")
    editor.lose(node)
    node.scheduler.call_threadsafe(lambda: node.scheduler.names["say"].pid << "missed").result(DEADLINE_SECONDS)
    node.scheduler.call_threadsafe(lambda: None).result(DEADLINE_SECONDS)

    other = Editor(node)
    opened = other.open(resume=session)

    assert (opened["session"], opened["number"], opened["resumed"]) == (session, 3, True)
    other.wait_for("missed\n")
    assert other.eval(session, "x + 1")["value"] == "42"
    assert node.log.getvalue() == ""


def test_an_evaluation_goes_on_and_its_answer_waits(node: Any, editor: Editor) -> None:
    """Whether it ends before somebody resumes the shell, or after."""
    session = editor.open()["session"]
    editor.eval(session, "register('me', self())")
    editor.client.submit("shell/eval", session, "print('on it'); await receive()")
    editor.wait_for("on it")
    editor.lose(node)

    second = Editor(node)
    assert second.open(resume=session)["busy"] is True
    waiting = second.client.submit("shell/wait", session)
    second.client.call("process/send", "me", "'now'")
    (answer,) = waiting.result(DEADLINE_SECONDS)

    assert (answer["status"], answer["number"], answer["value"]) == ("ok", 3, "'now'")
    assert second.client.call("shell/wait", session) is None


def test_an_unknown_shell_is_opened_anew(node: Any, editor: Editor) -> None:
    """Also one that was closed, or is another connection's."""
    first = editor.open()
    second = Editor(node)

    opened = second.open(resume=first["session"])

    assert opened["session"] != first["session"]
    assert "resumed" not in opened


def test_a_shell_that_is_not_to_be_kept_ends(node: Any, editor: Editor) -> None:
    """As it does without options."""
    session = editor.open(keep=None)["session"]
    editor.lose(node)

    assert "resumed" not in Editor(node).open(resume=session)


def test_too_many_parked_shells_make_room(node: Any) -> None:
    """The one that has waited longest ends."""
    sessions = []
    for _ in range(9):
        editor = Editor(node)
        sessions.append(editor.open()["session"])
        editor.lose(node)

    last = Editor(node)

    assert "resumed" not in last.open(resume=sessions[0])
    assert last.open(resume=sessions[-1])["resumed"] is True
