"""Bodies that make what belongs to one thread: told, and run on the runtime's thread where that is asked for."""

from __future__ import annotations

import ast
import asyncio
import gc
import sqlite3
import sys
import threading

import pytest

import midflight
from midflight import code
from midflight.code.lowlevel import run_bodies_on_runtime
from midflight.code.state.module_text import ModuleText
from midflight.code.state.thread_bound import thread_bound_calls

DATABASE = """
import sqlite3
conn = sqlite3.connect(":memory:")
def answer(): return conn.execute("select 42").fetchone()[0]
"""


pytestmark = pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")  # of another thread


@pytest.fixture(autouse=True)
def closed(project):
    """Let go of the connections that modules have made, while their warning is not one."""
    yield
    for module in list(sys.modules.values()):
        if type(module) is type(sys) and type(vars(module).get("conn")) is sqlite3.Connection:
            del vars(module)["conn"]
    gc.collect()


def bound(text):
    """Return the names of such calls."""
    return [each.name for each in thread_bound_calls(ModuleText(ast.parse(text), text))]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (DATABASE, "sqlite3.connect"),
        ("from sqlite3 import connect as c\nx = c('a')", "sqlite3.connect"),
        ("import sqlite3 as s\nif True:\n    x = s.connect('a')", "sqlite3.connect"),
        ("import sqlite3\ndef make(): return sqlite3.connect('a')\nx = make()", "sqlite3.connect"),
        ("import sqlite3\nclass A:\n    x = sqlite3.connect('a')", "sqlite3.connect"),
        ("import sqlite3\ndef f(x=sqlite3.connect('a')): pass", "sqlite3.connect"),
        ("import signal\nsignal.signal(2, print)", "signal.signal"),
        ("import asyncio\nloop = asyncio.get_event_loop()", "asyncio.get_event_loop"),
        ("import asyncio\ntask = asyncio.create_task(f())", "asyncio.create_task"),
    ],
)
def test_a_call_that_the_body_does_is_found(text, name):
    """However it is imported, in whatever the body runs."""
    assert bound(text) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "import sqlite3\ndef f(): return sqlite3.connect('a')",
        "import sqlite3\nx = lambda: sqlite3.connect('a')",
        "import sqlite3\nx = sqlite3.connect('a', check_same_thread=False)",
        "import other as sqlite3\nx = sqlite3.connect('a')",
        "x = connect('a')",
    ],
)
def test_what_is_no_such_call_is_not(text):
    """A function that nobody calls yet, a connection for all threads, another's `connect`."""
    assert bound(text) == []


def in_a_runtime(project, text, **options):
    """Load a text from a thread while a runtime runs; call its `answer` in a process. Return both."""

    async def main():
        path = project.write("base.py", text)
        report = await asyncio.to_thread(code.load, path, **options)
        try:
            return report, sys.modules["base"].answer()
        except Exception as error:
            return report, error

    return midflight.run(main)


def warnings(report, kind):
    """Return the warnings of that code."""
    return [each.message for each in report.warnings if each.code == kind]


def test_a_connection_of_another_thread_is_told(project):
    """It does not work in processes, and the warning says what to do."""
    report, answer = in_a_runtime(project, DATABASE)

    (message,) = warnings(report, "thread-bound")
    assert "sqlite3.connect makes a connection that only its own thread may use" in message
    assert 'load it with thread="runtime"' in message
    assert "thread" in str(answer)


def test_a_body_on_the_runtime_s_thread_makes_a_connection_that_works(project):
    """And the report says for how long it held everybody up."""
    report, answer = in_a_runtime(project, DATABASE, thread="runtime")

    assert answer == 42
    assert warnings(report, "thread-bound") == []
    (message,) = warnings(report, "body-thread")
    assert "held up all processes for " in message


def test_a_project_can_have_all_bodies_there(project):
    """`body = "runtime"`."""
    run_bodies_on_runtime(True)
    try:
        _, answer = in_a_runtime(project, DATABASE)
    finally:
        run_bodies_on_runtime(False)

    assert answer == 42


def test_the_connection_is_kept_and_its_statement_is_not_told_again(project):
    """It does not run once more, wherever the next body does."""

    async def main():
        path = project.write("base.py", DATABASE)
        await asyncio.to_thread(code.load, path, thread="runtime")
        conn = sys.modules["base"].conn
        report = await asyncio.to_thread(code.load, path, DATABASE.replace("42", "43"))
        return sys.modules["base"].conn is conn, sys.modules["base"].answer(), warnings(report, "thread-bound")

    assert midflight.run(main) == (True, 43, [])


def test_processes_see_the_old_version_until_the_commit(project):
    """The body ran on their thread, and has ended; what it made is not current yet."""
    seen = []
    text = "N = 1\ndef answer(): return N\n"

    async def main():
        path = project.write("base.py", text)
        await asyncio.to_thread(code.load, path)
        base = sys.modules["base"]
        loads = asyncio.create_task(asyncio.to_thread(code.load, path, text.replace("1", "2"), thread="runtime"))
        while not loads.done():
            seen.append((base.N, base.answer()))
            await asyncio.sleep(0)
        return await loads, base.N

    report, number = midflight.run(main)

    assert number == 2
    assert set(seen) <= {(1, 1), (2, 2)}
    assert report.version == 2


def test_a_body_that_fails_there_changes_nothing(project):
    """The refusal names what may be the reason, too."""

    async def main():
        path = project.write("base.py", "N = 1\n")
        await asyncio.to_thread(code.load, path)
        with pytest.raises(code.LoadError):
            await asyncio.to_thread(code.load, path, "N = 2\n1 / 0\n", thread="runtime")
        return sys.modules["base"].N, threading.current_thread() is threading.main_thread()

    assert midflight.run(main) == (1, True)


def test_a_refusal_names_the_call_that_needs_another_thread(project):
    """`signal.signal` raises in a thread that is not the main one."""

    async def main():
        path = project.write("base.py", "import signal\nsignal.signal(signal.SIGUSR1, signal.SIG_IGN)\n")
        with pytest.raises(code.LoadError) as error:
            await asyncio.to_thread(code.load, path)
        return error.value.report

    report = midflight.run(main)

    assert "signal.signal makes a handler that only the main thread may set" in report.refusals[-1].message


def test_another_thread_is_an_error(project):
    """Else a slip would run the body where it always runs."""
    with pytest.raises(ValueError, match='thread is "runtime" or None'):
        code.load(project.write("base.py", ""), thread="main")
