"""The cases h* about which version a call reaches and what passes over a switch. Each prints the lines of its case.

The modules are `m`, as in the cases: a version is a text, loaded by `t.load`, and `m.f()` in it is the fully
qualified call. Behaviours over a load (h30, h31, h34) are in test_behaviours.py.
"""

from __future__ import annotations

import pytest

from erlang.cases import FIXTURES
from erlang.versions import LOCAL_LOOP, QUALIFIED_LOOP, version
from midflight import code, is_alive, process_info, receive, self_, spawn, spawn_monitor
from midflight.errors import LoadError

same, differs = pytest.mark.same, pytest.mark.differs


# --- Which version a call reaches -------------------------------------------------------------------


@same
def test_h01_tutorial_literal(t, expected):
    """The tutorial's program as printed there ends at the first unknown message, in Python too."""

    async def main():
        counter = t.load((FIXTURES / "counter_v1.py").read_text(), "counter")
        t.o(("module", counter.__name__))
        pid, ref = spawn_monitor(counter.start)
        pid << ("increment", 3)
        pid << ("print",)
        await t.s()
        t.o(("module", t.load((FIXTURES / "counter_v2.py").read_text(), "counter").__name__))
        pid << ("reset",)
        await t.s()
        t.o(("alive", is_alive(pid)))
        t.o(("down", (await receive((ref, ..., ...))).reason))
        for message in ("code_switch", ("print",), ("reset",), ("print",)):
            t.o(pid << message)
        await t.s()

    t.run(main)

    assert t.printed == expected


@same
def test_h03_local_call_stays_old(t, expected):
    """`return loop()` stays in its version."""

    async def main():
        m = t.load(version(LOCAL_LOOP, 1))
        first = spawn(m.loop)
        await t.s()
        t.load(version(LOCAL_LOOP, 2))
        second = spawn(m.loop)
        for pid in (first, second, first):
            pid << ("v", self_())
            t.o(await t.recv())

    t.run(main)

    assert t.printed == expected


@same
def test_h04_qualified_call_moves(t, expected):
    """`return m.loop()` is in the new version from its next message on."""

    async def main():
        m = t.load(version(QUALIFIED_LOOP, 1))
        pid = spawn(m.loop)
        await t.s()
        t.load(version(QUALIFIED_LOOP, 2))
        for _ in range(3):
            pid << ("v", self_())
            t.o(await t.recv())

    t.run(main)

    assert t.printed == expected


@same
def test_h09_closure_keeps_version(t, expected):
    """A function keeps the namespace that made it."""
    source = """
        def mk():
            x = 10
            return lambda: (v(), x)

        def v():
            return VERSION
    """

    async def main():
        m = t.load(version(source, 1))
        f = m.mk()
        t.load(version(source, 2))
        g = m.mk()
        t.o(("f", f()))
        t.o(("g", g()))

    t.run(main)

    assert t.printed == expected


@differs(
    "A function held as a value is a function, not a name: it stays in its version. The name is `m.f`, read when it "
    "is called; `code.current(f)` is today's version of a function held."
)
def test_h10_external_fun_is_current(t, expected):
    """OTP's `fun m:f/0` is written as the call itself."""
    source = "def f(): return VERSION"

    async def main():
        m = t.load(version(source, 1))
        f = m.f
        t.o(f())
        t.load(version(source, 2))
        t.o(f())
        t.o(code.current(f)())
        t.o(m.f())
        t.o(code.current(f) is m.f)

    t.run(main)

    assert t.printed == expected.but(("1", "1", "1"))


@same
def test_h22_spawn_fun_vs_mfa(t, expected):
    """A closure runs the version that made it; `spawn(m.say, ...)` whatever `m.say` is then."""
    source = """
        import m
        from midflight import spawn

        def by_fun(pid):
            return lambda: say(pid)

        def by_mfa(pid):
            return spawn(m.say, pid)

        def say(pid):
            pid << VERSION
    """

    async def main():
        m = t.load(version(source, 1))
        f = m.by_fun(self_())
        t.load(version(source, 2))
        spawn(f)
        t.o(("by_fun", await t.recv()))
        m.by_mfa(self_())
        t.o(("by_mfa", await t.recv()))

    t.run(main)

    assert t.printed == expected


# --- What passes over a switch ----------------------------------------------------------------------


