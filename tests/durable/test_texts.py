"""The texts of versions outlive the interpreter: numbers go on, and each text can be read and run again."""

from __future__ import annotations

import linecache
import sqlite3
import sys
import threading
import zlib

import pytest

from helpers.versions import text_of
from midflight import code, spawn
from midflight.code.lowlevel import loader_var, readable, real_path
from midflight.durable import texts
from midflight.errors import LoadError, UnknownModuleError, UnknownVersionError

ONE = "def price():\n    return 1\n"
TWO = "def price():\n    return 2\n"


@pytest.fixture
def again(project, lives):
    """Give what runs a function in a new life of a new interpreter."""

    def run(function, *args, choice="disk"):
        lives.new_interpreter(project)
        if str(project.root) not in sys.path:
            sys.path.append(str(project.root))
        return lives.run(function, *args, code=choice)

    return run


def load(project, *sources):
    """Load module `stall` with each of these texts, which are not saved."""
    path = project.path("stall.py")
    for source in sources:
        code.load(path, source=source)


def history():
    """Return the number of each version of `stall`, whether it is current, and whether of an earlier interpreter."""
    return [(each.version, each.is_current, each.is_earlier) for each in code.version_history("stall")]


def test_versions_of_before_are_known(project, again):
    """Their numbers, texts, times and clients; also of texts that were in no file, when they are compared."""
    project.write("stall.py", ONE)

    def first():
        token = loader_var.set("Emacs of Ada")
        load(project, ONE, TWO)
        loader_var.reset(token)
        return code.version_history("stall")[1]

    def second():
        load(project, ONE)
        return code.version_history("stall")[1], history(), code.source("stall", 2), code.diff("stall", 2, 3)

    before = again(first)
    (after, found, text, diff) = again(second)

    assert found == [(1, False, True), (2, False, True), (3, True, False)]
    assert (after.loaded_at, after.loaded_by, after.vsn) == (before.loaded_at, "Emacs of Ada", before.vsn)
    assert after.changed == ("price",)
    assert text == TWO
    assert diff.changed == ("price",)
    assert "stall.py (version 2)" in diff.text


def test_a_restart_with_the_same_text_makes_no_new_version(project, again):
    """Else a server that is restarted each night would push the texts of its versions out by copies."""
    project.write("stall.py", TWO)
    again(load, project, ONE, TWO)
    found = [again(lambda: (load(project, TWO), history())[1]) for _ in range(3)]

    assert found == [[(1, False, True), (2, True, False)]] * 3


def test_a_text_of_before_the_last_one_is_a_new_version(project, again):
    """As a rollback is."""
    again(load, project, ONE, TWO)

    assert again(lambda: (load(project, ONE), history())[1])[-1] == (3, True, False)


def test_an_import_is_a_version_too(project, again):
    """What Python imports is kept without a load, and has its number when it is asked for."""

    def imported():
        import stall

        return stall.price(), history()

    project.write("stall.py", ONE)
    assert again(imported) == (1, [(1, True, False)])
    project.write("stall.py", TWO)
    assert again(lambda: __import__("stall").price()) == 2
    project.write("stall.py", ONE)

    assert again(imported) == (1, [(1, False, True), (2, False, True), (3, True, False)])


def test_rollback_takes_a_text_of_before(project, again):
    """The one before the current, or any."""
    again(load, project, ONE, TWO)

    def main():
        load(project, "def price():\n    return 3\n")
        versions = code.rollback("stall").version, sys.modules["stall"].price()
        return versions, code.rollback("stall", 1).version, sys.modules["stall"].price()

    assert again(main) == ((4, 2), 5, 1)


def test_rollback_of_a_module_that_does_not_load_any_more(project, again):
    """Its file was broken while the server was down: the text that ran last is still there."""
    again(load, project, ONE, TWO)
    project.write("stall.py", "def price(:\n")

    def main():
        with pytest.raises(LoadError):
            code.load(project.path("stall.py"))
        before = history()
        return before, code.rollback("stall").version, sys.modules["stall"].price()

    assert again(main) == ([(1, False, True), (2, False, True)], 2, 2)


def test_rollback_of_a_module_whose_file_is_gone(project, again):
    """And of one in a package, which is imported first."""
    project.write("stand/__init__.py", "")
    again(lambda: code.load(project.write("stand/stall.py", ONE)) and None)
    (project.root / "stand" / "stall.py").unlink()

    def main():
        code.rollback("stand.stall")
        return sys.modules["stand.stall"].price(), sys.modules["stand"].stall.price()

    assert again(main) == (1, 1)


def test_an_unknown_module_is_unknown_still(again):
    """And a version that nobody has is."""

    def main():
        with pytest.raises(UnknownModuleError):
            code.version_history("nowhere")
        with pytest.raises(UnknownModuleError):
            code.rollback("nowhere")

    again(main)


def test_the_last_versions_stay(project, again, lives, monkeypatch):
    """As many as are kept of a live module; here three."""
    monkeypatch.setattr(texts, "KEPT", 3)
    again(load, project, *(f"A = {number}\n" for number in range(5)))

    assert lives.query("SELECT number FROM texts WHERE module = 'stall' ORDER BY number") == [(3,), (4,), (5,)]

    def main():
        with pytest.raises(UnknownVersionError, match="versions that are kept: 3, 4, 5"):
            code.source("stall", 2)

    again(main)


