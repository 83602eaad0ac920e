"""Servers: calls, casts and other messages. Statement P31."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from helpers.servers import Recorder, end_of
from midflight import (
    NOREPLY,
    CallError,
    Down,
    GenServer,
    call,
    cast,
    is_alive,
    make_ref,
    receive,
    reply,
    self_,
    sleep,
    spawn,
    stop,
)
from midflight.testing import TestRuntime


class Adder(GenServer):
    """A server of plain methods."""

    def init(self, total=0):
        self.total = total

    def handle_call(self, number, client):
        self.total += number
        return self.total


def test_a_call_gets_its_reply(runtime):
    """P31: the reply is what handle_call returns; the state is the object's attributes."""

    async def main():
        pid = await Adder.start(10)
        return [await call(pid, 5), await call(pid, 7)]

    assert runtime.run(main) == [15, 22]


def test_methods_may_be_async_and_tail_call(runtime):
    """An un-awaited coroutine that an async callback returns goes on as the callback."""

    class Slow(GenServer):
        async def handle_call(self, request, client):
            await sleep(0)
            return self.answer(request)

        async def answer(self, request):
            return request * 2

    async def main():
        return [await call(await Slow.start(), 21)]

    assert runtime.run(main) == [42]


def test_a_cast_waits_for_nothing(runtime):
    """P31: handle_cast gets it; the caller goes on at once."""

    async def main():
        pid = await Recorder.start()
        assert cast(pid, "hello") is None
        return await call(pid, "heard")

    assert runtime.run(main) == [("cast", "hello")]


def test_a_cast_to_nobody_is_dropped(runtime):
    """P31: ok, even if nobody has the name or the process is dead."""

    async def main():
        pid = await Recorder.start()
        await stop(pid)
        for dest in (pid, "nobody", ("nobody", "nonode@nohost"), ("x", "other@host")):
            cast(dest, "hello")
        return await receive(timeout=0, default="nothing came")

    assert runtime.run(main) == "nothing came"


def test_other_messages_are_infos(runtime):
    """P31: what is neither a call nor a cast comes to handle_info, in order."""

    async def main():
        pid = await Recorder.start()
        pid << "one"
        cast(pid, "two")
        pid << ("three", 3)
        return await call(pid, "heard")

    assert runtime.run(main) == [("info", "one"), ("cast", "two"), ("info", ("three", 3))]


def test_a_reply_may_come_later(runtime):
    """P31: NOREPLY leaves the caller waiting; reply(client, value) ends that, from another callback."""

    async def main():
        pid, me = await Recorder.start(), self_()
        spawn(lambda: ask(pid, me))
        await sleep(0)
        cast(pid, ("answer", "at last"))
        return await receive()

    async def ask(pid, top):
        top << await call(pid, "later")

    assert runtime.run(main) == "at last"


def test_a_reply_may_come_from_a_thread(runtime):
    """reply is safe from any thread."""

    class Threaded(GenServer):
        def handle_call(self, request, client):
            self.future = asyncio.get_running_loop().run_in_executor(None, reply, client, request.upper())
            return NOREPLY

    async def main():
        return await call(await Threaded.start(), "from a thread")

    assert runtime.run(main) == "FROM A THREAD"


@pytest.mark.parametrize("copies", [False, True])
def test_a_second_reply_is_dropped(clock, copies):
    """A client takes one answer; also where messages are copied, and answers go another way."""
    runtime = TestRuntime(clock, copy_messages=copies)

    class Twice(GenServer):
        def handle_call(self, request, client):
            reply(client, "first")
            return "second"

    async def main():
        return await call(await Twice.start(), None), await receive(timeout=0, default="nothing came")

    try:
        assert runtime.run(main) == ("first", "nothing came")
    finally:
        runtime.close()


def test_a_late_reply_from_a_thread_is_dropped(runtime):
    """The call was cancelled after the thread had replied, and before the runtime's own thread heard of it."""

    class Threaded(GenServer):
        def handle_call(self, request, client):
            thread = threading.Thread(target=reply, args=(client, "late"))
            thread.start()
            thread.join()
            client.pid.process.cancel()
            return NOREPLY

    async def main():
        with pytest.raises(asyncio.CancelledError):
            await call(await Threaded.start(), None)
        asyncio.current_task().uncancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return await receive(timeout=0, default="nothing came")

    assert runtime.run(main) == "nothing came"


def test_values_are_copied_when_messages_are(clock):
    """Under copy_messages neither the request nor the reply is shared."""

    class Keeper(GenServer):
        def handle_call(self, request, client):
            self.kept = request
            request.append("seen")
            return request

    async def main():
        asked = ["asked"]
        answered = await call(await Keeper.start(), asked)
        return asked, answered

    runtime = TestRuntime(clock, copy_messages=True)
    try:
        assert runtime.run(main) == (["asked"], ["asked", "seen"])
    finally:
        runtime.close()


def test_a_busy_mailbox_does_not_confuse_a_call(runtime):
    """The reply is found behind older messages, and they keep their place."""

    async def main():
        pid = await Adder.start()
        for number in range(5):
            self_() << number
        answer = await call(pid, 3)
        return answer, [await receive() for _ in range(5)]

    assert runtime.run(main) == (3, [0, 1, 2, 3, 4])


def test_messages_that_come_while_a_call_waits_stay(runtime):
    """Whoever sends to the caller meanwhile wakes nobody for good."""

    async def main():
        pid = await Recorder.start()
        me = self_()
        spawn(disturb, me, pid)
        answer = await call(pid, "wait")
        return answer, await receive(), await receive()

    async def disturb(top, pid):
        top << "one"
        await sleep(0)
        top << "two"
        await sleep(0)
        pid << "go on"

    assert runtime.run(main) == ("wait", "one", "two")


def test_a_server_without_callbacks_refuses_calls_and_casts(runtime):
    """The error names the class and what to define."""

    class Empty(GenServer):
        pass

    async def main():
        with pytest.raises(CallError, match="Empty has no handle_call"):
            await call(await Empty.start(), "request")
        pid = await Empty.start()
        cast(pid, "message")
        return await end_of(pid)

    assert "define it" in str(runtime.run(main))


def test_a_server_without_handle_info_logs_and_drops(runtime, caplog):
    """As OTP and Elixir do: a stray message ends no server."""

    class Empty(GenServer):
        pass

    async def main():
        pid = await Empty.start()
        pid << "stray"
        await sleep(0)
        return is_alive(pid)

    with caplog.at_level(logging.WARNING, "midflight.gen_server"):
        assert runtime.run(main)
    assert "dropped 'stray'" in caplog.text


def test_a_server_shows_its_state(runtime):
    """repr names the class and the attributes, shortened, itself left out."""
    server = Adder()
    server.total, server.me, server.text = 5, server, "x" * 500

    text = repr(server)

    assert text.startswith("<Adder total=5, me=..., text='xxx")
    assert len(text) < 200


def test_a_reference_in_the_reply_is_only_a_value(runtime):
    """A reply of any shape comes whole, tuples and refs too."""

    class Echo(GenServer):
        def handle_call(self, request, client):
            return request

    async def main():
        pid = await Echo.start()
        for value in (None, (), (1, 2), (make_ref(), 2, 3), Down(make_ref(), pid, "no"), NOREPLY.text):
            assert await call(pid, value) == value
        return True

    assert runtime.run(main)
