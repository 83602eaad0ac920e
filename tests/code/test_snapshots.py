"""The files that the code of each version names as its own."""

from __future__ import annotations

import inspect
import os
import stat
import subprocess
import sys
import tempfile
import traceback

import pytest

from midflight import code
from midflight.code import lowlevel
from midflight.code.version import snapshots


def test_the_file_is_named_after_module_and_version(project):
    """So a traceback tells both; it ends in .py, so editors show it as Python."""
    project.write("shop/__init__.py", "")
    code.load(project.write("shop/cart.py", "def f(): pass\n"))

    file = sys.modules["shop.cart"].f.__code__.co_filename

    assert os.path.basename(file) == "shop.cart@1.py"
    assert f"midflight-{os.getpid()}-" in file


def test_only_the_user_can_read_the_files_and_nobody_writes_them(project):
    """The folder is in a place that all share."""
    project.load("thing_v1")
    file = sys.modules["thing"].which.__code__.co_filename

    assert stat.S_IMODE(os.stat(file).st_mode) == stat.S_IRUSR
    assert stat.S_IMODE(os.stat(os.path.dirname(file)).st_mode) == stat.S_IRWXU


def test_real_path_leads_to_the_file_that_people_edit(project):
    """Other names are returned as they are."""
    path = project.put("thing_v1")
    code.load(path)

    assert lowlevel.real_path(sys.modules["thing"].which.__code__.co_filename) == (path, 1)
    assert lowlevel.real_path(__file__) == (__file__, None)


def test_readable_leaves_other_files_alone():
    """And text that only looks like a frame."""
    text = 'File "other.py", line 3, in f\n  File "<stdin>", line 1\n'

    assert lowlevel.readable(text) == text


def test_a_failed_load_leaves_no_file(project):
    """Nor does a second try find the first one's."""
    project.load("thing_v1")
    folder = os.path.dirname(sys.modules["thing"].which.__code__.co_filename)

    for _ in range(2):
        with pytest.raises(code.LoadError):
            project.load_text("thing", "1 / 0\n")

        assert not os.path.exists(os.path.join(folder, "thing@2.py"))


def test_a_folder_that_was_taken_away_is_made_anew(project):
    """By a cleaner of temporary folders."""
    snapshot = snapshots.take("gone", 1, "gone.py", "x = 1\n", "utf-8")
    snapshot.remove()
    snapshot.remove()
    snapshots._folders[os.getpid()] = os.path.join(project.root, "nowhere")

    project.load("thing_v1")

    assert os.path.exists(sys.modules["thing"].which.__code__.co_filename)


@pytest.fixture
def full_disk(monkeypatch):
    """A function that lets no file of a version be made from now on, and with False lets them be made again."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    make = os.open

    def fill(is_full=True):
        monkeypatch.setattr("midflight.code.version.snapshots.os.open", full if is_full else make)

    return fill


def test_a_text_that_the_disk_has_no_room_for_is_kept_in_memory(project, full_disk):
    """The load works, and so does all that needs the text: roll back, differences, tracebacks, inspect."""
    project.load("thing_v1")
    full_disk()

    project.load_text("thing", "def which():\n    return 1 / 0  # two\n")

    with pytest.raises(ZeroDivisionError) as raised:
        sys.modules["thing"].which()
    assert "return 1 / 0  # two" in lowlevel.readable("".join(traceback.format_exception(raised.value)))
    assert 'thing.py", line 2, in which (version 2)' in lowlevel.readable(
        "".join(traceback.format_exception(raised.value))
    )
    assert inspect.getsource(sys.modules["thing"].which) == "def which():\n    return 1 / 0  # two\n"
    assert "# two" in code.source("thing", 2)
    assert "+    return 1 / 0  # two" in str(code.diff("thing", 1, 2))
    code.rollback("thing")
    code.rollback("thing", to=2)
    assert sys.modules["thing"].which.__code__.co_filename.endswith("thing@4.py")


def test_a_folder_that_cannot_be_made_is_no_reason_either(project, monkeypatch):
    """All folders for temporary files may be read-only; the name is then one that nobody can make a file of."""

    def refuse(*_: object, **__: object) -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(snapshots, "_folders", {})
    monkeypatch.setattr("midflight.code.version.snapshots.tempfile.mkdtemp", refuse)

    project.load("thing_v1")

    assert sys.modules["thing"].which.__code__.co_filename.startswith(os.devnull + os.sep)
    assert "def which" in code.source("thing", 1)


def test_a_full_disk_is_said_once_until_there_was_room(project, full_disk, monkeypatch, caplog):
    """Not at each load of a day."""
    monkeypatch.setattr(snapshots, "_trouble", "")
    for is_full in (True, True, False, True):
        full_disk(is_full)
        project.load("thing_v1")

    texts = [record.getMessage() for record in caplog.records]
    assert len(texts) == 2
    assert "thing version 1 could not be written to" in texts[0]
    assert "(No space left on device). It is kept in memory" in texts[0]
    assert "thing version 4" in texts[1]


def test_the_files_of_an_interpreter_that_was_killed_go_with_the_next_one(project, tmp_path):
    """Those of one that runs stay."""
    path = project.put("thing_v1")
    folder = tmp_path / "temporary"
    folder.mkdir()
    program = f"import sys, os\nfrom midflight import code\ncode.load({path!r})\nprint('loaded', flush=True)\n"
    environment = {**os.environ, "TMPDIR": str(folder)}

    def start(end: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", program + end]
        return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    with start("sys.stdin.read()") as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "loaded\n"
        with start("os._exit(0)") as killed:
            killed.wait()
        left = {name.split("-")[1] for name in os.listdir(folder)}
        with start("") as last:
            last.wait()

        assert left == {str(running.pid), str(killed.pid)}
        assert [name.split("-")[1] for name in os.listdir(folder)] == [str(running.pid)]


def test_a_folder_whose_interpreter_was_killed_while_it_made_it_goes_too(project, tmp_path, monkeypatch):
    """It has no lock yet, so it goes if no process has its number; another one may be just making its own."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setattr(snapshots, "_folders", {})
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    (temporary / f"midflight-{ended.pid}-killed").mkdir()
    (temporary / f"midflight-{os.getppid()}-making").mkdir()

    project.load("thing_v1")

    left = sorted(each.name.split("-")[2] for each in temporary.iterdir() if f"-{os.getpid()}-" not in each.name)
    assert left == ["making"]


def test_the_files_go_when_the_interpreter_ends(project):
    """Also after a fork, whose end takes nothing away from its parent."""
    path = project.put("thing_v1")
    program = (
        "import os, sys\n"
        "from midflight import code\n"
        f"code.load({path!r})\n"
        "file = sys.modules['thing'].which.__code__.co_filename\n"
        "if os.fork() == 0:\n"
        f"    code.load({path!r})\n"
        "    print(os.path.dirname(sys.modules['thing'].which.__code__.co_filename), flush=True)\n"
        "    sys.exit()\n"
        "os.wait()\n"
        "print(os.path.dirname(file), os.path.exists(file))\n"
    )

    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    child, parent = run.stdout.splitlines()
    folder, was_there = parent.split()
    assert was_there == "True"
    assert child != folder
    assert not os.path.exists(child)
    assert not os.path.exists(folder)
