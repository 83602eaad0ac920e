"""Live processes and versions: who moves when, who lingers, who is counted where."""

from __future__ import annotations

import asyncio
import functools
import gc
import sys
import weakref

import pytest

from helpers.versions import text_of
from midflight import Exit, code, link, receive, run, self_, spawn, trap_exit


def numbers(name: str) -> list[int]:
    """Return the numbers of the versions that are there."""
    return [version.version for version in code.versions(name)]


def tell(runtime, pid) -> object:
    """Return what a counter says its total is."""
    sink: list[object] = []
    pid << ("tell", sink)
    runtime.run_until_idle()
    return sink[0]


@pytest.fixture
def counter(project, runtime):
    """Give a process in version 1 of counter, its total 3, waiting for a message. It ends with the test."""
    project.load("counter_v1")
    pid = runtime.spawn(sys.modules["counter"].start)
    pid << ("increment", 3)
    runtime.run_until_idle()
    yield pid
    pid << "stop"
    runtime.run_until_idle()


def test_the_tutorial(project, runtime, counter, capsys):
    """Version 2 is loaded; the process stays in version 1 until it calls a function of the module by its full name."""
    report = project.load("counter_v2")
    assert [(each.pid, each.version, each.function) for each in report.lingering] == [(counter, 1, "loop")]

    counter << ("reset",)
    assert tell(runtime, counter) == 3
    assert capsys.readouterr().out == "Unhandled message ('reset',)\n"
    assert code.processes("counter", 1) == (counter,)

    counter << "code_switch"
    assert tell(runtime, counter) == 3
    counter << ("reset",)
    assert tell(runtime, counter) == 0
    assert code.processes("counter", 2) == (counter,)
    assert numbers("counter") == [2]


def test_a_process_keeps_name_state_and_mailbox_over_the_switch(project, runtime, counter):
    """H14: and no message is lost."""
    project.load("counter_v3")
    sink: list[object] = []

    for message in ("code_switch", ("tell", sink), ("tell", sink)):
        counter << message
    runtime.run_until_idle()

    assert sink == [(3, "moved"), (3, "moved")]


def test_a_failed_load_leaves_processes_alone(project, runtime, counter):
    """H3: those in the old and those in the current version."""
    with pytest.raises(code.LoadError) as caught:
        project.load("counter_broken")

    report = caught.value.report
    assert [(each.pid, each.version) for each in report.lingering] == [(counter, 1)]
    assert str(caught.value) == (
        "counter not loaded: line 11, expected ':'. Version 1 stays current; 1 process keeps running it. "
        "Fix the line, load again."
    )
    assert tell(runtime, counter) == 3


def test_any_number_of_versions_live_side_by_side(project, runtime, counter):
    """A load kills nobody; in Erlang the third one ends who is in version 1 (H29)."""
    pids = [counter]
    for _ in range(3):
        project.load("counter_v2")
        pids.append(runtime.spawn(sys.modules["counter"].start))
        runtime.run_until_idle()

    assert numbers("counter") == [1, 2, 3, 4]
    assert [code.processes("counter", number) for number in (1, 2, 3, 4)] == [(pid,) for pid in pids]
    assert code.processes("counter") == tuple(pids)
    for pid in pids[1:]:
        pid << "stop"
    runtime.run_until_idle()
    assert numbers("counter") == [1, 4]


def test_an_old_version_goes_with_the_last_process_that_leaves_it(project, runtime, counter):
    """Nobody purges, nobody looks: its memory is free."""
    gone = weakref.ref(sys.modules["counter"].loop)
    project.load("counter_v2")
    gc.collect()
    assert gone() is not None

    counter << "code_switch"
    runtime.run_until_idle()
    gc.collect()

    assert gone() is None
    assert numbers("counter") == [2]
    assert code.source("counter", 1) == text_of("counter_v1")


def test_a_spawned_function_that_has_not_begun_counts(project, runtime):
    """H15: it will run the version that made it; a partial or a method as well."""
    project.load_text(
        "thing", "async def f(): pass\nclass C:\n    async def m(self): pass\n    async def __call__(self): pass\n"
    )
    thing = sys.modules["thing"]
    functions = (thing.f, functools.partial(functools.partial(thing.f)), thing.C().m, thing.C())

    pids = tuple(runtime.spawn(function) for function in functions)
    project.load("thing_v1")

    assert code.processes("thing", 1) == pids
    assert numbers("thing") == [1, 2]
    runtime.run_until_idle()
    assert numbers("thing") == [2]


