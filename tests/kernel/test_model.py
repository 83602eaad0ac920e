"""Random programs of spawn, link, monitor, exit, trap and send do what a model of OTP's rules says (P10 to P23)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from midflight import (
    Down,
    Exit,
    NoSuchProcess,
    ProcessExit,
    demonitor,
    exit,
    link,
    monitor,
    receive,
    trap_exit,
    unlink,
)
from midflight.kernel import ManualClock
from midflight.testing import TestRuntime

PROCESSES = 5
REASONS = ("normal", "kill", "killed", "shutdown", "boom")

numbers = st.integers(0, PROCESSES - 1)
pairs = st.tuples(numbers, numbers)
reasons = st.sampled_from(REASONS)
steps = st.one_of(
    st.tuples(st.sampled_from(["link", "unlink", "monitor", "send"]), numbers, numbers),
    st.tuples(st.just("demonitor"), numbers, numbers),
    st.tuples(st.just("trap"), numbers, st.booleans()),
    st.tuples(st.just("exit"), numbers, numbers, reasons),
    st.tuples(st.just("leave"), numbers, reasons),
)


@dataclass
class ModelProcess:
    """What one process should be. Links are in the order they were made, monitors too."""

    alive: bool = True
    traps: bool = False
    links: list[int] = field(default_factory=list)
    monitors: list[int] = field(default_factory=list)  # whom it watches, one entry a ref
    heard: list[tuple[object, ...]] = field(default_factory=list)
    reason: str | None = None


class Model:
    """The rules, with ends spread breadth first: a signal ends its target in that one's own turn."""

    def __init__(self):
        self.all = [ModelProcess() for _ in range(PROCESSES)]
        self.dying: deque[tuple[int, str]] = deque()
        self.watchers: list[list[int]] = [[] for _ in range(PROCESSES)]  # per target: who, oldest first

    def step(self, name, who, *rest):
        me = self.all[who]
        if not me.alive:
            return
        getattr(self, "do_" + name)(who, me, *rest)
        while self.dying:
            number, reason = self.dying.popleft()
            if self.all[number].alive:
                self.end(number, reason)

    def do_link(self, who, me, other):
        if other == who:
            return
        if not self.all[other].alive:
            if me.traps:
                me.heard.append(("exit", other, "noproc"))
            return
        for one, two in ((who, other), (other, who)):
            if two not in self.all[one].links:
                self.all[one].links.append(two)

    def do_unlink(self, who, me, other):
        if other in me.links:
            me.links.remove(other)
            self.all[other].links.remove(who)

    def do_monitor(self, who, me, other):
        if self.all[other].alive:
            me.monitors.append(other)
            self.watchers[other].append(who)
        else:
            me.heard.append(("down", other, "noproc"))

    def do_demonitor(self, who, me, other):
        if other in me.monitors:
            me.monitors.remove(other)
            self.watchers[other].remove(who)

    def do_trap(self, who, me, flag):
        me.traps = flag

    def do_send(self, who, me, other):
        if self.all[other].alive:
            self.all[other].heard.append(("message", who))

    def do_leave(self, who, me, reason):
        self.dying.append((who, reason))

    def do_exit(self, who, me, other, reason):
        target = self.all[other]
        if not target.alive:
            return
        if reason == "kill":
            self.end(other, "killed")
        elif target.traps:
            target.heard.append(("exit", who, reason))
        elif reason != "normal" or who == other:
            self.dying.append((other, reason))

    def end(self, number, reason):
        me = self.all[number]
        me.alive, me.reason = False, reason
        links, me.links = me.links, []
        for target in me.monitors:
            self.watchers[target].remove(number)
        for other in links:
            linked = self.all[other]
            linked.links.remove(number)
            if linked.traps:
                linked.heard.append(("exit", number, reason))
            elif reason != "normal" and not self.is_dying(other):
                self.dying.append((other, reason))
        watchers, self.watchers[number] = self.watchers[number], []
        for watcher in watchers:
            self.all[watcher].monitors.remove(number)
            if not self.is_dying(watcher):  # else the Down comes behind its exit signal
                self.all[watcher].heard.append(("down", number, reason))

    def is_dying(self, number):
        return number in [dying for dying, _ in self.dying]


async def puppet(number, pids, heard):
    """Do as it is told and write down what it hears."""
    refs = []
    while True:
        match await receive():
            case Exit(pid, reason):
                heard.append(("exit", pids.index(pid), reason))
            case Down(ref, pid, reason):
                refs = [(target, r) for target, r in refs if r is not ref]
                heard.append(("down", pids.index(pid), reason))
            case ("message", sender):
                heard.append(("message", sender))
            case ("link", other):
                try:
                    link(pids[other])
                except NoSuchProcess:
                    pass  # what link does for one that does not trap exits
            case ("unlink", other):
                unlink(pids[other])
            case ("monitor", other):
                refs.append((other, monitor(pids[other])))
            case ("demonitor", other):
                for index, (target, ref) in enumerate(refs):
                    if target == other:
                        assert demonitor(ref)
                        del refs[index]
                        break
            case ("trap", flag):
                trap_exit(flag)
            case ("send", other):
                pids[other] << ("message", number)
            case ("exit", other, reason):
                exit(pids[other], reason)
            case ("leave", reason):
                raise ProcessExit(reason)


async def watch(pids, reasons):
    """Write down with which reason each of `pids` ends."""
    refs = {monitor(pid): number for number, pid in enumerate(pids)}
    while True:
        down = await receive(Down)
        reasons[refs[down.ref]] = down.reason


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, max_size=40))
def test_random_programs_do_what_the_model_says(program):
    """After each step: who lives, who ended with which reason, and what each has heard, in order."""
    runtime = TestRuntime(ManualClock())
    model = Model()
    pids, heards, reasons = [], [[] for _ in range(PROCESSES)], {}
    pids += [runtime.spawn(puppet, number, pids, heards[number]) for number in range(PROCESSES)]
    runtime.spawn(watch, list(pids), reasons)
    runtime.run_until_idle()
    try:
        for name, who, *rest in program:
            model.step(name, who, *rest)
            pids[who] << (name, *rest)
            runtime.run_until_idle()

            assert [pid.process is not None for pid in pids] == [each.alive for each in model.all]
            assert heards == [each.heard for each in model.all]
            assert reasons == {n: each.reason for n, each in enumerate(model.all) if not each.alive}
    finally:
        runtime.shutdown()
        runtime.close()
