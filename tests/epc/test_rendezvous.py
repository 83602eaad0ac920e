"""The files by which a server is found, in a runtime folder of the test's own."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from midflight.epc.rendezvous import Place, find_root, runtime_folder
from midflight.errors import NoServer, RuntimeFolderError, ServerRunning

COOKIE = "0123456789abcdef" * 4


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runtime folder of this test, not made yet."""
    folder = tmp_path / "runtime"
    monkeypatch.setenv("MIDFLIGHT_RUNTIME_DIR", str(folder))
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """The place of a project."""
    root = tmp_path / "project"
    root.mkdir()
    return Place(root)


@pytest.fixture
def port() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def dead_pid() -> int:
    """The process id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def mode_of(path: Path) -> int:
    """Return the permission bits of `path`."""
    return stat.S_IMODE(path.stat().st_mode)


def overwrite(place: Place, **values: object) -> None:
    """Change fields of server.json."""
    text = json.loads(place.server_path.read_text())
    place.server_path.write_text(json.dumps(text | values))


def test_published_files_are_for_the_user_alone(place: Place, port: int, runtime: Path) -> None:
    """Folders 0700, files 0600, whatever the umask."""
    previous = os.umask(0)
    try:
        place.publish(port, "0.1.0", COOKIE)
    finally:
        os.umask(previous)

    assert mode_of(runtime) == mode_of(place.folder) == 0o700
    assert mode_of(place.server_path) == mode_of(place.cookie_path) == 0o600
    assert sorted(path.name for path in place.folder.iterdir()) == ["cookie", "server.json"]


def test_published_files_say_where_the_server_is(place: Place, port: int) -> None:
    """server.json has the five fields; the cookie stands alone in its file, without a newline."""
    place.publish(port, "0.1.0", COOKIE)

    assert json.loads(place.server_path.read_text()) == {
        "port": port,
        "pid": os.getpid(),
        "root": str(place.root),
        "protocol": 1,
        "version": "0.1.0",
    }
    assert place.cookie_path.read_bytes() == COOKIE.encode()
    found, cookie = place.find()
    assert (found.port, found.pid, cookie) == (port, os.getpid(), COOKIE)


def test_folder_is_named_by_the_digest_of_the_root(place: Place, runtime: Path) -> None:
    """Sixteen hex digits of sha256 of the resolved path without a trailing slash: editors compute the same."""
    expected = hashlib.sha256(str(place.root).encode()).hexdigest()[:16]

    assert place.folder == runtime / expected
    assert Place(f"{place.root}/").folder == place.folder


def test_a_link_to_the_root_is_the_same_place(place: Place, tmp_path: Path) -> None:
    """Two ways to one folder find one server."""
    link = tmp_path / "link"
    link.symlink_to(place.root)

    assert Place(link).folder == place.folder


def test_second_server_is_refused(place: Place, port: int) -> None:
    """While one runs, another is told its port and process id, and the files stay as they are."""
    place.publish(port, "0.1.0", COOKIE)
    before = place.server_path.read_bytes()

    with pytest.raises(ServerRunning, match=f"port {port} with process id {os.getpid()}"):
        Place(place.root).publish(port + 1, "0.1.0", "f" * 64)

    assert place.server_path.read_bytes() == before
    assert place.cookie_path.read_text() == COOKIE


def test_file_of_a_dead_process_is_stale(place: Place, port: int, dead_pid: int) -> None:
    """A killed server leaves its files; nobody finds it, and the next one writes over them."""
    place.publish(port, "0.1.0", COOKIE)
    overwrite(place, pid=dead_pid)

    assert place.running() is None
    with pytest.raises(NoServer, match="midflight serve"):
        place.find()
    place.publish(port, "0.2.0", "f" * 64)
    assert place.find()[1] == "f" * 64


def test_file_whose_port_nobody_listens_on_is_stale(place: Place, port: int) -> None:
    """The process id may have been given to another program since."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        place.publish(other.getsockname()[1], "0.1.0", COOKIE)

    assert place.running() is None
    place.publish(port, "0.1.0", COOKIE)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"port": 1}', '{"port": "x", "pid": 1}', "\x00"])
