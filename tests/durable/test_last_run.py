"""What a start runs: the files, or with `code="last"` the texts that ran last. It says which differ."""

from __future__ import annotations

import asyncio
import inspect
import logging
import sqlite3
import sys
import zlib
from contextlib import closing

import pytest

from helpers.versions import text_of
from midflight import Runtime, call, code
from midflight.errors import LoadError
from midflight.program import function_of

ONE = "def price():\n    return 1\n"
TWO = "def price():\n    return 2\n"
APP = "import stall\n\ndef start():\n    return stall.price()\n"


@pytest.fixture
def again(project, lives, caplog):
    """Give what runs a function in a new life of a new interpreter; with `said` it returns what the log says of it."""
    caplog.set_level(logging.WARNING, "midflight.durable")

    def run(function, *args, choice="disk"):
        caplog.clear()
        lives.new_interpreter(project)
        if str(project.root) not in sys.path:
            sys.path.append(str(project.root))
        return lives.run(function, *args, code=choice)

    return run


def start():
    """Run `app:start`, as the start of a server does."""
    return function_of("app:start")()


@pytest.fixture
def unsaved(project, again):
    """Have `app` run with an unsaved text of `stall`, and end."""
    project.write("app.py", APP)
    path = project.write("stall.py", ONE)

    def main():
        before = start()
        code.load(path, source=TWO)
        return before, sys.modules["stall"].price()

    assert again(main) == (1, 2)


@pytest.mark.usefixtures("unsaved")
def test_the_files_count_unless_one_says_otherwise(again, caplog):
    """The log names the module, the version and what would run that."""
    assert again(start) == 1
    (said,) = caplog.messages
    assert said.startswith("stall: its file was changed since version 2 (of 20")
    assert "the file counts. To run that version: midflight rollback stall 2, or --code=last" in said


@pytest.mark.usefixtures("unsaved")
def test_last_runs_what_ran_last(again, caplog):
    """By an import too; it is that version, and its text is shown."""

    def main():
        value = start()
        stall = sys.modules["stall"]
        return (
            value,
            code.current_version("stall") or code.version_history("stall")[-1].version,
            inspect.getsource(stall),
        )

    assert again(main, choice="last") == (2, 2, TWO)
    (said,) = caplog.messages
    assert "that version runs again. To take the file: midflight load" in said


@pytest.mark.usefixtures("unsaved")
def test_a_load_of_the_file_takes_the_file(project, again):
    """The first that names it, and any after the start."""

    def main():
        code.load(project.path("stall.py"))
        first = sys.modules["stall"].price()
        return first, start()

    assert again(main, choice="last") == (1, 1)

    def later():
        before = start()
        code.load(project.path("stall.py"))
        return before, sys.modules["stall"].price()

    project.write("stall.py", "def price():\n    return 3\n")
    assert again(later, choice="last") == (1, 3)


@pytest.mark.usefixtures("unsaved")
def test_last_loads_what_is_imported_already(again, project, lives):
    """A program that imports its modules before it makes its runtime."""
    lives.new_interpreter(project)
    sys.path.append(str(project.root))
    import app

    assert app.start() == 1
    assert lives.run(app.start, code="last") == 2
    assert [each.version for each in code.version_history("stall")] == [1, 2, 3, 4]


@pytest.mark.usefixtures("unsaved")
@pytest.mark.parametrize("target", ["gone", "renamed"])
def test_a_module_whose_file_is_gone(project, again, caplog, target):
    """It is said; "last" runs it all the same."""
    path = project.root / "stall.py"
    path.write_text(TWO)
    path.rename(project.root / "store.py") if target == "renamed" else path.unlink()

    with pytest.raises(LoadError, match="No module named 'stall'"):
        again(start)
    said = f"its file was renamed to {project.path('store.py')}" if target == "renamed" else "its file is gone"
    assert f"stall: {said} since version 2" in caplog.messages[0]
    assert again(start, choice="last") == 2


