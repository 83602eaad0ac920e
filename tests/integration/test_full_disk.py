"""A disk that takes nothing more: what a start says, and what a server that runs goes on with.

A limit of the file size stands for the full disk: the system refuses each write to a file, wherever that is. Where a
file system of the test's own can be mounted, one that is really full does.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.server_process import DEADLINE_SECONDS, MIDFLIGHT, environment

LIMIT = resource.RLIMIT_FSIZE
NOTHING = (0, resource.RLIM_INFINITY)
ANYTHING = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def full_disk() -> None:
    """Let this process, and those that it starts, write nothing to files."""
    resource.setrlimit(LIMIT, NOTHING)


def command(
    project: Path, runtime: Path, *arguments: str, stdout: int | object = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    """Run a command of midflight with a full disk."""
    return subprocess.run(
        [*MIDFLIGHT, *arguments],
        cwd=project,
        env=environment(runtime),
        stdin=subprocess.DEVNULL,
        stdout=stdout,  # type: ignore[call-overload]
        stderr=subprocess.PIPE,
        text=True,
        timeout=DEADLINE_SECONDS,
        preexec_fn=full_disk,
    )


@pytest.mark.parametrize("arguments", [("serve",), ("serve", "--detach")])
def test_start_with_a_full_disk_says_what_happened_and_ends(
    project: Path, runtime_dir: Path, arguments: tuple[str, ...]
) -> None:
    """In three parts, with an exit code; nothing is left that looks like a server."""
    ended = command(project, runtime_dir, *arguments)

    assert ended.returncode == 3
    assert ended.stdout == ""
    assert "cannot be written" in ended.stderr
    assert "no server was started. Make room" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(runtime_dir.rglob("*.json")) == list(runtime_dir.rglob("*.sock")) == []


def test_start_whose_output_takes_nothing_says_so_and_ends(project: Path, runtime_dir: Path) -> None:
    """Its port cannot be told, so it does not run on unseen."""
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [*MIDFLIGHT, "serve"],
            cwd=project,
            env=environment(runtime_dir),
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=DEADLINE_SECONDS,
        )

    assert ended.returncode == 3
    assert "could not be written to standard output (No space left on device)" in ended.stderr
    assert "the server has ended and its files are gone. Make room" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(runtime_dir.rglob("*.json")) == []


TILL = """
import logging
from midflight import GenServer

class Till(GenServer):
    def init(self):
        self.total = 0

    def handle_call(self, request, client):
        print("asked", request)
        logging.getLogger("midflight").warning("asked %s", request)
        self.total += request
        return self.total

async def start():
    await Till.start(name="till")
"""


@pytest.fixture
def till(project: Path, runtime_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """A server with a process `till`, whose output goes to the file `log`."""
    (project / "till.py").write_text(TILL)
    (project / "pyproject.toml").write_text('[tool.midflight]\nstart = "till:start"\n')
    log = project / "log"
    with log.open("w") as stream:
        server = subprocess.Popen(
            [*MIDFLIGHT, "serve"],
            cwd=project,
            env=environment(runtime_dir),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            text=True,
        )
    try:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while "runs as" not in log.read_text():
            assert time.monotonic() < deadline, log.read_text()
            assert server.poll() is None, log.read_text()
            time.sleep(0.01)
        yield server
    finally:
        server.kill()
        server.wait()


def edit(project: Path, text: str) -> None:
    """Write the next text of the module."""
    (project / "till.py").write_text(f"{TILL}{text}\n")


def test_server_whose_disk_fills_up_loads_on(project: Path, till: subprocess.Popen[str], run: Shell) -> None:
    """Texts are kept in memory: loads, differences, roll back and tracebacks work, and the state stays."""
    run("call", "till", "1")
    edit(project, "# 2")
    run("load", str(project / "till.py"))
    resource.prlimit(till.pid, LIMIT, NOTHING)

    for number in (3, 4):
        edit(project, f"def f():\n    return 1 / 0  # {number}")
        run("load", str(project / "till.py"))

    assert "+    return 1 / 0  # 4" in run("diff", "till", "3", "4")
    assert run("call", "till", "2") == "3\n"
    run("send", "till", "__import__('till').f()", code=3)
    assert "return 1 / 0  # 4" in run.error
    run("rollback", "till")
    assert run("call", "till", "3") == "6\n"


def test_processes_print_on_though_the_log_is_full(project: Path, till: subprocess.Popen[str], run: Shell) -> None:
    """What they print is dropped while there is no room, and nobody crashes for it."""
    run("call", "till", "1")
    resource.prlimit(till.pid, LIMIT, NOTHING)
    assert run("call", "till", "2") == "3\n"
    resource.prlimit(till.pid, LIMIT, ANYTHING)

    assert run("call", "till", "3") == "6\n"

    said = [line for line in (project / "log").read_text().splitlines() if line.startswith("asked")]
    assert said == ["asked 1", "asked 3"]


def test_server_whose_disk_was_full_ends_as_ever(project: Path, till: subprocess.Popen[str], run: Shell) -> None:
    """With exit code 0, and nothing left behind."""
    resource.prlimit(till.pid, LIMIT, NOTHING)
    run("call", "till", "2")

    run("stop")

    assert till.wait(DEADLINE_SECONDS) == 0


SCRIPT = """
set -eu
mount -t tmpfs -o size=64k,mode=0700 tmpfs "$1"
dd if=/dev/zero of="$1/filling" bs=1k count=64 2>/dev/null || true
shift
exec "$@"
"""


def test_start_on_a_file_system_that_is_full(project: Path, tmp_path: Path) -> None:
    """The real error of a full disk gives the same words."""
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    isolated = ["unshare", "--mount", "bash", "-c", SCRIPT, "bash", str(mounted)]
    if shutil.which("unshare") is None or subprocess.run([*isolated, "true"], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here: unshare --mount needs root")

    ended = subprocess.run(
        [*isolated, *MIDFLIGHT, "serve"],
        cwd=project,
        env=environment(mounted / "runtime"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
    )

    assert ended.returncode == 3
    assert "No space left on device" in ended.stderr
    assert "no server was started. Make room" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("home", ["/nonexistent/home", ""])
def test_start_without_a_home_folder(project: Path, runtime_dir: Path, home: str) -> None:
    """A server needs none."""
    env = {**environment(runtime_dir), "HOME": home}
    for arguments in (("serve", "--detach"), ("stop",)):
        subprocess.run(
            [*MIDFLIGHT, *arguments], cwd=project, env=env, check=True, timeout=DEADLINE_SECONDS, capture_output=True
        )
