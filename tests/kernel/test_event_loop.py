"""What ends the event loop of a program: its first process, or Ctrl-C, and nothing else."""

from __future__ import annotations

import asyncio
import signal

import pytest

import midflight
from helpers.hostile import HOSTILE
from midflight import Down, ProcessExit, receive, run_process, self_, spawn, spawn_monitor

ENDING = [SystemExit, KeyboardInterrupt]


@pytest.mark.parametrize("error", ENDING)
def test_a_process_does_not_end_the_program(error, caplog):
    """SystemExit and KeyboardInterrupt are that process's crash, of which others hear."""

    def fail():
        raise error("mine")

    async def main():
        spawn_monitor(fail)
        return await receive(Down)

    down = midflight.run(main)

    assert type(down.reason) is error
    assert f"{error.__name__}: mine" in caplog.text


@pytest.mark.parametrize("error", ENDING)
def test_the_first_process_does(error):
    """`sys.exit(3)` in what was given to `run` ends the program with that code."""

    def fail():
        raise error(3)

    with pytest.raises(error):
        midflight.run(fail)


@pytest.mark.parametrize("error", ENDING)
def test_a_child_task_does_not_end_the_program(error, caplog):
    """asyncio lets both end the loop; here the TaskGroup's process gets it, and the others go on."""

    async def fail():
        raise error("mine")

    async def group():
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fail())

    async def main():
        spawn_monitor(group)
        down = await receive(Down)
        self_() << "on"
        return down, await receive()

    down, answer = midflight.run(main)

    assert type(down.reason) is error
    assert answer == "on"
    assert "A task or callback of the event loop raised" in caplog.text


@pytest.mark.parametrize("error", ENDING)
def test_a_callback_does_not_end_the_program(error):
    """The callbacks after it are called."""

    def fail():
        raise error("mine")

    async def main():
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        loop.call_soon(fail)
        loop.call_soon(done.set)
        await done.wait()
        return "on"

    assert midflight.run(main) == "on"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_callback_that_fails_with_a_hostile_argument_does_not_end_the_program(name):
    """asyncio words the failure with the `repr` of the argument, and lets out what that raises."""
    argument = HOSTILE[name]()

    def fail(_):
        raise ValueError

    async def main():
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        loop.call_soon(fail, argument)
        loop.call_soon(done.set)
        await done.wait()
        return "on"

    assert midflight.run(main) == "on"


@pytest.mark.parametrize("error", ENDING)
def test_a_task_that_runs_a_process_does_not_end_the_loop(error):
    """run_process, from a web framework's handler say: it comes as the reason of a ProcessExit."""

    def fail():
        raise error("mine")

    async def handler():
        with pytest.raises(ProcessExit) as exit_:
            await run_process(fail)
        return exit_.value.reason

    async def main():
        return await asyncio.create_task(handler())

    assert type(midflight.run(main)) is error


def test_ctrl_c_passes_through_a_process_where_asyncio_does_not_see_to_it(runtime):
    """A loop that somebody runs by hand: the signal's exception ends the program, though it lands in a process."""
    seen = []

    def strike():
        signal.raise_signal(signal.SIGINT)

    async def main():
        spawn(strike)
        seen.append(await receive())

    with pytest.raises(KeyboardInterrupt):
        runtime.run(main)

    assert seen == []
    assert runtime.crashes == []


def test_the_handler_of_ctrl_c_is_pythons_own_again_when_the_runtime_has_ended():
    """Nobody finds it changed."""

    async def run():
        async with midflight.Runtime(watchdog=False):
            return signal.getsignal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    loop = asyncio.new_event_loop()
    try:
        during = loop.run_until_complete(run())
    finally:
        loop.close()

    assert before is signal.default_int_handler
    assert during is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_a_runtime_begins_where_python_has_no_signals(monkeypatch):
    """In the main thread of an interpreter inside another program no handler can be set: Ctrl-C is that program's."""

    def refuse(*_):
        raise ValueError("signal only works in main thread of the main interpreter")

    async def main():
        async with midflight.Runtime() as runtime:
            return await runtime.run(lambda: "ran")

    loop = asyncio.new_event_loop()
    monkeypatch.setattr(signal, "getsignal", lambda _: signal.default_int_handler)
    monkeypatch.setattr(signal, "signal", refuse)
    try:
        assert loop.run_until_complete(main()) == "ran"
    finally:
        loop.close()
