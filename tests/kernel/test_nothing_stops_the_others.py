"""Law 7: what one process, message, timer, listener, log handler, object or thread does stops no other."""

from __future__ import annotations

import asyncio
import logging

import pytest

from helpers.hostile import HOSTILE, HOSTILE_ERRORS, RAISED
from midflight import (
    Down,
    Exit,
    ProcessExit,
    exit,
    link,
    receive,
    reply,
    self_,
    send_after,
    sleep,
    spawn,
    spawn_link,
    spawn_monitor,
    trap_exit,
)
from midflight.kernel import Client, current_process, current_scheduler, follow
from midflight.kernel.tracing import Trace
from midflight.testing import TestRuntime


@pytest.fixture
def copying(clock):
    """Give a runtime that copies messages."""
    test_runtime = TestRuntime(clock, copy_messages=True)
    yield test_runtime
    assert test_runtime.close() == []


@pytest.fixture
def broken_log():
    """Give the logger of crashes, whose handlers and filters are as they were when the test ends."""
    logger = logging.getLogger("midflight.crash")
    before = logger.handlers[:], logger.filters[:]
    yield logger
    logger.handlers[:], logger.filters[:] = before


async def down_of(function, *args):
    """Return the Down of a process that is told "go"."""
    pid, _ = spawn_monitor(function, *args)
    pid << "go"
    return await receive(Down)


# --- Crash reports ---


@pytest.mark.parametrize("name", HOSTILE)
def test_a_crash_with_a_hostile_argument_is_heard_of(runtime, name):
    """The report shows the argument as it can; the monitor and the timer of another come all the same."""

    async def fail(argument):
        await receive("go")
        raise ValueError(1)

    async def main():
        down = await down_of(fail, HOSTILE[name]())
        send_after(0, self_(), "rung")
        return down, await receive("rung")

    down, _ = runtime.run(main)

    assert type(down.reason) is ValueError
    (report,) = runtime.crashes
    assert "ValueError: 1" in report.text()
    assert "argument=" in report.text()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_crash_after_a_hostile_message_is_heard_of(runtime, name):
    """The last message is in the report."""

    async def fail():
        await receive()
        raise ValueError(1)

    async def main():
        pid, _ = spawn_monitor(fail)
        pid << HOSTILE[name]()
        return await receive(Down)

    assert type(runtime.run(main).reason) is ValueError
    assert "last message: " in runtime.crashes[0].text()


@pytest.mark.parametrize("name", HOSTILE_ERRORS)
def test_a_hostile_exception_is_the_reason_that_is_heard(runtime, name):
    """Links and monitors get the exception itself, whatever its class does; the report names it."""
    error = HOSTILE_ERRORS[name]()

    async def fail():
        await receive("go")
        raise error

    async def main():
        trap_exit(True)
        pid, _ = spawn_monitor(fail)
        link(pid)
        pid << "go"
        return await receive(Exit), await receive(Down)

    told, down = runtime.run(main)

    assert told.reason is error
    assert down.reason is error
    assert type(error).__name__ in runtime.crashes[0].text()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_reason_ends_the_process_and_is_heard(runtime, name):
    """As the reason of a ProcessExit, and as that of an exit signal."""
    reasons = [HOSTILE[name](), HOSTILE[name]()]

    async def leave():
        raise ProcessExit(reasons[0])

    async def stay():
        await receive("never")

    async def main():
        trap_exit(True)
        spawn_link(leave)
        first = await receive(Exit)
        pid = spawn_link(stay)
        exit(pid, reasons[1])
        return first, await receive(Exit)

    told = runtime.run(main)

    assert [each.reason is reason for each, reason in zip(told, reasons, strict=True)] == [True, True]
    assert runtime.crashes == []


@pytest.mark.parametrize("name", ["deque", "array", "list", "str"])
def test_a_parameter_of_a_class_with_a_containers_name_is_reported(runtime, name):
    """The type decides how it is shown, not how it is called."""
    cls = type(name, (), {})

    async def fail(state):
        await receive("go")
        raise ValueError

    assert type(runtime.run(down_of, fail, cls()).reason) is ValueError
    assert f".{name} object at " in runtime.crashes[0].text()


def test_a_deep_group_with_an_exit_in_it_is_that_exit(runtime):
    """The wrapping of TaskGroups is taken off without recursion."""
    error: BaseException = ProcessExit("bye")
    for _ in range(5_000):
        error = BaseExceptionGroup("deep", [error])

    async def fail():
        await receive("go")
        raise error

    assert runtime.run(down_of, fail).reason == "bye"
    assert runtime.crashes == []


