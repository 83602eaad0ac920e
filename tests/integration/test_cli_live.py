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
    ("arguments", "said"),
    [
        (("stock", "'never'", "--timeout", "0.01"), "gave no answer"),
        (("stock", "1 +"), "is not one Python expression"),
        (("<0.99999.0>", "1"), "<0.99999.0> is not alive; nothing was asked"),
        (("nobody", "1"), "neither a pid nor a registered name"),
    ],
    ids=["in time", "no expression", "dead", "no name"],
)
def test_call_says_why_there_is_no_answer(
    stock: RemoteServer, project: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    """Exit code 1, on stderr; the server lives on."""
    code, printed, error = say(project, capsys, "call", *arguments)

    assert (code, printed) == (1, "")
    assert said in error
    assert say(project, capsys, "call", "stock", "('count', 1)")[0] == 0


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
    assert text.splitlines()[2].split() == ["PID", "NAME", "STATUS", "MESSAGES", "REDS/S", "MODULE", "VERSION", "AT"]


def test_a_server_has_its_threads_hand_the_interpreter_over_soon(stock: RemoteServer) -> None:
    """A request goes through four threads, and each waits for it behind all that compute."""
    session = stock.call("shell/open")["session"]

    answer = stock.call("shell/eval", session, "import sys; sys.getswitchinterval() <= 0.0005")

    assert answer["value"] == "True", answer


def test_top_on_a_terminal_is_drawn_anew_until_q(
    stock: RemoteServer, project: Path, runtime_dir: Path, tmp_path: Path
) -> None:
    """Keys change the order; the screen is given back."""
    terminal = Terminal(project, runtime_dir, tmp_path / "state", *MIDFLIGHT, "top", "--interval", "30")
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
