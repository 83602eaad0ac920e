"""The methods about shells, processes and the server, over the wire, with a real runtime behind them."""

from __future__ import annotations

import os
import platform
import queue
import threading
from pathlib import Path
from typing import Any

import pytest

from helpers.epc_peer import DEADLINE_SECONDS
from helpers.versions import forget_modules_in
from midflight.epc import RemoteServer
from midflight.epc.methods import process
from midflight.errors import RemoteError
from midflight.kernel import KERNEL


class Shell:
    """A client with one open shell; `output` is what it was pushed so far, in order."""

    def __init__(self, node: Any) -> None:
        self.output: list[str] = []
        self.has_output = threading.Event()
        self.client: RemoteServer = node.connect({"shell/output": self._take})
        self.opened = self.client.call("shell/open")
        self.session = self.opened["session"]

    def _take(self, session: int, text: str) -> None:
        assert session == self.session
        self.output.append(text)
        self.has_output.set()

    def eval(self, text: str) -> dict[str, Any]:
        """Evaluate `text` and return the whole answer."""
        answer = self.client.call("shell/eval", self.session, text, timeout_seconds=DEADLINE_SECONDS)
        assert isinstance(answer, dict)
        return answer

    def value(self, text: str) -> str | None:
        """Evaluate `text`, which must go well, and return the repr of its value."""
        answer = self.eval(text)
        assert answer["status"] == "ok", answer
        value = answer["value"]
        assert value is None or isinstance(value, str)
        return value


@pytest.fixture
def shell(node: Any) -> Shell:
    """An open shell."""
    return Shell(node)


# --- Shells ---------------------------------------------------------------------------------------------


def test_shell_opens_with_a_number_and_a_banner(node: Any, shell: Shell) -> None:
    """The first prompt is 1; the banner names the version, Python and the project."""
    assert shell.opened == {
        "session": 1,
        "number": 1,
        "module": None,
        "banner": f"Midflight 0.1.0, Python {platform.python_version()}, {node.root}",
        "parked": 0,
    }


def test_eval_answers_value_and_next_number(shell: Shell) -> None:
    """A good input has its repr and the number of the next prompt."""
    assert shell.eval("6 * 7") == {"status": "ok", "number": 2, "value": "42", "error": None}


def test_incomplete_input_uses_no_number(shell: Shell) -> None:
    """The editor asks for more lines under the same prompt."""
    assert shell.eval("def f():")["status"] == "incomplete"
    assert shell.eval("1")["number"] == 2


def test_failing_input_answers_its_traceback(shell: Shell) -> None:
    """A failure is an answer, not an error of the protocol."""
    answer = shell.eval("1/0")

    assert answer["status"] == "error"
    assert "ZeroDivisionError: division by zero" in answer["error"]
    assert shell.eval("2")["number"] == 3


def test_output_comes_before_the_answer(shell: Shell) -> None:
    """Whatever an input printed has been pushed, in order, when its answer arrives."""
    for number in range(20):
        shell.eval(f"for i in range(1000): print({number}, i)\n")
        assert "".join(shell.output).endswith(f"{number} 999\n")

    expected = "".join(f"{number} {i}\n" for number in range(20) for i in range(1000))
    assert "".join(shell.output) == expected


def test_output_of_a_process_comes_by_itself(shell: Shell) -> None:
    """A process that prints later is heard without any request."""
    shell.eval("async def later():\n    await receive()\n    print('at last')\n")
    shell.eval("pid = spawn(later)")
    shell.has_output.clear()
    shell.eval("timer = send_after(0.05, pid, 'go')")

    assert shell.has_output.wait(DEADLINE_SECONDS)
    assert "".join(shell.output) == "at last\n"


