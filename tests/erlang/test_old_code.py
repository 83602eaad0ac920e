"""The cases h* about old code: who is in it, who only holds it, and purging. Each test prints the lines of its case."""

from __future__ import annotations

import pytest

from erlang.versions import LOCAL_LOOP, has_old_code, version
from midflight import code, exit, is_alive, receive, self_, spawn, spawn_monitor
from midflight.errors import UnknownModuleError

same, differs = pytest.mark.same, pytest.mark.differs


@same
def test_h06_purge_kills(t, expected):
    """`purge` ends those in old code, with "killed", trapping or not. It answers their pids, in OTP whether any."""

    async def main():
        m = t.load(version(LOCAL_LOOP, 1))
        first, ref = spawn_monitor(m.loop)
        first << "trap"
        await t.s()
        t.load(version(LOCAL_LOOP, 2))
        second = spawn(m.loop)
        await t.s()
        t.o(("purge", bool(code.purge("m"))))
        t.o(("down", (await receive((ref, first, ...))).reason))
        t.o(("b_alive", is_alive(second)))
        t.o(("purge_again", bool(code.purge("m"))))
        t.load(version(LOCAL_LOOP, 3))
        exit(second, "kill")
        await t.s()
        t.o(("purge_no_process", bool(code.purge("m"))))

    t.run(main)

    assert t.printed == expected


@differs("A module that was never loaded is UnknownModuleError, as a name that is misspelt should be.")
def test_h07_soft_purge(t, expected):
    """No effect while somebody runs old code; afterwards it is gone, with or without asking."""
    source = """
        from midflight import receive

        async def loop():
            match await receive():
                case ("v", pid):
                    pid << VERSION
                    return loop()
    """

    async def main():
        try:
            t.o(("never_loaded", code.soft_purge("m")))
        except UnknownModuleError:
            t.o(("never_loaded", "UnknownModuleError"))
        m = t.load(version(source, 1))
        pid = spawn(m.loop)
        await t.s()
        t.load(version(source, 2))
        t.o(("busy", code.soft_purge("m")))
        t.o(("alive", is_alive(pid)))
        t.o(("old", has_old_code()))
        pid << "stop"
        await t.s()
        t.o(("free", code.soft_purge("m")))
        t.o(("old", has_old_code()))

    t.run(main)

    assert t.printed == expected.but(("{never_loaded,true}", "{never_loaded,'UnknownModuleError'}"))


@differs("A closure goes on working whatever is purged: it holds its version.")
def test_h12_closure_after_purge(t, expected):
    """No value that a program holds is made useless from outside."""
    source = "def mk(x): return lambda: (x, VERSION)"
    table = {}

    async def main():
        m = t.load(version(source, 1))
        maker = spawn(lambda: table.update(f=m.mk(7)))
        await t.s()
        t.load(version(source, 2))
        t.o(("maker_alive", is_alive(maker)))
        t.o(("purge", bool(code.purge("m"))))
        t.o(("call", table["f"]()))

    t.run(main)

    assert t.printed == expected.but(("{call,{error,badfun}}", "{call,{7,1}}"))


@same
def test_h13_same_closure_reloaded(t, expected):
    """Identical text is a new version all the same."""
    source = """
        from midflight import receive

        def mk(x):
            return lambda: (x, "one")

        async def loop():
            await receive("x")
            return loop()
    """
    table = {}

    async def main():
        m = t.load(source)
        pid = spawn(m.loop)
        spawn(lambda: table.update(f=m.mk(7)))
        await t.s()
        t.o(("module", t.load(source).__name__))
        t.o(("old", has_old_code()))
        t.o(("a_in_old", code.check_process_code(pid, "m")))
        exit(pid, "kill")
        await t.s()
        t.o(("purge", bool(code.purge("m"))))
        t.o(("call", table["f"]()))

    t.run(main)

    assert t.printed == expected


