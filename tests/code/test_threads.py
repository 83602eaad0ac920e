"""Loads from several threads, loads inside loads, and the runtime's thread: nobody waits for ever."""

from __future__ import annotations

import asyncio
import builtins
import sys
import threading

import pytest

from helpers.gates import SECONDS, Gate, Loader
from midflight import code, is_alive, receive, self_
from midflight.code import LoadError
from midflight.code.loading.lock import LoadLock
from midflight.kernel import schedulers


@pytest.fixture
def gate(monkeypatch):
    """Give a gate that module bodies know by the name GATE."""
    gate = Gate()
    monkeypatch.setattr(builtins, "GATE", gate, raising=False)
    yield gate
    gate.opened.set()


def test_while_a_body_runs_others_see_the_version_before(project, gate):
    """Also `__dict__`; the module is never without a version."""
    project.load("thing_v1")
    thing = sys.modules["thing"]
    loader = Loader(project.write("thing.py", "def which(): return 2\nGATE.wait()\n"))
    assert gate.reached.wait(SECONDS)

    assert (thing.which(), vars(thing)["which"]()) == (1, 1)

    gate.opened.set()
    assert loader.report().version == 2
    assert thing.which() == 2


def test_two_loads_of_a_module_at_once_come_one_after_the_other(project, gate):
    """Each has a number of its own."""
    project.load("thing_v1")
    path = project.write("thing.py", "GATE.wait()\n")
    first = Loader(path)
    assert gate.reached.wait(SECONDS)
    second = Loader(path)

    gate.opened.set()

    assert sorted((first.report().version, second.report().version)) == [2, 3]


def test_a_thread_that_imports_a_module_waits_for_its_first_load(project, gate):
    """As for an import by another thread."""
    sys.path.append(str(project.root))
    loader = Loader(project.write("thing.py", "GATE.wait()\nNUMBER = 1\n"))
    assert gate.reached.wait(SECONDS)
    seen: list[object] = []
    importer = threading.Thread(target=lambda: seen.append(__import__("thing").NUMBER))
    importer.start()

    gate.opened.set()
    importer.join(SECONDS)

    assert seen == [1]
    assert loader.report().version == 1


def test_processes_run_on_while_a_body_runs(project, runtime, gate):
    """And the commit comes between two turns, on their thread."""
    path = project.write(
        "thing.py",
        "import threading\nfrom midflight.code import on_load\nGATE.wait()\nWHERE = []\n"
        "@on_load\ndef note(): WHERE.append(threading.current_thread())\n",
    )

    async def main():
        loading = asyncio.create_task(asyncio.to_thread(code.load, path))
        while not gate.reached.is_set() and not loading.done():
            await asyncio.sleep(0)
        assert not loading.done()
        gate.opened.set()
        return await loading

    assert runtime.run(main).version == 1
    assert [threading.current_thread()] == sys.modules["thing"].WHERE


def test_a_load_in_a_body_is_refused(project):
    """The load that runs the body is not done; the message says what to do instead."""
    project.load("thing_v1")
    inner = project.write("inner.py", "")

    with pytest.raises(LoadError, match="load_many") as caught:
        project.load_text("thing", f"from midflight import code\ncode.load({inner!r})\n")

    assert caught.value.report.refusals[0].line == 2
    assert sys.modules["thing"].which() == 1
    assert "inner" not in sys.modules
    assert code.load(inner).version == 1


def test_a_reload_of_itself_in_a_body_is_refused(project):
    """For the same reason."""
    project.load("thing_v1")

    with pytest.raises(LoadError, match="load_many"):
        project.load_text("thing", "import importlib, thing\nimportlib.reload(thing)\n")

    assert sys.modules["thing"].which() == 1


def test_a_load_of_a_module_that_is_just_imported_by_the_caller_is_refused(project):
    """There is no whole version 1 yet."""
    sys.path.append(str(project.root))
    project.write("thing.py", "from midflight import code\ncode.load(__file__)\n")

    with pytest.raises(LoadError, match="being imported"):
        __import__("thing")


@pytest.mark.parametrize("with_runtime", [False, True])
def test_a_load_hook_may_load(project, request, with_runtime):
    """Its version is current."""
    if with_runtime:
        request.getfixturevalue("runtime")
    inner = project.write("inner.py", "")

    project.load_text(
        "thing", f"from midflight import code\n@code.on_load\ndef load(): code.load({inner!r}); import inner\n"
    )

    assert code.versions("inner")[0].version == 1
    assert project.load("thing_v1").version == 2


def test_a_load_hook_on_the_runtimes_thread_may_load_for_another_thread(project, runtime):
    """The commit runs there for the thread that loads, and so do the hooks."""
    inner = project.write("inner.py", "")
    path = project.write("thing.py", f"from midflight import code\n@code.on_load\ndef load(): code.load({inner!r})\n")

    async def main():
        return await asyncio.to_thread(code.load, path)

    assert runtime.run(main).warnings == ()
    assert code.versions("inner")[0].version == 1


def test_an_unload_hook_may_not_load(project):
    """The swap is still to come; its error is a warning."""
    inner = project.write("inner.py", "")
    project.load_text("thing", f"from midflight import code\n@code.on_unload\ndef load(): code.load({inner!r})\n")

    report = project.load("thing_v1")

    assert [warning.code for warning in report.warnings] == ["hook"]
    assert "inner" not in sys.modules