def test_a_long_chain_of_links_is_buried_without_recursion(runtime):
    """Each is ended in its own turn."""
    count = 20_000

    async def linked(left, top):
        if left:
            spawn_link(linked, left - 1, top)
        else:
            top << "built"
        await receive("never")

    async def main():
        trap_exit(True)
        first = spawn_link(linked, count, self_())
        await receive("built")
        exit(first, "done")
        return (await receive(Exit)).reason

    assert runtime.run(main) == "done"
    assert runtime.crashes == []


# --- Listeners ---


@pytest.mark.parametrize("name", RAISED)
def test_a_listener_that_raises_is_reported_and_left_out(runtime, name, caplog):
    """The others hear, now and later; it is asked once."""
    asked = []

    def listener(report):
        asked.append(report)
        raise RAISED[name]()

    runtime.scheduler.on_crash.insert(0, listener)

    async def fail():
        await receive("go")
        raise ValueError

    async def main():
        return await down_of(fail), await down_of(fail)

    runtime.run(main)

    assert len(asked) == 1
    assert len(runtime.crashes) == 2
    assert "A listener of crash reports" in caplog.text


@pytest.mark.parametrize("name", RAISED)
@pytest.mark.parametrize("part", ["handler", "filter"])
def test_a_log_that_raises_on_a_crash_report_stops_nobody(runtime, part, name, broken_log, capsys):
    """Monitors hear, the next crash is logged too, and the report is on the standard error."""
    runtime.scheduler.on_crash.clear()
    asked = []

    class Raising(logging.Handler):
        def handle(self, record):
            asked.append(record)
            raise RAISED[name]()

        filter = handle

    if part == "handler":
        broken_log.addHandler(Raising())
    else:
        broken_log.addFilter(Raising())

    async def fail():
        await receive("go")
        raise ValueError("the cause")

    async def main():
        return await down_of(fail), await down_of(fail)

    runtime.run(main)

    assert len(asked) == 2
    assert capsys.readouterr().err.count(" crashed in ") == 2


def test_signals_come_before_the_report(runtime):
    """A report that takes long, or is never finished, holds nobody's exit signal up."""
    handed = []

    async def fail():
        await receive("go")
        raise ValueError

    async def main():
        me = current_process("main")
        runtime.scheduler.on_crash.append(lambda _: handed.append(me.value))
        pid, _ = spawn_monitor(fail)
        pid << "go"
        return await receive()

    down = runtime.run(main)

    assert handed == [down]


def test_a_report_knows_what_remains_of_the_process(runtime):
    """Its links and the messages that it had not received, though it is dead by then."""

    async def fail():
        await receive("go")
        raise ValueError

    async def main():
        trap_exit(True)
        pid = spawn_link(fail)
        pid << "kept"
        pid << "go"
        await receive(Exit)
        return self_()

    me = runtime.run(main)

    (report,) = runtime.crashes
    assert [each.pid for each in report.remains.links] == [me]
    assert list(report.remains.mailbox) == ["kept"]


def test_a_trace_that_raises_is_reported_and_left_out(runtime, caplog):
    """The message that it was to tell of arrives."""

    def on_event():
        raise SystemExit

    trace = Trace(everyone=True, on_event=on_event)
    follow(runtime.scheduler, trace)

    async def main():
        self_() << "one"
        self_() << "two"
        return await receive(), await receive()

    assert runtime.run(main) == ("one", "two")
    assert "A trace" in caplog.text
    assert runtime.scheduler.tracer is None


@pytest.mark.parametrize("name", HOSTILE)
def test_a_traced_hostile_message_arrives(runtime, name):
    """It is shown in the trace as it can be."""
    trace = Trace(everyone=True)
    follow(runtime.scheduler, trace)
    message = HOSTILE[name]()

    async def take(argument):
        return await receive()

    async def main():
        pid, _ = spawn_monitor(take, message)
        pid << message
        return (await receive(Down)).reason

    assert runtime.run(main) == "normal"
    assert {event.kind for event in trace.take(100)[0]} >= {"in", "out", "spawn", "exit"}


# --- Timers and threads ---


class Uncopyable:
    """A message that cannot be copied."""

    def __deepcopy__(self, _):
        raise SystemExit("not to be copied")


def test_a_timer_that_raises_is_reported_and_the_others_ring(copying, clock, caplog):
    """All timers of that moment. No message makes one raise: it is copied when the timer is set."""

    def raises():
        raise SystemExit("not to be rung")

    async def main():
        send_after(1, self_(), "before")
        with pytest.raises(SystemExit):
            send_after(1, self_(), Uncopyable())
        scheduler = current_scheduler()
        scheduler.timers.set(scheduler.clock.now() + 1, raises)
        send_after(1, self_(), "after")
        clock.advance(1)
        return await receive(), await receive()

    assert copying.run(main) == ("before", "after")
    assert "A timer raised" in caplog.text


