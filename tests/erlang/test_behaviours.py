"""The cases about gen_server and supervisor: p27 to p33, h30, h31, h34. Each test prints the lines of its case."""

from __future__ import annotations

import pytest

from erlang.t import idle
from erlang.versions import version
from midflight import ProcessExit, code, exit, is_alive, monitor, receive, self_, sleep, spawn, trap_exit
from midflight.errors import CallError, CallTimeout, InitFailed
from midflight.otp import IGNORE, ChildSpec, GenServer, Stop, Supervisor, call, cast
from midflight.otp import sys as otp_sys

same, differs = pytest.mark.same, pytest.mark.differs


# --- gen_server -------------------------------------------------------------------------------------


@differs(
    "The reason of a crash is the exception itself. What handle_call returns is the reply, so it has no bad values; "
    "a reply that comes later is NOREPLY."
)
def test_p27_gen_server_call_failures(t, expected):
    """OTP's exits are CallError and CallTimeout, which end the caller as well if nobody catches them."""

    class Server(GenServer):
        async def handle_call(self, request, client):
            match request:
                case "slow":
                    await sleep(0.08)
                    return "late"
                case "crash":
                    raise RuntimeError("oops")
                case "stop":
                    raise Stop("normal")
                case "bad":
                    return "nonsense"

    async def c(dest, request, seconds):
        asked = ("gen_server", "call", [dest, request, round(seconds * 1000)])
        try:
            t.o(await call(dest, request, timeout=seconds))
        except CallTimeout:
            t.o(("exit", ("timeout", asked)))
        except CallError as error:
            if isinstance(error.reason, Exception):
                t.o(("exit", type(error.reason).__name__, "stack", error.request))
            else:
                t.o(("exit", (error.reason, asked)))

    async def main():
        pid = await Server.start()
        await c(pid, "slow", 0.02)
        t.o(await t.recv(0.15))
        await c("no_name", "x", 0.02)
        await c(pid, "crash", 0.5)
        await c(pid, "x", 0.02)
        await c(await Server.start(), "stop", 0.5)
        await c(await Server.start(), "bad", 0.5)

    t.run(main)

    assert t.printed == expected.but(
        ("{exit,oops,stack,crash}", "{exit,'RuntimeError',stack,crash}"),
        ("{exit,{{bad_return_value,nonsense},{gen_server,call,[<PID>,bad,500]}}}", "nonsense"),
    )


@differs("`start` raises what init raised; of a reason that is no exception, InitFailed. IGNORE is None.")
def test_p28_gen_server_init(t, expected):
    """start_link ends a caller that does not trap exits, as in OTP."""

    class Server(GenServer):
        def init(self, way):
            match way:
                case "stop":
                    raise Stop("no_way")
                case "ignore":
                    return IGNORE
                case "crash":
                    raise ProcessExit("boom")
                case "bad":
                    return "what"

    async def main():
        for way in ("stop", "ignore", "crash", "bad"):
            try:
                t.o("ignore" if await Server.start(way) is None else "started")
            except InitFailed as error:
                t.o(("error", error.reason))
            except TypeError as error:
                t.o(("error", error))
        await Server.start_link("stop")

    with pytest.raises(ProcessExit) as died:
        t.run(main)
    t.o(("case_process_died", died.value.reason))

    assert t.printed == expected.but(("{error,{bad_return_value,what}}", "{error,{'TypeError',stack}}"))


SERVER = """
    from midflight.otp import GenServer

    __vsn__ = VERSION

    class Server(GenServer):
        def init(self, state):
            self.state = state

        def handle_call(self, request, client):
            return (VERSION, self.state)
"""


@same
def test_h30_gen_server_sees_new_at_once(t, expected):
    """From the next message on; the process waits in our loop, not in its module."""

    async def main():
        m = t.load(version(SERVER, 1))
        pid = await m.Server.start(7)
        t.o(await call(pid, "get"))
        t.load(version(SERVER, 2))
        t.o(await call(pid, "get"))
        t.o(("in_old", code.check_process_code(pid, "m")))
        t.o(("soft", code.soft_purge("m")))

    t.run(main)

    assert t.printed == expected


@same
def test_h31_gen_server_code_change(t, expected):
    """By hand, as OTP's release handler does it."""
    old = SERVER.replace("(VERSION, self.state)", "self.state")
    new = (
        old
        + """
        def code_change(self, old_vsn, extra):
            print(("code_change", old_vsn, self.state, extra))
            self.state = {"sum": self.state}
"""
    )

    async def main():
        m = t.load(version(old, 1))
        pid, me = await m.Server.start(7), self_()

        async def waiter():
            me << ("waited", await call(pid, "get"))

        await otp_sys.suspend(pid)
        t.o("ok")
        spawn(waiter)
        await t.s()
        t.o(await t.recv(0.03))
        t.load(version(new, 2))
        await otp_sys.change_code(pid, m, 1, "extra")
        t.o("ok")
        t.o(await t.recv(0.03))
        await otp_sys.resume(pid)
        t.o("ok")
        t.o(await t.recv())

    t.run(main)

    assert t.printed == expected


