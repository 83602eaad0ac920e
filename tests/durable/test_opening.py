"""Files that are no store, or that cannot be used, are refused with a clear error and left as they are."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from chaos.full_disk import Mounted, fill
from midflight.durable import Shelf, Store
from midflight.durable.store_error import StoreError

OPEN = (
    "import sys\nfrom midflight.durable import Store\nstore = Store(sys.argv[1])\nprint('open', flush=True)\ninput()\n"
)


@pytest.fixture
def path(tmp_path):
    """The place of a store, with nothing there."""
    return tmp_path / "state.sqlite"


@pytest.fixture
def store(path):
    """A store that was closed in order, as a file."""
    Store(path).close()
    return path


def database(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()


def newer(path):
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


def damaged(path):
    Store(path).close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)


def cut_off(path):
    Store(path).close()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 5000)


def writable_by_others(path):
    Store(path).close()
    path.chmod(0o666)


FOREIGN = {
    "text": (lambda path: path.write_text("my notes\n" * 50), "is not a store of Midflight"),
    "nothing": (lambda path: path.write_bytes(b""), "is not a store of Midflight"),
    "database": (database, "is a database of another program"),
    "newer": (newer, "has format 99, and this Midflight knows 2"),
    "damaged": (damaged, "is damaged|cannot be read"),
    "cut off": (cut_off, "is cut off"),
    "header": (lambda path: path.write_bytes(b"SQLite format 3\0"), "is not a store of Midflight"),
    "writable": (writable_by_others, "can be written by others"),
}


@pytest.mark.parametrize(("make", "said"), FOREIGN.values(), ids=FOREIGN)
def test_a_file_that_is_no_store_is_left_as_it_is(path, make, said):
    """Byte for byte, and nothing is made beside it but a lock."""
    make(path)
    before = path.read_bytes()

    with pytest.raises(StoreError, match=said):
        Store(path)

    assert path.read_bytes() == before
    assert {each.name for each in path.parent.iterdir()} <= {"state.sqlite", "state.sqlite-lock"}


def test_a_folder_and_a_link_are_refused(path, tmp_path):
    """A link leads where somebody else says."""
    path.mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StoreError, match="is a folder, not a file"):
        Store(path)
    with pytest.raises(StoreError, match="is a symbolic link"):
        Store(link)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("name", ["", "a\0b", "missing/state.sqlite", "n" * 300])
def test_a_path_that_no_file_can_have_is_refused(tmp_path, name):
    """With a sentence, not with what the system said."""
    with pytest.raises(StoreError, match="nothing was started"):
        Store(name and str(tmp_path / name))


def test_a_store_is_its_owners_alone(store):
    """0600: it can run code."""
    assert store.stat().st_mode & 0o777 == 0o600


def test_a_copy_that_others_may_read_is_made_its_owners_alone(store):
    """A copy has what the umask gave it."""
    store.chmod(0o644)
    Store(store).close()

    assert store.stat().st_mode & 0o777 == 0o600


def test_a_store_with_two_names_is_refused(store, tmp_path):
    """By the other name a second server could have it, with a log of its own."""
    os.link(store, tmp_path / "other.sqlite")

    with pytest.raises(StoreError, match="has a second name"):
        Store(store)


@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
def test_a_log_that_others_may_write_is_refused(store, suffix):
    """It becomes a part of the store, so who writes it writes the store."""
    log = store.with_name(store.name + suffix)
    log.write_bytes(b"")
    log.chmod(0o666)

    with pytest.raises(StoreError, match=f"{suffix}, which is not a file of yours alone"):
        Store(store)
    assert log.read_bytes() == b""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file to somebody else")
def test_a_store_of_another_user_is_refused(store):
    """That one could run code here by it."""
    os.chown(store, 12345, 12345)

    with pytest.raises(StoreError, match="belongs to another user"):
        Store(store)


def test_a_store_in_a_linked_folder_is_one_store(tmp_path):
    """By either path it is in use while a runtime has it."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    store = Store(tmp_path / "link" / "state.sqlite")

    with pytest.raises(StoreError, match="used by another runtime of this process"):
        Store(tmp_path / "real" / "state.sqlite")
    store.close()


def test_a_look_at_a_store_leaves_its_locks(path):
    """POSIX takes all locks of a process on a file when it closes any: SQLite's, that keep others from its log, too."""
    store = Store(path)
    with pytest.raises(StoreError, match="used by another runtime"):
        Store(path)
    Shelf(path).states()
    look = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT * FROM meta').fetchall()"
    subprocess.run([sys.executable, "-c", look, str(path)], check=True)

    assert path.with_name(f"{path.name}-wal").exists(), "somebody else's SQLite has taken the log away at its end"
    store.close()


def test_a_fork_has_no_store(path):
    """The store stays with the process that opened it, also when the fork ends."""
    store = Store(path)
    ended = os.fork()
    if ended == 0:
        try:
            Store(path)
        except StoreError as error:
            os._exit(0 if "is used by the process" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(ended, 0)[1]) == 0
    store.writer.do(lambda connection: connection.execute("UPDATE meta SET value = value")).result(timeout=30)
    with pytest.raises(StoreError, match="used by another runtime"):
        Store(path)
    store.close()
    Store(path).close()


@pytest.mark.parametrize("is_there", [True, False], ids=["a store", "none"])
def test_a_full_disk_is_said_at_the_start(tmp_path, is_there):
    """The store is as it was, and is opened when there is room."""
    mounted = Mounted(tmp_path)
    if not mounted.is_real:
        pytest.skip("only root may mount a small file system")
    try:
        path = tmp_path / "state.sqlite"
        if is_there:
            Store(path).close()
        before = path.read_bytes() if is_there else None
        fill(tmp_path, is_real=True)
        with pytest.raises(StoreError, match=r"its disk is full|No space left"):
            Store(path)
        assert (path.read_bytes() if path.exists() else None) == before
        mounted.make_room()
        Store(path).close()
    finally:
        mounted.close()


def test_two_runtimes_of_a_process_have_two_stores(path):
    """The second is refused while the first has it."""
    first = Store(path)
    with pytest.raises(StoreError, match="used by another runtime of this process"):
        Store(path)
    first.close()
    Store(path).close()


def test_a_store_of_another_process_is_refused_until_that_has_ended(path):
    """By kill -9: the lock goes with the process, and creations are counted."""
    with subprocess.Popen(
        [sys.executable, "-c", OPEN, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(StoreError, match=f"is used by the process {other.pid}"):
            Store(path)
        os.kill(other.pid, signal.SIGKILL)
    store = Store(path)

    assert store.creation == 2
    store.close()
