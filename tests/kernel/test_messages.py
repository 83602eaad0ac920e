"""Send and receive: order, selection, timeouts. The rules are Erlang's, statements P1 to P9."""

from __future__ import annotations

import asyncio
import sys

import pytest

from midflight import (
    NoSuchName,
    alias,
    cancel_timer,
    make_ref,
    receive,
    register,
    self_,
    send,
    send_after,
    sleep,
    spawn,
    unalias,
)


async def collect(count):
    return [await receive() for _ in range(count)]


def test_send_returns_the_message(runtime):
    """P1: the value of a send is the message, also for a dead pid."""

    async def main():
        dead = spawn(lambda: None)
        await sleep(0)
        assert dead << "to the dead" == "to the dead"
        assert send(self_(), 5) == 5
        return await receive()

    assert runtime.run(main) == 5


def test_send_to_a_name_that_nobody_has_raises(runtime):
    """P2: an unregistered name is an error in the sender; (name, node) never is."""

    async def main():
        with pytest.raises(NoSuchName, match="nobody"):
            send("nobody", 1)
        assert send(("nobody", "nonode@nohost"), 1) == 1
        assert send(("nobody", "other@host"), 1) == 1
        register("somebody", self_())
        send("somebody", 2)
        send(("somebody", "nonode@nohost"), 3)
        return await collect(2)

    assert runtime.run(main) == [2, 3]


def test_a_destination_of_another_type_is_refused(runtime):
    """The type error names what was given."""

    async def main():
        send(42, "message")

    with pytest.raises(TypeError, match="not 42"):
        runtime.run(main)


def test_the_oldest_matching_message_is_taken(runtime):
    """P4, P8: mailbox order, not pattern order; those passed over keep their place."""

    async def main():
        for message in ("a", ("b", 1), "c", ("b", 2), 7):
            self_() << message
        taken = [await receive(("b", ...)), await receive(int, "c"), await receive("c", int)]
        return taken + await collect(2)

    assert runtime.run(main) == [("b", 1), "c", 7, "a", ("b", 2)]


@pytest.mark.parametrize(
    ("pattern", "takes", "passes"),
    [
        (int, 3, "3"),
        (("x", ...), ("x", None), ("x",)),
        (("x", int), ("x", 1), ("x", "1")),
        ((), (), []),
        (lambda m: m > 2, 3, 2),
        (lambda m: m.colour, type("M", (), {"colour": True})(), "no colour"),
        (1, 1, 2),
        (..., None, None),
    ],
)
def test_a_pattern_takes_what_it_says(runtime, pattern, takes, passes):
    """Types, tuples, ellipsis, predicates, equality; a predicate that raises does not match."""

    async def main():
        self_() << passes
        self_() << takes
        return await receive(pattern)

    taken = runtime.run(main)

    assert taken is takes or taken == takes


def test_timeout_zero_looks_through_the_whole_mailbox(runtime):
    """P6: a match at the mailbox's end beats a timeout of 0."""

    async def main():
        for number in range(100):
            self_() << number
        assert await receive(99, timeout=0) == 99
        return await receive("none", timeout=0, default="timed out")

    assert runtime.run(main) == "timed out"


def test_a_timeout_rings_at_its_time(runtime, clock):
    """A receive that times out raises TimeoutError; messages that do not match do not put it off."""
    seen = []

    async def waiter():
        try:
            await receive("never", timeout=5)
        except TimeoutError as error:
            seen.append((clock.now(), str(error)))

    pid = runtime.spawn(waiter)
    for _ in range(4):
        runtime.run_until_idle()
        pid << "other"
        clock.advance(1)
    assert seen == []
    clock.advance(1)
    runtime.run_until_idle()

    assert seen == [(5.0, "receive: no message matched within 5 s")]


def test_a_timeout_rings_for_one_that_has_passed_over_a_message(runtime, clock):
    """Also when that was long ago, and nothing else has come since."""
    seen = []

    async def waiter():
        seen.append(await receive("never", timeout=5, default="timed out"))

    pid = runtime.spawn(waiter)
    runtime.run_until_idle()
    pid << "other"
    runtime.run_until_idle()
    clock.advance(5)
    runtime.run_until_idle()

    assert seen == ["timed out"]


def test_a_shorter_timeout_after_a_longer_one_rings_in_time(runtime, clock):
    """A process keeps one timer; it is set anew when it would ring too late, and again when too early."""
    rung = []

    async def waiter():
        for seconds in (10, 2, 4):
            await receive("go", timeout=seconds, default=None)
            rung.append(clock.now())

    pid = runtime.spawn(waiter)
    runtime.run_until_idle()
    pid << "go"
    for _ in range(6):
        runtime.run_until_idle()
        clock.advance(1)
    runtime.run_until_idle()

    assert rung == [0.0, 2.0, 6.0]


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_a_bad_timeout_is_refused(runtime, seconds):
    """P7: an error in the receiver; the mailbox is as it was."""

    async def main():
        self_() << "kept"
        with pytest.raises(ValueError, match="nothing was received"):
            await receive("x", timeout=seconds)
        return await receive(timeout=float("inf"))

    assert runtime.run(main) == "kept"