def test_evaluations_sent_at_once_run_in_order(shell: Shell) -> None:
    """Without waiting for answers, a slow one among them, each still sees what those before it did."""
    inputs = [f"seen.append({n}); len(seen)" for n in range(30)]
    inputs[7] = "await sleep(0.4); seen.append(7); len(seen)"
    shell.eval("seen = []")

    futures = [shell.client.submit("shell/eval", shell.session, text) for text in inputs]

    answers = [future.result(DEADLINE_SECONDS) for future in futures]
    assert [answer["value"] for answer in answers] == [str(n + 1) for n in range(30)]
    assert shell.value("seen") == str(list(range(30)))


def test_evaluation_that_waits_holds_up_nothing_else(shell: Shell) -> None:
    """While the shell waits for a message, its editor's other requests are served."""
    shell.eval("register('me', self())")
    waiting = shell.client.submit("shell/eval", shell.session, "await receive(str)")

    assert shell.client.call("process/send", "me", "'go on'", timeout_seconds=DEADLINE_SECONDS) is True

    assert waiting.result(DEADLINE_SECONDS)["value"] == "'go on'"


def test_two_shells_have_their_own_bindings_and_output(node: Any) -> None:
    """Shells of two editors share the processes and nothing else."""
    one, two = Shell(node), Shell(node)

    one.eval("x = 1; print('one')")
    two.eval("print('two')")

    assert (one.session, two.session) == (1, 2)
    assert two.eval("x")["status"] == "error"
    assert (one.output, two.output) == (["one\n"], ["two\n"])


def test_shell_of_another_connection_is_unknown(node: Any, shell: Shell) -> None:
    """A session number is good on the connection that opened it."""
    other = node.connect()

    with pytest.raises(RemoteError, match=f"no shell {shell.session}; nothing was done"):
        other.call("shell/eval", shell.session, "1")


@pytest.mark.parametrize("text", ["await receive()", "while True: pass\n", "await sleep(3600)"])
def test_interrupt_overtakes_the_evaluation_it_breaks_off(shell: Shell, text: str) -> None:
    """The request to interrupt is served while the evaluation of the same connection runs."""
    future = shell.client.submit("shell/eval", shell.session, text)

    assert shell.client.call("interrupt", shell.session) is True

    assert future.result(DEADLINE_SECONDS)["status"] == "interrupted"
    assert shell.value("1 + 1") == "2"


def test_interrupt_breaks_off_an_evaluation_that_has_not_begun(shell: Shell, tmp_path: Path) -> None:
    """It waits behind a load; who interrupts it means it, though nothing runs yet."""
    (tmp_path / "go").touch()
    path = tmp_path / "behind.py"
    text = f"import pathlib\nwhile pathlib.Path({str(tmp_path / 'go')!r}).exists():\n    pass\n"
    loading = shell.client.submit("code/load", str(path), text, {})
    future = shell.client.submit("shell/eval", shell.session, "await sleep(3600)")

    interrupting = shell.client.submit("interrupt", shell.session)
    (tmp_path / "go").unlink()

    assert loading.result(DEADLINE_SECONDS)["status"] == "loaded"
    forget_modules_in(tmp_path)
    assert interrupting.result(DEADLINE_SECONDS) is True
    assert future.result(DEADLINE_SECONDS)["status"] == "interrupted"


def test_interrupt_of_an_idle_shell_says_so(shell: Shell) -> None:
    """There is nothing to break off, and nothing happens."""
    assert shell.client.call("interrupt", shell.session) is None


def test_closed_shell_is_gone_and_its_processes_live(node: Any, shell: Shell) -> None:
    """What its processes print from then on goes to the server's log."""
    shell.eval("async def later():\n    print(await receive())\n    print('end', flush=True)\n")
    shell.eval("pid = spawn(later, name='later')")
    assert shell.client.call("shell/close", shell.session) is True

    with pytest.raises(RemoteError, match="no shell"):
        shell.eval("1")
    assert shell.client.call("process/send", "later", "'still here'") is True
    ended = node.scheduler.call_threadsafe(lambda: None)
    ended.result(DEADLINE_SECONDS)
    assert node.log.getvalue() == "still here\nend\n"


