"""A server that has answered calls for a while, and those who call it: on the compiled kernel both are in C by then."""

from __future__ import annotations

import asyncio
import gc
import inspect
from importlib import import_module

import pytest

from midflight import (
    NOREPLY,
    CallError,
    CallTimeout,
    Down,
    GenServer,
    Stop,
    call,
    exit,
    monitor,
    process_info,
    receive,
    reply,
    self_,
    sleep,
    spawn,
    spawn_monitor,
)
from midflight.otp import sys as otp_sys


class Echo(GenServer):
    """Answers the request; "later" and some others are special."""

    def init(self):
        self.waiting = []
        self.seen = []

    def handle_call(self, request, client):
        if request == "later":
            self.waiting.append(client)
            return NOREPLY
        if request == "stop":
            raise Stop("asked", reply="stops")
        if request == "other":
            return call("other", "asked for you")
        return request

    def handle_info(self, message):
        self.seen.append(message)


async def in_stride(cls=Echo, **options):
    """Return a server that has answered."""
    pid = await cls.start(**options)
    for number in range(20):
        assert await call(pid, number) == number
    return pid


def test_who_waits_is_listed_in_order(runtime):
    """The monitors of a call are those of any process: with others, in the order they were made."""

    async def client(server):
        await call(server, "later", timeout=None)

    async def main():
        server = await in_stride()
        first, second = spawn(client, server), spawn(client, server)
        await sleep(0)
        monitor(server)
        third = spawn(client, server)
        await sleep(0)
        listed = process_info(server)["monitored_by"]
        watched = [process_info(each)["monitors"] for each in (first, second, third)]
        exit(first, "kill")
        left = process_info(server)["monitored_by"]
        return listed == [first, second, self_(), third], watched == [[server]] * 3, left == [second, self_(), third]

    assert runtime.run(main) == (True, True, True)


def test_who_waits_is_shown_where_the_program_calls(runtime):
    """The function is the program's, whichever kernel runs: `call` has no frame of its own in C."""

    async def client(server):
        await call(server, "later", timeout=None)

    async def main():
        pid = spawn(client, await in_stride())
        await sleep(0)
        found = process_info(pid)
        return found["function"].rpartition(".")[2], found["module"], found["waiting_for"]

    assert runtime.run(main) == ("client", __name__, "message")


def test_a_call_that_gives_up_leaves_nothing(runtime):
    """Neither a monitor, nor a late reply."""

    async def main():
        server = await in_stride()
        with pytest.raises(CallTimeout):
            await call(server, "later", timeout=0)
        state = await otp_sys.get_state(server)
        reply(state.waiting[0], "late")
        info = process_info(self_())
        return info["monitors"], process_info(server)["monitored_by"], await receive(timeout=0, default="nothing")

    assert runtime.run(main) == ([], [], "nothing")


def test_one_that_is_thrown_out_of_a_call_leaves_nothing(runtime):
    """By asyncio's timeout, for instance."""

    async def main():
        server = await in_stride()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await call(server, "later", timeout=None)
        state = await otp_sys.get_state(server)
        reply(state.waiting[0], "late")
        return process_info(server)["monitored_by"], await receive(timeout=0, default="nothing")

    assert runtime.run(main) == ([], "nothing")


def test_a_stop_with_a_reply_ends_it_and_answers(runtime):
    """As from any callback."""

    async def main():
        server = await in_stride()
        monitor(server)
        return await call(server, "stop"), (await receive(Down)).reason

    assert runtime.run(main) == ("stops", "asked")


def test_a_call_that_a_callback_returns_is_its_answer(runtime):
    """Whatever it is made of: the tail call of a callback is awaited."""

    async def main():
        await in_stride(name="other")
        return await call(await in_stride(), "other")

    assert runtime.run(main) == "asked for you"


def test_any_message_comes_to_handle_info(runtime):
    """None too, before the first call and after many."""

    async def main():
        server = await Echo.start()
        server << None
        await call(server, 1)
        server << None
        await call(server, 2)
        return (await otp_sys.get_state(server)).seen

    assert runtime.run(main) == [None, None]