def test_a_fresh_ref_skips_what_was_there_before(runtime):
    """A receive for a ref compares no message that is older than the ref: constant time."""
    compared = []

    class Noise:
        def __eq__(self, other):
            compared.append(other)
            return False

        __hash__ = None

    async def echo():
        ref, sender = await receive()
        sender << (ref, "answer")

    async def main():
        for _ in range(1000):
            self_() << (Noise(), Noise())
        ref = make_ref()
        spawn(echo) << (ref, self_())
        answer = await receive((ref, ...))
        assert compared == []
        return answer[1]

    assert runtime.run(main) == "answer"


def test_a_message_handed_over_before_a_timeout_is_not_lost(runtime):
    """asyncio.timeout and a message at the same moment: the message is in the mailbox afterwards."""

    async def main():
        me = asyncio.current_task()

        async def send_and_cancel():
            me.pid << "precious"
            me.cancel()

        task = asyncio.create_task(send_and_cancel())
        with pytest.raises(asyncio.CancelledError):
            await receive()
        me.uncancel()
        await task
        return await receive(timeout=0)

    assert runtime.run(main) == "precious"


def test_a_message_put_back_is_found_by_a_ref_made_before_it(runtime):
    """What goes back to the mailbox counts as having come after the refs that were made before it came."""

    async def main():
        me, ref = asyncio.current_task(), make_ref()

        async def send_and_cancel():
            me.pid << (ref, "reply")
            me.cancel()

        task = asyncio.create_task(send_and_cancel())
        with pytest.raises(asyncio.CancelledError):
            await receive()
        me.uncancel()
        await task
        return await receive((ref, ...), timeout=0, default="lost")

    assert runtime.run(main)[1] == "reply"


def test_send_after_and_cancel_timer(runtime, clock):
    """P27: a timer rings once at its time; cancelled it tells what was left; afterwards None."""
    answers = []

    async def main():
        ringing, cancelled = send_after(3, self_(), "rung"), send_after(9, self_(), "not to come")
        clock.advance(2)
        answers.append(cancel_timer(cancelled))
        answers.append(cancel_timer(cancelled))
        clock.advance(1)
        answers.append(await receive())
        answers.append(cancel_timer(ringing))
        send_after(0, "nobody has this name", "dropped")
        await sleep(0)

    runtime.run(main)

    assert answers == [7.0, None, "rung", None]


def test_an_alias_takes_messages_until_it_is_closed(runtime):
    """P28: dropped after unalias; a once-alias closes after its first message."""

    async def main():
        lasting, once = alias(), alias(once=True)
        for number in (1, 2):
            lasting << number
            once << -number
        assert unalias(lasting)
        assert not unalias(lasting)
        lasting << 3
        return [await receive(timeout=0, default=None) for _ in range(4)]

    assert runtime.run(main) == [1, -1, 2, None]


def test_receive_outside_a_process_says_so(runtime):
    """An asyncio task is no process: receive, self_ raise RuntimeError in it."""

    async def task():
        with pytest.raises(RuntimeError, match=r"self_\(\) outside a process"):
            self_()
        with pytest.raises(RuntimeError, match=r"receive\(\) outside a process"):
            await receive()
        return "said"

    async def main():
        return await asyncio.create_task(task())

    assert runtime.run(main) == "said"


def test_every_message_of_many_threads_arrives_in_order(runtime):
    """Sends from other threads are neither lost nor reordered, at the shortest switch interval."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    async def main():
        me = self_()

        def produce(thread):
            for number in range(500):
                me << (thread, number)

        tasks = [asyncio.create_task(asyncio.to_thread(produce, thread)) for thread in range(4)]
        got = await collect(2000)
        await asyncio.gather(*tasks)
        return got

    try:
        got = runtime.run(main)
    finally:
        sys.setswitchinterval(before)

    assert [[n for t, n in got if t == thread] for thread in range(4)] == [list(range(500))] * 4


def test_copy_messages_gives_values():
    """The option copies at the send, as Erlang does (P9)."""
    import midflight

    async def main():
        original = ["a"]
        self_() << original
        original.append("changed later")
        return await receive()

    assert midflight.run(main, copy_messages=True) == ["a"]
    assert midflight.run(main) == ["a", "changed later"]