def test_a_purge_from_another_thread_is_done_on_the_runtimes(project, runtime):
    """Between two turns."""
    project.load("counter_v1")
    pid = runtime.spawn(sys.modules["counter"].start)
    runtime.run_until_idle()
    project.load("counter_v2")

    async def main():
        return await asyncio.to_thread(code.purge, "counter")

    assert runtime.run(main) == (pid,)


def test_output_of_hooks_goes_where_the_loader_prints(project, runtime):
    """Though they run on another thread: the commit has the loader's context."""
    lines: list[str] = []

    class Sink:
        def write(self, text: str) -> None:
            lines.append(text)

        def flush(self) -> None:
            pass

    path = project.write("thing.py", "from midflight import code\n@code.on_load\ndef say(): print('here')\n")

    async def load():
        await asyncio.to_thread(code.load, path)

    runtime.spawn(load, group_leader=Sink())

    async def wait():
        while "thing" not in sys.modules or not lines:
            await asyncio.sleep(0)

    runtime.run(wait)
    assert "".join(lines) == "here\n"


class Stuck:
    """A scheduler of another thread that never comes to its calls."""

    thread = -1
    loop = None
    processes: dict[int, object] = {}  # noqa: RUF012  # a stand-in with nothing in it

    def is_own_thread(self) -> bool:
        return False

    def call_threadsafe(self, function: object, *args: object) -> None:
        pass


def test_a_runtime_that_ends_before_it_commits_leaves_the_commit_to_the_loader(monkeypatch):
    """Else a load at the end of a program would wait for ever."""
    running = [Stuck()]
    monkeypatch.setattr("midflight.code.loading.runtime_thread.schedulers", lambda: tuple(running))
    lock = LoadLock()
    done: list[object] = []
    loader = threading.Thread(target=lambda: done.append(lock.call(threading.get_ident)))
    loader.start()
    assert done == []

    running.clear()
    loader.join(SECONDS)

    assert done == [loader.ident]


def test_an_interrupt_while_a_commit_has_not_begun_leaves_all_as_it_was(project, monkeypatch):
    """Ctrl-C at a load that waits for a busy runtime."""
    project.load("thing_v1")

    class Interrupted(Stuck):
        def call_threadsafe(self, function: object, *args: object) -> None:
            raise KeyboardInterrupt

    running = [Interrupted()]
    with monkeypatch.context() as patch:
        patch.setattr("midflight.code.loading.runtime_thread.schedulers", lambda: tuple(running))
        with pytest.raises(KeyboardInterrupt):
            project.load("thing_v2")

    assert sys.modules["thing"].which() == 1
    assert project.load("thing_v2").version == 2


def test_no_runtime_is_needed(project):
    """A commit is done by the caller then."""
    assert schedulers() == ()

    assert project.load("thing_v1").version == 1


def test_the_body_of_a_load_has_the_current_process(project, runtime):
    """On the runtime's thread it runs in the process that loads."""
    path = project.write("thing.py", "from midflight import self_\nPID = self_()\n")

    async def main():
        code.load(path)
        return sys.modules["thing"].PID is self_()

    assert runtime.run(main)


def test_a_process_that_loads_its_own_module_in_its_turn_runs_on_in_the_old_version(project, runtime):
    """Its frame is in the old one, and the report says so; its own full name then takes it to the new one."""
    text = """
import sys
from midflight import code
import me

NUMBER = {number}

async def loop(sink, path, texts):
    if texts:
        report = code.load(path, texts.pop())
        sink.append((NUMBER, me.NUMBER, report.version, [each.function for each in report.lingering]))
        return me.loop(sink, path, texts)
"""
    path = project.write("me.py", text.format(number=1))
    code.load(path)
    sink = []
    runtime.spawn(sys.modules["me"].loop, sink, path, [text.format(number=number) for number in (3, 2)])
    runtime.run_until_idle()

    assert sink == [(1, 2, 2, ["loop"]), (2, 3, 3, ["loop"])]
    assert runtime.crashes == []


def test_loads_of_processes_follow_each_other_though_one_waits_for_a_thread(project, runtime, gate):
    """A process loads a module in its turn that a thread is just loading: that one's version comes first."""
    path = project.write("slow.py", "GATE.wait()\n")

    async def main():
        loader = Loader(path)
        assert gate.reached.wait(SECONDS)
        threading.Timer(0, gate.opened.set).start()
        own = code.load(path, "").version
        return loader.report().version, own

    assert runtime.run(main) == (1, 2)


@pytest.mark.parametrize("where", ["body", "hook"])
def test_a_process_that_is_killed_amid_its_load_leaves_the_lock_free(project, runtime, where):
    """By the body, which stops the load, or by a hook, which comes too late for that."""
    line = "exit(self_(), 'kill')\n"
    path = project.write("thing.py", "")
    code.load(path)
    told = []

    async def main():
        head = "from midflight import exit, self_\nfrom midflight.code import on_load\n"
        try:
            told.append(code.load(path, head + (line if where == "body" else f"@on_load\ndef hook():\n    {line}")))
        except LoadError as error:
            told.append(error.report)
        await receive()
        told.append("resumed")

    pid = runtime.spawn(main)
    runtime.run_until_idle()

    (report,) = told
    assert not is_alive(pid)
    assert report.version == {"body": None, "hook": 2}[where]
    assert code.load(path).version == {"body": 2, "hook": 3}[where]