def test_shell_ends_with_its_connection(node: Any, shell: Shell) -> None:
    """An editor that is gone leaves no shell and no evaluation that runs for nobody."""
    gone = threading.Event()
    (connection,) = node.server.peers()
    shell.client.submit("shell/eval", shell.session, "await receive()")
    connection.at_close(gone.set)

    shell.client.close()

    assert gone.wait(DEADLINE_SECONDS)
    watcher = Shell(node)
    rows = watcher.client.call("process/list")
    assert [row["status"] for row in rows or [] if "evaluate_all" in row["function"]] == []


# --- Processes --------------------------------------------------------------------------------------------


def test_process_list_has_a_row_a_process(shell: Shell) -> None:
    """Pid, name, place, status, count of messages and links, oldest first."""
    shell.eval("async def loop(total):\n    await receive(int)\n")
    shell.eval("one = spawn(loop, 0, name='one')")
    shell.eval("one << 'kept'")

    row = next(row for row in shell.client.call("process/list") if row["name"] == "one")

    assert row.pop("reductions") >= 1
    assert row == {
        "pid": shell.value("one"),
        "name": "one",
        "module": "__shell__",
        "version": None,
        "function": "loop",
        "line": 2,
        "status": "waiting",
        "messages": 1,
        "links": [],
    }


def test_a_view_shows_values_as_printed(shell: Shell) -> None:
    """Messages and the rest are texts that a person reads; pids are texts that a request takes."""
    shell.eval("async def loop(total):\n    await receive(int)\n")
    shell.eval("one = spawn(loop, 0, name='one')")
    shell.eval("one << 'kept'; one << {'a': one}")
    pid = shell.value("one")

    view = shell.client.call("process/view", "one")

    assert view["pid"] == pid
    assert view["messages"] == ["'kept'", f"{{'a': {pid}}}"]
    assert view["counts"]["messages"] == 2
    assert view["links"] == []
    assert view["trap_exit"] is False
    assert view["group_leader"] == "<shell 1>"
    assert view["initial_call"] == "__shell__.loop"
    assert shell.client.call("process/view", pid) == view


def test_the_view_of_a_dead_process_is_nil(shell: Shell) -> None:
    """A pid that was good once is no error."""
    pid = shell.value("spawn(lambda: None)")

    assert shell.client.call("process/view", pid) is None


def test_exit_ends_a_process(shell: Shell) -> None:
    """With the reason given; a dead one is told by nil."""
    shell.eval("async def wait():\n    await receive()\n")
    shell.eval("pid = spawn(wait)")
    shell.eval("ref = monitor(pid)")
    pid = shell.value("pid")

    assert shell.client.call("process/exit", pid, "because") is True
    assert "reason='because'" in str(shell.value("await receive(Down)"))
    assert shell.client.call("process/exit", pid, "because") is None


