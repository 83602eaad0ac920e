"""What the body of a refused load had started is ended: processes, tasks, timers and calls to come."""

from __future__ import annotations

import asyncio
import sys

import pytest

from midflight import code, is_alive, processes, receive, register, self_, send_after, spawn, whereis
from midflight.code import lowlevel
from midflight.kernel import Process

RAISES = "1 / 0\n"
REFUSED_AFTER = "globals()['late'] = 1\ndef f():\n    return nonesuch\n"  # the check cannot tell before the body
PUMP = """
from midflight import receive, send_after, spawn, spawn_link, spawn_monitor, whereis
async def pump():
    spawn(valve)
    await receive()
async def valve():
    await receive()
"""


async def here(*args, **options):
    code.load(*args, **options)


async def in_thread(*args, **options):
    await asyncio.to_thread(code.load, *args, **options)


async def on_runtime_thread(*args, **options):
    await asyncio.to_thread(code.load, *args, thread="runtime", **options)


everywhere = pytest.mark.parametrize("load", [here, in_thread, on_runtime_thread])
with_a_loop = pytest.mark.parametrize("load", [here, on_runtime_thread])


async def refused(load, path, text=None):
    """Load what is refused; return what its report says was taken back."""
    with pytest.raises(code.LoadError) as caught:
        await load(path, text)
    found = [each.message for each in caught.value.report.refusals if each.code == "taken-back"]
    return ", ".join(found)


async def settle():
    """Let what was asked of the runtime's thread be done."""
    for _ in range(3):
        await asyncio.sleep(0)


@everywhere
@pytest.mark.parametrize("end", [RAISES, REFUSED_AFTER])
def test_a_process_is_killed(project, runtime, load, end):
    """Also that which the process has started, and whether the body raises or a check refuses what it has made."""
    path = project.write("shop.py", f"{PUMP}spawn(pump, name='pump')\n{end}")

    async def main():
        taken = await refused(load, path)
        await settle()
        return taken, processes() == [self_()]

    taken, is_alone = runtime.run(main)
    assert is_alone
    assert "what it had started: process <0." in taken
    assert "(shop.pump)" in taken


@everywhere
def test_a_process_that_a_called_function_of_another_module_starts_is_killed(project, runtime, load):
    """It is of the body, whoever spawns it for that."""
    project.load_text("helper", "from midflight import receive, spawn\ndef start():\n    return spawn(receive)\n")
    path = project.write("shop.py", f"import helper\nhelper.start()\n{RAISES}")

    async def main():
        await refused(load, path)
        await settle()
        return processes() == [self_()]

    assert runtime.run(main)


@everywhere
def test_what_a_module_starts_that_the_body_imports_lives(project, runtime, load):
    """The module stays imported, so it keeps what it needs."""
    project.write("helper.py", "from midflight import receive, spawn\nspawn(receive, name='of-helper')\n")
    path = project.write("shop.py", f"import helper\n{RAISES}")

    async def main():
        taken = await refused(load, path)
        await settle()
        return taken, is_alive(whereis("of-helper"))

    assert runtime.run(main) == ("", True)


def test_what_others_start_meanwhile_lives(project, runtime, gates):
    """A process of another thread, and a timer."""
    path = project.write("shop.py", f"{PUMP}spawn(pump)\nGATES['body'].wait()\n{RAISES}")

    async def main():
        loading = asyncio.create_task(refused(in_thread, path))
        await asyncio.to_thread(gates["body"].reached.wait, 10)
        other = spawn(receive)
        send_after(0, self_(), "rang")
        gates["body"].opened.set()
        await loading
        await settle()
        return processes() == [self_(), other], await receive()

    assert runtime.run(main) == (True, "rang")


