"""Wrong arguments: an error at once, in the caller, that says what is as it was and what to do; nothing is changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any
from unittest.mock import Mock

import pytest

from midflight import (
    Pid,
    alias,
    cancel_timer,
    demonitor,
    exit,
    group_leader,
    is_alive,
    link,
    make_ref,
    monitor,
    process_info,
    receive,
    register,
    self_,
    send,
    send_after,
    sleep,
    spawn,
    spawn_link,
    spawn_monitor,
    trap_exit,
    unalias,
    unlink,
    unregister,
    whereis,
)
from midflight.kernel import ManualClock, current_scheduler
from midflight.testing import TestRuntime

NOTHING = r"; (nothing|no timer) was "  # in the middle of every message
HUGE = 10**5000  # its repr raises


class Lazy:
    """A proxy that says it is a pid."""

    __class__ = Pid  # type: ignore[assignment]


class Colour(StrEnum):
    RED = "red"


def a_process(_: object = None) -> object:
    return self_().process


NO_PIDS: dict[str, Callable[[], object]] = {
    "None": lambda: None,
    "int": lambda: 17,
    "huge int": lambda: HUGE,
    "empty str": lambda: "",
    "name": lambda: "somebody",
    "tuple": lambda: ("somebody", "nonode@nohost"),
    "ref": lambda: make_ref(),
    "process": a_process,
    "mock": lambda: Mock(spec=Pid),
    "proxy": Lazy,
    "bool": lambda: True,
}
TAKE_A_PID: dict[str, Callable[[Any], object]] = {
    "link": link,
    "unlink": unlink,
    "exit": lambda pid: exit(pid, "reason"),
    "kill": lambda pid: exit(pid, "kill"),
    "is_alive": is_alive,
    "process_info": process_info,
    "register": lambda pid: register("a_name", pid),
}


@pytest.mark.parametrize("kind", NO_PIDS)
@pytest.mark.parametrize("function", TAKE_A_PID)
def test_what_is_not_a_pid_is_refused(runtime, function, kind):
    """OTP: badarg; exit/2, link/1, is_process_alive/1 and process_info/1 take no name either."""

    async def main():
        register("somebody", self_())
        before = process_info(self_()) | {"line": 0}
        with pytest.raises(TypeError, match=NOTHING):
            TAKE_A_PID[function](NO_PIDS[kind]())
        assert whereis("a_name") is None
        assert process_info(self_()) | {"line": 0} == before

    runtime.run(main)


@pytest.mark.parametrize("kind", [kind for kind in NO_PIDS if kind != "None"])
def test_the_group_leader_of_what_is_not_a_pid_is_refused(runtime, kind):
    """None means the caller."""

    async def main():
        with pytest.raises(TypeError, match=NOTHING):
            group_leader(NO_PIDS[kind]())

    runtime.run(main)


NO_DESTS: dict[str, Callable[[], object]] = {
    **{kind: NO_PIDS[kind] for kind in ("None", "int", "huge int", "empty str", "process", "mock", "proxy", "bool")},
    "one": lambda: ("name",),
    "three": lambda: ("name", "node", "more"),
    "no node": lambda: ("name", None),
    "no name": lambda: (17, "nonode@nohost"),
    "empty name": lambda: ("", "nonode@nohost"),
    "list": lambda: ["name", "nonode@nohost"],
    "bytes": lambda: b"name",
}


TAKE_A_DEST: dict[str, Callable[[Any], object]] = {
    "send": lambda dest: send(dest, "message"),
    "send_after": lambda dest: send_after(1, dest, "message"),
    "monitor": monitor,
}


@pytest.mark.parametrize("kind", NO_DESTS)
@pytest.mark.parametrize("function", TAKE_A_DEST)
def test_what_is_not_a_destination_is_refused(runtime, clock, function, kind):
    """At once, and not when a timer rings: that would be nobody's error. OTP: badarg."""

    async def main():
        with pytest.raises((TypeError, ValueError), match=NOTHING):
            TAKE_A_DEST[function](NO_DESTS[kind]())
        assert len(current_scheduler().timers) == 0
        clock.advance(2)
        assert await receive(timeout=0, default="nothing came") == "nothing came"

    runtime.run(main)


def test_a_monitor_of_a_ref_is_refused(runtime):
    """An alias takes messages; it does not end. OTP: badarg."""

    async def main():
        with pytest.raises(TypeError, match=NOTHING):
            monitor(alias())

    runtime.run(main)


NO_SECONDS: dict[str, Any] = {
    "str": "1",
    "bytes": b"1",
    "bool": True,
    "list": [1],
    "complex": 1j,
    "object": object(),
    "negative": -1,
    "slightly negative": -1e-9,
    "nan": float("nan"),
    "huge": HUGE,
    "huge negative": -HUGE,
    "huge fraction": Fraction(HUGE),
    "Decimal nan": Decimal("nan"),
}


async def set_timer(seconds: Any) -> None:
    send_after(seconds, self_(), "message")


TAKE_SECONDS: dict[str, Callable[[Any], Any]] = {
    "receive": lambda seconds: receive("nothing", timeout=seconds),
    "send_after": set_timer,
    "sleep": sleep,
}


@pytest.mark.parametrize("kind", NO_SECONDS)
@pytest.mark.parametrize("function", TAKE_SECONDS)
def test_what_is_not_a_time_is_refused(runtime, function, kind):
    """OTP: badarg, or timeout_value."""

    async def main():
        with pytest.raises((TypeError, ValueError), match=NOTHING):
            await TAKE_SECONDS[function](NO_SECONDS[kind])
        assert len(current_scheduler().timers) == 0

    runtime.run(main)


