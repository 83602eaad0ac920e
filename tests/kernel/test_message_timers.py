"""send_after and cancel_timer: to whom a message goes when its time has come, and from where it can be taken back."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

from midflight import alias, cancel_timer, make_ref, receive, register, self_, send_after, sleep, spawn, unregister
from midflight.testing import TestRuntime


async def wait():
    await receive("never")


def test_a_name_is_looked_up_when_the_time_has_come(runtime, clock):
    """Who has it then gets the message. OTP: erlang:send_after/3."""

    async def main():
        register("target", spawn(wait))
        send_after(1, "target", "first")
        unregister("target")
        register("target", self_())
        clock.advance(1)
        return await receive()

    assert runtime.run(main) == "first"


def test_a_timer_to_nobody_harms_no_other(runtime, clock):
    """A name that is gone, another node, a closed alias, a dead process: nothing happens."""

    async def main():
        me = self_()
        dead = spawn(lambda: None)
        await sleep(0)
        closed = alias(once=True)
        closed << "used up"
        await receive()
        for dest in ("nobody", ("nobody", "nonode@nohost"), ("nobody", "other@host"), make_ref(), closed, dead, me):
            send_after(1, dest, "rung")
        clock.advance(1)
        return [await receive(), await receive(timeout=0, default="one only")]

    assert runtime.run(main) == ["rung", "one only"]


def test_a_timer_to_an_alias_that_closes_with_its_first_message(runtime, clock):
    """It takes one of two."""

    async def main():
        once = alias(once=True)
        send_after(1, once, "first")
        send_after(2, once, "second")
        clock.advance(3)
        return [await receive(), await receive(timeout=0, default="one only")]

    assert runtime.run(main) == ["first", "one only"]


def test_a_message_is_copied_when_the_timer_is_set(clock):
    """So what cannot be copied is the caller's error, and what is changed meanwhile arrives as it was. OTP: values."""
    runtime = TestRuntime(clock, copy_messages=True)

    async def main():
        with pytest.raises(TypeError, match="pickle"):
            send_after(1, self_(), threading.Lock())
        row = [1]
        send_after(1, self_(), row)
        row.append(2)
        clock.advance(1)
        return await receive()

    assert runtime.run(main) == [1]
    runtime.close()


def test_a_timer_set_by_another_thread_can_be_cancelled_there_at_once(runtime, clock):
    """Whether or not the runtime has come to set it."""
    left = []

    async def main():
        me = self_()

        def other_thread():
            left.append(cancel_timer(send_after(5, me, "never")))

        thread = threading.Thread(target=other_thread)
        thread.start()
        thread.join()
        await sleep(0)
        clock.advance(6)
        return await receive(timeout=0, default="nothing came")

    assert runtime.run(main) == "nothing came"
    assert left == [5]


@pytest.mark.parametrize("is_elsewhere", [False, True], ids=["here", "from another thread"])
def test_cancelled_timers_leave_the_heap(runtime, clock, is_elsewhere):
    """They are dropped lazily, and what is left of them is counted: never more than those that are ahead, or few."""

    async def main():
        me = self_()
        stays = send_after(5, me, "stays")

        def set_and_cancel():
            for _ in range(1000):
                cancel_timer(send_after(5, me, "never"))

        if is_elsewhere:
            thread = threading.Thread(target=set_and_cancel)
            thread.start()
            thread.join()
        else:
            set_and_cancel()
        await sleep(0)
        assert len(runtime.scheduler.timers) == 1
        clock.advance(5)
        await receive("stays")
        assert cancel_timer(stays) is None
        return len(runtime.scheduler.timers)

    assert runtime.run(main) == 0


def test_a_timer_that_was_cancelled_keeps_no_message(runtime):
    """The ref may be kept, and the message is freed."""

    class Message:
        pass

    async def main():
        message = Message()
        freed = weakref.ref(message)
        timer = send_after(3600, self_(), message)
        del message
        assert cancel_timer(timer) == 3600
        assert cancel_timer(timer) is None
        gc.collect()
        return freed()

    assert runtime.run(main) is None


def test_a_ref_that_is_not_a_timer_is_not_cancelled(runtime):
    """OTP: false."""

    async def main():
        return [cancel_timer(make_ref()), cancel_timer(alias())]

    assert runtime.run(main) == [None, None]
