"""State machines: states, events, timeouts, postponed events, and new versions of them."""

from __future__ import annotations

import asyncio
import math
import sys
from textwrap import dedent

import pytest

from helpers.servers import end_of, exit_message_of, pids_of, settle
from midflight import (
    CallError,
    ChildSpec,
    Next,
    StateMachine,
    Stop,
    Supervisor,
    call,
    cast,
    code,
    exit,
    is_alive,
    process_info,
    receive,
    reply,
    self_,
    spawn,
    trap_exit,
)
from midflight.observer.process_rows import row_of
from midflight.otp import sys as otp_sys


async def let_pass(clock, seconds):
    """Move the clock on, let the timers ring, and let all others run until they wait."""
    clock.advance(seconds)
    for _ in range(3):
        await asyncio.sleep(0)  # a round of the event loop: timers ring between two turns
    await settle()


class Door(StateMachine):
    """A door with a code; who asks to walk through waits until it is open."""

    def init(self, code):
        self.code = code
        self.wrong = 0
        return "locked"

    def locked(self, kind, content):
        match kind, content:
            case ("call", _), ("code", code) if code == self.code:
                return Next("open", reply="welcome", state_timeout=5)
            case ("call", _), ("code", _):
                self.wrong += 1
                return Next(reply="wrong")
            case ("call", _), "walk":
                return Next(postpone=True)
        return None

    async def open(self, kind, content):
        match kind:
            case "state_timeout":
                return Next("locked")
            case ("call", _):
                return Next(reply=("walked", content))
        return None


class Script(StateMachine):
    """A machine that does what the events say, one Next each, and keeps what it has seen in `seen`."""

    state_enter = True

    def init(self, first="a", on_enter=None):
        self.seen = []
        self.on_enter = on_enter or {}
        return first

    def handle_event(self, kind, content, state):
        name = kind if type(kind) is str or kind[0] != "call" else "call"
        if name == "call" and content == "seen":
            return Next(reply=list(self.seen))
        shown = "next" if type(content) is Next else content
        self.seen.append((name, shown, state))
        if kind == "enter":
            return self.on_enter.get(state)
        if isinstance(content, BaseException):
            raise content
        return content if type(content) is Next else None


async def seen_by(*events):
    """Start a Script, send it the events as casts, and return what it has seen after its first enter call."""
    pid = await Script.start()
    for event in events:
        cast(pid, event)
    return (await call(pid, "seen"))[1:]


def test_a_state_says_what_a_call_means(runtime):
    """OTP: {next_state, ...} with a reply; `self` holds the data."""

    async def main():
        door = await Door.start(7)
        answers = [await call(door, ("code", code)) for code in (1, 2, 7)]
        return answers, await call(door, "x"), (await otp_sys.get_state(door)).wrong

    assert runtime.run(main) == (["wrong", "wrong", "welcome"], ("walked", "x"), 2)


def test_a_postponed_call_is_answered_in_the_next_state(runtime):
    """OTP: postpone; the caller waits meanwhile."""

    async def walk(door, top):
        top << await call(door, "walk")

    async def main():
        door = await Door.start(7)
        spawn(walk, door, self_())
        await settle()
        early = await receive(timeout=0, default="nobody walked")
        await call(door, ("code", 7))
        return early, await receive()

    assert runtime.run(main) == ("nobody walked", ("walked", "walk"))


def test_a_state_timeout_ends_with_the_state(runtime, clock):
    """OTP: state_timeout: it comes if the state is the same, in spite of other events; a change cancels it."""

    async def main():
        door = await Door.start(7)
        states = []
        for seconds in (3, 1, 1):
            if not states:
                await call(door, ("code", 7))
            await let_pass(clock, seconds)
            await call(door, ("code", 1))
            states.append((await otp_sys.get_state(door)).state)
        return states

    assert runtime.run(main) == ["open", "open", "locked"]


