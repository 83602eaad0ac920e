"""`midflight trace` beside a real server: what it prints, how it ends, and what it refuses."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.server_process import DEADLINE_SECONDS, MIDFLIGHT, Program, environment
from midflight.cli import main
from midflight.epc import RemoteServer

TALLY = """\
from midflight import receive


async def loop(total):
    match await receive():
        case ("add", n):
            return loop(total + n)
        case "stop":
            return None
"""


@pytest.fixture
def tally(start: Callable[..., Program], project: Path) -> Iterator[RemoteServer]:
    """A connection to a server in which a loop runs under the name `tally`."""
    start("serve").port()
    path = project / "tally.py"
    path.write_text(TALLY)
    with RemoteServer.attach(project) as client:
        client.call("code/load", str(path), None, None)
        session = client.call("shell/open")["session"]
        answer = client.call("shell/eval", session, "spawn(tally.loop, 1, name='tally')")
        assert answer["status"] == "ok", answer
        yield client


def tracing(project: Path, runtime_dir: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start `midflight trace`; return it once it says that it traces."""
    program = subprocess.Popen(
        [*MIDFLIGHT, "trace", *arguments],
        cwd=project,
        env=environment(runtime_dir),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stderr is not None
    said = program.stderr.readline()
    assert said.startswith("midflight: tracing "), said
    return program


def test_trace_prints_a_line_an_event(tally: RemoteServer, project: Path, runtime_dir: Path) -> None:
    """Messages, what the process goes on as, and its end; it ends after so many."""
    program = tracing(project, runtime_dir, "tally", "--count", "4")

    tally.call("process/send", "tally", "('add', 2)")
    tally.call("process/send", "tally", "'stop'")
    output, _ = program.communicate(timeout=DEADLINE_SECONDS)

    assert program.returncode == 0
    assert [line.partition("tally ")[2].strip().partition(" ")[0] for line in output.splitlines()] == [
        "<-", "=>", "<-", "exit"
    ]  # fmt: skip
    assert "('add', 2)" in output.splitlines()[0]
    assert "=> tally v1.loop(total=3)" in output.splitlines()[1]
    assert output.splitlines()[3].endswith("exit 'normal'")


def test_trace_prints_json(tally: RemoteServer, project: Path, runtime_dir: Path) -> None:
    """An object a line, of the kinds that were asked for."""
    program = tracing(project, runtime_dir, "--module", "tally", "--kind", "call", "--count", "1", "--json")

    tally.call("process/send", "tally", "('add', 2)")
    output, _ = program.communicate(timeout=DEADLINE_SECONDS)

    assert program.returncode == 0, output
    event = json.loads(output)
    assert (event["kind"], event["text"], event["version"]) == ("call", "loop(total=3)", 1)


def test_trace_ends_by_the_interrupt(tally: RemoteServer, project: Path, runtime_dir: Path) -> None:
    """With the code of a program that was broken off; the server traces no more."""
    program = tracing(project, runtime_dir, "--all")

    program.send_signal(signal.SIGINT)
    program.communicate(timeout=DEADLINE_SECONDS)

    assert program.returncode == 130


def test_trace_without_a_choice_is_refused(
    tally: RemoteServer, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As is a process that is dead."""
    assert main(["trace", "--root", str(project)]) == 3
    assert "No process is chosen; nothing is traced." in capsys.readouterr().err
    assert main(["trace", "<0.99999.0>", "--root", str(project)]) == 4
    assert "is not alive; it is not traced" in capsys.readouterr().err