@pytest.mark.usefixtures("unsaved")
def test_a_text_that_does_not_compile_any_more_is_named(again, lives):
    """On this Python; nothing else runs in its place in silence."""
    packed = zlib.compress(b"def price(:\n")
    with closing(sqlite3.connect(lives.path)) as connection, connection:
        connection.execute("UPDATE texts SET text = ? WHERE module = 'stall' AND number = 2", (packed,))

    with pytest.raises(LoadError) as caught:
        again(start, choice="last")
    assert isinstance(caught.value.__cause__, SyntaxError)
    assert "its text that ran last" in "".join(caught.value.__cause__.__notes__)
    assert again(start) == 1


def test_a_text_without_a_file_runs_again(again):
    """It was loaded by its name."""

    def first():
        code.load("nowhere", source="def start():\n    return 'here'\n")

    again(first)

    def main():
        return function_of("nowhere:start")()

    assert again(main, choice="last") == "here"
    with pytest.raises(LoadError):
        again(main)


def test_another_choice_is_refused(tmp_path):
    """Nothing is started, and no file is made."""

    async def main():
        async with Runtime(store=tmp_path / "state.sqlite", code="newest"):
            pass

    with pytest.raises(ValueError, match='code must be "disk" or "last"'):
        asyncio.run(main())
    assert list(tmp_path.iterdir()) == []


# --- Upgrades: states and texts together ---------------------------------------------------------------------------


async def amounts(till):
    """Return the attributes of the till."""
    return await call(await till.Till.start(name="till"), "all")


@pytest.fixture
def upgraded(project, again):
    """Have a till with 5 in it upgraded by a text that is not saved."""
    project.write("till.py", text_of("till_v1"))

    async def main():
        till = __import__("till")
        await call(await till.Till.start(5, name="till"), ("add", 0))
        await code.upgrade("till", text_of("till_v2"))
        return await call("till", "all")

    assert again(main)["amounts"] == [5]


@pytest.mark.usefixtures("upgraded")
def test_last_takes_the_states_of_an_unsaved_upgrade(again):
    """code_change has run, and does not run again."""
    assert again(lambda: amounts(__import__("till")), choice="last") == {"amounts": [5], "begun": "restored"}


@pytest.mark.usefixtures("upgraded")
def test_the_file_of_before_does_not_take_them(again, lives):
    """They are named with the version that does, and left as they are."""

    async def main():
        with pytest.raises(TypeError, match=r"'till' is too new: it was made by version 2 of till.*rollback till 2"):
            await amounts(__import__("till"))
        return dict(lives.runtime.scheduler.states.refusals.said)

    assert list(again(main)) == ["till"]

    async def mended():
        with pytest.raises(TypeError, match="too new"):
            await amounts(__import__("till"))
        code.rollback("till", 2)
        found = await amounts(sys.modules["till"])
        return found, dict(lives.runtime.scheduler.states.refusals.said)

    assert again(mended) == ({"amounts": [5], "begun": "restored"}, {})


@pytest.mark.usefixtures("upgraded")
def test_a_newer_text_without_the_code_change_takes_them(project, again):
    """It was taken out when it had done its work: that is no way back."""
    text = text_of("till_v2")
    start, end = text.index("    def code_change"), text.index("    def handle_call")
    project.write("till.py", text[:start] + text[end:])

    assert again(lambda: amounts(__import__("till"))) == {"amounts": [5], "begun": "restored"}


@pytest.mark.usefixtures("upgraded")
def test_an_upgrade_is_one_transaction_with_its_text(project, again, lives):
    """After a power cut the store knows the version that made the states."""
    text = text_of("till_v2").replace("[self.total]\n        del self.total", "[*self.amounts, 7]")

    async def main():
        await amounts(__import__("till"))
        await code.upgrade("till", text)
        lives.lose_power()

    again(main, choice="last")
    cut = lives.after_power_cut()

    assert cut.query("SELECT number FROM texts WHERE module = 'till'") == [(1,), (2,), (3,)]
    assert cut.query("SELECT number FROM current WHERE module = 'till'") == [(3,)]
    lives.new_interpreter(project)
    assert cut.run(lambda: amounts(__import__("till")), code="last")["amounts"] == [5, 7]