@same
def test_h18_switch_migrates_state(t, expected):
    """The function that is called takes the old shape and migrates it."""
    old = """
        import m
        from midflight import receive

        async def loop(state):
            match await receive():
                case "sw":
                    return m.loop(state)
                case ("get", pid):
                    pid << state
                    return loop(state)
    """
    new = """
        import m
        from midflight import receive

        async def loop(state):
            if isinstance(state, int):
                return loop({"sum": state, "ops": 0})
            match await receive():
                case "sw":
                    return m.loop(state)
                case ("get", pid):
                    pid << state
                    return loop(state)
    """

    async def main():
        m = t.load(old)
        pid = spawn(m.loop, 5)
        await t.s()
        t.load(new)
        pid << ("get", self_())
        t.o(await t.recv())
        pid << "sw"
        pid << ("get", self_())
        t.o(await t.recv())

    t.run(main)

    assert t.printed == expected


@same
def test_h19_mailbox_survives_switch(t, expected):
    """What the old version passed over, the new one may take."""
    old = """
        import m
        from midflight import receive

        async def loop(pid):
            await receive("sw")
            return m.loop(pid)
    """
    new = """
        import m
        from midflight import receive

        async def loop(pid):
            match await receive():
                case "sw":
                    return m.loop(pid)
                case message:
                    pid << ("got", message)
                    return loop(pid)
    """

    async def main():
        m = t.load(old)
        pid = spawn(m.loop, self_())
        for message in "abc":
            pid << message
        await t.s()
        t.load(new)
        t.o(("message_queue_len", process_info(pid)["message_queue_len"]))
        pid << "sw"
        t.o(await t.mb())

    t.run(main)

    assert t.printed == expected


@same
def test_h45_new_version_sees_args_only(t, expected):
    """A local variable that is not passed on goes with its frame."""
    old = """
        import m
        from midflight import receive

        async def loop(state):
            secret = state * 100
            match await receive():
                case "sw":
                    return m.loop(state)
                case ("get", pid):
                    pid << (state, secret)
                    return loop(state)
    """
    new = """
        import m
        from midflight import receive

        async def loop(state):
            match await receive():
                case "sw":
                    return m.loop(state)
                case ("get", pid):
                    pid << (state, "gone")
                    return loop(state)
    """

    async def main():
        m = t.load(old)
        pid = spawn(m.loop, 3)
        pid << ("get", self_())
        t.o(await t.recv())
        t.load(new)
        pid << "sw"
        pid << ("get", self_())
        t.o(await t.recv())

    t.run(main)

    assert t.printed == expected


@differs(
    "The load is refused, and the report names the process that would die at its switch. With `force=True` it is "
    "loaded, and the process ends with AttributeError, OTP's undef."
)
def test_h16_missing_export_is_undef(t, expected):
    """The check that Erlang does not have."""
    old = """
        import m
        from midflight import receive

        async def loop(state):
            await receive("sw")
            return m.loop(state)
    """
    new = "async def other(): pass"

    async def main():
        m = t.load(old)
        pid, ref = spawn_monitor(m.loop, 5)
        await t.s()
        with pytest.raises(LoadError) as refused:
            t.load(new)
        t.o(("refused", refused.value.report.refusals[0].code))
        assert repr(pid) in str(refused.value)
        assert "loop" in str(refused.value)
        t.load(new, force=True)
        pid << "sw"
        down = await receive((ref, ..., ...))
        t.o(down.reason)

    t.run(main)

    assert t.printed == expected.but(
        ("{undef,m,loop,[5]}", "{refused,'live-call'}", "{'AttributeError',stack}"),
    )


@same
def test_h43_old_crash_names_old_line(t, expected):
    """Module, function and line of the report are those of the version that ran."""
    old = """\
        from midflight import receive
        async def loop(): return bad(await receive("go"))

        def bad(x): raise Bad(x)
        class Bad(Exception): pass
    """
    new = f"\n\n\n\n\n{old}"

    async def main():
        m = t.load(old)
        pid, ref = spawn_monitor(m.loop)
        await t.s()
        t.load(new)
        pid << "go"
        await receive((ref, ..., ...))

    t.run(main)

    (report,) = t.runtime.crashes
    t.o((("bad", 0), [(report.module, report.function, report.line)]))
    assert t.printed == expected
    assert "raise Bad(x)" in report.traceback
