"""A server as a service manager or a container runs it: what it tells, its exit codes, and a start that fails."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.server_process import DEADLINE_SECONDS, MIDFLIGHT, Program
from midflight.cli.parser import parser
from midflight.epc import RemoteServer

Start = Callable[..., Program]

EXAMPLES = Path(__file__).parents[2] / "examples" / "deployment"
STARTED = "from midflight import receive\n\nasync def start():\n    print('started', flush=True)\n    await receive()\n"


@pytest.fixture(params=["a file", "abstract"])
def manager(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket of a service manager, which servers are told of."""
    with (
        tempfile.TemporaryDirectory(prefix="midflight-test-") as folder,  # a path for a socket must be short
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stream,
    ):
        path = f"{folder}/notify"
        is_abstract = request.param == "abstract"
        stream.bind("\0" + path if is_abstract else path)
        stream.settimeout(DEADLINE_SECONDS)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + path if is_abstract else path)
        yield stream


def configure(project: Path, text: str, start: str = "app:start") -> None:
    """Write a module `app` with that text, and have the project start with a function of it."""
    (project / "app.py").write_text(text)
    (project / "pyproject.toml").write_text(f'[tool.midflight]\nstart = "{start}"\n')


def test_the_manager_is_told_of_ready_and_stopping(start: Start, project: Path, manager: socket.socket) -> None:
    """Ready is when `start` runs; no word of a watchdog, for none was asked for."""
    configure(project, STARTED)
    server = start("serve")
    server.port()

    assert manager.recv(1000) == b"READY=1"
    with RemoteServer.attach(project) as client:
        assert client.call("process/list") != []
    server.signal(signal.SIGTERM)
    assert manager.recv(1000) == b"STOPPING=1"

    assert server.exit_code() == 0


def test_the_watchdog_is_told_that_the_loop_runs(
    start: Start, manager: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Again and again, and not while a process does not yield."""
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    start("serve").port()

    told = [manager.recv(1000) for _ in range(10)]

    assert set(told) == {b"READY=1", b"WATCHDOG=1"}


def test_a_watchdog_of_another_process_is_not_told(
    start: Start, project: Path, manager: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that a service starts has the service's variables."""
    monkeypatch.setenv("WATCHDOG_USEC", "1000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    server = start("serve")
    server.port()
    server.signal(signal.SIGTERM)

    assert server.exit_code() == 0
    assert {manager.recv(1000), manager.recv(1000)} <= {b"READY=1", b"STOPPING=1"}


@pytest.mark.parametrize("address", ["/nowhere/at/all", "relative", "@midflight-nobody", "/" + 200 * "x"])
def test_a_manager_that_is_not_there_is_done_without(
    start: Start, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """The server runs, and says nothing of it."""
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    monkeypatch.setenv("WATCHDOG_USEC", "nonsense")
    server = start("serve")
    port = server.port()
    server.signal(signal.SIGTERM)

    assert server.exit_code() == 0
    assert server.lines == [str(port)]


@pytest.mark.parametrize(
    ("text", "target", "says"),
    [
        ("def start(:\n", "app:start", "app not loaded: line 1"),
        ("", "app:start", "app has no function start"),
        ("async def start():\n    raise RuntimeError('no room')\n", "app:start", "RuntimeError: no room"),
    ],
    ids=["no module", "no function", "a crash"],
)
def test_a_start_that_is_required_and_fails_ends_the_server(
    start: Start, project: Path, runtime_dir: Path, text: str, target: str, says: str
) -> None:
    """With exit code 1, the reason in the log, and no file left."""
    configure(project, text, target)
    server = start("serve", "--require-start")

    assert server.exit_code() == 1
    assert says in "\n".join(server.lines)
    assert [path for path in runtime_dir.rglob("*") if path.is_file()] == []


def test_a_start_that_is_required_and_runs_ends_with_0(start: Start, project: Path) -> None:
    """As always, by SIGTERM."""
    configure(project, STARTED)
    server = start("serve", "--require-start")
    server.line_with("started")
    server.signal(signal.SIGTERM)

    assert server.exit_code() == 0


def test_doctor_has_a_line_on_a_start_that_failed(start: Start, project: Path, run: Shell) -> None:
    """Exit code 1; the log's place stands there in any case."""
    configure(project, "def start(:\n")
    server = start("serve")
    server.line_with("did not start")

    found = json.loads(run("doctor", "--json", code=1))

    assert "app not loaded: line 1" in found["start"]
    assert found["trouble"] == "the project's start has failed; see start"
    assert found["log"].endswith("server.log, which is not there yet")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130), (None, 0)]
)
def test_a_program_that_is_asked_to_end_says_by_what(
    start: Start, project: Path, run: Shell, number: signal.Signals | None, code: int
) -> None:
    """The codes that shells give to a signal; 0 if a client asked. The process unwinds in any case."""
    (project / "app.py").write_text(
        "from midflight import receive\n\nasync def main():\n    print('started', flush=True)\n    try:\n"
        "        await receive()\n    finally:\n        print('unwound', flush=True)\n"
    )
    program = start("run", "app.py:main")
    program.line_with("started")
    if number is None:
        run("stop")
    else:
        program.signal(number)

    assert program.exit_code() == code
    assert program.lines == ["started", "unwound"]


def test_as_process_1_of_a_container_it_heeds_a_signal(project: Path, runtime_dir: Path) -> None:
    """The kernel drops signals for process 1 that it has no handler for. Exit code 0, and the processes unwind."""
    alone = ("unshare", "--fork", "--pid", "--mount-proc")
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("no namespace of processes can be made here")
    configure(project, STARTED)
    with Program(
        "serve", "--require-start", runtime=runtime_dir, cwd=project, command=(*alone, *MIDFLIGHT)
    ) as container:
        container.line_with("started")
        (inside,) = Path(f"/proc/{container.process.pid}/task/{container.process.pid}/children").read_text().split()
        os.kill(int(inside), signal.SIGTERM)

        assert container.exit_code() == 0


def options_of(line: str) -> object:
    """Return the options of a line that begins with the program midflight."""
    words = line.split()
    assert words[0].endswith("midflight")
    return parser().parse_args(words[1:])


def test_the_unit_file_is_one(tmp_path: Path) -> None:
    """Its command is one of ours, and systemd takes its settings."""
    text = (EXAMPLES / "midflight.service").read_text(encoding="utf-8")
    settings = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))

    options = options_of(settings["ExecStart"])

    assert (options.command, options.require_start, settings["Type"]) == ("serve", True, "notify")
    if shutil.which("systemd-analyze") is None:
        return
    unit = tmp_path / "shop.service"
    unit.write_text(text.replace(settings["ExecStart"].split()[0], "/bin/true").replace("User=shop", "User=root"))
    said = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=DEADLINE_SECONDS
    )
    assert [line for line in said.stderr.splitlines() if "shop.service" in line] == []


def test_the_dockerfile_runs_commands_that_there_are() -> None:
    """The one that serves, as process 1 without a shell, and the one that asks for its health."""
    text = (EXAMPLES / "Dockerfile").read_text(encoding="utf-8")
    commands = [json.loads("[" + line.partition("[")[2]) for line in text.splitlines() if "CMD [" in line]

    found = [options_of(" ".join(words)) for words in commands]

    assert [options.command for options in found] == ["ps", "serve"]
