"""The life of a server as a program: how it starts, how it is found, how it ends."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.epc_peer import Peer
from helpers.server_process import DEADLINE_SECONDS, Program
from midflight.epc import ProjectFiles, RemoteServer

Start = Callable[..., Program]
CLEANS_UP = """\
from midflight import receive

async def wait():
    print("waiting", flush=True)
    try:
        await receive()
    finally:
        print("cleaned up", flush=True)
"""


def files(runtime_dir: Path) -> list[str]:
    """Return the names of all files in the runtime folder."""
    return sorted(path.name for path in runtime_dir.rglob("*") if path.is_file())


def evaluate(root: Path, text: str) -> None:
    """Evaluate an input in a shell of the server of `root`, which must go well."""
    with RemoteServer.attach(root) as client:
        session = client.call("shell/open")["session"]
        answer = client.call("shell/eval", session, text)
        assert answer["status"] == "ok", answer


def test_first_line_is_the_port_alone(start: Start, project: Path) -> None:
    """An editor reads one number, connects to it, and finds the server of this project."""
    port = start("serve").port()

    with RemoteServer.attach(project) as client:
        assert client.info["root"] == str(project)
        assert ProjectFiles(project).find().port == port


def test_files_are_for_the_user_alone(start: Start, runtime_dir: Path) -> None:
    """Folders 0700, files 0600, and no other file than these."""
    server = start("serve")
    port = server.port()

    assert files(runtime_dir) == ["cookie", "main.json", "server.json"]
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in runtime_dir.rglob("*")}
    assert {modes.pop(name) for name in ("cookie", "server.json", "main.json", "main.sock")} == {0o600}
    assert set(modes.values()) == {0o700}
    said = json.loads(next(runtime_dir.rglob("server.json")).read_text())
    assert (said["port"], said["pid"], said["protocol"]) == (port, server.process.pid, 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_ends_it_cleanly(start: Start, project: Path, runtime_dir: Path, number: signal.Signals) -> None:
    """Processes unwind, files are removed, connections see the end, and nothing is complained of."""
    (project / "cleans_up.py").write_text(CLEANS_UP)
    server = start("serve")
    port = server.port()
    with RemoteServer.attach(project) as client:
        client.call("code/load", str(project / "cleans_up.py"), None, None)
    evaluate(project, "import cleans_up; pid = spawn(cleans_up.wait, group_leader=__import__('sys').__stdout__)")
    server.line_with("waiting")

    with Peer(port) as stranger:
        server.signal(number)
        assert stranger.read_to_end() == b""

    assert server.exit_code() == 0
    assert server.lines == [str(port), "waiting", "cleaned up"]
    assert files(runtime_dir) == []


def test_stop_request_ends_it_cleanly(start: Start, project: Path, runtime_dir: Path) -> None:
    """The same over the wire; who asked hears the answer first."""
    server = start("serve")
    server.port()
    with RemoteServer.attach(project) as client:
        assert client.call("server/stop") is True

    assert server.exit_code() == 0
    assert files(runtime_dir) == []


def test_evaluation_that_runs_is_answered_at_the_end(start: Start, project: Path) -> None:
    """An editor that waits for a value when the server is stopped does not wait for ever."""
    server = start("serve")
    server.port()
    with RemoteServer.attach(project) as client:
        session = client.call("shell/open")["session"]
        future = client.submit("shell/eval", session, "await receive()")
        client.call("ping")
        server.signal(signal.SIGTERM)

        assert future.exception(DEADLINE_SECONDS) is not None
    assert server.exit_code() == 0


def test_process_that_never_yields_does_not_keep_it_alive(start: Start, project: Path, runtime_dir: Path) -> None:
    """It is killed, by name, and the end goes on as always."""
    server = start("serve")
    server.port()
    with RemoteServer.attach(project) as client:
        session = client.call("shell/open")["session"]
        client.call("shell/eval", session, "def spin():\n    while True: pass\n")
        client.submit("shell/eval", session, "pid = spawn(spin, name='spin')")
        while not any(row["status"] == "running" for row in client.call("process/list") or []):
            pass

        server.signal(signal.SIGTERM)
        server.line_with("does not yield, so it is killed")

    assert server.exit_code() == 0
    assert files(runtime_dir) == []


def test_second_server_is_refused(start: Start, project: Path) -> None:
    """With the port and process id of the first, which goes on."""
    first = start("serve")
    port = first.port()

    second = start("serve")

    assert second.exit_code() == 3
    (line,) = second.lines
    assert f"runs already, on port {port} with process id {first.process.pid}" in line
    with RemoteServer.attach(project) as client:
        assert client.call("ping") == "pong"


def test_killed_server_is_replaced(start: Start, project: Path, runtime_dir: Path) -> None:
    """Its files are stale: the next one writes over them and removes them at its end."""
    first = start("serve")
    first.port()
    first.signal(signal.SIGKILL)
    first.exit_code()
    assert files(runtime_dir) == ["cookie", "main.json", "server.json"]

    second = start("serve")
    second.port()

    with RemoteServer.attach(project) as client:
        assert client.info["pid"] == second.process.pid
    second.signal(signal.SIGTERM)
    assert second.exit_code() == 0
    assert files(runtime_dir) == []


def test_two_projects_have_two_servers(start: Start, project: Path, tmp_path: Path) -> None:
    """A server is of one project; another root is another place."""
    other = tmp_path / "other"
    other.mkdir()
    start("serve").port()
    start("serve", "--root", str(other)).port()

    with RemoteServer.attach(project) as one, RemoteServer.attach(other) as two:
        assert (one.info["root"], two.info["root"]) == (str(project), str(other))


def test_given_port_is_used(start: Start) -> None:
    """--port listens there and nowhere else."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    assert start("serve", "--port", str(port)).port() == port