def test_a_process_is_in_every_version_that_it_has_a_frame_of(project, runtime):
    """H11, H20: code of version 2 that is awaited returns into the frame of version 1."""
    loop_text = "import asyncio, thing\nasync def f(future):\n    await {}\nasync def g(future):\n    await future\n"
    future = runtime.loop.create_future()
    project.load_text("thing", loop_text.format("thing.g(future)"))
    outer = sys.modules["thing"].f
    project.load_text("thing", loop_text.format("future"))

    pid = runtime.spawn(outer, future)
    runtime.run_until_idle()

    assert [code.check_process_code(pid, "thing", number) for number in (1, 2, 3)] == [True, True, False]
    assert code.check_process_code(pid, "thing")
    assert code.processes("thing", 1) == code.processes("thing", 2) == (pid,)
    future.set_result(None)
    runtime.run_until_idle()
    assert not code.check_process_code(pid, "thing")


def test_frames_below_generators_and_async_iterators_are_found(project, runtime):
    """Whatever hides the frame: `async for`, `async with`, `__await__`, a plain generator."""
    future = runtime.loop.create_future()
    project.load_text("thing", "async def items(future):\n    await future\n    yield 1\n")
    old = sys.modules["thing"].items
    project.load_text("thing", "")

    async def iterate():
        async for _ in old(future):
            pass

    class Awaitable:
        def __await__(self):
            return (yield from iterate().__await__())

    async def main():
        await Awaitable()

    pid = runtime.spawn(main)
    runtime.run_until_idle()

    assert code.processes("thing", 1) == (pid,)
    future.set_result(None)
    runtime.run_until_idle()
    assert code.processes("thing", 1) == ()


def test_a_process_that_is_running_counts_with_the_plain_calls_it_is_in(project, runtime):
    """Its coroutine knows nothing of them."""
    project.load_text("thing", "def call(function):\n    return function()\n")
    old = sys.modules["thing"].call
    project.load_text("thing", "")

    async def main():
        return old(lambda: code.check_process_code(self_(), "thing", 1))

    assert runtime.run(main) is True


def test_a_process_that_loads_its_own_module_lingers_itself(project, runtime):
    """On the runtime's thread the load is done where it is called."""
    text = (
        "from midflight import code\nimport thing\n\nasync def f(path):\n    return code.load(path), thing.N\nN = {}\n"
    )
    path = project.write("thing.py", text.format(1))
    code.load(path)
    project.write("thing.py", text.format(2))

    report, number = runtime.run(sys.modules["thing"].f, path)

    assert number == 2
    assert [(each.version, each.function, each.line) for each in report.lingering] == [(1, "f", 5)]


def test_holding_a_function_of_an_old_version_does_not_count(project, runtime):
    """H21: in state, in a message, as an argument."""
    project.load("thing_v1")
    held = sys.modules["thing"].local
    project.load("thing_v2")

    async def hold(function):
        await receive()
        return function()

    pid = runtime.spawn(hold, held)
    pid << held
    project.load("thing_v1")

    assert code.processes("thing", 1) == ()
    runtime.run_until_idle()


def test_a_child_task_and_a_thread_are_reported_and_do_not_count(project, runtime):
    """They are no processes; they go on in the old code until they end."""
    project.load_text("thing", "import asyncio\nasync def child(future):\n    await future\n")
    future = runtime.loop.create_future()
    child = sys.modules["thing"].child
    path = project.put("thing_v1")

    async def main():
        async with asyncio.TaskGroup() as group:
            group.create_task(child(future), name="the child")
            await asyncio.sleep(0)
            report = code.load(path)
            found = code.check_process_code(self_(), "thing", 1)
            future.set_result(None)
        return report, found

    report, found = runtime.run(main)

    assert not found
    assert report.lingering == ()
    assert [(note.code, note.severity) for note in report.warnings] == [("bystander", "note")]
    assert "'the child' runs version 1 at child:3" in report.warnings[0].message


def test_a_process_is_not_reported_as_a_task_too(project):
    """asyncio.all_tasks() has processes in it; a load names them as processes only."""
    project.load("counter_v1")
    path = project.put("counter_v2")

    async def main():
        spawn(sys.modules["counter"].start, name="the counter")
        await asyncio.sleep(0)
        return code.load(path)

    report = run(main)

    assert report.warnings == ()
    assert [row.name for row in report.lingering] == ["the counter"]


def test_a_dead_process_runs_nothing(project, runtime, counter):
    """H20: false, and no error."""

    async def nothing():
        pass

    dead = runtime.spawn(nothing)
    runtime.run_until_idle()

    assert not code.check_process_code(dead, "counter", 1)


def test_soft_purge_says_whether_anybody_runs_old_code(project, runtime, counter):
    """H24: and kills nobody."""
    assert code.soft_purge("counter")
    project.load("counter_v2")
    assert not code.soft_purge("counter")
    assert tell(runtime, counter) == 3

    counter << "code_switch"
    runtime.run_until_idle()

    assert code.soft_purge("counter")