def test_a_change_of_state_cancels_its_timeout(runtime, clock):
    """Of the state that is left, not of one that is set with the change."""

    async def main():
        pid = await Script.start()
        cast(pid, Next(state_timeout=(1, "of a")))
        cast(pid, Next("b", state_timeout=(2, "of b")))
        await settle()
        await let_pass(clock, 3)
        return [each for each in await call(pid, "seen") if each[0] == "state_timeout"]

    assert runtime.run(main) == [("state_timeout", "of b", "b")]


def test_any_event_cancels_an_event_timeout(runtime, clock):
    """OTP: {timeout, Time, Content}: only without another event it comes."""

    async def main():
        pid = await Script.start()
        cast(pid, Next(event_timeout=1))
        cast(pid, "another")
        await settle()
        await let_pass(clock, 2)
        cast(pid, Next(event_timeout=(1, "alone")))
        await settle()
        await let_pass(clock, 2)
        return [each for each in await call(pid, "seen") if each[0] == "timeout"]

    assert runtime.run(main) == [("timeout", "alone", "a")]


def test_a_named_timeout_outlives_events_and_states(runtime, clock):
    """OTP: {{timeout, Name}, Time, Content}; a new one of the name replaces it, infinity cancels it."""

    async def main():
        pid = await Script.start()
        cast(pid, Next(timeouts={"x": (1, "stays"), "y": 1, "z": (1, "early")}))
        cast(pid, Next("b", timeouts={"y": math.inf, "z": (3, "late")}))
        await settle()
        await let_pass(clock, 2)
        await let_pass(clock, 2)
        return [each for each in await call(pid, "seen") if type(each[0]) is tuple]

    assert runtime.run(main) == [(("timeout", "x"), "stays", "b"), (("timeout", "z"), "late", "b")]


def test_a_timeout_of_zero_comes_after_what_is_queued_and_before_messages(runtime):
    """OTP: it is an event at once; a cast that waits in the mailbox comes after it."""

    async def main():
        inserted = Next(events=[("internal", 1), ("internal", 2)], state_timeout=(0, "zero"), timeouts={"x": 0})
        return await seen_by(inserted, "cast")

    assert runtime.run(main) == [
        ("cast", "next", "a"),
        ("internal", 1, "a"),
        ("internal", 2, "a"),
        ("state_timeout", "zero", "a"),
        (("timeout", "x"), None, "a"),
        ("cast", "cast", "a"),
    ]


def test_inserted_events_come_before_postponed_ones(runtime):
    """OTP: next_event events first, then the postponed, oldest first, then what came meanwhile."""

    async def main():
        return await seen_by(
            Next(postpone=True),
            Next("b", events=[("internal", "first")]),
            "last",
        )

    seen = runtime.run(main)
    assert seen == [
        ("cast", "next", "a"),
        ("cast", "next", "a"),
        ("enter", "a", "b"),
        ("internal", "first", "b"),
        ("cast", "next", "b"),
        ("cast", "last", "b"),
    ]


def test_enter_calls_are_made_at_the_start_and_at_each_change(runtime):
    """OTP: state_enter: at the start with the first state, after a change with the one before, and with `repeat`."""

    async def main():
        pid = await Script.start()
        for event in (Next("b"), Next("b"), Next(repeat=True), Next()):
            cast(pid, event)
        return [each for each in await call(pid, "seen") if each[0] == "enter"]

    assert runtime.run(main) == [("enter", "a", "a"), ("enter", "a", "b"), ("enter", "b", "b")]


def test_an_enter_call_may_start_timeouts(runtime, clock):
    """So a state's own timeout is written once, where the state begins."""

    async def main():
        pid = await Script.start("a", {"b": Next(state_timeout=(1, "of b"))})
        cast(pid, Next("b"))
        await settle()
        await let_pass(clock, 1)
        return (await call(pid, "seen"))[-1]

    assert runtime.run(main) == ("state_timeout", "of b", "b")