@same
def test_p42_sys_state(t, expected):
    """The state is the server object itself; `replace_state` raises what its function raised, OTP callback_failed."""

    class Server(GenServer):
        def init(self, heard):
            self.heard = heard

        async def handle_call(self, request, client):
            if request == "slow":
                await sleep(0.9)
                return "slow"
            return self.heard

        def handle_cast(self, message):
            self.heard = [message, *self.heard]

    def with_first(word):
        def change(server):
            server.heard = [word, *server.heard]
            return server

        return change

    def fail(server):
        raise RuntimeError("oops")

    async def c(awaited):
        try:
            found = await awaited
            t.o(found.heard if isinstance(found, Server) else found)
        except CallTimeout:
            t.o(("exit", "timeout"))
        except CallError as error:
            t.o(("exit", error.reason))
        except RuntimeError as error:
            t.o(("callback_failed", str(error)))

    async def main():
        pid = await Server.start([])
        cast(pid, "one")
        await c(otp_sys.get_state(pid))
        await c(otp_sys.replace_state(pid, with_first("two")))
        await c(call(pid, "get"))
        await c(otp_sys.replace_state(pid, fail))
        await c(call(pid, "get"))
        await otp_sys.suspend(pid)
        cast(pid, "three")
        await c(otp_sys.replace_state(pid, with_first("four")))
        await c(otp_sys.get_state(pid))
        await otp_sys.resume(pid)
        await c(call(pid, "get"))
        spawn(call, pid, "slow")
        await t.s(0.02)
        await c(otp_sys.get_state(pid, timeout=0.05))
        await c(otp_sys.replace_state(pid, with_first("late"), timeout=0.05))
        await c(call(pid, "get"))
        exit(pid, "kill")
        await c(otp_sys.get_state(pid))
        await c(otp_sys.replace_state("no_name", with_first("nobody")))

    t.run(main)

    assert t.printed == expected


# --- supervisor -------------------------------------------------------------------------------------


async def child_of(supervisor):
    """Return the pid of a supervisor's only child."""
    (child,) = await Supervisor.which_children(supervisor)
    return child.pid


@same
def test_h34_supervised_killed_by_purge(t, expected):
    """Started again: the new version, fresh state."""
    source = """
        import m
        from midflight import receive, spawn_link

        def start():
            return spawn_link(m.loop, 0)

        async def loop(state):
            match await receive():
                case "inc":
                    return loop(state + 1)
                case ("get", pid):
                    pid << (VERSION, state)
                    return loop(state)
    """

    async def ask(supervisor):
        pid = await child_of(supervisor)
        pid << ("get", self_())
        return pid, await t.recv()

    async def main():
        m = t.load(version(source, 1))
        supervisor = await Supervisor.start_link([ChildSpec("c", m.start)])
        pid = await child_of(supervisor)
        pid << "inc"
        pid << "inc"
        assert (await ask(supervisor))[0] is pid
        t.o((await ask(supervisor))[1])
        t.load(version(source, 2))
        t.o(bool(code.purge("m")))
        await t.s()
        pid_now, answer = await ask(supervisor)
        t.o(answer)
        t.o(("same_pid", pid_now == pid))

    t.run(main)

    assert t.printed == expected


@same
def test_p30_supervisor_restart_types(t, expected):
    """Who is started again after which reason, who is kept, and who leaves the list."""

    async def main():
        for restart in ("permanent", "transient", "temporary"):
            for reason in ("normal", "shutdown", ("shutdown", "x"), "boom"):
                supervisor = await Supervisor.start_link([ChildSpec("x", idle, restart=restart)], intensity=9)
                pid = await child_of(supervisor)
                pid << ("die", reason)
                await t.s()
                match await Supervisor.which_children(supervisor):
                    case []:
                        t.o((restart, reason, "removed"))
                    case [child] if child.pid is None:
                        t.o((restart, reason, "kept_not_running"))
                    case [child] if child.pid != pid:
                        t.o((restart, reason, "restarted"))

    t.run(main)

    assert t.printed == expected


@same
def test_p31_supervisor_intensity(t, expected):
    """More than `intensity` restarts in `period` seconds end it; by default 1 in 5 s."""

    async def kill(supervisor):
        try:
            pid = await child_of(supervisor)
        except CallError:
            return "gone"
        exit(pid, "kill")
        await t.s()
        return is_alive(supervisor)

    async def main():
        trap_exit(True)
        for options in ({}, {"intensity": 2, "period": 5}, {"intensity": 0}):
            supervisor = await Supervisor.start_link([ChildSpec("x", idle)], **options)
            t.o([await kill(supervisor) for _ in range(3)])
            t.o(await t.recv(0.03))

    t.run(main)

    assert t.printed == expected


@same
def test_p33_supervisor_brutal(t, expected):
    """Who ignores shutdown is killed after its time; with brutal_kill at once."""

    async def deaf():
        trap_exit(True)
        while True:
            await receive()

    async def main():
        trap_exit(True)
        for shutdown in (0.05, "brutal_kill"):
            supervisor = await Supervisor.start_link([ChildSpec("x", deaf, shutdown=shutdown)])
            pid = await child_of(supervisor)
            ref = monitor(pid)
            await t.s()
            exit(supervisor, "shutdown")
            down = await receive((ref, ..., ...))
            t.o((round(shutdown * 1000) if shutdown != "brutal_kill" else shutdown, down.reason))

    t.run(main)

    assert t.printed == expected
