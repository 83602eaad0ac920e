"""A shell whose connection was lost: it waits, and goes on over another one, of the same client or another's. And who
printed what."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from helpers.epc_peer import DEADLINE_SECONDS
from midflight.epc import RemoteServer
from midflight.errors import RemoteError

OPTIONS = {"writers": True, "keep": True}


class Editor:
    """A client that keeps what it is pushed."""

    def __init__(self, node: Any) -> None:
        self.text = ""
        self.writers: list[list[Any]] = []
        self.changed = threading.Condition()
        self.client: RemoteServer = node.connect({"shell/output": self._take})

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


# --- Taken up by another client ----------------------------------------------------------------------------------


def test_a_shell_of_a_client_that_is_gone_is_taken_up(node: Any, editor: Editor) -> None:
    """With its bindings, its number, its inputs and what was printed meanwhile; the answer says whose it was."""
    editor.client.call("server/introduce", "Emacs 28.2")
    session = editor.open()["session"]
    editor.eval(session, "x = 41\nasync def say():\n    print(await receive())\n    await receive()\n")
    editor.eval(session, "pid = spawn(say, name='say')")
    editor.lose(node)
    node.scheduler.call_threadsafe(lambda: node.scheduler.names["say"].pid << "missed").result(DEADLINE_SECONDS)
    node.scheduler.call_threadsafe(lambda: None).result(DEADLINE_SECONDS)

    other = Editor(node)
    opened = other.open(take=True)

    assert (opened["session"], opened["number"], opened["resumed"], opened["busy"]) == (session, 3, True, False)
    assert (opened["client"], opened["waiting"], opened["parked"]) == ("Emacs 28.2, connection 1", 7, 0)
    assert [text.partition("\n")[0] for text in opened["inputs"]] == ["x = 41", "pid = spawn(say, name='say')"]
    assert abs(opened["since"] - time.time()) < DEADLINE_SECONDS
    other.wait_for("missed\n")
    assert other.eval(session, "x + 1")["value"] == "42"
    assert other.eval(session, "v(1)")["status"] == "ok"


def test_a_live_client_keeps_its_shell(node: Any, editor: Editor) -> None:
    """However long it has done nothing: who takes gets a new one then, and who wants that very one an error."""
    session = editor.open()["session"]

    other = Editor(node)

    assert "resumed" not in other.open(take=True)
    with pytest.raises(RemoteError, match=rf"Shell {session} does not wait: it has ended, or somebody has it"):
        other.open(take=session)
    assert editor.eval(session, "1 + 1")["value"] == "2"


def test_the_youngest_is_taken_or_the_one_that_is_named(node: Any) -> None:
    """Youngest is the one whose connection ended last; nobody gets a shell twice."""
    sessions = []
    for _ in range(3):
        editor = Editor(node)
        sessions.append(editor.open()["session"])
        editor.eval(sessions[-1], f"me = {len(sessions)}")
        editor.lose(node)
    other = Editor(node)

    rows = other.client.call("shell/parked")
    assert [row["session"] for row in rows] == sessions
    assert rows[0] | {"since": 0} == {
        "session": 1, "number": 2, "client": "connection 1", "since": 0, "gone": True, "busy": False, "waiting": 0,
        "bindings": 1, "last": "me = 1",
    }  # fmt: skip
    assert other.open(take=True)["session"] == sessions[2]
    assert other.open(take=sessions[0])["session"] == sessions[0]
    assert other.open(take=True)["session"] == sessions[1]
    assert "resumed" not in other.open(take=True)
    assert other.client.call("shell/parked") is None


def test_who_comes_back_hears_who_has_the_shell(node: Any, editor: Editor) -> None:
    """And gets a new one."""
    session = editor.open()["session"]
    editor.lose(node)
    other = Editor(node)
    other.client.call("server/introduce", "Neovim")
    other.open(take=True)

    opened = Editor(node).open(resume=session)

    assert "resumed" not in opened
    assert opened["taken_by"] == "Neovim, connection 2"


def test_a_shell_that_was_set_aside_is_taken_by_its_number_only(node: Any, editor: Editor) -> None:
    """As long as the client that did so is there; then it is like one that was lost."""
    owner = Editor(node)
    session = owner.open()["session"]
    owner.eval(session, "x = 1")
    assert owner.client.call("shell/park", session) is True
    with pytest.raises(RemoteError, match=f"has no shell {session}"):
        owner.eval(session, "x")

    assert [row["gone"] for row in editor.client.call("shell/parked")] == [False]
    assert "resumed" not in editor.open(take=True)
    assert editor.open(take=session)["resumed"] is True
    editor.client.call("shell/close", session)
    session = owner.open()["session"]
    owner.client.call("shell/park", session)
    owner.lose(node)
    assert editor.open(take=True)["session"] == session


def test_a_shell_that_evaluates_is_not_set_aside(node: Any, editor: Editor) -> None:
    """Its answer would be nobody's."""
    session = editor.open()["session"]
    evaluation = editor.client.submit("shell/eval", session, "print('on it'); await receive()")
    editor.wait_for("on it")

    with pytest.raises(RemoteError, match=f"Shell {session} evaluates something; it was not set aside"):
        editor.client.call("shell/park", session)

    editor.client.call("interrupt", session)
    assert evaluation.result(DEADLINE_SECONDS)["status"] == "interrupted"