def test_unsafe_runtime_folder_is_refused(start: Start, runtime_dir: Path) -> None:
    """No server, no cookie, and what to do about it."""
    runtime_dir.mkdir(mode=0o700)
    runtime_dir.chmod(0o755)
    server = start("serve")

    assert server.exit_code() == 3
    assert "has mode 0755, so others may enter it; nothing was written there" in server.lines[-1]
    assert files(runtime_dir) == []


def test_detached_server_outlives_its_starter(start: Start, project: Path, runtime_dir: Path) -> None:
    """The port is printed when it answers; a second start finds it; its output is in the log."""
    starter = start("serve", "--detach")
    port = starter.port()
    try:
        assert starter.exit_code() == 0
        again = start("serve", "--detach")
        assert (again.port(), again.exit_code()) == (port, 0)
        with RemoteServer.attach(project) as client:
            pid = client.info["pid"]
            assert os.getsid(pid) == pid
        assert files(runtime_dir) == ["cookie", "main.json", "server.json", "server.log"]
        assert next(runtime_dir.rglob("server.log")).read_text() == f"{port}\n"
    finally:
        stopped = start("stop")
        assert stopped.exit_code() == 0, stopped.lines
    assert files(runtime_dir) == ["server.log"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("import os; os.write(1, b'past Python\\n')", "past Python\n"),
        ("import os; os.system('printf %s no-newline')", "no-newline\n"),
        ("print('by Python')", "by Python\n"),
        ("import os; os.write(1, b'x' * 70_000)", "x" * 65_536 + "\n[4464 more bytes are in the server's log]\n"),
    ],
)
def test_shell_of_a_detached_server_shows_what_is_written_past_python(
    start: Start, project: Path, text: str, shown: str
) -> None:
    """Its standard output is a log, which nobody reads; it comes before the answer, once."""
    assert start("serve", "--detach").exit_code() == 0
    output: list[str] = []
    try:
        with RemoteServer.attach(project, {"shell/output": lambda _, said: output.append(said)}) as client:
            session = client.call("shell/open")["session"]
            client.call("shell/eval", session, text)

            assert "".join(output) == shown
    finally:
        assert start("stop").exit_code() == 0


def test_detached_server_has_a_log_again_after_its_folder_was_removed(
    start: Start, project: Path, runtime_dir: Path
) -> None:
    """What it prints from then on is in a new one, and it is found and stopped as before."""
    starter = start("serve", "--detach")
    port = starter.port()
    try:
        shutil.rmtree(runtime_dir)
        assert ProjectFiles(project).find().port == port

        evaluate(
            project, "import os; written = os.write(1, b'on standard output\\n') + os.write(2, b'on standard error\\n')"
        )

        lines = next(runtime_dir.rglob("server.log")).read_text().splitlines()
        assert lines[-2:] == ["on standard output", "on standard error"]
        assert "they are back" in lines[0]
    finally:
        stopped = start("stop")
        assert stopped.exit_code() == 0, stopped.lines