def test_purge_ends_those_in_old_code_and_nobody_else(project, runtime, counter):
    """H25, H26: reason "killed", which trapping exits does not stop; the pids come back."""
    module = sys.modules["counter"]
    moved, trapping = runtime.spawn(module.start), runtime.spawn(_trapping, module.start)
    runtime.run_until_idle()
    project.load("counter_v2")
    moved << "code_switch"
    newer = runtime.spawn(module.start)
    runtime.run_until_idle()
    heard: list[object] = []
    runtime.spawn(_watch, trapping, heard)
    runtime.run_until_idle()

    assert code.purge("counter") == (counter, trapping)
    assert code.purge("counter") == ()

    runtime.run_until_idle()
    assert heard == [Exit(trapping, "killed")]
    assert code.processes("counter") == (moved, newer)
    for pid in (moved, newer):
        pid << "stop"
    runtime.run_until_idle()


async def _trapping(function):
    trap_exit(True)
    return function()


async def _watch(pid, heard):
    trap_exit(True)
    link(pid)
    heard.append(await receive())


def test_a_process_that_purges_itself_ends_after_the_others(project, runtime, counter):
    """H26."""
    project.load_text(
        "thing",
        "from midflight import code, receive\n"
        "async def f():\n    code.load('thing')\n    code.purge('thing')\n    print('alive')\n"
        "async def g():\n    await receive()\n",
    )
    thing = sys.modules["thing"]

    purger, other = runtime.spawn(thing.f), runtime.spawn(thing.g)
    runtime.run_until_idle()

    assert code.processes("thing") == ()
    assert purger.process is None
    assert other.process is None


def test_two_versions_gives_erlangs_limit(project, runtime, counter):
    """H28: a third load is refused while a process is in version 1, with the process named."""
    project.load("counter_v2", two_versions=True)

    with pytest.raises(code.NotPurged) as caught:
        project.load("counter_v2", two_versions=True)

    assert repr(counter) in str(caught.value)
    assert caught.value.report.current == 2
    assert numbers("counter") == [1, 2]
    counter << "code_switch"
    runtime.run_until_idle()
    assert project.load("counter_v2", two_versions=True).version == 3


def test_after_delete_processes_run_on_and_calls_load_the_module_again(project, runtime, counter):
    """H31, H32, H33."""
    assert code.delete("counter") is True
    assert code.delete("counter") is False
    assert code.is_loaded("counter") is None
    assert numbers("counter") == [1]
    assert tell(runtime, counter) == 3

    project.put("counter_v2")
    counter << "code_switch"
    runtime.run_until_idle()

    assert code.processes("counter", 2) == (counter,)
    assert code.is_loaded("counter") == project.path("counter.py")


def test_a_deleted_module_whose_file_is_gone_is_an_attribute_error(project):
    """With the reason."""
    project.load("thing_v1")
    thing = sys.modules["thing"]
    (project.root / "thing.py").unlink()

    code.delete("thing")

    with pytest.raises(AttributeError, match="was deleted"):
        _ = thing.which
    assert not hasattr(thing, "__path__")


def test_every_process_of_many_can_move(project, runtime):
    """H49, scaled to a test."""
    project.load("counter_v1")
    pids = [runtime.spawn(sys.modules["counter"].start) for _ in range(200)]
    runtime.run_until_idle()
    report = project.load("counter_v2")
    assert [each.pid for each in report.lingering] == pids

    for pid in pids:
        pid << "code_switch"
    runtime.run_until_idle()

    assert code.soft_purge("counter")
    for pid in pids:
        pid << "stop"
    runtime.run_until_idle()


def test_spawn_by_the_module_takes_the_current_version(project, runtime):
    """H15: a name is looked up when it is used."""
    project.load("thing_v1")
    old = sys.modules["thing"].local
    project.load("thing_v2")

    async def main():
        return old(), code.current(old)()

    assert runtime.run(main) == (1, 2)


def test_questions_about_a_module_that_was_never_loaded_are_errors():
    """They say what to do."""
    for ask in (code.versions, code.processes, code.soft_purge, code.purge, code.source, code.rollback):
        with pytest.raises(code.UnknownModuleError, match="load it first"):
            ask("nonesuch")
    assert code.is_loaded("nonesuch") is None
    assert code.delete("nonesuch") is False


def test_processes_are_spawned_by_hand_in_the_module_body(project, runtime):
    """The body of a first load may start processes: they are in version 1."""

    async def main():
        project.load_text(
            "thing", "from midflight import spawn, receive\nasync def f():\n    await receive()\nPID = spawn(f)\n"
        )
        return code.processes("thing", 1) == (sys.modules["thing"].PID,)

    assert runtime.run(main)
