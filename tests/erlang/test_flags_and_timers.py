"""The cases p97 to p99: trap_exit, several monitors, and the order of timers."""

from __future__ import annotations

import pytest

from erlang.t import idle
from midflight import (
    Down,
    Exit,
    Pid,
    Ref,
    cancel_timer,
    demonitor,
    exit,
    is_alive,
    make_ref,
    monitor,
    process_info,
    receive,
    register,
    self_,
    send_after,
    spawn,
    spawn_link,
    trap_exit,
    unlink,
    unregister,
    whereis,
)

same, differs = pytest.mark.same, pytest.mark.differs


def ended(message):
    return ("exit", message.reason) if type(message) is Exit else message


@differs("trap_exit takes any value for true or false, as `if` does.")
def test_p97_process_flags(t, expected):
    """trap_exit(value) returns the value before."""

    async def child(pid):
        pid << ("child", ("trap_exit", process_info(self_())["trap_exit"]))

    async def main():
        t.o([trap_exit(value) for value in (True, True, False, True)])
        spawn(child, self_())
        t.o(await t.recv())
        t.o(("trap_exit", process_info(self_())["trap_exit"]))
        spawn_link(idle) << "stop"
        t.o(ended(await t.recv()))
        trap_exit(False)
        spawn_link(idle) << "stop"
        t.o(await t.recv(0.02))
        trap_exit(True)
        exit(self_(), "normal")
        t.o(ended(await t.recv()))
        pid = spawn_link(idle)
        unlink(pid)
        pid << ("die", "boom")
        t.o(await t.recv(0.02))
        pid = spawn_link(idle)
        exit(pid, "normal")
        await t.s(0.01)
        t.o(is_alive(pid))
        exit(pid, "shutdown")
        t.o(ended(await t.recv()))

    t.run(main)

    assert t.printed == expected.but(("badarg",))


@differs("demonitor returns None; whether there was a monitor is not said.")
def test_p98_monitors(t, expected):
    """A Down of a monitor by name has (name, node) where that of a pid has the pid."""

    async def heard(watch):
        found = await receive(lambda message: type(message) is Down and message.ref == watch, timeout=0.2, default=None)
        if found is None:
            return "nothing"
        return "pid" if type(found.pid) is Pid else found.pid[0], found.reason

    async def main():
        pid = t.pid()
        first, second, third = (monitor(pid) for _ in range(3))
        demonitor(second)
        pid << ("die", "boom")
        await t.s()
        t.o(await heard(first))
        t.o(await heard(second))
        demonitor(third, flush=True)
        t.o(await heard(third))
        demonitor(third, flush=True)
        t.o(type(monitor(self_())) is Ref)
        pid = t.pid()
        register("x98", pid)
        watch = monitor("x98")
        unregister("x98")
        register("x98", t.pid())
        pid << "stop"
        t.o(await heard(watch))
        whereis("x98") << "stop"
        await t.s()
        t.o(await heard(monitor("x98")))
        trap_exit(True)
        pid = spawn_link(idle)
        watch = monitor(pid)
        pid << ("die", "both")
        t.o(await t.recv())
        t.o(await heard(watch))
        demonitor(monitor(t.pid()))
        demonitor(make_ref())

    t.run(main)

    assert t.printed == expected.but(("true",), ("true",), ("false",), ("[true,false]",))


@same
def test_p99_timers_order(t, expected):
    """A negative time is a ValueError, OTP's badarg; a timer that is over, or unknown, has None left, OTP's false."""

    async def maker(pid):
        send_after(0.04, pid, "of_the_dead")
        pid << "ended"

    async def canceller(pid, timer):
        pid << ("cancelled", cancel_timer(timer) is not None)

    async def main():
        for number in (1, 2, 3):
            send_after(0.03, self_(), ("same", number))
        send_after(0.01, self_(), "earlier")
        t.o(await t.mb())
        pid = t.pid()
        register("x99", pid)
        send_after(0.03, "x99", ("die", "late"))
        unregister("x99")
        register("x99", self_())
        t.o(await t.recv())
        unregister("x99")
        spawn(maker, self_())
        t.o(await t.recv())
        t.o(await t.recv())
        timer = send_after(0.06, self_(), "lost")
        spawn(canceller, self_(), timer)
        t.o(await t.recv())
        t.o(await t.recv(0.1))
        timer = send_after(0.005, pid, ("die", "x"))
        watch = monitor(pid)
        t.o((await receive(lambda message: message[0] == watch)).reason)
        t.o(cancel_timer(timer) is not None)
        try:
            send_after(-1, self_(), "x")
        except ValueError:
            t.o("badarg")

    t.run(main)

    assert t.printed == expected