def test_detached_server_that_cannot_start_says_why(start: Start, runtime_dir: Path) -> None:
    """The end of its log, and the exit code 3."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        starter = start("serve", "--detach", "--port", str(taken.getsockname()[1]))
        assert starter.exit_code() == 3

    assert "did not start; none runs" in starter.lines[0]
    assert "is taken by another program" in "\n".join(starter.lines)
    assert files(runtime_dir) == ["server.log"]


def test_crash_is_in_the_log_of_the_server(start: Start, project: Path) -> None:
    """Also when no editor is attached any more."""
    server = start("serve")
    server.port()
    evaluate(project, "def fail():\n    raise ValueError('boom')\n")
    evaluate(project, "async def fail():\n    raise ValueError('boom')\nspawn(fail)\n")

    server.line_with("crashed in")
    assert server.line_with("boom")


def test_module_in_the_project_does_not_shadow_pythons_own(start: Start, project: Path) -> None:
    """A detached server starts though the project has a queue.py of its own."""
    (project / "queue.py").write_text("raise SystemExit('shadowed')\n")
    starter = start("serve", "--detach")
    try:
        assert starter.exit_code() == 0, starter.lines
        evaluate(project, "import queue; assert hasattr(queue, 'SimpleQueue')")
    finally:
        assert start("stop").exit_code() == 0


def test_modules_of_the_project_can_be_imported(start: Start, project: Path) -> None:
    """In a shell, and by a module that is loaded, before anything was loaded from the root."""
    (project / "helper_of_mine.py").write_text("value = 42\n")
    start("serve").port()

    evaluate(project, "import helper_of_mine; assert helper_of_mine.value == 42")


def test_a_process_that_never_yields_is_told_of_listed_and_killed(start: Start, project: Path) -> None:
    """Law 7 through the wire: everybody hears of it, sees it, kills it; the others go on afterwards."""
    (project / "spinner.py").write_text("async def spin():\n    while True:\n        pass\n")
    start("serve").port()
    stuck: queue.Queue[dict[str, object]] = queue.Queue()

    with RemoteServer.attach(project, {"process/stuck": stuck.put}) as client:
        assert client.call("code/load", str(project / "spinner.py"), None, None)["status"] == "loaded"
        session = client.call("shell/open")["session"]
        client.submit("shell/eval", session, "spinning = spawn(spinner.spin)")
        report = stuck.get(timeout=DEADLINE_SECONDS)
        listed = {row["pid"]: row for row in client.call("process/list")}
        assert listed[report["pid"]]["function"] == "spin"
        assert "in spin" in str(report["text"])

        client.call("process/exit", report["pid"], "kill")

        answer = client.call("shell/eval", session, "is_alive(spinning)")
        assert (answer["status"], answer["value"]) == ("ok", "False")


TREE = """\
from midflight import ChildSpec, GenServer, Supervisor

class Child(GenServer):
    def init(self, name):
        self.name = name

    def terminate(self, reason):
        print(self.name, reason, flush=True)

async def start():
    await Supervisor.start([ChildSpec(name, Child, (name,)) for name in ("first", "second")], name="tree")
"""


def configure_start(project: Path, target: str) -> None:
    (project / "pyproject.toml").write_text(f'[tool.midflight]\nstart = "{target}"\n')


def test_the_project_s_tree_is_started_and_stopped_in_its_order(start: Start, project: Path) -> None:
    """`[tool.midflight] start` runs as a process; at the end the supervisor stops its children, the last first."""
    (project / "app.py").write_text(TREE)
    configure_start(project, "app:start")
    server = start("serve")
    server.port()
    server.line_with("app:start runs as")

    with RemoteServer.attach(project) as client:
        session = client.call("shell/open")["session"]
        count = client.call("shell/eval", session, "await Supervisor.count_children('tree')")
        server.process.send_signal(signal.SIGTERM)

    assert "'active': 2" in count["value"]
    assert server.exit_code() == 0
    assert [line for line in server.lines if line.endswith(" shutdown")] == ["second shutdown", "first shutdown"]


@pytest.mark.parametrize(
    ("target", "text", "says"),
    [
        ("app:start", "def start(:\n", "app not loaded: line 1"),
        ("app:begin", "def start(): pass\n", "app has no function begin"),
        ("nowhere:start", "", "nowhere"),
        ("app", "", "names no function"),
    ],
)
def test_a_start_that_fails_is_told_and_the_server_runs(
    start: Start, project: Path, target: str, text: str, says: str
) -> None:
    """What is wrong stands in the log, and editors can mend it."""
    (project / "app.py").write_text(text)
    configure_start(project, target)
    server = start("serve")
    server.port()

    line = server.line_with("did not start")

    assert says in line
    with RemoteServer.attach(project) as client:
        assert client.call("ping") == "pong"
