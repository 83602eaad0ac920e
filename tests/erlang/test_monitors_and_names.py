"""The cases p* about monitors, names, timers, aliases and spawning. Each test prints the lines of its case."""

from __future__ import annotations

import math

import pytest

from erlang.t import T, idle
from midflight import (
    Down,
    ProcessExit,
    RegistrationError,
    alias,
    cancel_timer,
    demonitor,
    is_alive,
    monitor,
    process_dictionary,
    process_info,
    receive,
    register,
    self_,
    send_after,
    spawn,
    spawn_monitor,
    unalias,
    unregister,
    whereis,
)
from midflight.testing import TestRuntime

same, differs = pytest.mark.same, pytest.mark.differs


async def leave(reason):
    """End with `reason`: Erlang's exit/1."""
    raise ProcessExit(reason)


async def fail(error):
    """End with an error."""
    raise error


# --- Monitors and names -----------------------------------------------------------------------------


@differs(
    "The reason of an error is the exception itself, with its traceback, where OTP's is {Reason, Stack}. Python has "
    "no `throw`: what is raised is an error or an exit."
)
def test_p18_monitor_reasons(t, expected):
    """Down tells how the process ended; "noproc" comes at once."""

    class Ball(Exception):
        pass

    def unpack():
        _, _ = ("only one",)

    async def main():
        for name, function in (
            ("return", lambda: 42),
            ("exit", lambda: leave(("a", "b"))),
            ("error", lambda: fail(RuntimeError("oops"))),
            ("arith", lambda: 1 / 0),
            ("throw", lambda: fail(Ball())),
            ("match", unpack),
        ):
            spawn_monitor(function)
            t.o((name, "process", (await receive(Down)).reason))
        dead = spawn(lambda: None)
        await t.s()
        monitor(dead)
        t.o(await t.recv())
        monitor("no_such_name")
        _, (name, node), reason = await t.recv()
        t.o(((name, node) == ("no_such_name", "nonode@nohost"), reason))

    t.run(main)

    assert t.printed == expected.but(
        ("{error,process,{oops,stack}}", "{error,process,{'RuntimeError',stack}}"),
        ("{arith,process,{badarith,stack}}", "{arith,process,{'ZeroDivisionError',stack}}"),
        ("{throw,process,{{nocatch,ball},stack}}", "{throw,process,{'Ball',stack}}"),
        ("{match,process,{{badmatch,{b,c}},stack}}", "{match,process,{'ValueError',stack}}"),
    )


@same
def test_p19_monitor_is_one_way(t, expected):
    """The watcher's end is not the watched one's; each monitor has its own Down."""

    async def watcher(pid):
        monitor(pid)
        raise ProcessExit("boom")

    async def main():
        pid = t.pid()
        spawn(watcher, pid)
        await t.s()
        t.o(("alive", is_alive(pid)))
        a, b = monitor(pid), monitor(pid)
        t.o(("distinct", a != b))
        pid << ("die", "x")
        t.o([down.reason for down in await t.mb()])

    t.run(main)

    assert t.printed == expected


@same
def test_p21_register(t, expected):
    """RegistrationError is OTP's error badarg; a process without a name has None, which OTP shows as []."""

    def try_(function, *args):
        try:
            found = function(*args)
        except RegistrationError:
            t.o(("error", "badarg"))
        else:
            t.o(True if function in (register, unregister) else found)

    def show_name(pid):
        name = process_info(pid)["registered_name"]
        t.o(("registered_name", name) if name is not None else [])

    async def main():
        pid, me = t.pid(), self_()
        for name, process in (("a", pid), ("b", pid), ("a", me), ("undefined", me)):
            try_(register, name, process)
        t.o(whereis("a") is pid)
        show_name(pid)
        show_name(me)
        pid << "stop"
        await t.s()
        try_(whereis, "a")
        try_(unregister, "a")
        try_(register, "a", pid)
        try_(register, "a", me)
        try_(unregister, "a")
        try_(whereis, "a")

    t.run(main)

    assert t.printed == expected


@same
def test_p39_monitor_then_name_reused(t, expected):
    """A monitor by name watches who had it then."""

    async def main():
        first = t.pid()
        register("n", first)
        ref = monitor("n")
        first << ("die", "one")
        await t.s()
        second = t.pid()
        register("n", second)
        down = await t.recv()
        assert down == (ref, ("n", "nonode@nohost"), "one")
        t.o(down.reason)
        second << "stop"
        t.o(await t.recv(0.06))

    t.run(main)

    assert t.printed == expected