@same
def test_h15_check_process_code(t, expected):
    """In old code, and only then; a tail call out of it leaves it."""
    source = """
        import m
        from erlang.t import idle
        from midflight import receive

        async def loop():
            match await receive():
                case "out":
                    return idle()
                case "sw":
                    return m.loop()

        def w():
            return VERSION
    """

    def is_in_old(pid):
        return code.check_process_code(pid, "m")

    async def main():
        m = t.load(version(source, 1))
        a, b = spawn(m.loop), spawn(m.loop)
        await t.s()
        t.o(("before_load", is_in_old(a)))
        t.load(version(source, 2))
        t.o(("after_load", is_in_old(a)))
        a << "out"
        b << "sw"
        await t.s()
        t.o(("tail_called_out", is_in_old(a)))
        t.o(("switched", is_in_old(b)))
        exit(a, "kill")
        await t.s()
        t.o(("dead", is_in_old(a)))
        t.o(("self", is_in_old(self_())))

    t.run(main)

    assert t.printed == expected


@same
def test_h21_two_processes_one_switched(t, expected):
    """The one that moved lives."""
    source = """
        import m
        from midflight import receive

        async def loop():
            match await receive():
                case "sw":
                    return m.loop()
                case ("v", pid):
                    pid << VERSION
                    return loop()
    """

    async def main():
        m = t.load(version(source, 1))
        a, b = spawn(m.loop), spawn(m.loop)
        await t.s()
        t.load(version(source, 2))
        a << "sw"
        await t.s()
        t.o(code.purge("m") == (b,))
        t.o(("a", is_alive(a)))
        t.o(("b", is_alive(b)))
        a << ("v", self_())
        t.o(await t.recv())

    t.run(main)

    assert t.printed == expected


@differs(
    "There is no hibernate: a waiting process keeps its frame, so it is in old code and handles its next message there."
)
def test_h33_hibernate_leaves_old_code(t, expected):
    """A frame is what hibernation saves there."""
    source = """
        from midflight import receive

        async def woke(pid):
            match await receive():
                case message:
                    pid << (VERSION, message)
                    return woke(pid)
    """

    async def main():
        m = t.load(version(source, 1))
        pid = spawn(m.woke, self_())
        await t.s()
        t.load(version(source, 2))
        t.o(("soft", code.soft_purge("m")))
        pid << "hi"
        t.o(await t.recv())

    t.run(main)

    assert t.printed == expected.but(("{soft,true}", "{soft,false}"), ("{2,hi}", "{1,hi}"))


@same
def test_h39_literals_survive_purge(t, expected):
    """A value held is nobody's code."""

    async def holder(m):
        constant = m.k()
        _, pid = await receive(("get", ...))
        pid << constant

    async def main():
        m = t.load('def k(): return ("big", [1, 2, 3], b"abc")')
        pid = spawn(holder, m)
        await t.s()
        t.load("def k(): return 2")
        t.o(("soft", code.soft_purge("m")))
        pid << ("get", self_())
        t.o(await t.recv())

    t.run(main)

    assert t.printed == expected


@same
def test_h42_running_closure_counts(t, expected):
    """Who RUNS a function of old code is in old code, wherever it came from."""
    source = """
        from midflight import receive

        def mk():
            async def closure():
                await receive("go")
                return VERSION
            return closure
    """

    async def run(closure):
        await closure()
        return "ok"

    async def main():
        m = t.load(version(source, 1))
        holder, ref = spawn_monitor(run, m.mk())
        await t.s()
        t.load(version(source, 2))
        t.o(("runs", code.check_process_code(holder, "m")))
        t.o(("soft", code.soft_purge("m")))
        t.o(("hard", bool(code.purge("m"))))
        t.o(("down", (await receive((ref, ..., ...))).reason))

    t.run(main)

    assert t.printed == expected


@same
def test_h49_load_while_processes_many(t, expected):
    """200 processes with qualified loops have all moved after a message each."""
    source = """
        import m
        from midflight import receive

        async def loop(number):
            _, pid = await receive(("v", ...))
            pid << (number, VERSION)
            return m.loop(number)
    """

    async def ask(pids):
        for pid in pids:
            pid << ("v", self_())
        return sorted({(await receive())[1] for _ in pids})

    async def main():
        m = t.load(version(source, 1))
        pids = [spawn(m.loop, number) for number in range(1, 201)]
        t.o(await ask(pids))
        t.load(version(source, 2))
        t.o(("soft_before", code.soft_purge("m")))
        t.o(("answers_now", await ask(pids)))
        t.o(("answers_then", await ask(pids)))
        await t.s()
        t.o(("soft_after", code.soft_purge("m")))

    t.run(main)

    assert t.printed == expected