@pytest.mark.parametrize("name", RAISED)
def test_whatever_a_timer_raises_the_others_ring(runtime, clock, name, caplog):
    """All of that moment, those set after it included."""
    rung = []

    def fail():
        raise RAISED[name]()

    async def main():
        timers = runtime.scheduler.timers
        for action in (lambda: rung.append("before"), fail, lambda: rung.append("after")):
            timers.set(clock.now() + 1, action)
        send_after(1, self_(), "last")
        clock.advance(1)
        return await receive()

    assert runtime.run(main) == "last"
    assert rung == ["before", "after"]
    assert "A timer raised" in caplog.text


def test_an_uncopyable_message_is_its_senders_error(copying):
    """In the sender's own step; nobody else hears of it."""

    async def main():
        with pytest.raises(SystemExit):
            self_() << Uncopyable()
        self_() << "copied"
        return await receive()

    assert copying.run(main) == "copied"


def test_an_uncopyable_reply_from_a_thread_is_the_threads_error(copying):
    """The client hears the answer that comes after it."""
    errors = []

    def answer(client):
        try:
            reply(client, Uncopyable())
        except SystemExit as error:
            errors.append(error)
        reply(client, "copied")

    async def serve():
        client = await receive()
        await asyncio.to_thread(answer, client)
        await receive("end")

    async def main():
        pid = spawn(serve)
        client = Client(current_process("main"), pid.process)
        copying.scheduler.deliver(pid.process, client)
        answered = (await client.wait(None))[1]
        pid << "end"
        return answered

    assert copying.run(main) == "copied"
    assert len(errors) == 1


@pytest.mark.parametrize("name", RAISED)
def test_what_another_thread_asked_for_and_that_raises_is_reported(runtime, name, caplog):
    """What other threads ask for after it is done."""
    done = []

    def fail():
        raise RAISED[name]()

    def ask():
        runtime.scheduler.on_own_thread(fail)
        runtime.scheduler.on_own_thread(done.append, "after")

    async def main():
        await asyncio.to_thread(ask)
        return await receive("never", timeout=0, default="on")

    assert runtime.run(main) == "on"
    assert done == ["after"]
    assert "What another thread asked for raised" in caplog.text


# --- What a process awaits ---


class Awaited:
    """An awaitable that yields `value`."""

    def __init__(self, value):
        self.value = value

    def __await__(self):
        return (yield self.value)


class HostileFuture:
    """What looks like a future until somebody does something with it."""

    _asyncio_future_blocking = True  # asyncio looks at the class

    def __init__(self, hostile):
        self._asyncio_future_blocking = True
        self.hostile = hostile

    def _raise(self, name):
        if name in self.hostile:
            raise SystemExit(name)

    def get_loop(self):
        return asyncio.get_running_loop()

    def add_done_callback(self, *_, **__):
        self._raise("add_done_callback")

    def cancel(self, *_, **__):
        self._raise("cancel")


@pytest.mark.parametrize("name", HOSTILE)
def test_an_awaitable_that_yields_a_hostile_object_is_its_process_crash(runtime, name):
    """Others go on."""

    async def wait():
        await receive("go")
        await Awaited(HOSTILE[name]())

    down = runtime.run(down_of, wait)

    assert isinstance(down.reason, BaseException)


def test_a_future_that_takes_no_callback_is_its_process_crash(runtime):
    """It would wait for ever, and asyncio's turn would be broken off."""

    async def wait():
        await receive("go")
        await Awaited(HostileFuture({"add_done_callback"}))

    assert type(runtime.run(down_of, wait).reason) is SystemExit


@pytest.mark.parametrize("reason", ["shutdown", "kill"])
def test_a_future_that_cannot_be_cancelled_ends_with_its_process(runtime, reason, caplog):
    """The exit signal comes through, and those after it in the row are told."""

    async def wait():
        await Awaited(HostileFuture({"cancel"}))

    async def main():
        pid, _ = spawn_monitor(wait)
        await sleep(0)
        exit(pid, reason)
        return (await receive(Down)).reason

    assert runtime.run(main) == {"shutdown": "shutdown", "kill": "killed"}[reason]
    assert "raised" in caplog.text


@pytest.mark.parametrize("name", RAISED)
def test_whatever_a_process_raises_is_its_own_crash(runtime, name):
    """KeyboardInterrupt and SystemExit too: it is not the process's to stop the program."""

    async def fail():
        await receive("go")
        raise RAISED[name]()

    down = runtime.run(down_of, fail)

    assert type(down.reason) in (type(RAISED[name]()), RuntimeError)  # a StopIteration comes as RuntimeError