@pytest.mark.parametrize("wrong", [Next("c"), Next(postpone=True), Next(events=[("internal", 1)])])
def test_an_enter_call_may_do_nothing_else(runtime, wrong):
    """OTP: neither another state nor events nor postpone; the machine ends with an error that says so."""

    async def main():
        trap_exit(True)
        pid = await Script.start_link("a", {"b": wrong})
        cast(pid, Next("b"))
        return str((await exit_message_of(pid)).reason)

    assert runtime.run(main) == f'{wrong!r} is not allowed in answer to "enter": only timeouts are'


def test_other_messages_are_infos(runtime):
    """A message by `<<`, and the Exit of a link if it traps exits."""

    async def main():
        pid = await Script.start()
        pid << "hello"
        return (await call(pid, "seen"))[1:]

    assert runtime.run(main) == [("info", "hello", "a")]


def test_a_stop_in_a_postponed_call_answers_its_caller(runtime):
    """OTP: stop_and_reply, also when the call was taken again long after it came."""

    class Ends(StateMachine):
        def init(self):
            return "one"

        def one(self, kind, content):
            return Next("two") if kind == "cast" else Next(postpone=True)

        def two(self, kind, content):
            raise Stop("normal", reply="bye")

    async def ask(pid, top):
        top << await call(pid, "x")

    async def main():
        pid = await Ends.start()
        spawn(ask, pid, self_())
        await settle()
        cast(pid, "go")
        return await receive(), is_alive(pid)

    assert runtime.run(main) == ("bye", False)


def test_a_machine_that_ends_fails_the_calls_that_wait(runtime):
    """Postponed and queued ones: their callers see its reason, as of any server."""

    async def ask(door, top):
        with pytest.raises(CallError) as caught:
            await call(door, "walk")
        top << caught.value.reason

    async def main():
        door = await Door.start(7)
        spawn(ask, door, self_())
        await settle()
        exit(door, "kill")
        return await receive()

    assert runtime.run(main) == "killed"


def test_a_reply_may_come_later_by_hand(runtime):
    """reply(client, value), with the client of the event's type."""

    class Later(StateMachine):
        def init(self):
            return "idle"

        def idle(self, kind, content):
            if kind == "cast":
                reply(self.client, content)
                return
            self.client = kind[1]

    async def ask(pid, top):
        top << await call(pid, "x")

    async def main():
        pid = await Later.start()
        spawn(ask, pid, self_())
        await settle()
        cast(pid, 42)
        return await receive()

    assert runtime.run(main) == 42


@pytest.mark.parametrize(
    ("first", "error", "text"),
    [
        (None, TypeError, "init must return its first state"),
        (Next(), TypeError, "init must return its first state"),
        (Next("locked", postpone=True), TypeError, "init must return its first state"),
        ("nowhere", ValueError, "has no state 'nowhere'; define a method"),
        ("stopped", ValueError, "has no state 'stopped'"),
        ("start", ValueError, "'start' is a name of every server"),
        (7, TypeError, "a state is the name of a method, not 7; or define handle_event"),
    ],
)
def test_a_first_state_that_is_none_is_refused(runtime, first, error, text):
    """`start` raises it; nothing runs."""

    class Wrong(Door):
        def init(self):
            return first

    async def main():
        with pytest.raises(error, match=text):
            await Wrong.start()
        return True

    assert runtime.run(main)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("open", "in state 'locked' returned 'open'; a callback returns Next"),
        (Next("nowhere"), "has no state 'nowhere'"),
        (Next(reply=1), "has a reply, but the event was"),
    ],
)
def test_a_wrong_return_value_ends_the_machine(runtime, answer, text):
    """OTP: bad_return_from_state_function. The error names the state and the value."""

    class Wrong(StateMachine):
        def init(self):
            return "locked"

        def locked(self, kind, content):
            return answer

    async def main():
        trap_exit(True)
        pid = await Wrong.start_link()
        cast(pid, "go")
        return str((await exit_message_of(pid)).reason)

    assert text in runtime.run(main)


