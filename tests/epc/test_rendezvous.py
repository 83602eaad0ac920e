"""How a server is found by files in a runtime folder of the test's own, and what counts as one."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.epc_peer import DEADLINE_SECONDS
from helpers.publishing import COOKIE, SOMEBODY, Publisher, in_child, killed_server
from midflight.epc import ProjectFiles, find_root, runtime_folder
from midflight.errors import NoServer, RuntimeFolderError

is_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


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


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """A function that makes a folder look like one of another user's."""
    real = os.fstat, os.stat

    def make(folder: Path) -> None:
        number = folder.stat().st_ino

        def other(status: os.stat_result) -> os.stat_result:
            values = list(status)
            values[4] = SOMEBODY if status.st_ino == number else status.st_uid
            return os.stat_result(values)

        monkeypatch.setattr(os, "fstat", lambda *given: other(real[0](*given)))
        monkeypatch.setattr(os, "stat", lambda *given, **options: other(real[1](*given, **options)))

    return make


def test_folder_is_named_by_the_digest_of_the_root(place: ProjectFiles, runtime: Path) -> None:
    """Sixteen hex digits of sha256 of the resolved path without a trailing slash: editors compute the same."""
    expected = hashlib.sha256(str(place.root).encode()).hexdigest()[:16]

    assert place.folder == runtime / expected
    assert ProjectFiles(f"{place.root}/").folder == place.folder


def test_a_link_to_the_root_is_the_same_place(place: ProjectFiles, tmp_path: Path) -> None:
    """Two ways to one folder find one server."""
    link = tmp_path / "link"
    link.symlink_to(place.root)

    assert ProjectFiles(link).folder == place.folder


def test_looking_for_a_server_makes_no_folder(place: ProjectFiles, runtime: Path) -> None:
    """Whoever only asks leaves nothing behind."""
    assert place.running() is None
    with pytest.raises(NoServer, match="midflight serve"):
        place.find()

    assert not runtime.exists()


def test_a_published_server_is_found(place: ProjectFiles, publish: Publisher) -> None:
    """With all that a client needs: where, who, and the secret, which is in no repr."""
    publish(place, 4711)

    found = place.find()

    assert (found.name, found.port, found.pid, found.root) == ("main", 4711, os.getpid(), str(place.root))
    assert (found.protocol, found.version, found.cookie) == (1, "0.1.0", COOKIE)
    assert COOKIE not in repr(found)


def test_servers_of_other_names_are_found_beside_main(place: ProjectFiles, publish: Publisher) -> None:
    """One folder a project, one NAME.json a server in it."""
    worker = ProjectFiles(place.root, "worker-7")
    publish(place, 4711)
    publish(worker, 4712)

    assert (place.find().port, worker.find().port) == (4711, 4712)
    assert worker.server_path == place.folder / "worker-7.json"


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "-x", "a\n", "x" * 65, "server", "cookie", "é"])
def test_a_name_that_could_lead_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    """A name becomes a file name."""
    with pytest.raises(ValueError, match="cannot be the name of a server"):
        ProjectFiles(tmp_path, name)


def test_file_of_a_killed_server_is_stale(place: ProjectFiles) -> None:
    """Nobody holds it, so nobody finds it, whatever has its process id by now."""
    pid = killed_server(place.root)

    said = place.read()

    assert said is not None
    assert said.pid == pid
    assert place.running() is None


@pytest.mark.parametrize(
    "change",
    [
        {"port": "4711"},
        {"port": 0},
        {"port": 65536},
        {"port": True},
        {"port": None},
        {"pid": -1},
        {"pid": 0},
        {"pid": "1"},
        {"pid": 2**31},
        {"protocol": 10**30, "port": 10**30},
        {"pid": 1.5},
        {"root": 3},
        {"root": "/other"},
        {"name": "other"},
        {"protocol": None},
        {"version": None},
        {"socket": "relative.sock"},
        {"socket": 3},
        {"cookie": COOKIE + "\n"},
        {"cookie": "short"},
        {"cookie": None},
    ],
)
def test_file_with_a_wrong_value_is_none(place: ProjectFiles, publish: Publisher, change: dict[str, object]) -> None:
    """Each value has its type and its bounds, and the file is of this project."""
    publish(place)
    said = json.loads(place.server_path.read_text())

    place.server_path.write_text(json.dumps(said | change))

    assert place.read() is None


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"null", b'"x"', b"\x00", b"\xff\xfe", b'{"port": 1}', b"[" * 50_000, b" " * 1_000_000 + b"{}"],
    ids=range(10),
)
def test_broken_file_is_none(place: ProjectFiles, publish: Publisher, data: bytes) -> None:
    """A file that says nothing useful is no server and no obstacle, however long or deep."""
    publish(place)

    place.server_path.write_bytes(data)

    assert place.read() is None
    assert place.running() is None