def test_a_kill_that_has_not_worked_is_answered_by_what_keeps_it(
    node: Any, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text, within a time; the process ends when it can."""
    monkeypatch.setattr(process, "SIGNAL_SECONDS", 0.05)
    begun, gate = os.pipe(), os.pipe()
    shell.eval("import os")
    blocking = f"register('blocked', spawn(lambda: os.read({gate[0]}, os.write({begun[1]}, b'x'))))"
    evaluation = shell.client.submit("shell/eval", shell.session, blocking)
    os.read(begun[0], 1)

    said = node.connect().call("process/exit", "blocked", "kill")
    os.write(gate[1], b"1")

    assert "was killed and has not ended: it runs code that Python cannot interrupt, in C" in said
    assert evaluation.result(DEADLINE_SECONDS)["status"] == "ok"
    assert shell.value("whereis('blocked')") is None
    for end in (*begun, *gate):
        os.close(end)


def test_send_evaluates_the_message(shell: Shell) -> None:
    """A message is a Python expression with the names of a shell in it."""
    shell.eval("register('me', self())")

    assert shell.client.call("process/send", "me", "  ('sum', 1 + 2, make_ref() is None)  # three") is True

    assert shell.value("await receive()") == "('sum', 3, False)"


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("", "not one Python expression"),
        ("x = 1", "not one Python expression"),
        ("1) ; print(2", "not one Python expression"),
        ("nowhere", "NameError"),
    ],
)
def test_message_that_is_no_value_is_refused(shell: Shell, expression: str, reason: str) -> None:
    """Nothing is sent, and the text says why."""
    shell.eval("register('me', self())")

    with pytest.raises(RemoteError, match=reason):
        shell.client.call("process/send", "me", expression)

    assert shell.value("await receive(timeout=0, default='nothing')") == "'nothing'"


@pytest.mark.parametrize("pid", ["nobody", "<0.1.0", "", "0.1", "<9.1.0>"])
def test_what_is_no_process_is_refused(node: Any, pid: str) -> None:
    """A misspelt name is an error, unlike a pid that is dead."""
    with pytest.raises(RemoteError, match="neither a pid nor a registered name; nothing was done"):
        node.connect().call("process/view", pid)


def test_processes_are_seen_while_one_does_not_yield(node: Any, shell: Shell) -> None:
    """The list comes also when the runtime's thread is busy for ever."""
    future = shell.client.submit("shell/eval", shell.session, "while True: pass\n")
    other = node.connect()
    rows: list[Any] = []
    while not any(row["status"] == "running" for row in rows):
        rows = other.call("process/list") or []

    while not future.done():
        shell.client.call("interrupt", shell.session)
    assert future.result()["status"] == "interrupted"


def test_crash_is_pushed_to_every_connection(node: Any) -> None:
    """Each editor learns who crashed, in which code, and the report as text."""
    crashes: list[queue.Queue[dict[str, Any]]] = [queue.Queue(), queue.Queue()]
    one, _ = (node.connect({"process/crashed": seen.put, "shell/output": lambda *_: None}) for seen in crashes)
    session = one.call("shell/open")["session"]
    one.call("shell/eval", session, "def fail():\n    raise ValueError('boom')\n")

    one.call("shell/eval", session, "pid = spawn(fail, name='failing')")

    for seen in crashes:
        crash = seen.get(timeout=DEADLINE_SECONDS)
        assert crash["name"] == "failing"
        assert crash["reason"] == "ValueError('boom')"
        assert crash["initial_call"] == "__shell__.fail"
        assert "Traceback" in crash["text"]


# --- The server ---------------------------------------------------------------------------------------------


def test_server_info_says_what_it_is(node: Any, shell: Shell) -> None:
    """As on connecting, how many processes run, and who is connected."""
    info = shell.client.call("server/info")

    assert info == {
        "protocol": 1,
        "version": "0.1.0",
        "python": platform.python_version(),
        "kernel": KERNEL,
        "root": str(node.root),
        "pid": os.getpid(),
        "connections": ["connection 1"],
        "processes": info["processes"],
        "start_failures": [],
        "store": None,
    }
    changing = ("processes", "connections", "kernel", "start_failures", "store")
    assert shell.client.info == {key: value for key, value in info.items() if key not in changing}


def test_stop_is_answered_before_the_server_ends(node: Any) -> None:
    """Who asks for the end hears that it was heard."""
    assert node.connect().call("server/stop") is True
    assert node.stops.get(timeout=DEADLINE_SECONDS) == "stop"


@pytest.mark.parametrize(
    ("method", "arguments", "expected"),
    [
        ("shell/eval", ("one", "1"), "SESSION must be an integer"),
        ("shell/eval", (1,), "takes SESSION SOURCE OPTIONS, received 1 argument"),
        ("process/exit", ("<0.1.0>", 3), "REASON must be a string"),
        ("process/view", (None,), "PID must be a string, received None"),
        ("interrupt", (True,), "SESSION must be an integer"),
    ],
)
def test_misuse_is_refused_in_words(node: Any, method: str, arguments: tuple[Any, ...], expected: str) -> None:
    """What was wrong, that nothing was done, and what to send."""
    with pytest.raises(RemoteError, match=expected) as caught:
        node.connect().call(method, *arguments)
    assert "nothing was done" in str(caught.value)
