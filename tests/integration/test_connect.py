"""`--connect`: commands here, and the server behind a program that leads there; ssh is one, to a real sshd."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.dap_client import Dap
from helpers.server_process import DEADLINE_SECONDS, MIDFLIGHT, Program, environment

V1 = """from midflight import receive

async def loop(total):
    match await receive():
        case ("add", count):
            return loop(total + count)
        case _:
            return loop(total)
"""
SSHD = shutil.which("sshd") or "/usr/sbin/sshd"


@pytest.fixture
def there(project: Path, start: Callable[..., Program]) -> str:
    """A server with a process `till`; the command that leads to it."""
    (project / "counter.py").write_text(V1)
    start("serve").port()
    start("load", "counter.py").line_with("loaded")
    start("shell", "-c", "spawn(__import__('counter').loop, 0, name='till')").line()
    return shlex.join([*MIDFLIGHT, "relay", "--root", str(project)])


@pytest.fixture
def here(tmp_path: Path, runtime_dir: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """A function that runs a command in another copy of the project, of whose folder the server knows nothing."""
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    (folder / "counter.py").write_text(V1.replace("total + count", "total + 2 * count"))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*MIDFLIGHT, *arguments],
            cwd=folder,
            env=environment(runtime_dir),
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )

    return run


Here = Callable[..., subprocess.CompletedProcess[str]]


def test_a_command_asks_the_server_there(here: Here, there: str) -> None:
    """It lists its processes, evaluates in it, and sends it messages."""
    assert "till" in here("ps", "--connect", there).stdout
    assert here("shell", "--connect", there, "-c", "1 + 1").stdout == "2\n"
    assert here("send", "--connect", there, "till", "('add', 3)").returncode == 0


def test_a_file_of_this_machine_is_loaded_there(here: Here, there: str, project: Path) -> None:
    """Its text goes over, under its place in the project; the file there is not touched."""
    loaded = here("load", "--connect", there, "counter.py")
    checked = here("check", "--connect", there, "counter.py")

    assert "counter v2 loaded: loop changed" in loaded.stdout
    assert str(project / "counter.py") in loaded.stdout
    assert checked.returncode == 0
    assert (project / "counter.py").read_text() == V1


def test_a_program_that_leads_nowhere_is_no_server(here: Here, project: Path) -> None:
    """The exit code is that of no server, the program's own words are shown, and what to try."""
    nobody = here("ps", "--connect", shlex.join([*MIDFLIGHT, "relay", "--root", str(project)]))
    missing = here("ps", "--connect", "no-such-program relay")
    wrong = here("ps", "--connect", "shop")

    assert nobody.returncode == 5
    assert "No server runs for" in nobody.stderr
    assert "was not reached; nothing was asked" in nobody.stderr
    assert (missing.returncode, wrong.returncode) == (3, 3)
    assert "cannot be run" in missing.stderr
    assert "HOST:FOLDER" in wrong.stderr


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An sshd on a port of 127.0.0.1, with keys of its own; `ssh` finds it as the host `shop`."""
    if not os.path.exists(SSHD) or not shutil.which("ssh"):
        pytest.skip("no sshd is installed")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    folder = tmp_path / "ssh"
    folder.mkdir(mode=0o700)
    for key in ("host", "own"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)], check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "sshd").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/own.pub\n"
        "StrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\nPasswordAuthentication no\n"
        f"SetEnv MIDFLIGHT_RUNTIME_DIR={tmp_path}/runtime PYTHONPATH={os.environ.get('PYTHONPATH', '')}\n"
    )
    (folder / "ssh").write_text(
        f"Host shop\n HostName 127.0.0.1\n Port {port}\n User {getpass.getuser()}\n IdentityFile {folder}/own\n"
        f" IdentitiesOnly yes\n UserKnownHostsFile {folder}/known\n StrictHostKeyChecking accept-new\n LogLevel ERROR\n"
    )
    program = folder / "bin"
    program.mkdir()
    (program / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/ssh "$@"\n')
    (program / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{program}{os.pathsep}{os.environ['PATH']}")
    server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "sshd")], stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    with server.stderr as said:
        assert any("Server listening" in line for line in said), "sshd did not start"
        yield
        server.terminate()
        server.wait(DEADLINE_SECONDS)


def test_ssh_leads_there(here: Here, there: str, host: None, project: Path) -> None:
    """HOST:FOLDER is all that is to be said; the midflight of the project's own environment is found there."""
    own = project / ".venv" / "bin"
    own.mkdir(parents=True)
    (own / "midflight").write_text(f'#!/bin/sh\nexec {shlex.join(MIDFLIGHT)} "$@"\n')
    (own / "midflight").chmod(0o755)
    listed = here("ps", "--connect", f"shop:{project}")
    loaded = here("load", "--connect", f"shop:{project}", "counter.py")
    nowhere = here("ps", "--connect", "shop:/nowhere")

    assert "till" in listed.stdout, listed.stderr
    assert "counter v2 loaded" in loaded.stdout
    assert nowhere.returncode == 5


def test_an_editor_debugs_there(there: str, runtime_dir: Path, project: Path, tmp_path: Path) -> None:
    """A breakpoint of the file here is one there; the mapping of folders is the editor's."""
    pytest.importorskip("debugpy")
    dap = Dap.of_command(tmp_path, runtime_dir, "--connect", there)
    try:
        mapping = {"localRoot": str(tmp_path / "here"), "remoteRoot": str(project)}
        found = dap.begin({str(tmp_path / "here/counter.py"): [6]}, pathMappings=[mapping])
        dap.body("disconnect")
    finally:
        dap.close()

    assert [each["verified"] for each in found[str(tmp_path / "here/counter.py")]] == [True]
