"""Random batches of processes, timers, listeners and hostile objects: everyone hears, every timer rings."""

from __future__ import annotations

import logging

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.hostile import HOSTILE, HOSTILE_ERRORS, RAISED
from midflight import Down, ProcessExit, exit, link, receive, self_, send_after, spawn_monitor, trap_exit
from midflight.kernel import ManualClock, Trace, describe, follow
from midflight.testing import TestRuntime

GO = object()

objects = st.sampled_from(sorted(HOSTILE))
ends = st.one_of(
    st.tuples(st.just("raise"), st.sampled_from(sorted(HOSTILE_ERRORS))),
    st.tuples(st.just("raise plainly"), st.sampled_from(sorted(RAISED))),
    st.tuples(st.just("exit with"), objects),
    st.tuples(st.just("be told to exit"), objects),
    st.tuples(st.just("be killed"), objects),
    st.tuples(st.just("return"), objects),
)
processes = st.lists(st.tuples(objects, objects, ends, st.booleans()), min_size=1, max_size=6)
timers = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["message", "action"]), objects), max_size=6)
listeners = st.lists(st.sampled_from(sorted(RAISED)), max_size=3)


async def live(argument, end, how):
    """Take a message, whatever the patterns make of it, and end in the way that was chosen.

    A pattern or message that raises SystemExit when the two are compared ends the process: that one alone.
    """
    await receive(argument, (argument, ...), lambda each: each == argument, timeout=0, default=None)
    await receive(lambda each: each is GO)
    match end:
        case "raise":
            raise HOSTILE_ERRORS[how]()
        case "raise plainly":
            raise RAISED[how]()
        case "exit with":
            raise ProcessExit(HOSTILE[how]())
        case "return":
            return HOSTILE[how]()
    await receive(lambda _: False)


class Batch:
    """One program and what is to have come of it."""

    def __init__(self, runtime, clock, plan):
        self.runtime, self.clock = runtime, clock
        self.processes, self.timers, self.listeners, self.is_traced = plan
        self.rung = []
        self.heard = []

    async def main(self):
        """Start all, have all end, and wait for each Down and for each message of a timer."""
        trap_exit(True)
        scheduler = self.runtime.scheduler
        refs = []
        for argument, message, (end, how), is_linked in self.processes:
            pid, ref = spawn_monitor(live, HOSTILE[argument](), end, how)
            refs.append(ref)
            if is_linked:
                link(pid)
            pid << HOSTILE[message]()
            pid << GO
            describe(scheduler, pid.process)
            if end == "be told to exit":
                send_after(2, self_(), ("exit", pid, HOSTILE[how]()))
            elif end == "be killed":
                send_after(2, self_(), ("exit", pid, "kill"))
        expected = sum(end in ("be told to exit", "be killed") for _, _, (end, _), _ in self.processes)
        for seconds, kind, name in self.timers:
            if kind == "message":
                send_after(seconds, self_(), ("timer", HOSTILE[name]()))
                expected += 1
            else:
                scheduler.timers.set(self.clock.now() + seconds, self._failing_action)
        self.clock.advance(3)
        messages = 0
        downs = []
        while messages < expected or len(downs) < len(refs):
            message = await receive(lambda each: type(each) in (tuple, Down))
            if type(message) is Down:
                downs.append(message.ref)
                continue
            messages += 1
            if message[0] == "exit":
                exit(message[1], message[2])
        assert sorted(map(repr, downs)) == sorted(map(repr, refs))
        self_() << "still here"
        return await receive("still here", timeout=0)

    def _failing_action(self):
        self.rung.append(1)
        raise SystemExit("of a timer")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.tuples(processes, timers, listeners, st.booleans()))
def test_every_monitor_hears_and_every_timer_rings(plan):
    """Whatever the messages, arguments, reasons, exceptions and listeners do; and the runtime still answers."""
    logging.disable(logging.CRITICAL)  # that the reports can be made is shown elsewhere
    clock = ManualClock()
    runtime = TestRuntime(clock)
    batch = Batch(runtime, clock, plan)
    try:

        def failing(name):
            def listener(_):
                raise RAISED[name]()

            return listener

        runtime.scheduler.on_crash[:0] = map(failing, batch.listeners)
        if batch.is_traced:
            follow(runtime.scheduler, Trace(everyone=True))

        assert runtime.run(batch.main) == "still here"

        assert len(batch.rung) == sum(kind == "action" for _, kind, _ in batch.timers)
        assert len(runtime.crashes) <= len(batch.processes)
        for report in runtime.crashes:
            report.text().encode()
    finally:
        runtime.close()
        logging.disable(logging.NOTSET)