def test_broken_file_is_none(place: Place, port: int, text: str) -> None:
    """A file that says nothing useful is no server and no obstacle."""
    place.publish(port, "0.1.0", COOKIE)
    place.server_path.write_text(text)

    assert place.read() is None
    place.publish(port, "0.1.0", COOKIE)


def test_withdraw_removes_both_files_and_keeps_the_log(place: Place, port: int) -> None:
    """At the end nothing is left but what explains why it ended."""
    place.publish(port, "0.1.0", COOKIE)
    place.log_path.write_text("bye\n")

    place.withdraw()

    assert [path.name for path in place.folder.iterdir()] == ["server.log"]


def test_withdraw_leaves_the_files_of_another_server(place: Place, port: int, dead_pid: int) -> None:
    """A server that was overtaken does not take its successor's files along."""
    place.publish(port, "0.1.0", COOKIE)
    overwrite(place, pid=dead_pid)

    place.withdraw()

    assert place.server_path.exists()
    assert place.cookie_path.exists()


def test_folder_that_others_may_enter_is_refused(runtime: Path) -> None:
    """No secret goes into a folder with a wider mode; the message says what to do."""
    runtime.mkdir(mode=0o700)
    runtime.chmod(0o750)

    with pytest.raises(RuntimeFolderError, match=r"0750.*nothing was written.*MIDFLIGHT_RUNTIME_DIR"):
        runtime_folder()


def test_project_folder_that_others_may_enter_is_refused(place: Place, port: int) -> None:
    """The folder of the project is looked at too, before the cookie is written."""
    place.folder.mkdir()
    place.folder.chmod(0o755)

    with pytest.raises(RuntimeFolderError, match="0755"):
        place.publish(port, "0.1.0", COOKIE)

    assert list(place.folder.iterdir()) == []


def test_link_in_place_of_the_folder_is_refused(runtime: Path, tmp_path: Path) -> None:
    """In /tmp another user may have put a link there first."""
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    runtime.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(RuntimeFolderError, match="is not a folder"):
        runtime_folder()


def test_folder_of_another_user_is_refused(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner counts, not only the mode."""
    runtime.mkdir(mode=0o700)
    monkeypatch.setattr(os, "getuid", lambda: runtime.stat().st_uid + 1)

    with pytest.raises(RuntimeFolderError, match="belongs to user"):
        runtime_folder()


def test_runtime_folder_is_looked_for_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MIDFLIGHT_RUNTIME_DIR, then XDG_RUNTIME_DIR/midflight, then /tmp/midflight-UID."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "xdg"))
    assert runtime_folder() == tmp_path / "runtime"

    monkeypatch.delenv("MIDFLIGHT_RUNTIME_DIR")
    assert runtime_folder() == tmp_path / "xdg" / "midflight"

    made: list[Path] = []
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("midflight.epc.rendezvous._own_folder", lambda folder: made.append(folder) or folder)
    assert runtime_folder() == Path(f"/tmp/midflight-{os.getuid()}")
    assert made == [Path(f"/tmp/midflight-{os.getuid()}")]


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        (["a/pyproject.toml"], "a"),
        (["a/pyproject.toml", "a/b/pyproject.toml"], "a/b"),
        (["a/pyproject.toml", "a/b/.git"], "a"),
        (["a/.git", "a/b/.git"], "a/b"),
        ([], "a/b/c"),
    ],
)
def test_root_is_the_nearest_marked_folder(tmp_path: Path, marks: list[str], expected: str) -> None:
    """pyproject.toml before .git, the nearer before the farther, else the file's own folder."""
    (tmp_path / "a/b/c").mkdir(parents=True)
    for mark in marks:
        (tmp_path / mark).touch()

    assert find_root(tmp_path / "a/b/c/module.py") == tmp_path / expected
    assert find_root(tmp_path / "a/b/c") == tmp_path / expected