def test_purge_and_delete_keep_the_texts(project, again):
    """What ran once can be read. A deleted module ran last in no version, so a start with "last" takes its file."""
    project.write("stall.py", ONE)

    def main():
        load(project, ONE, TWO)
        code.purge("stall")
        code.delete("stall")

    again(main)

    assert again(lambda: [code.source("stall", number) for number in (1, 2)]) == [ONE, TWO]
    assert again(lambda: __import__("stall").price(), choice="last") == 1


def test_what_was_loaded_before_the_store_came_goes_on_behind_it(project, again, lives):
    """Its processes, frames and files take the new numbers."""
    again(load, project, ONE, TWO)
    lives.new_interpreter(project)
    load(project, "import midflight\n\nasync def wait():\n    await midflight.receive()\n", "A = 2\n", "A = 3\n")
    file = sys.modules["stall"].__dict__

    def main():
        return history(), real_path(code.lowlevel.__name__) and file["__midflight_version__"]

    assert lives.run(main) == (
        [(1, False, True), (2, False, True), (3, False, False), (4, False, False), (5, True, False)],
        5,
    )
    assert lives.run(lambda: (load(project, "A = 4\n"), history())[1])[-1] == (6, True, False)


def test_a_traceback_of_before_shows_the_lines_that_ran(project, again):
    """The file that it names belonged to an interpreter that is gone; a state may hold it as text."""
    project.write("stall.py", ONE)

    def main():
        load(project, "def fail():\n    return 1 / 0  # here\n")
        return sys.modules["stall"].fail.__code__.co_filename

    file = again(main)

    def later():
        load(project, ONE)
        return readable(f'File "{file}", line 2, in fail'), linecache.getline(file, 2)

    assert again(later) == (
        f'File "{project.path("stall.py")}", line 2, in fail (version 1)',
        "    return 1 / 0  # here\n",
    )


def test_a_load_waits_for_no_disk(project, again, lives):
    """The text is on its way when the load answers, and is written when the disk can."""
    is_free = threading.Event()

    def main():
        lives.runtime.scheduler.states.store.writer.note(lambda _: is_free.wait(timeout=30))
        load(project, ONE, TWO)
        before = history()
        is_free.set()
        return before

    assert again(main) == [(1, False, False), (2, True, False)]
    assert lives.query("SELECT number FROM texts WHERE module = 'stall' ORDER BY number") == [(1,), (2,)]


def test_a_full_disk_keeps_texts_waiting(project, again, lives):
    """Loads go on; front ends are told; all are written in their order when there is room again."""
    said = []

    def main():
        scheduler = lives.runtime.scheduler
        writer, is_full = scheduler.states.store.writer, [True]

        def fail(connection):
            if is_full:
                raise sqlite3.OperationalError("database or disk is full")

        scheduler.states.store.writer._on_trouble = lambda error: said.append(str(error))
        writer.note(fail)
        load(project, ONE, TWO)
        with pytest.raises(sqlite3.OperationalError):
            writer.do(lambda _: None).result(timeout=30)
        is_full.clear()
        return writer.unwritten() > 0, sys.modules["stall"].price()

    assert again(main) == (True, 2)
    assert said[0] == "database or disk is full"
    assert lives.query("SELECT number FROM texts WHERE module = 'stall' ORDER BY number") == [(1,), (2,)]
    assert lives.query("SELECT number FROM current WHERE module = 'stall'") == [(2,)]


@pytest.mark.parametrize("damaged", [b"", b"no text", zlib.compress(b"\xff"), zlib.compress(b"A = 1\n")[:-2], "A = 1"])
def test_a_damaged_text_is_not_known_and_the_others_are(project, again, lives, caplog, damaged):
    """It is not run, and the log says why not."""
    again(load, project, ONE, TWO)
    with sqlite3.connect(lives.path) as connection:
        connection.execute("UPDATE texts SET text = ? WHERE module = 'stall' AND number = 1", (damaged,))
    connection.close()

    def main():
        load(project, TWO)
        with pytest.raises(UnknownVersionError):
            code.source("stall", 1)
        with pytest.raises(UnknownVersionError):
            code.rollback("stall", 1)
        return sys.modules["stall"].price(), code.source("stall", 2)

    assert again(main) == (2, TWO)
    assert f"Version 1 of stall cannot be read from {lives.path}" in caplog.text


def test_a_text_that_cannot_be_written_keeps_no_state_from_it(project, again, lives):
    """A fault of its own, not of the disk."""
    project.write("till.py", text_of("till_v1"))

    def broken(_):
        raise ValueError("no such text")

    async def main():
        lives.runtime.scheduler.states.store.writer.note(broken)
        await __import__("till").Till.start(5, name="till")

    again(main)

    assert lives.query("SELECT count(*) FROM servers") == [(1,)]


def test_a_server_without_a_store_keeps_nothing(project, runtime):
    """Versions begin at 1, as ever."""

    async def main():
        load(project, ONE)
        pid = spawn(lambda: None)
        return history(), pid is not None

    assert runtime.run(main) == ([(1, True, False)], True)
