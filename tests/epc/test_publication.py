"""The files of a running server: how they are written, held, put back and taken away."""

from __future__ import annotations

import json
import logging
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.epc_peer import DEADLINE_SECONDS
from helpers.publishing import COOKIE, SOMEBODY, Publisher, in_child, killed_server
from midflight.epc import ProjectFiles
from midflight.epc.bell import Ring, ring
from midflight.epc.private_folder import PrivateFolder
from midflight.errors import RuntimeFolderError, ServerRunning

has_bell = pytest.mark.skipif(sys.platform != "linux", reason="abstract names are Linux's")
WEEK = 7 * 24 * 3600.0


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runtime folder of this test, not made yet."""
    folder = tmp_path / "runtime"
    monkeypatch.setenv("MIDFLIGHT_RUNTIME_DIR", str(folder))
    return folder


@pytest.fixture
def place(tmp_path: Path) -> ProjectFiles:
    """The place of a project."""
    root = tmp_path / "project"
    root.mkdir()
    return ProjectFiles(root)


class Doors:
    """Takes the Unix sockets of a publication, as a server does: the last one counts."""

    def __init__(self) -> None:
        self.listeners: list[socket.socket] = []

    def __call__(self, listener: socket.socket) -> None:
        self.listeners.append(listener)

    def close(self) -> None:
        """Close all."""
        for listener in self.listeners:
            listener.close()


@pytest.fixture
def doors() -> Iterator[Doors]:
    """Takes the sockets of a publication; they are closed after the test."""
    doors = Doors()
    yield doors
    doors.close()


def mode_of(path: Path) -> int:
    """Return the permission bits of `path`."""
    return stat.S_IMODE(path.stat().st_mode)


def files(place: ProjectFiles) -> list[str]:
    """Return the names of what is in the folder of `place`."""
    return sorted(path.name for path in place.folder.iterdir())


def reaches(path: str | None) -> bool:
    """Say whether somebody listens on the Unix socket `path`."""
    assert path is not None
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(path)
        except OSError:
            return False
    return True


def test_published_files_are_for_the_user_alone(
    place: ProjectFiles, publish: Publisher, runtime: Path, doors: Doors
) -> None:
    """Folders 0700, files and the socket 0600, whatever the umask."""
    previous = os.umask(0)
    try:
        publish(place, listen=doors)
    finally:
        os.umask(previous)

    assert mode_of(runtime) == mode_of(place.folder) == 0o700
    assert files(place) == ["cookie", "main.json", "main.sock", "server.json"]
    assert {mode_of(path) for path in place.folder.iterdir()} == {0o600}


def test_published_files_say_where_the_server_is(place: ProjectFiles, publish: Publisher, doors: Doors) -> None:
    """main.json has it all; server.json all but the secret, which stands alone in its file, without a newline."""
    publish(place, 4711, listen=doors)
    said = {
        "name": "main",
        "port": 4711,
        "socket": str(place.folder / "main.sock"),
        "pid": os.getpid(),
        "root": str(place.root),
        "protocol": 1,
        "version": "0.1.0",
    }

    assert json.loads(place.server_path.read_text()) == said | {"cookie": COOKIE}
    assert json.loads((place.folder / "server.json").read_text()) == said
    assert (place.folder / "cookie").read_bytes() == COOKIE.encode()
    assert reaches(place.find().socket)


def test_only_main_has_plain_files_and_only_if_it_may(place: ProjectFiles, publish: Publisher, doors: Doors) -> None:
    """Other clients look for one server of a project; without a port, or if told so, there is none for them."""
    publish(ProjectFiles(place.root, "worker-1"), listen=doors)
    publish(place, None, listen=doors).withdraw()
    publish(place, plain=False, listen=doors)

    assert files(place) == ["main.json", "main.sock", "worker-1.json", "worker-1.sock"]


def test_second_server_finds_the_first(place: ProjectFiles, publish: Publisher) -> None:
    """While one lives, another is told its port and process id, and the files stay as they are."""
    publish(place, 4711)
    before = {path: path.read_bytes() for path in place.folder.iterdir()}

    with pytest.raises(ServerRunning, match=f"port 4711 with process id {os.getpid()}"):
        publish(ProjectFiles(place.root), 4712, "f" * 64)

    assert {path: path.read_bytes() for path in place.folder.iterdir()} == before
    assert place.find().port == 4711


def test_files_of_a_killed_server_are_written_over(place: ProjectFiles, publish: Publisher) -> None:
    """Also those that it left half written."""
    killed_server(place.root)
    (place.folder / ".main.json.0123456789abcdef").write_text("half")

    publish(place, 4712, "f" * 64)

    assert (place.find().port, place.find().cookie) == (4712, "f" * 64)
    assert files(place) == ["cookie", "main.json", "server.json"]


def test_links_and_pipes_in_place_of_the_files_are_replaced(
    place: ProjectFiles, publish: Publisher, tmp_path: Path, doors: Doors
) -> None:
    """Nothing is written through a link, or to a pipe."""
    precious = tmp_path / "precious"
    precious.write_text("precious")
    publish(place, listen=doors).withdraw()
    for name in ("main.json", "cookie", "main.sock"):
        (place.folder / name).symlink_to(precious)
    os.mkfifo(place.folder / "server.json")

    publish(place, listen=doors)

    assert precious.read_text() == "precious"
    assert json.loads((place.folder / "server.json").read_text())["port"] == 4711
    assert reaches(place.find().socket)


@pytest.mark.parametrize("kind", ["link", "hard link", "pipe"])
def test_the_log_is_never_another_file(place: ProjectFiles, tmp_path: Path, kind: str) -> None:
    """What is emptied is a file that only this name leads to."""
    precious = tmp_path / "precious"
    precious.write_text("precious")
    with place.claimed() as folder:
        if kind == "link":
            place.log_path.symlink_to(precious)
        elif kind == "hard link":
            place.log_path.hardlink_to(precious)
        else:
            os.mkfifo(place.log_path)

        handle = folder.open_log(place.log_name)
        os.write(handle, b"log\n")
        os.close(handle)

    assert precious.read_text() == "precious"
    assert place.log_path.read_text() == "log\n"


def test_the_log_is_emptied_for_the_next_server(place: ProjectFiles) -> None:
    """It is the same file, for whoever follows it."""
    with place.claimed() as folder:
        place.log_path.write_text("old\n")
        before = place.log_path.stat().st_ino

        os.close(folder.open_log(place.log_name))

    assert (place.log_path.read_text(), place.log_path.stat().st_ino) == ("", before)


def test_withdraw_removes_the_files_and_keeps_the_log(place: ProjectFiles, publish: Publisher, doors: Doors) -> None:
    """At the end nothing is left but what explains why it ended."""
    publication = publish(place, listen=doors)
    place.log_path.write_text("bye\n")

    publication.withdraw()

    assert files(place) == ["server.log"]
    assert place.running() is None


def test_a_place_is_free_as_soon_as_its_server_has_withdrawn(place: ProjectFiles, publish: Publisher) -> None:
    """Nobody rings its bell in vain: the thread that waited there has ended."""
    for _ in range(20):
        publication = publish(place)
        publication.keep()

        publication.withdraw()

        assert not [each for each in threading.enumerate() if each.name == "midflight-publication"]


def test_withdraw_leaves_the_files_of_another_server(place: ProjectFiles, publish: Publisher, doors: Doors) -> None:
    """A server whose files went and that was overtaken does not take its successor's along."""
    first = publish(place, 4711, listen=doors)
    shutil.rmtree(place.folder)
    first._bell.close()  # as where there are no abstract names
    publish(place, 4712, listen=doors)

    first.withdraw()

    assert place.find().port == 4712
    assert files(place) == ["cookie", "main.json", "main.sock", "server.json"]
    assert reaches(place.find().socket)