def test_pipe_socket_link_and_folder_are_none(
    place: ProjectFiles, publish: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever stands in place of the file, a look at it ends, and follows nothing."""
    publish(place).withdraw()
    path = place.server_path

    os.mkfifo(path)
    assert place.running() is None
    path.unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(place.folder)  # a path for a socket must be short
        listener.bind(path.name)
        assert place.running() is None
    path.unlink()
    (tmp_path / "target").write_text("{}")
    path.symlink_to(tmp_path / "target")
    assert place.read() is None
    path.unlink()
    path.mkdir()
    assert place.running() is None


def test_folder_that_others_may_enter_is_refused(runtime: Path, place: ProjectFiles) -> None:
    """No secret goes into a folder with a wider mode, nor comes from one; the message says what to do."""
    runtime.mkdir(mode=0o700)
    runtime.chmod(0o750)

    for look in (runtime_folder, place.running):
        with pytest.raises(RuntimeFolderError, match=r"0750.*nothing was written.*MIDFLIGHT_RUNTIME_DIR"):
            look()


def test_project_folder_that_others_may_enter_is_refused(
    place: ProjectFiles, publish: Publisher, runtime: Path
) -> None:
    """The folder of the project is looked at too, before the cookie is written."""
    place.folder.mkdir(parents=True)
    runtime.chmod(0o700)
    place.folder.chmod(0o755)

    with pytest.raises(RuntimeFolderError, match="0755"):
        publish(place)

    assert list(place.folder.iterdir()) == []


def test_link_in_place_of_the_folder_is_refused(runtime: Path, tmp_path: Path) -> None:
    """In /tmp another user may have put a link there first."""
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    runtime.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(RuntimeFolderError, match="is not a folder"):
        runtime_folder()


def test_folder_of_another_user_is_refused(runtime: Path, foreign: Callable[[Path], None]) -> None:
    """The owner counts, not only the mode."""
    runtime.mkdir(mode=0o700)
    foreign(runtime)

    with pytest.raises(RuntimeFolderError, match=f"belongs to user {SOMEBODY}"):
        runtime_folder()


def test_folder_in_a_folder_of_another_user_is_refused(
    runtime: Path, tmp_path: Path, foreign: Callable[[Path], None]
) -> None:
    """That user could put another one in its place at any time; nothing is made there."""
    foreign(tmp_path)

    with pytest.raises(RuntimeFolderError, match=f"lies in a folder that belongs to user {SOMEBODY}"):
        runtime_folder()

    assert not runtime.exists()


def test_folder_in_a_folder_that_everybody_may_change_is_refused(runtime: Path, tmp_path: Path) -> None:
    """Unless it is sticky, as /tmp is: there nobody can rename what is another's."""
    tmp_path.chmod(0o777)
    with pytest.raises(RuntimeFolderError, match="lies in a folder that everybody may change"):
        runtime_folder()

    tmp_path.chmod(0o1777)
    assert runtime_folder() == runtime


def test_runtime_folder_is_looked_for_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MIDFLIGHT_RUNTIME_DIR, then XDG_RUNTIME_DIR/midflight, then /tmp/midflight-UID."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "xdg"))
    assert runtime_folder() == tmp_path / "runtime"

    monkeypatch.delenv("MIDFLIGHT_RUNTIME_DIR")
    assert runtime_folder() == tmp_path / "xdg" / "midflight"

    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert runtime_folder() == Path(f"/tmp/midflight-{os.getuid()}")


@pytest.mark.parametrize("name", ["MIDFLIGHT_RUNTIME_DIR", "XDG_RUNTIME_DIR"])
@pytest.mark.parametrize("value", ["", "run", "./run", "~/run"])
def test_relative_base_is_ignored(name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be another folder for each program that looks."""
    monkeypatch.delenv("MIDFLIGHT_RUNTIME_DIR")
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    assert runtime_folder() == Path(f"/tmp/midflight-{os.getuid()}")
    assert list(tmp_path.iterdir()) == []


def test_session_folder_of_another_user_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, foreign: Callable[[Path], None]
) -> None:
    """After `su` or `sudo -E` the variable still names it; it gets no file."""
    session = tmp_path / "session"
    session.mkdir(mode=0o700)
    monkeypatch.delenv("MIDFLIGHT_RUNTIME_DIR")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(session))
    foreign(session)

    assert runtime_folder() == Path(f"/tmp/midflight-{os.getuid()}")
    assert list(session.iterdir()) == []


@is_root
def test_root_writes_nothing_where_another_user_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user lays links in a folder of theirs and has root use it: no file of root's is touched."""
    session = tmp_path / "session"
    precious = tmp_path / "precious"
    precious.write_text("precious")
    for path in (session, session / "midflight", session / "midflight" / ProjectFiles(tmp_path).key):
        path.mkdir(mode=0o700)
    for name in ("server.json", "cookie", "server.log", "main.json", "main.sock"):
        (path / name).symlink_to(precious)
    for each in (session, session / "midflight", path):
        os.chown(each, SOMEBODY, SOMEBODY)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(session))
    monkeypatch.delenv("MIDFLIGHT_RUNTIME_DIR")

    assert runtime_folder() == Path("/tmp/midflight-0")
    monkeypatch.setenv("MIDFLIGHT_RUNTIME_DIR", str(session / "midflight"))
    with pytest.raises(RuntimeFolderError, match=f"lies in a folder that belongs to user {SOMEBODY}"):
        runtime_folder()

    assert precious.read_text() == "precious"


@is_root
def test_a_server_of_another_user_is_none(
    open_folder: Path, publish: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That user's process lives, and its files are there: it is refused by their owner, not asked by its pid."""
    monkeypatch.setenv("MIDFLIGHT_RUNTIME_DIR", str(open_folder / "runtime"))
    place = ProjectFiles(open_folder)
    publish(place)

    said = in_child(lambda: ProjectFiles(place.root).running(), user=SOMEBODY)

    assert said.startswith("RuntimeFolderError")


def test_folder_that_is_exchanged_while_it_is_open_is_left_alone(place: ProjectFiles, publish: Publisher) -> None:
    """What was checked is what is written to: a link put in its place meanwhile gets nothing."""
    publish(place).withdraw()
    moved = place.folder.with_name("moved")
    folder = place.open()
    assert folder is not None

    with folder:
        place.folder.rename(moved)
        place.folder.symlink_to(place.root)
        os.close(folder.write("main.json", "{}"))

    assert (moved / "main.json").read_text() == "{}"
    assert list(place.root.iterdir()) == []


def test_claim_that_another_program_keeps_is_given_up(
    place: ProjectFiles, publish: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits without an end for a program that is stopped while it has the lock."""
    monkeypatch.setattr("midflight.epc.rendezvous._CLAIM_SECONDS", 0.05)

    with place.claimed(), pytest.raises(RuntimeFolderError, match=r"locked by another program.*nothing was written"):
        publish(place)


def test_claims_exclude_each_other(place: ProjectFiles) -> None:
    """The second comes in when the first has gone."""
    inside: list[str] = []
    begun = threading.Event()

    def second() -> None:
        begun.set()
        with place.claimed():
            inside.append("second")

    thread = threading.Thread(target=second)
    with place.claimed():
        thread.start()
        assert begun.wait(DEADLINE_SECONDS)
        inside.append("first")
    thread.join(DEADLINE_SECONDS)

    assert inside == ["first", "second"]


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


def test_root_of_a_link_is_that_of_the_place_where_it_is_named(tmp_path: Path) -> None:
    """A module that is linked into a project belongs there, though its text is kept in another project."""
    for project in ("one", "two"):
        (tmp_path / project / "package").mkdir(parents=True)
        (tmp_path / project / "pyproject.toml").touch()
    (tmp_path / "two/package/module.py").touch()
    (tmp_path / "one/module.py").symlink_to(tmp_path / "two/package/module.py")
    (tmp_path / "one/linked").symlink_to(tmp_path / "two/package")
    (tmp_path / "loose.py").symlink_to(tmp_path / "two/package/module.py")
    (tmp_path / "way").symlink_to(tmp_path / "one")

    assert find_root(tmp_path / "one/module.py") == tmp_path / "one"
    assert find_root(tmp_path / "one/linked/module.py") == tmp_path / "one"
    assert find_root(tmp_path / "one/linked") == tmp_path / "one"
    assert find_root(tmp_path / "loose.py") == tmp_path / "two"
    assert find_root(tmp_path / "way/module.py") == tmp_path / "one"