@pytest.mark.parametrize(
    "options",
    [
        {"state_timeout": -1},
        {"state_timeout": "5"},
        {"event_timeout": (None, 1)},
        {"timeouts": {"x": math.nan}},
        {"events": [1]},
        {"events": 5},
        {"timeouts": 5},
        {"timeouts": [("x", 1)]},
    ],
)
def test_a_wrong_next_is_refused_where_it_is_made(options):
    """So the traceback shows the line of the callback."""
    with pytest.raises((TypeError, ValueError), match="Next: "):
        Next(**options)


def test_a_next_shows_what_it_says():
    """As it is written."""
    found = Next("b", reply=1, postpone=True, state_timeout=5, event_timeout=(1, "x"), timeouts={"n": 2})

    assert repr(found) == (
        "Next('b', reply=1, postpone=True, state_timeout=(5, None), event_timeout=(1, 'x'), timeouts={'n': (2, None)})"
    )


def test_a_machine_is_shown_with_its_state(runtime):
    """In tracebacks, logs and the shell: the class, the state, the data."""

    async def main():
        door = await Door.start(7)
        return repr(await otp_sys.get_state(door))

    assert runtime.run(main) == "<Door 'locked' code=7 wrong=0>"


def test_its_status_shows_the_events_that_wait(runtime):
    """Queued, postponed, and the timeouts that run, by their contents."""

    class Waits(StateMachine):
        def init(self):
            return Next("a", timeouts={"late": (9, "content")})

        def a(self, kind, content):
            return Next(postpone=True) if kind == "cast" else None

    async def main():
        machine = await Waits.start()
        before = repr((await otp_sys.get_status(machine))["state"]["_events"])
        cast(machine, "later")
        return before, repr((await otp_sys.get_status(machine))["state"]["_events"])

    timeouts = "timeouts: {('timeout', 'late'): 'content'}"
    assert runtime.run(main) == (f"<{timeouts}>", f"<postponed: [('cast', 'later')], {timeouts}>")


def test_a_machine_is_listed_with_its_state(runtime):
    """In every list of processes: the class and the state; one that is no string as it prints."""

    async def main():
        pids = [await Door.start(7), await Script.start(("a", 1))]
        await settle()
        rows = [row_of(runtime.scheduler, pid.process) for pid in pids]
        return [(row.place.function, row.place.behaviour) for row in rows]

    assert runtime.run(main) == [("Door (locked)", "server"), ("Script (('a', 1))", "server")]


def test_a_machine_that_inserts_events_for_ever_lets_others_run(runtime):
    """It takes no message, as in OTP, but it does not stop the runtime; an exit signal ends it."""

    class Endless(StateMachine):
        def init(self):
            return Next("on", events=[("internal", None)])

        def on(self, kind, content):
            return Next(events=[("internal", None)])

    async def main():
        return await end_of(await Endless.start(), "shutdown")

    assert runtime.run(main) == "shutdown"


def test_a_supervisor_restarts_a_machine(runtime):
    """In its first state; it is a server as any other."""

    async def main():
        supervisor = await Supervisor.start_link([ChildSpec("door", Door, (7,), name="door")])
        await call("door", ("code", 7))
        exit((await pids_of(supervisor))["door"], "kill")
        await settle()
        return (await otp_sys.get_state("door")).state

    assert runtime.run(main) == "locked"


def test_a_cancelled_timeout_leaves_nothing(runtime, clock):
    """Neither a message nor a timer: a machine that changes its state often does not grow."""

    async def main():
        pid = await Script.start()
        for number in range(100):
            cast(pid, Next(number, state_timeout=1000, event_timeout=1000, timeouts={"x": 1000}))
        cast(pid, Next("end", timeouts={"x": math.inf}))
        await settle()
        machine = await otp_sys.get_state(pid)
        await let_pass(clock, 2000)
        return machine._events.timers, process_info(pid)["message_queue_len"], (await call(pid, "seen"))[-1][0]

    assert runtime.run(main) == ({}, 0, "enter")


