"""The cases p43 to p46: wrong arguments, refs of others, and what a start that gives up leaves behind."""

from __future__ import annotations

from inspect import isawaitable

import pytest

from midflight import (
    CallTimeout,
    GenServer,
    InitFailed,
    ProcessExit,
    Registry,
    Stop,
    alias,
    call,
    cancel_timer,
    cast,
    demonitor,
    exit,
    is_alive,
    link,
    make_ref,
    monitor,
    process_info,
    receive,
    register,
    self_,
    send_after,
    sleep,
    spawn,
    trap_exit,
    unalias,
    unlink,
    unregister,
    whereis,
)

same, differs = pytest.mark.same, pytest.mark.differs


@same
def test_p43_wrong_arguments(t, expected):
    """OTP's badarg, timeout_value and function_clause are TypeError, or ValueError for a time that cannot be."""

    async def each(what, function, wrong, error="badarg"):
        found = []
        for value in wrong:
            try:
                answer = function(value)
                if isawaitable(answer):
                    await answer
            except (TypeError, ValueError):
                found.append(error)
            else:
                found.append("taken")
        t.o((what, found))

    async def main():
        pid, ref = t.pid(), make_ref()
        register("n", pid)
        wrong = [17, ["name"], ("n",)]
        await each("send_after", lambda x: send_after(0.001, x, "m"), [Registry("m").via("n"), *wrong])
        times = [-1, float("inf"), True, "1"]
        await each("send_after_a_time", lambda x: send_after(x, pid, "m"), times)
        await each("cancel_timer", cancel_timer, wrong)
        for what, function in (
            ("link", link),
            ("unlink", unlink),
            ("exit", lambda x: exit(x, "r")),
            ("is_process_alive", is_alive),
            ("process_info", process_info),
        ):
            await each(what, function, ["n", ref, *wrong])
        await each("monitor", monitor, [(1, "nonode@nohost"), ref, *wrong])
        await each("register", lambda x: register(x, pid), wrong)
        await each("register_for", lambda x: register("m", x), ["n", *wrong])
        await each("whereis", whereis, wrong)
        await each("unregister", unregister, wrong)
        await each("trap_exit", trap_exit, [17, 1, "true"])
        await each("receive_after", lambda x: receive("never", timeout=x), [-1, True, "1"], "timeout_value")
        await each("gen_server_cast", lambda x: cast(x, "m"), [17, ["name"]], "function_clause")
        info = process_info(self_())
        t.o((is_alive(pid), ("links", info["links"]), ("monitors", info["monitors"])))
        t.o(await t.recv(0.02))

    t.run(main)

    assert t.printed == expected


@same
def test_p45_refs_of_others(t, expected):
    """`demonitor` answers what OTP answers with the option info: whether it was still watching."""

    async def other(boss, pid):
        boss << (monitor(pid), alias())
        for _ in range(2):
            boss << ("got", await t.recv())

    def try_(function, value):
        try:
            return function(value)
        except TypeError:
            return ("error", "badarg")

    async def main():
        pid = t.pid()
        watcher = spawn(other, self_(), pid)
        watched, others_alias = await t.recv()
        t.o(demonitor(watched))
        t.o(demonitor(others_alias, flush=True))
        t.o(demonitor(make_ref()))
        t.o(unalias(others_alias))
        t.o(unalias(make_ref()))
        others_alias << "through"
        t.o(await t.recv())
        pid << ("die", "x")
        _, down = await t.recv()
        assert down[:2] == (watched, pid)
        t.o(("down", down.reason))
        own = alias()
        t.o(demonitor(own))
        own << "open"
        t.o(await t.recv())
        t.o(unalias(own))
        pid = t.pid()
        ref = monitor(pid)
        t.o(unalias(ref))
        pid << ("die", "y")
        down = await t.recv()
        assert down[:2] == (ref, pid)
        t.o(("down", down.reason))
        t.o(demonitor(ref))
        for function in (demonitor, unalias):
            for value in (17, None):
                t.o(try_(function, value))
        t.o(is_alive(watcher))

    t.run(main)

    assert t.printed == expected


@differs(
    "start_link takes the 'EXIT' of a start that failed out of the mailbox of a starter that traps exits: that has the "
    "error already."
)
def test_p46_start_gives_up(t, expected):
    """The errors of start and call are raised."""

    class Server(GenServer):
        async def init(self, way):
            match way:
                case "slow":
                    await t.s()
                case "stop":
                    raise Stop("no_way")
                case "crash":
                    raise ProcessExit("boom")

        async def handle_call(self, request, client):
            await t.s()
            return "late"

    async def main():
        trap_exit(True)
        server = await Server.start_link("ok")
        for start in (Server.start, Server.start_link):
            for way in ("slow", "stop", "crash"):
                with pytest.raises(InitFailed) as failed:
                    await start(way, timeout=0.02)
                t.o((way, failed.value.reason))
                t.o(await t.recv(0.09))
        with pytest.raises(CallTimeout):
            await call(server, "slow", timeout=0.02)
        t.o("timeout")
        t.o(await t.recv(0.09))
        info = process_info(self_())
        t.o((info["links"] == [server], ("monitors", info["monitors"])))
        await sleep(0)

    t.run(main)

    assert t.printed == expected.but(("{'EXIT',<PID>,no_way}", "nothing"), ("{'EXIT',<PID>,boom}", "nothing"))