@everywhere
def test_a_load_that_is_done_keeps_all(project, runtime, load):
    """Only a refusal ends something."""
    path = project.write("shop.py", f"{PUMP}P = spawn(pump)\nsend_after(0, whereis('main'), 'rang')\n")

    async def main():
        await load(path)
        rang = await receive()
        return len(processes()), rang

    async def begin():
        return await named(main)

    assert runtime.run(begin) == (3, "rang")


async def named(function):
    """Call `function` in a process with the name that bodies know."""
    register("main", self_())
    return await function()


@everywhere
def test_a_timer_is_cancelled(project, runtime, clock, load):
    """A message of the refused body never comes."""
    path = project.write("shop.py", f"{PUMP}send_after(5, whereis('main'), 'late')\n{RAISES}")

    async def main():
        taken = await refused(load, path)
        await settle()
        clock.advance(6)
        return taken, await receive(timeout=0, default=None)

    async def begin():
        return await named(main)

    taken, message = runtime.run(begin)
    assert message is None
    assert "a timer for <0." in taken


@with_a_loop
def test_a_task_is_cancelled(project, runtime, load):
    """And one that it has started."""
    text = (
        "import asyncio\nasync def tick():\n    asyncio.create_task(tock(), name='tock')\n    await asyncio.sleep(9)\n"
        "async def tock():\n    await asyncio.sleep(9)\n"
        "T = asyncio.get_running_loop().create_task(tick(), name='tick')\n"
    )
    path = project.write("shop.py", text + RAISES)

    async def main():
        taken = await refused(load, path)
        await settle()
        return taken, [each.get_name() for each in asyncio.all_tasks() if type(each) is not Process]

    taken, names = runtime.run(main)
    assert {"tick", "tock"}.isdisjoint(names)
    assert "task tick (" in taken


@with_a_loop
def test_a_call_to_come_is_cancelled(project, runtime, clock, load):
    """`call_later` and `call_soon` of the event loop."""
    project.load_text("ledger", "CALLS = []\n")
    calls = sys.modules["ledger"].CALLS
    text = (
        "import asyncio, ledger\ndef call(): ledger.CALLS.append(1)\nloop = asyncio.get_running_loop()\n"
        "loop.call_later(5, call)\n"
    )
    path = project.write("shop.py", text + RAISES)

    async def main():
        taken = await refused(load, path)
        clock.advance(6)
        await settle()
        return taken

    assert "a call of shop.call to come" in runtime.run(main)
    assert calls == []


def test_the_process_that_loads_is_not_ended_with_what_it_is_linked_to(project, runtime):
    """A body that it runs itself links it and has it monitor; the refusal is all it hears of the end of those."""
    path = project.write("shop.py", f"{PUMP}spawn_link(pump)\nspawn_monitor(pump)\n{RAISES}")

    async def main():
        await refused(here, path)
        await settle()
        return processes() == [self_()], await receive(timeout=0, default=None)

    assert runtime.run(main) == (True, None)


def test_a_body_that_was_given_up_leaves_no_process(project, runtime, gates):
    """Neither what it had started by then, nor what it starts while it runs on."""
    project.load_text("shop", "x = 1\n")
    text = f"{PUMP}spawn(pump)\ntry:\n    GATES['g'].wait()\nexcept BaseException:\n    pass\nspawn(pump)\n"
    path = project.write("shop.py", text)

    async def main():
        thread = lowlevel.LoadThread(lambda: code.load(path), "me")
        await asyncio.to_thread(gates["g"].reached.wait, 10)
        code.break_off(thread.load.number, "me", seconds=0)
        await settle()
        is_alone = processes() == [self_()]
        gates["g"].opened.set()
        await asyncio.to_thread(thread.join, 10)
        await settle()
        return is_alone, processes() == [self_()], code.loads()

    assert runtime.run(main) == (True, True, ())


def test_many_are_counted(project, runtime):
    """A report stays readable."""
    path = project.write("shop.py", f"{PUMP}for _ in range(20): spawn(receive)\n{RAISES}")

    async def main():
        return await refused(here, path)

    assert "15 more processes" in runtime.run(main)
