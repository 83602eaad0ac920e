"""Random programs of events do in a state machine what a model of gen_statem's rules says."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from midflight import Next, StateMachine, call, cast
from midflight.kernel import ManualClock
from midflight.testing import TestRuntime

STATES = "abc"

states = st.sampled_from(STATES)


@dataclass(frozen=True)
class Step:
    """An event that says what is to be done with it: postponed in some states, else a change and inserted events."""

    number: int
    postponed_in: frozenset[str]
    to: str | None
    inserts: tuple[Step, ...] = ()
    repeat: bool = False

    def says(self, state):
        """Return the answer of the machine in `state`."""
        if state in self.postponed_in:
            return Next(postpone=True)
        options = {} if self.to is None else {"state": self.to}
        return Next(**options, events=[("internal", each) for each in self.inserts], repeat=self.repeat)


numbers = st.integers(0, 99)
some_states = st.frozensets(states, max_size=2)
inner = st.builds(Step, numbers, some_states, st.none() | states, repeat=st.booleans())
steps = st.builds(Step, numbers, some_states, st.none() | states, st.lists(inner, max_size=3).map(tuple), st.booleans())


@dataclass
class Model:
    """The rules of gen_statem: inserted events first; after a change the postponed ones, oldest first; then others."""

    state: str
    seen: list[tuple[object, ...]] = field(default_factory=list)
    postponed: list[tuple[str, Step]] = field(default_factory=list)

    def take(self, program):
        """Take the events of a program."""
        self.enter("a")
        waiting = [("cast", step) for step in program]
        while waiting:
            kind, step = waiting.pop(0)
            self.seen.append((kind, step.number, self.state))
            if self.state in step.postponed_in:
                self.postponed.append((kind, step))
                continue
            first = [("internal", each) for each in step.inserts]
            before = self.state
            if step.to not in (None, before):
                self.state = step.to
                first += self.postponed
                self.postponed = []
                self.enter(before)
            elif step.repeat:
                self.enter(before)
            waiting = first + waiting

    def enter(self, before):
        """Note an enter call."""
        self.seen.append(("enter", before, self.state))


class Machine(StateMachine):
    """Does what its events say, and keeps what it has seen."""

    state_enter = True

    def init(self):
        self.seen = []
        return "a"

    def handle_event(self, kind, content, state):
        if kind == "enter":
            self.seen.append((kind, content, state))
            return None
        if content == "seen":
            return Next(reply=(list(self.seen), state))
        self.seen.append((kind, content.number, state))
        return content.says(state)


async def follow(program):
    """Send the events of a program; return what the machine has seen, and its state."""
    pid = await Machine.start()
    for step in program:
        cast(pid, step)
    return await call(pid, "seen")


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, max_size=12))
def test_any_program_of_events_does_what_the_model_says(program):
    """Each event, in the order and in the states in which it is taken, and each enter call."""
    model = Model("a")
    model.take(program)
    runtime = TestRuntime(ManualClock())
    try:
        seen, state = runtime.run(follow, program)
    finally:
        runtime.close()

    assert seen == model.seen
    assert state == model.state
