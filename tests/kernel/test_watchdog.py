"""Law 7: a process that never yields is reported, and dies when it is killed; the others go on."""

from __future__ import annotations

import logging
import threading

import pytest

import midflight
from helpers.shells import RunningRuntime
from midflight import Down, demonitor, exit, is_alive, monitor, receive, self_, sleep, spawn, spawn_monitor
from midflight.kernel import schedulers
from midflight.watchdog import Watchdog


async def spin():
    while True:
        pass


async def spin_in_the_kernel(pid):
    while True:
        demonitor(monitor(pid))


async def spin_and_catch():
    tries = 0
    while True:
        try:
            len("")  # before 3.13 the jump back to the first statement of a `try` counts as before it
            while True:
                pass
        except BaseException:
            tries += 1
            if tries == 3:
                raise


async def spin_in_a_pattern():
    self_() << "message"

    def pattern(message):
        while True:
            pass

    await receive(pattern)


async def spin_in_a_library():
    while True:
        sorted(range(100), key=lambda n: -n)


def kill_from_a_thread(pid, reports):
    """Wait until the watchdog has reported `pid`, then kill it, from a thread as an editor's connection does."""
    assert reports.wait(10)
    exit(pid, "kill")


@pytest.mark.parametrize("body", [spin, spin_in_a_pattern, spin_in_a_library, spin_and_catch, spin_in_the_kernel])
def test_an_endless_loop_is_reported_and_dies_of_kill(body):
    """Whatever it does; and the process that waited for it goes on."""
    texts, reported = [], threading.Event()

    def on_stuck(report):
        texts.append(report.text())
        reported.set()

    def kill(pid):
        assert reported.wait(10)
        exit(pid, "kill")

    async def main():
        scheduler = schedulers()[0]
        watchdog = Watchdog(scheduler, on_stuck=on_stuck, look_seconds=0.02, stuck_seconds=0.1)
        watchdog.start()
        quiet = spawn(sleep_for_ever)
        pid, _ = spawn_monitor(body, *([quiet] if body is spin_in_the_kernel else []))
        killer = threading.Thread(target=kill, args=(pid,))
        killer.start()
        down = await receive(Down, timeout=20)
        killer.join()
        watchdog.stop()
        return down.reason, is_alive(quiet)

    reason, others_live = midflight.run(main)

    assert (reason, others_live) == ("killed", True)
    name = "in pattern" if body is spin_in_a_pattern else f"in {body.__name__}"
    assert name in texts[0].splitlines()[1]  # the process's own frames only
    assert "has not yielded for 0.1 s" in texts[0]


def test_a_process_stuck_in_a_log_handler_dies_of_kill():
    """It holds the handler's lock, which the report of it needs as well; the strikes need none."""
    reports = threading.Event()

    class Endless(logging.Handler):
        def emit(self, record):
            while record.name == "the program":
                pass

    def report_comes(record):
        reports.set()
        return True

    handler, log = Endless(), logging.getLogger("midflight.watchdog")

    running = RunningRuntime(watchdog=False)
    watchdog = Watchdog(running.scheduler, look_seconds=0.02, stuck_seconds=0.1)
    logging.getLogger().addHandler(handler)
    log.addFilter(report_comes)
    try:
        stuck = running.scheduler.spawn(lambda: logging.getLogger("the program").warning("stuck"), ())
        watchdog.start()
        kill_from_a_thread(stuck.pid, reports)
        running.scheduler.call_threadsafe(lambda: None).result(10)
    finally:
        log.removeFilter(report_comes)
        logging.getLogger().removeHandler(handler)

    watchdog.stop()
    running.stop()
    assert stuck.pid.process is None


async def sleep_for_ever():
    await receive(("this never comes",))


def test_a_runtime_on_another_thread_can_be_broken_into_too():
    """Pending calls come to the main thread only; elsewhere the blow is dealt from outside."""
    results, reported = [], threading.Event()

    async def main():
        watchdog = Watchdog(schedulers()[0], on_stuck=lambda _: reported.set(), look_seconds=0.02, stuck_seconds=0.1)
        watchdog.start()
        pid, _ = spawn_monitor(spin)
        threading.Thread(target=kill_from_a_thread, args=(pid, reported)).start()
        results.append((await receive(Down, timeout=20)).reason)
        watchdog.stop()

    thread = threading.Thread(target=midflight.run, args=(main,))
    thread.start()
    thread.join(30)

    assert results == ["killed"]


def test_a_process_that_yields_is_never_broken_into():
    """Killed by a thread while it is busy but yields: it ends in the ordinary way, and nothing else is hit."""

    async def busy(top):
        top << "ready"
        while True:
            await sleep(0)

    async def main():
        for _ in range(20):
            pid, _ref = spawn_monitor(busy, self_())
            await receive("ready")
            threading.Thread(target=exit, args=(pid, "kill")).start()
            assert (await receive(Down, timeout=10)).reason == "killed"
        return schedulers()[0].doomed

    assert midflight.run(main) == {}
