"""`midflight call` and `midflight top`: a server asked from the command line, and the processes that do most."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.server_process import MIDFLIGHT, Program
from helpers.terminal import Terminal
from midflight.cli import main
from midflight.epc import RemoteServer

STOCK = """\
from midflight import GenServer, NOREPLY


class Stock(GenServer):
    def init(self):
        self.count = 40

    def handle_call(self, request, client):
        match request:
            case ("count", what):
                return {what: self.count}
            case "never":
                return NOREPLY
            case "break":
                raise RuntimeError("broken")
"""

BUSY = """\
from midflight import receive, self_


async def loop():
    self_() << "again"
    await receive()
    return loop()
"""


@pytest.fixture
def stock(start: Callable[..., Program], project: Path) -> Iterator[RemoteServer]:
    """A connection to a server in which a Stock runs under the name `stock`."""
    start("serve").port()
    path = project / "stock.py"
    path.write_text(STOCK)
    with RemoteServer.attach(project) as client:
        client.call("code/load", str(path), None, None)
        session = client.call("shell/open")["session"]
        answer = client.call("shell/eval", session, "await stock.Stock.start(name='stock')")
        assert answer["status"] == "ok", answer
        yield client


def say(project: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command; return its exit code and what it printed, errors last."""
    capsys.readouterr()
    code = main([*arguments, "--root", str(project)])
    return code, *capsys.readouterr()


def test_call_prints_the_answer(stock: RemoteServer, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As text, and as JSON."""
    assert say(project, capsys, "call", "stock", "('count', 'tea')") == (0, "{'tea': 40}\n", "")
    code, printed, error = say(project, capsys, "call", "stock", "('count', 'tea')", "--json")
    assert (code, error) == (0, "")
    assert json.loads(printed) == {"answer": "{'tea': 40}"}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("stock", "'never'", "--timeout", "0.01"), 6, "It has the request, and may carry it out still."),
        (("stock", "1 +"), 3, "is not one Python expression"),
        (("stock", "1 / 0"), 3, "EXPRESSION could not be evaluated; nothing was asked.\n"),
        (("<0.99999.0>", "1"), 4, "<0.99999.0> is not alive; nothing was asked"),
        (("nobody", "1"), 4, "neither a pid nor a registered name"),
    ],
    ids=["in time", "no expression", "no value", "dead", "no name"],
)
def test_call_says_why_there_is_no_answer(
    stock: RemoteServer,
    project: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    """An exit code for each kind, on stderr; the server lives on."""
    found, printed, error = say(project, capsys, "call", *arguments)

    assert (found, printed) == (code, "")
    assert said in error
    assert say(project, capsys, "call", "stock", "('count', 1)")[0] == 0


def test_a_call_that_ends_its_server_says_that_what_it_did_stays(
    stock: RemoteServer, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, with the traceback by the file that people edit."""
    code, printed, error = say(project, capsys, "call", "stock", "'break'")

    assert (code, printed) == (1, "")
    assert "has ended. What it did for the request stays done" in error
    assert f'File "{project / "stock.py"}' in error
    assert "RuntimeError: broken" in error


def test_a_message_to_a_runtime_that_is_held_up_is_given_up(
    stock: RemoteServer, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some seconds, with the process that does not yield; nothing is sent later."""
    session = stock.call("shell/open")["session"]
    spinning = "spawn(lambda: exec('while True: pass'), name='spinning')"
    stock.submit("shell/eval", session, spinning)

    code, printed, error = say(project, capsys, "send", "stock", "1")

    assert (code, printed) == (6, "")
    assert "The runtime has not come to it within 5 s, and it was given up. The process <0." in error
    assert say(project, capsys, "exit", "spinning", "kill")[0] == 0


def test_top_has_who_does_most_first(stock: RemoteServer, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A process that never waits stands before one that does nothing."""
    path = project / "busy.py"
    path.write_text(BUSY)
    stock.call("code/load", str(path), None, None)
    session = stock.call("shell/open")["session"]
    stock.call("shell/eval", session, "spawn(busy.loop, name='busy')")

    code, printed, error = say(project, capsys, "top", "--once", "--interval", "0.05", "--json")
    assert (code, error) == (0, "")
    rows = json.loads(printed)
    code, text, error = say(project, capsys, "top", "--once", "--interval", "0.05")
    assert (code, error) == (0, "")

    assert (rows[0]["name"], rows[0]["function"]) == ("busy", "loop")
    assert rows[0]["rate"] > 0
    stocked = next(row for row in rows if row["name"] == "stock")
    assert (stocked["module"], stocked["version"], stocked["function"], stocked["rate"]) == ("stock", 1, "Stock", 0)
    assert "reductions/s" in text.splitlines()[0]
    assert text.splitlines()[2].split() == [
        *("PID", "NAME", "STATUS", "MESSAGES", "GROWTH/S", "REDS/S", "MODULE", "VERSION", "AT")
    ]


def test_a_server_has_its_threads_hand_the_interpreter_over_soon(stock: RemoteServer) -> None:
    """A request goes through four threads, and each waits for it behind all that compute."""
    session = stock.call("shell/open")["session"]

    answer = stock.call("shell/eval", session, "import sys; sys.getswitchinterval() <= 0.0005")

    assert answer["value"] == "True", answer


def test_top_on_a_terminal_is_drawn_anew_until_q(
    stock: RemoteServer, project: Path, runtime_dir: Path, tmp_path: Path
) -> None:
    """Keys change the order; the screen is given back."""
    terminal = Terminal(project, runtime_dir, tmp_path / "state", *MIDFLIGHT, "top", "--plain", "--interval", "30")
    try:
        terminal.see(r"\x1b\[\?1049h")
        terminal.see("q quit")
        terminal.see("stock")
        stock.call("process/exit", "stock", "kill")
        terminal.type("m")
        terminal.see("stock")  # that is how it was at the last look
        terminal.type(" ")
        terminal.see("REDS/S")
        terminal.type("q")
        terminal.see(r"\x1b\[\?1049l")
        assert terminal.exit_code() == 0
    finally:
        terminal.close()


def test_top_gives_the_screen_back_when_it_is_ended(
    stock: RemoteServer, project: Path, runtime_dir: Path, tmp_path: Path
) -> None:
    """By SIGTERM: exit code 143."""
    terminal = Terminal(project, runtime_dir, tmp_path / "state", *MIDFLIGHT, "top", "--plain", "--interval", "30")
    try:
        terminal.see("q quit")
        terminal.process.terminate()
        terminal.see(r"\x1b\[\?25h\x1b\[\?1049l")
        assert terminal.exit_code() == 143
    finally:
        terminal.close()
