"""Kill while a runtime shuts down: it is at its end the sooner, and nobody is left, whatever a clean-up does."""

from __future__ import annotations

import asyncio
import threading

from midflight import Down, Runtime, exit, is_alive, monitor, processes, receive, run, self_, spawn

SECONDS = 3600.0  # to unwind: a test that waited for that would fail by its time


async def wait_for_ever():
    await receive("never")


async def slow_to_end(log, name):
    """Wait; and once told to end, wait for a message before that."""
    try:
        await receive("never")
    finally:
        log.append(f"{name} begins to unwind")
        await receive("end")
        log.append(f"{name} has unwound")


def test_kill_ends_who_is_slow_to_unwind(runtime):
    """P20: also in a shutdown, which then has nobody left to wait for."""
    log = []
    slow = runtime.spawn(slow_to_end, log, "slow")
    runtime.run_until_idle()

    runtime._runtime.begin_shutdown()
    runtime.run_until_idle()
    was_alive = is_alive(slow)
    exit(slow, "kill")
    runtime.run_until_idle()

    assert was_alive
    assert log == ["slow begins to unwind"]
    assert runtime.scheduler.processes == {}


def test_a_shutdown_is_over_when_the_last_one_is_killed():
    """By another thread, while the loop waits: no second of the time to unwind is waited for."""
    log = []

    async def main():
        loop = asyncio.get_running_loop()
        async with Runtime(shutdown_seconds=SECONDS) as runtime:
            slow = [runtime.spawn(slow_to_end, log, name) for name in ("one", "two")]
            await asyncio.sleep(0)
            ending = loop.create_task(runtime.shutdown())
            while len(log) < 2:
                await asyncio.sleep(0)
            for pid in slow:
                await loop.run_in_executor(None, exit, pid, "kill")
            await ending
            return [is_alive(pid) for pid in slow]

    assert asyncio.run(main()) == [False, False]
    assert log == ["one begins to unwind", "two begins to unwind"]


def test_who_is_killed_in_a_shutdown_takes_nobody_else_out_of_it(runtime):
    """One that another one's clean-up kills had not been told yet, or is unwinding: those that are left end too."""
    log = []

    async def killer(victims):
        try:
            await receive("never")
        finally:
            for pid in victims:
                exit(pid, "kill")
            log.append("killer")

    later = runtime.spawn(slow_to_end, log, "told before")
    victims = [later]
    runtime.spawn(killer, victims)
    victims.append(runtime.spawn(slow_to_end, log, "not told yet"))
    last = runtime.spawn(wait_for_ever)
    runtime.run_until_idle()

    runtime._runtime.begin_shutdown()
    runtime.run_until_idle()

    assert "killer" in log
    assert not any("has unwound" in line for line in log)
    assert not is_alive(last)
    assert runtime.scheduler.processes == {}


def test_a_program_that_kills_all_in_its_clean_up_ends():
    """The process that tells the others to end is among those it kills."""
    heard = []

    async def kill_all():
        try:
            await receive("never")
        finally:
            for pid in processes():
                if pid is not self_():
                    exit(pid, "kill")

    async def main():
        async with Runtime(shutdown_seconds=SECONDS) as runtime:
            for function in (kill_all, wait_for_ever, wait_for_ever):
                runtime.spawn(function)
            await asyncio.sleep(0)
            await runtime.shutdown()
            heard.append(len(runtime.scheduler.processes))

    asyncio.run(main())
    assert heard == [0]


def test_what_a_killed_process_spawns_in_its_clean_up_never_runs():
    """It is killed with the others: nobody runs on in a runtime that has ended."""
    ran = []

    async def spawns_when_killed():
        try:
            await receive("never")
        finally:
            try:
                await receive("never")  # told to end, it takes its time
            finally:
                spawn(ran.append, "after the kill")

    async def main():
        async with Runtime(shutdown_seconds=0) as runtime:
            pid = runtime.spawn(spawns_when_killed)
            await asyncio.sleep(0)
        left = len(runtime.scheduler.processes)
        for _ in range(3):
            await asyncio.sleep(0)
        return left, is_alive(pid)

    assert asyncio.run(main()) == (0, False)
    assert ran == []


def test_a_kill_from_a_thread_after_the_end_is_nothing():
    """The pid outlives its runtime."""
    kept = []

    async def main():
        kept.append(spawn(wait_for_ever))
        kept.append(self_())

    run(main)
    thread = threading.Thread(target=lambda: [exit(pid, "kill") for pid in kept])
    thread.start()
    thread.join(10)

    assert not any(map(is_alive, kept))


def test_monitors_hear_of_a_kill_in_a_shutdown(runtime):
    """While they unwind themselves they get messages."""
    heard = []

    async def watch(pid):
        ref = monitor(pid)
        try:
            await receive("never")
        finally:
            exit(pid, "kill")
            heard.append(await receive(Down(ref, ..., ...)))

    watched = runtime.spawn(slow_to_end, [], "watched")
    runtime.spawn(watch, watched)
    runtime.run_until_idle()
    runtime._runtime.begin_shutdown()
    runtime.run_until_idle()

    assert [down.reason for down in heard] == ["killed"]
    assert runtime.scheduler.processes == {}