# --- Others -----------------------------------------------------------------------------------------


@same
def test_p22_process_dictionary(t, expected):
    """OTP's put, get and erase are what one does to the dict; a child's is empty."""

    def put(key, value):
        before = process_dictionary().get(key)
        process_dictionary()[key] = value
        return before

    async def main():
        t.o(put("k", 1))
        t.o(put("k", 2))
        t.o(process_dictionary().get("k"))
        t.o(process_dictionary().get("zz"))
        me = self_()
        spawn(lambda: me << ("child", process_dictionary().get("k")))
        t.o(await t.recv())
        t.o(process_dictionary().pop("k"))
        t.o(list(process_dictionary()))

    t.run(main)

    assert t.printed == expected


@differs(
    "Seconds, not milliseconds, and None where OTP says false. There is no `start_timer` (put a ref into the message) "
    "and no `read_timer` (`cancel_timer` tells what was left)."
)
def test_p24_timers(t, expected):
    """What a timer answers before and after it rings; one to nobody does nothing."""

    async def main():
        rung = send_after(0.02, self_(), "ping")
        t.o(await t.recv())
        t.o(cancel_timer(rung))
        ahead = send_after(5, self_(), "ping")
        t.o((True, cancel_timer(ahead) > 4))
        t.o(cancel_timer(ahead))
        send_after(0, self_(), "zero")
        t.o(await t.recv())
        send_after(0.001, "nobody_here", "x")
        await t.s()
        t.o(await t.recv(0.02))

    t.run(main)

    assert t.printed == expected.but(
        ("false", "undefined"),  # cancel_timer
        ("false",),  # read_timer
        ("false", "undefined"),
        ("timeout_with_its_ref",),  # start_timer
    )


@differs("`monitor` takes no alias option: an alias and a monitor are two refs, each closed by itself.")
def test_p25_alias(t, expected):
    """An alias takes messages until it is closed; `once` is OTP's option reply."""

    async def main():
        lasting = alias()
        lasting << "hi"
        t.o(await t.recv())
        t.o(unalias(lasting))
        t.o(lasting << "gone")
        t.o(await t.recv(0.04))
        t.o(unalias(lasting))
        once = alias(once=True)
        once << "one"
        t.o(await t.recv())
        once << "two"
        t.o(await t.recv(0.04))
        pid = t.pid()
        ref, reply_to = monitor(pid), alias(once=True)
        reply_to << "answer"
        t.o(await t.recv())
        demonitor(ref)
        pid << "stop"
        t.o(await t.recv(0.06))

    t.run(main)

    assert t.printed == expected


@differs(
    "A function that does not exist is an AttributeError where it is named, in the spawner; arguments that it does "
    "not take end the child, with TypeError. What is no function is TypeError in both."
)
def test_p36_spawn_returns_before_child_runs(t, expected):
    """spawn answers at once, with pids that are not used again."""

    async def main():
        try:
            spawn_monitor(math.no_such_function, 1)
        except AttributeError:
            t.o(("in_the_spawner", "AttributeError"))
        spawn_monitor(idle, "an argument too many")
        t.o((await receive(Down)).reason)
        t.o(len({spawn(lambda: None) for _ in range(1000)}))
        try:
            spawn("not_a_fun")
        except TypeError:
            t.o(("error", "badarg"))

    t.run(main)

    assert t.printed == expected.but(
        ("{undef,no_such_mod,f,[1]}", "{in_the_spawner,'AttributeError'}", "{'TypeError'}")
    )


@same
def test_p37_many_processes(t, expected):
    """A ring of 10 000."""

    async def hop(next_):
        next_ << await receive() + 1

    async def main():
        first = self_()
        for _ in range(10_000):
            first = spawn(hop, first)
        first << 0
        t.o(await t.recv(5))

    t.run(main)

    assert t.printed == expected


@differs("Messages are passed by reference; the runtime's option `copy_messages` gives each receiver a copy.")
def test_p40_messages_are_values(clock, tmp_path, expected):
    """Erlang has nothing to mutate, so its case shows a table's row; Python has."""

    def printed(**options):
        runtime = TestRuntime(clock, **options)
        t = T(runtime, clock, tmp_path)

        async def main():
            row = [1]
            self_() << ("row", row)
            row[0] = 2
            t.o(await t.recv())
            t.o([("k", row)])

        t.run(main)
        runtime.close()
        return t.printed

    assert printed() == expected.but(("{row,[1]}", "{row,[2]}"))
    assert printed(copy_messages=True) == expected