MACHINE = """
    from midflight import Next, StateMachine

    __vsn__ = VERSION

    class Light(StateMachine):
        def init(self):
            self.changes = 0
            return "red"

        def red(self, kind, content):
            self.changes += 1
            return Next("green", reply=("VERSION", "red", self.changes), state_timeout=10)

        def green(self, kind, content):
            if kind == "state_timeout":
                return Next("red")
            return Next(reply=("VERSION", "green", self.changes))
    """


def test_the_next_event_runs_the_new_version(project, runtime, clock):
    """A load: the state, the data and the timeouts stay, and the callbacks are the new ones."""
    project.load_text("light", MACHINE.replace("VERSION", "1"))

    async def main():
        pid = await sys.modules["light"].Light.start()
        answers = [await call(pid, "x")]
        project.load_text("light", MACHINE.replace("VERSION", "2"))
        answers.append(await call(pid, "x"))
        await let_pass(clock, 10)
        return [*answers, await call(pid, "x"), code.check_process_code(pid, "light")]

    assert runtime.run(main) == [("1", "red", 1), ("2", "green", 1), ("2", "red", 2), False]


def test_a_queued_event_runs_the_new_version(project, runtime):
    """A load while a callback waits: the event that it inserts is the next one, so the new version takes it."""
    text = """
        from midflight import Next, StateMachine, receive

        class Two(StateMachine):
            def init(self):
                return "one"

            async def one(self, kind, content):
                if kind == "internal":
                    content.answer(VERSION)
                    return None
                await receive("go on")
                return Next(events=[("internal", kind[1])])
        """
    project.load_text("two", text.replace("VERSION", "1"))

    async def ask(pid, top):
        top << ("answer", await call(pid, "x"))

    async def main():
        pid = await sys.modules["two"].Two.start()
        spawn(ask, pid, self_())
        await settle()
        project.load_text("two", text.replace("VERSION", "2"))
        pid << "go on"
        return await receive()

    assert runtime.run(main) == ("answer", 2)


def test_code_change_may_rename_the_state(project, runtime):
    """OTP: code_change returns the new state; here it sets `state`, on a copy, and postponed events wait on."""
    new = (
        MACHINE.replace("def green", "def go").replace('Next("green"', 'Next("go"')
        + """
        def code_change(self, old_vsn, extra):
            self.told = old_vsn, extra
            self.state = {"green": "go"}.get(self.state, self.state)
"""
    )
    project.load_text("light", MACHINE.replace("VERSION", "1"))

    async def main():
        pid = await sys.modules["light"].Light.start()
        await call(pid, "x")
        await code.upgrade("light", source=dedent(new.replace("VERSION", "2")), extra="more")
        machine = await otp_sys.get_state(pid)
        return machine.state, machine.told, await call(pid, "x")

    assert runtime.run(main) == ("go", (1, "more"), ("2", "green", 1))


def test_a_code_change_that_raises_leaves_state_and_events(project, runtime):
    """UpgradeError, and the machine goes on where it was."""
    project.load_text("light", MACHINE.replace("VERSION", "1"))
    bad = (
        MACHINE.replace("VERSION", "2")
        + """
        def code_change(self, old_vsn, extra):
            self.state = "nowhere"
            raise KeyError("no")
"""
    )

    async def main():
        pid = await sys.modules["light"].Light.start()
        await call(pid, "x")
        with pytest.raises(code.UpgradeError):
            await code.upgrade("light", source=dedent(bad))
        return (await otp_sys.get_state(pid)).state, await call(pid, "x")

    assert runtime.run(main) == ("green", ("1", "green", 1))