def test_who_takes_a_shell_is_told_as_much_as_it_wants(node: Any, editor: Editor) -> None:
    """Who printed what, or not; and whether it is kept when that connection is lost in its turn."""
    session = editor.open()["session"]
    editor.lose(node)
    seen: list[tuple[object, ...]] = []
    plain = node.connect({"shell/output": lambda *arguments: seen.append(arguments)})

    plain.call("shell/open", {"take": True})
    plain.call("shell/eval", session, "print('x')")

    assert seen == [(session, "x\n")]
    ended = threading.Event()
    max(node.server.peers(), key=lambda peer: peer.number).at_close(ended.set)
    plain.close()
    assert ended.wait(DEADLINE_SECONDS)
    assert "resumed" not in Editor(node).open(take=True)


def test_what_was_missed_is_bounded(node: Any, editor: Editor) -> None:
    """A flood while nobody was there: its beginning and its end, and how much is missing."""
    session = editor.open()["session"]
    editor.eval(session, "async def flood():\n    await receive()\n    [print('x' * 99) for _ in range(9000)]\n")
    editor.eval(session, "spawn(flood, name='flood')")
    editor.lose(node)
    node.scheduler.call_threadsafe(lambda: node.scheduler.names["flood"].pid << 1).result(DEADLINE_SECONDS)
    node.scheduler.call_threadsafe(lambda: None).result(DEADLINE_SECONDS)

    other = Editor(node)
    waiting = other.open(take=True)["waiting"]

    assert 200_000 < waiting < 300_000
    other.eval(session, "print('over')")
    other.wait_for("over")
    assert "lines of output dropped: they came faster than they could be shown" in other.text
    assert len(other.text) < 300_000


def test_a_shell_that_was_left_is_for_anybody_and_goes_on_evaluating(editor: Editor) -> None:
    """As if its connection was lost, though that lives; the answer is for the one who takes the shell up."""
    session = editor.open()["session"]
    editor.eval(session, "register('me', self())")
    evaluation = editor.client.submit("shell/eval", session, "print('on it'); await receive()")
    editor.wait_for("on it")

    assert editor.client.call("shell/park", session, True) is True
    assert [row["gone"] for row in editor.client.call("shell/parked")] == [True]
    opened = editor.open(take=True)
    assert (opened["session"], opened["busy"]) == (session, True)
    waiting = editor.client.submit("shell/wait", session)
    editor.client.call("process/send", "me", "'at last'")

    assert [answer["value"] for answer in waiting.result(DEADLINE_SECONDS)] == ["'at last'"]
    assert evaluation.result(DEADLINE_SECONDS)["value"] == "'at last'"