def test_full_disk_is_told_and_leaves_nothing(
    place: ProjectFiles, publish: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No half file, no server that nobody can find, and what to do."""
    written: list[int] = []

    def write(handle: int, data: bytes) -> int:
        written.append(handle)
        if len(written) == 3:  # main.json, the last
            raise OSError(28, "No space left on device")
        return real(handle, data)

    real = os.write
    monkeypatch.setattr(os, "write", write)
    with pytest.raises(RuntimeFolderError, match=r"No space left on device.*no server was started\. Make room"):
        publish(place)

    assert files(place) == []


def loses(place: ProjectFiles, what: str) -> None:
    """Remove files as a cleaner does."""
    if what == "runtime folder":
        shutil.rmtree(place.folder.parent)
    elif what == "project folder":
        shutil.rmtree(place.folder)
    else:
        (place.folder / what).unlink()


LOST = ("runtime folder", "project folder", "main.json", "main.sock", "server.json", "cookie")


@pytest.mark.parametrize("what", LOST)
def test_files_that_go_are_put_back(place: ProjectFiles, publish: Publisher, doors: Doors, what: str) -> None:
    """The next look misses them; then the server is found, with the same secret and a socket that leads to it."""
    publication = publish(place, listen=doors)
    loses(place, what)

    publication.look()

    assert place.find().cookie == COOKIE
    assert files(place) == ["cookie", "main.json", "main.sock", "server.json"]
    assert reaches(place.find().socket)


def test_a_look_at_complete_files_changes_nothing(place: ProjectFiles, publish: Publisher, doors: Doors) -> None:
    """No file is written again, no socket made."""
    publication = publish(place, listen=doors)
    before = {path: path.stat() for path in place.folder.iterdir()}

    publication.look()

    assert {path: path.stat() for path in place.folder.iterdir()} == before
    assert len(doors.listeners) == 1


@has_bell
@pytest.mark.parametrize("what", ["runtime folder", "project folder", "main.json"])
def test_whoever_misses_the_files_has_them_put_back(
    place: ProjectFiles, publish: Publisher, doors: Doors, what: str
) -> None:
    """A client rings, and need not wait for the next look."""
    publish(place, 4711, listen=doors).keep()
    loses(place, what)

    found = place.running()

    assert found is not None
    assert found.port == 4711
    assert reaches(found.socket)


@has_bell
def test_second_server_finds_the_first_though_its_files_are_gone(
    place: ProjectFiles, publish: Publisher, runtime: Path
) -> None:
    """The living server is what counts."""
    publish(place, 4711).keep()
    shutil.rmtree(runtime)

    with pytest.raises(ServerRunning, match=f"port 4711 with process id {os.getpid()}"):
        publish(ProjectFiles(place.root), 4712)

    assert place.find().port == 4711


@has_bell
def test_second_server_does_not_start_beside_one_that_is_stopped(
    place: ProjectFiles, publish: Publisher, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has its bell, and does not answer (its thread is not started here): it may go on at any time."""
    monkeypatch.setattr(ring, "__defaults__", (0.05,))
    publish(place, 4711)
    shutil.rmtree(runtime)

    with pytest.raises(
        ServerRunning, match=f"process id {os.getpid()}, but does not answer; no second one was started"
    ):
        publish(ProjectFiles(place.root), 4712)


@has_bell
def test_server_of_another_runtime_folder_is_another_server(
    place: ProjectFiles, publish: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders that are named differ on purpose, as those of tests do."""
    publish(place, 4711).keep()
    monkeypatch.setenv("MIDFLIGHT_RUNTIME_DIR", str(tmp_path / "other"))
    other = ProjectFiles(place.root)

    assert other.running() is None
    publish(other, 4712)

    assert (place.find().port, other.find().port) == (4711, 4712)


@has_bell
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_user_s_bell_is_not_rung(place: ProjectFiles, publish: Publisher) -> None:
    """Anybody may take the name; neither a server nor a client is held up by that."""
    told, tell = socket.socketpair()

    def squat() -> None:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(b"\0" + place.bell_name)
        listener.listen()
        tell.sendall(b"x")
        tell.recv(1)

    thread = threading.Thread(target=in_child, args=(squat,), kwargs={"user": SOMEBODY})
    thread.start()
    with told, tell:
        told.settimeout(DEADLINE_SECONDS)
        assert told.recv(1) == b"x"

        assert ring(place.bell_name).ring is Ring.NOBODY
        publish(place, 4711)
        assert place.find().port == 4711

        told.sendall(b"x")
    thread.join(DEADLINE_SECONDS)
    assert not thread.is_alive()


@has_bell
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_user_s_ring_is_not_answered(place: ProjectFiles, publish: Publisher) -> None:
    """Nobody else can have a server work."""
    publish(place).keep()

    assert in_child(lambda: ring(place.bell_name).ring.name, user=SOMEBODY) == "NOBODY"
    assert ring(place.bell_name).ring is Ring.ANSWERED


def test_a_server_goes_where_clients_look_now(
    tmp_path: Path, publish: Publisher, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The login session ends and takes its folder along; the next one brings it back. The files follow."""
    session, moved = tmp_path / "parent" / "session", tmp_path / "moved"
    session.mkdir(parents=True, mode=0o700)
    monkeypatch.delenv("MIDFLIGHT_RUNTIME_DIR")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(session))
    place = ProjectFiles(tmp_path)
    publication = publish(place, 4711, listen=doors)
    assert place.server_path.is_relative_to(session)

    session.parent.rename(moved)  # not even its parent is there, so it cannot be made
    publication.look()
    elsewhere = place.server_path
    assert elsewhere.is_relative_to(f"/tmp/midflight-{os.getuid()}")
    assert place.find().port == 4711
    assert files(ProjectFiles(tmp_path)) == ["cookie", "main.json", "main.sock", "server.json"]

    session.mkdir(parents=True, mode=0o700)
    publication.look()
    assert place.server_path.is_relative_to(session)
    assert place.find().port == 4711
    assert list(elsewhere.parent.iterdir()) == []
    elsewhere.parent.rmdir()


def test_files_in_the_session_folder_are_sticky(
    tmp_path: Path, publish: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The XDG specification's way to keep files from being cleaned; nothing else is wider for that."""
    session = tmp_path / "session"
    session.mkdir(mode=0o700)
    monkeypatch.delenv("MIDFLIGHT_RUNTIME_DIR")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(session))
    place = ProjectFiles(tmp_path)

    publish(place)

    assert {mode_of(path) for path in place.folder.iterdir()} == {0o1600}
    assert mode_of(session / "midflight") == 0o1700
    assert place.find().port == 4711


def test_files_are_touched_before_a_cleaner_takes_them(
    place: ProjectFiles, publish: Publisher, doors: Doors, runtime: Path
) -> None:
    """What has not been touched for an hour is: files, the log, the socket and both folders."""
    publication = publish(place, listen=doors)
    place.log_path.write_text("")
    everything = [runtime, place.folder, *place.folder.iterdir()]
    old = place.server_path.stat().st_mtime - WEEK
    for path in everything:
        os.utime(path, (old, old))

    publication.look()

    assert [path.name for path in everything if min(path.stat().st_mtime, path.stat().st_atime) < old + 1] == []


def test_the_runtime_folder_is_locked_against_cleaners(place: ProjectFiles, publish: Publisher, runtime: Path) -> None:
    """systemd-tmpfiles takes an exclusive lock on a folder before it cleans it, and passes over one that is locked."""
    command = ["flock", "--nonblock", "--exclusive", str(runtime), "true"]
    publication = publish(place)

    assert subprocess.run(command).returncode == 1
    publication.withdraw()
    assert subprocess.run(command).returncode == 0


def test_trouble_is_told_once_and_the_end_of_it(
    place: ProjectFiles, publish: Publisher, runtime: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that cannot be found goes on, and says why, not every half minute."""
    publication = publish(place)
    shutil.rmtree(runtime)
    runtime.write_text("in the way")

    with caplog.at_level(logging.WARNING, "midflight"):
        for _ in range(3):
            publication.look()
        runtime.unlink()
        publication.look()

    assert ["is not a folder" in record.message for record in caplog.records] == [True, False]
    assert "they are back" in caplog.records[1].message
    assert place.find().port == 4711


def test_overtaken_server_leaves_its_successor_in_peace(
    place: ProjectFiles, publish: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    """Where nothing kept a second one from starting, the first says so and does not fight."""
    first = publish(place, 4711)
    first._bell.close()  # as where there are no abstract names
    shutil.rmtree(place.folder)
    publish(place, 4712)

    first.look()

    assert place.find().port == 4712
    assert "runs already, on port 4712" in caplog.text


def test_socket_of_a_long_path_is_in_a_short_folder(
    place: ProjectFiles, publish: Publisher, doors: Doors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path for a socket holds some hundred bytes; the folder that is taken is as private, and is tidied up."""
    monkeypatch.setenv("MIDFLIGHT_RUNTIME_DIR", str(tmp_path / ("long" * 50)))
    place = ProjectFiles(place.root)
    publication = publish(place, listen=doors)
    path = Path(str(place.find().socket))

    assert path.is_relative_to(f"/tmp/midflight-{os.getuid()}")
    assert len(os.fsencode(path)) <= 103
    assert mode_of(path.parent) == mode_of(path.parent.parent) == 0o700
    assert reaches(str(path))
    publication.withdraw()
    assert list(path.parent.iterdir()) == []
    path.parent.rmdir()


def test_project_root_of_200_bytes_has_its_socket_in_its_folder(
    tmp_path: Path, publish: Publisher, doors: Doors
) -> None:
    """The root's name is not part of the path."""
    root = tmp_path / ("r" * 200)
    root.mkdir()
    place = ProjectFiles(root)

    publish(place, listen=doors)

    assert place.find().socket == str(place.folder / "main.sock")
    assert reaches(place.find().socket)


def test_forked_child_lets_go_of_copies_only(place: ProjectFiles, publish: Publisher, doors: Doors) -> None:
    """What the child closes stays open in the server: it is still found, and still holds its files."""
    publication = publish(place, listen=doors)
    publication.keep()

    said = in_child(lambda: publication.let_go())

    assert said == "None"
    assert place.find().port == 4711
    assert ring(place.bell_name).ring is Ring.ANSWERED or sys.platform != "linux"


def test_forked_child_that_withdraws_takes_nothing_away(place: ProjectFiles, publish: Publisher, doors: Doors) -> None:
    """Code that leaves the server's blocks in a child, by SystemExit say, ends only the child."""
    publication = publish(place, listen=doors)

    said = in_child(publication.withdraw)

    assert said == "None"
    assert files(place) == ["cookie", "main.json", "main.sock", "server.json"]
    assert reaches(place.find().socket)


def test_a_lock_is_not_inherited_by_a_copy_of_a_folder(place: ProjectFiles) -> None:
    """A copy is opened once more, so it does not keep the claim that its original had."""
    with place.claimed() as folder:
        copy = folder.copy()

    with place.claimed() as again:
        assert again.is_same(copy)
    copy.close()


def test_open_folders_are_closed(place: ProjectFiles, publish: Publisher) -> None:
    """No descriptor is left by looking, publishing and withdrawing."""

    def round_of_all() -> None:
        publication = publish(place)
        publication.keep()
        assert place.find() == place.read()
        publication.look()
        thread: threading.Thread = publication._thread
        publication.withdraw()
        thread.join(DEADLINE_SECONDS)

    round_of_all()
    before = os.listdir("/dev/fd")

    round_of_all()

    assert os.listdir("/dev/fd") == before


def test_folder_that_cannot_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in the way is no traceback."""
    (tmp_path / "file").write_text("")

    with pytest.raises(RuntimeFolderError, match="cannot be"):
        PrivateFolder.at(tmp_path / "file" / "runtime", make=True)