def test_a_watched_server_tells_of_calls(runtime):
    """Log turned on, and off, in its stride."""

    async def main():
        server = await in_stride()
        await otp_sys.log(server, True)
        await call(server, "seen")
        events = await otp_sys.log(server, "get")
        await otp_sys.no_debug(server)
        return [event[0] for event in events], await call(server, "on")

    assert runtime.run(main) == (["in", "out"], "on")


def test_a_suspended_server_answers_when_it_is_resumed(runtime):
    """Calls wait in its mailbox meanwhile."""

    async def main():
        server = await in_stride()
        await otp_sys.suspend(server)
        with pytest.raises(CallTimeout):
            await call(server, "now", timeout=0)
        await otp_sys.resume(server)
        return await call(server, "then")

    assert runtime.run(main) == "then"


def test_the_error_of_a_callback_has_its_frames(runtime):
    """The last of them is the program's, in both kernels."""

    class Fails(Echo):
        async def handle_call(self, request, client):
            return 1 / request if request == 0 else request

    async def main():
        server = await Fails.start()
        for number in range(1, 20):
            await call(server, number)
        with pytest.raises(CallError):
            await call(server, 0)

    runtime.run(main)

    report = runtime.crashes[-1]
    assert report.function.endswith("Fails.handle_call")
    assert report.arguments["request"] == 0
    assert report.traceback.startswith("Traceback")
    assert "1 / request" in report.traceback


def test_a_call_is_a_coroutine_to_all_who_take_one(runtime):
    """To spawn, to a tail call, to asyncio; awaited once."""

    async def last(server):
        return call(server, "tail")

    async def main():
        server = await in_stride()
        _, by_spawn = spawn_monitor(call, server, "spawned")
        _, by_tail = spawn_monitor(last, server)
        ends = [(await receive((ref, ..., ...))).reason for ref in (by_spawn, by_tail)]
        made = call(server, 5)
        is_coroutine = asyncio.iscoroutine(made), inspect.isawaitable(made)
        answer = await made
        with pytest.raises(RuntimeError, match="already awaited"):
            await made
        return ends, is_coroutine, answer

    assert runtime.run(main) == (["normal", "normal"], (True, True), 5)


def test_a_call_that_nobody_awaits_is_warned_of(runtime):
    """As any coroutine: a forgotten await sends nothing."""

    async def main():
        server = await in_stride()
        call(server, "lost")
        gc.collect()
        return server

    with pytest.warns(RuntimeWarning, match="coroutine 'call' was never awaited"):
        runtime.run(main)


def test_arguments_by_name_are_taken(runtime):
    """All of them, and a wrong name is an error at once."""

    async def main():
        server = await in_stride()
        with pytest.raises(TypeError, match="wait"):
            call(server, 1, wait=5)
        return (
            await call(dest=server, request=1, timeout=None),
            await call(server, 2, timeout=1),
            await call(server, 3, 2),
        )

    assert runtime.run(main) == (1, 2, 3)


def test_a_server_in_its_stride_goes_on_in_new_code(runtime, project):
    """At its next message, with its state; one that was begun is answered by the code that began it."""
    text = """
from midflight import GenServer

class Counter(GenServer):
    def init(self):
        self.count = 0

    def handle_call(self, request, client):
        self.count += 1
        if callable(request):
            request()
            return self.slowly()
        return VERSION, self.count

    async def slowly(self):
        return ("begun", VERSION), self.count
"""
    project.load_text("counters", text.replace("VERSION", "1"))

    async def main():
        server = await import_module("counters").Counter.start()
        for _ in range(20):
            await call(server, "count")
        project.load_text("counters", text.replace("VERSION", "2"))
        next_one = await call(server, "count")
        begun = await call(server, lambda: project.load_text("counters", text.replace("VERSION", "3")))
        return next_one, begun, await call(server, "count")

    assert runtime.run(main) == ((2, 21), (("begun", 2), 22), (3, 23))