@pytest.mark.parametrize("seconds", [float("inf"), None])
def test_a_message_is_never_sent_after_an_endless_time(runtime, seconds):
    """OTP: erlang:send_after(infinity, ...) is badarg."""

    async def main():
        with pytest.raises((TypeError, ValueError), match="no timer was set"):
            send_after(seconds, self_(), "message")

    runtime.run(main)


@pytest.mark.parametrize("seconds", [2, 2.0, Decimal(2), Fraction(2)])
def test_every_real_number_is_a_time(runtime, clock, seconds):
    """What has a float's meaning may be waited for."""

    async def main():
        send_after(seconds, self_(), "rung")
        clock.advance(1.5)
        assert await receive(timeout=0, default=None) is None
        clock.advance(0.5)
        return await receive(timeout=seconds)

    assert runtime.run(main) == "rung"


@pytest.mark.parametrize("seconds", [1e300, pytest.param(2**1000, id="2**1000"), float("inf")])
def test_a_very_long_time_is_waited_for(runtime, clock, seconds):
    """It ends nobody's turn: a sleep, and a receive, that is woken by something else meanwhile."""

    async def sleep_long():
        await sleep(seconds)

    async def main():
        sleeper, _ = spawn_monitor(sleep_long)
        await sleep(0)
        exit(sleeper, "enough")
        self_() << "awake"
        await receive("awake", timeout=seconds)
        return (await receive(timeout=seconds)).reason

    assert runtime.run(main) == "enough"


def test_a_name_may_be_of_a_str_class(runtime):
    """A member of an enumeration of strings is the string that it is."""

    async def main():
        register(Colour.RED, self_())
        assert (whereis("red"), process_info(self_())["registered_name"]) == (self_(), "red")
        send(Colour.RED, 1)
        send((Colour.RED, "nonode@nohost"), 2)
        send_after(0, Colour.RED, 3)
        got = [await receive() for _ in range(3)]
        unregister(Colour.RED)
        return got

    assert runtime.run(main) == [1, 2, 3]


TAKE_A_NAME: dict[str, Callable[[Any], object]] = {
    "register": lambda name: register(name, self_()),
    "unregister": unregister,
    "whereis": whereis,
    "spawn": lambda name: spawn(sleep, 1, name=name),
}
NO_NAMES = [None, 17, b"name", ("name",), pytest.param(HUGE, id="huge")]


@pytest.mark.parametrize("name", NO_NAMES)
@pytest.mark.parametrize("function", TAKE_A_NAME)
def test_what_is_not_a_name_is_refused(runtime, function, name):
    """OTP: badarg. The name of `spawn` may be None."""

    async def main():
        if function == "spawn" and name is None:
            return
        with pytest.raises(TypeError, match=NOTHING):
            TAKE_A_NAME[function](name)

    runtime.run(main)


@pytest.mark.parametrize("ref", [None, 17, "", ("ref",), pytest.param(HUGE, id="huge")])
@pytest.mark.parametrize("function", [cancel_timer, demonitor, unalias])
def test_what_is_not_a_ref_is_refused(runtime, function, ref):
    """OTP: badarg."""

    async def main():
        with pytest.raises(TypeError, match=NOTHING):
            function(ref)

    runtime.run(main)


@pytest.mark.parametrize("flag", [None, 1, "true"])
@pytest.mark.parametrize("function", [trap_exit, alias])
def test_what_is_neither_true_nor_false_is_refused(runtime, function, flag):
    """OTP: process_flag(trap_exit, 1) is badarg."""

    async def main():
        with pytest.raises(TypeError, match=NOTHING):
            function(flag)
        return process_info(self_())["trap_exit"]

    assert runtime.run(main) is False


def test_a_group_leader_that_cannot_be_written_to_is_refused(runtime):
    """Else the first print of the new process would end it."""

    async def main():
        with pytest.raises(TypeError, match="write"):
            spawn(print, "hello", group_leader=17)

    runtime.run(main)


def test_a_function_whose_repr_raises_is_refused_by_its_type(runtime):
    """The message of an error can be made for any object."""

    class Wordless:
        def __repr__(self):
            raise RuntimeError

    async def main():
        for function in (spawn, spawn_link, spawn_monitor):
            with pytest.raises(TypeError, match=r"Wordless.*nothing was spawned"):
                function(Wordless())

    runtime.run(main)


def test_a_process_of_another_runtime_is_refused_where_its_thread_would_be_raced(runtime):
    """Links, monitors and names stay within a runtime; messages and exits reach every one."""
    there, gone = threading.Event(), threading.Event()
    found: list[Pid] = []

    async def wait():
        await receive("never")

    def other_thread():
        other = TestRuntime(ManualClock())
        found.append(other.spawn(wait))
        other.run_until_idle()
        there.set()
        gone.wait(5)
        other.close()

    async def main():
        for function in (link, monitor, lambda pid: register("a_name", pid)):
            with pytest.raises(ValueError, match=r"another's; nothing was done\. Between runtimes"):
                function(found[0])

    thread = threading.Thread(target=other_thread)
    thread.start()
    try:
        assert there.wait(5)
        runtime.run(main)
    finally:
        gone.set()
        thread.join()


@pytest.mark.parametrize("seconds", [float("nan"), -1, "1"])
def test_a_clock_is_not_moved_by_what_is_not_a_time(clock, seconds):
    """A test's clock at NaN would let nothing ring again."""
    with pytest.raises((TypeError, ValueError)):
        clock.advance(seconds)
    assert clock.now() == 0
