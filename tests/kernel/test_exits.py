"""How processes end and who hears of it: links, monitors, exit signals, kill. Statements P10 to P23."""

from __future__ import annotations

import asyncio

import pytest

from midflight import (
    Down,
    Exit,
    NoSuchProcess,
    ProcessExit,
    demonitor,
    exit,
    is_alive,
    link,
    monitor,
    process_info,
    receive,
    register,
    self_,
    sleep,
    spawn,
    spawn_link,
    spawn_monitor,
    trap_exit,
    unlink,
    whereis,
)


async def wait_for_ever():
    while True:
        await receive()


async def fail(error):
    raise error


async def down_reason(function, *args):
    """Return the reason that a monitor hears of a process that runs `function`."""
    spawn_monitor(function, *args)
    return (await receive(Down, timeout=60)).reason


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda: 5, "normal"),
        (lambda: fail(ProcessExit("bye")), "bye"),
        (lambda: fail(ProcessExit()), "normal"),
        (lambda: exit(self_(), "normal"), "normal"),
        (lambda: exit(self_(), "kill"), "killed"),
        (lambda: fail(ProcessExit("kill")), "kill"),
    ],
)
def test_the_reason_of_an_end(runtime, function, reason):
    """P13, P14, P19: return is "normal"; a raised ProcessExit its own reason; exit(self_(), "kill") is "killed"."""
    assert runtime.run(down_reason, function) == reason
    assert runtime.crashes == []


def test_an_error_is_its_own_reason_and_is_reported(runtime):
    """A process that raises ends with the exception; the report has its state and last message."""

    async def divide(state, by=0):  # the report shows it
        number = await receive()
        return number / by

    async def main():
        pid, _ = spawn_monitor(divide, "kept", name="divider")
        pid << 7
        return await receive()

    down = runtime.run(main)
    (report,) = runtime.crashes

    assert isinstance(down.reason, ZeroDivisionError)
    assert report.reason is down.reason
    assert (report.name, report.last_message) == ("divider", 7)
    assert report.arguments == {"state": "kept", "by": 0}
    assert "return number / by" in report.traceback
    assert "midflight" not in report.traceback
    assert report.text().startswith(f"Process {down.pid!r} (divider) crashed in ")


def test_a_crash_report_goes_to_the_log_by_default(runtime, caplog):
    """Without listeners the logger midflight.crash gets it at ERROR."""
    runtime.scheduler.on_crash.clear()

    runtime.run(down_reason, fail, ValueError("seen in the log"))

    (record,) = caplog.records
    assert (record.name, record.levelname) == ("midflight.crash", "ERROR")
    assert "ValueError: seen in the log" in record.getMessage()


def test_a_crash_spreads_over_links(runtime):
    """P10: the same reason goes down a chain of links; "normal" does not."""

    async def middle():
        last = spawn_link(wait_for_ever)
        spawn(lambda: exit(last, "spread"))
        await wait_for_ever()

    async def first():
        spawn_link(middle)
        await wait_for_ever()

    async def linked_to_a_normal_end():
        spawn_link(lambda: None)
        await sleep(0)
        await sleep(0)
        raise ProcessExit("lived on")

    async def main():
        return await down_reason(first), await down_reason(linked_to_a_normal_end)

    assert runtime.run(main) == ("spread", "lived on")
    assert runtime.crashes == []


def test_a_long_chain_of_links_ends_without_recursion(runtime):
    """10 000 linked processes end with the first one's reason."""

    async def chain(left, top):
        if left:
            spawn_link(chain, left - 1, top)
        else:
            top << self_()
        await wait_for_ever()

    async def main():
        spawn_monitor(chain, 10_000, self_())
        last = await receive()
        exit(last, "all of you")
        return (await receive(Down)).reason

    assert runtime.run(main) == "all of you"


def test_exit_signals_of_each_kind(runtime):
    """P12: "normal" is ignored by others; any other reason ends; a trapper gets a message; "kill" ends all."""

    async def trapper(top):
        trap_exit(True)
        top << "ready"
        while True:
            top << await receive()

    async def main():
        plain, _ = spawn_monitor(wait_for_ever)
        trapping, _ = spawn_monitor(trapper, self_())
        await receive("ready")
        for reason in ("normal", "killed"):
            exit(plain, reason)
            exit(trapping, reason)
        heard = [await receive(timeout=1) for _ in range(3)]
        exit(trapping, "kill")
        heard.append(await receive())
        return plain, trapping, self_(), heard

    plain, trapping, me, heard = runtime.run(main)

    assert sorted(heard[:3], key=repr) == sorted(
        [Exit(me, "normal"), Exit(me, "killed"), heard[[type(h) for h in heard].index(Down)]], key=repr
    )
    assert {(h.pid, h.reason) for h in heard if type(h) is Down} == {(plain, "killed"), (trapping, "killed")}


def test_link_to_a_dead_process(runtime):
    """P15: it raises unless the linker traps exits, who gets "noproc"."""

    async def main():
        dead = spawn(lambda: None)
        await sleep(0)
        with pytest.raises(NoSuchProcess):
            link(dead)
        trap_exit(True)
        link(dead)
        return dead, await receive()

    dead, message = runtime.run(main)
    assert message == Exit(dead, "noproc")


def test_after_unlink_no_signal_comes(runtime):
    """P16."""

    async def main():
        pid = spawn_link(wait_for_ever)
        unlink(pid)
        exit(pid, "alone")
        await sleep(0)
        return is_alive(pid)

    assert runtime.run(main) is False


def test_message_then_exit_then_down(runtime):
    """P17: signals of a pair keep their order, and Exit comes before Down."""

    async def child(top):
        top << "last words"
        raise ProcessExit("gone")

    async def main():
        trap_exit(True)
        pid = spawn_link(child, self_())
        monitor(pid)
        return [type(await receive()) for _ in range(3)]

    assert runtime.run(main) == [str, Exit, Down]


def test_monitors(runtime):
    """P20 to P23: noproc at once, a Down for each, none after demonitor, flush, by name the holder of then."""

    async def main():
        pid = spawn(wait_for_ever, name="watched")
        refs = [monitor(pid), monitor(pid), monitor("watched")]
        dropped = monitor(pid)
        assert demonitor(dropped)
        exit(pid, "end")
        downs = [await receive(Down) for _ in refs]
        late = monitor(pid)
        noproc = await receive((late, ..., ...))
        flushed = monitor(pid)
        demonitor(flushed, flush=True)
        assert await receive(timeout=0, default="empty") == "empty"
        return pid, refs, downs, noproc

    pid, refs, downs, noproc = runtime.run(main)

    assert [down.ref for down in downs] == refs
    assert [down.pid for down in downs] == [pid, pid, ("watched", "nonode@nohost")]
    assert {down.reason for down in downs} == {"end"}
    assert noproc.reason == "noproc"


def test_an_exit_signal_unwinds(runtime):
    """Law 4: finally and async with run; links hear after the unwinding; the reason is final."""
    steps = []

    class Resource:
        async def __aenter__(self):
            steps.append("open")

        async def __aexit__(self, kind, error, _):
            await asyncio.sleep(0)
            steps.append(("close", error.reason, isinstance(error, asyncio.CancelledError)))

    async def worker():
        try:
            async with Resource():
                await receive()
        finally:
            steps.append(process_info(self_())["status"])
            raise KeyError("raised while unwinding")

    async def main():
        pid, _ = spawn_monitor(worker)
        await sleep(0)
        exit(pid, "first")
        exit(pid, "second is ignored")
        return (await receive(Down)).reason

    assert runtime.run(main) == "first"
    assert steps == ["open", ("close", "first", True), "exiting"]
    assert runtime.crashes == []


def test_kill_tells_first_and_does_not_wait(runtime):
    """Law 4: the pid is dead and monitors know before finally runs, which gets to its first await only."""
    steps = []

    async def worker():
        try:
            await asyncio.sleep(1000)
        finally:
            steps.append(is_alive(me[0]))
            with pytest.raises(RuntimeError, match="outside a process"):
                self_()
            await asyncio.sleep(0)
            steps.append("never")

    me = []

    async def main():
        pid, _ = spawn_monitor(worker)
        me.append(pid)
        await sleep(0)
        exit(pid, "kill")
        return (await receive(Down)).reason

    assert runtime.run(main) == "killed"
    assert steps == [False]


def test_a_process_that_swallows_the_signal_still_ends_with_its_reason(runtime):
    """Once thrown, the reason is final, whatever the process returns; it may go on working meanwhile."""

    async def stubborn():
        try:
            await receive()
        except ProcessExit:
            return "as if nothing had been"

    async def main():
        pid, _ = spawn_monitor(stubborn)
        await sleep(0)
        exit(pid, "told")
        return (await receive(Down)).reason

    assert runtime.run(main) == "told"


def test_an_exit_signal_goes_through_a_task_group(runtime):
    """The children are cancelled and awaited; the reason comes out unwrapped."""
    cancelled = []

    async def child(number):
        try:
            await asyncio.sleep(1000)
        finally:
            cancelled.append(number)

    async def worker():
        async with asyncio.TaskGroup() as group:
            group.create_task(child(1))
            group.create_task(child(2))

    async def main():
        pid, _ = spawn_monitor(worker)
        await asyncio.sleep(0)
        await sleep(0)
        exit(pid, "group over")
        return (await receive(Down)).reason

    assert runtime.run(main) == "group over"
    assert sorted(cancelled) == [1, 2]


def test_a_failing_child_of_a_task_group_ends_the_process(runtime):
    """TaskGroup's own cancellation of its parent works on a process."""

    async def worker():
        async with asyncio.TaskGroup() as group:
            group.create_task(fail(ValueError("child")))
            await receive()

    reason = runtime.run(down_reason, worker)

    assert isinstance(reason, ExceptionGroup)
    assert isinstance(reason.exceptions[0], ValueError)


def test_asyncio_timeout_works_around_receive(runtime, clock):
    """asyncio.timeout cancels a process as it does a task, and takes the cancellation back."""

    async def main():
        task = asyncio.current_task()
        timed_out = False
        try:
            async with asyncio.timeout(5):
                clock.advance(5)
                await receive()
        except TimeoutError:
            timed_out = True
        return timed_out, task.cancelling()

    assert runtime.run(main) == (True, 0)


def test_a_name_goes_with_its_process(runtime):
    """P24."""

    async def main():
        pid = spawn(wait_for_ever)
        register("short-lived", pid)
        assert whereis("short-lived") is pid
        exit(pid, "kill")
        return whereis("short-lived")

    assert runtime.run(main) is None


def test_a_process_killed_in_the_run_queue_never_runs(runtime):
    """kill between the send that wakes a process and its step."""
    ran = []

    async def main():
        pid = spawn(lambda: ran.append("not this"))
        exit(pid, "kill")
        await sleep(0)
        waiting = spawn(wait_and_say)
        await sleep(0)
        waiting << "wake"
        exit(waiting, "kill")
        await sleep(0)

    async def wait_and_say():
        ran.append(await receive())

    runtime.run(main)
    assert ran == []


def test_a_coroutine_that_ignores_the_close_is_dead_all_the_same(runtime, caplog):
    """kill marks it dead, tells everybody, never resumes it, and says so in the log."""

    async def deaf():
        while True:
            try:
                await receive()
            except BaseException:
                pass

    async def main():
        pid, _ = spawn_monitor(deaf)
        await sleep(0)
        exit(pid, "kill")
        return (await receive(Down)).reason

    assert runtime.run(main) == "killed"
    assert "dead all the same" in caplog.text
