"""Dynamic supervisors, and partitions: children by their pids, and by a key."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.servers import refused, settle, wait_for_ever
from midflight import (
    ChildError,
    ChildSpec,
    DynamicSupervisor,
    PartitionSupervisor,
    Pid,
    ProcessExit,
    RegistrationError,
    Supervisor,
    call,
    exit,
    is_alive,
    receive,
    trap_exit,
)
from midflight.kernel import ManualClock
from midflight.observer import tree
from midflight.testing import TestRuntime


async def mortal():
    """End with the reason of ("die", reason)."""
    _, reason = await receive(("die", ...))
    raise ProcessExit(reason)


@pytest.mark.parametrize("request_of", [Supervisor.restart_child, Supervisor.delete_child, Supervisor.terminate_child])
def test_there_are_no_ids_to_ask_for(runtime, request_of):
    """The id of a spec is only shown."""

    async def main():
        rooms = await DynamicSupervisor.start_link()
        await Supervisor.start_child(rooms, ChildSpec("room", wait_for_ever))
        return await refused(request_of(rooms, "room"))

    assert runtime.run(main) == "dynamic"


def test_a_class_of_its_own(runtime):
    """With its limit as an attribute."""

    class Rooms(DynamicSupervisor):
        max_children = 1

        def init(self, name):
            self.name = name

    async def main():
        rooms = await Rooms.start_link("all")
        await Supervisor.start_child(rooms, ChildSpec("room", wait_for_ever))
        with pytest.raises(ChildError, match="it has 1 already"):
            await Supervisor.start_child(rooms, ChildSpec("room", wait_for_ever))

    runtime.run(main)


def test_its_init_returns_no_children(runtime):
    """They are added one by one."""

    class Rooms(DynamicSupervisor):
        def init(self):
            return [ChildSpec("room", wait_for_ever)]

    async def main():
        trap_exit(True)
        with pytest.raises(TypeError, match="start_child adds them"):
            await Rooms.start_link()

    runtime.run(main)


@pytest.mark.parametrize("most", [-1, 1.5, "many", True])
def test_a_wrong_limit_starts_nothing(runtime, most):
    """It is a whole number, or None."""

    async def main():
        with pytest.raises(ValueError, match="max_children must be a whole number >= 0 or None"):
            DynamicSupervisor.start_link(max_children=most)

    runtime.run(main)


def test_the_tree_shows_its_children(runtime):
    """Each under it, without an id."""

    async def main():
        rooms = await DynamicSupervisor.start_link()
        await Supervisor.start_child(rooms, ChildSpec("room", wait_for_ever))
        lines, _ = tree(runtime.scheduler, 100)
        return [(line.child.id, line.child.state) for line in lines if line.child is not None]

    assert runtime.run(main) == [(None, "running")]


kinds = st.sampled_from(["permanent", "transient", "temporary"])
reasons = st.sampled_from(["normal", "shutdown", "boom", "kill"])
numbers = st.integers(0, 5)
steps = st.one_of(
    st.tuples(st.just("start"), kinds),
    st.tuples(st.just("fail")),
    st.tuples(st.just("die"), numbers, reasons),
    st.tuples(st.just("terminate"), numbers),
)


class Model:
    """The children that there should be, by number, as long as no more than `intensity` have been started again."""

    def __init__(self, most, intensity):
        self.most, self.intensity = most, intensity
        self.children = {}
        self.count = self.restarts = 0

    @property
    def is_over(self):
        return self.restarts > self.intensity

    def start(self, kind):
        if len(self.children) >= self.most:
            return "max_children"
        self.children[self.count] = kind
        self.count += 1
        return "ok"

    def die(self, number, reason):
        kind = self.children[number]
        if kind == "permanent" or (kind == "transient" and reason in ("boom", "kill")):
            self.restarts += 1
        else:
            del self.children[number]
        if self.is_over:
            self.children.clear()


async def follow(model, program):
    """Do the steps of a program with a supervisor and with the model; they must agree after each."""
    trap_exit(True)
    supervisor = await DynamicSupervisor.start_link(max_children=model.most, intensity=model.intensity)
    everyone: list[Pid] = []
    for kind, *rest in program:
        running = list(model.children)
        if kind == "start":
            assert await outcome(supervisor, ChildSpec("x", mortal, restart=rest[0])) == model.start(rest[0])
        elif kind == "fail":
            said = "max_children" if len(running) >= model.most else "ZeroDivisionError"
            assert await outcome(supervisor, ChildSpec("x", lambda: 1 / 0)) == said
        elif running:
            number = running[rest[0] % len(running)]
            at = [child.pid for child in await Supervisor.which_children(supervisor)][running.index(number)]
            if kind == "terminate":
                await Supervisor.terminate_child(supervisor, at)
                del model.children[number]
            elif rest[1] == "kill":
                exit(at, "kill")
                model.die(number, "kill")
            else:
                at << ("die", rest[1])
                model.die(number, rest[1])
            await settle()
            assert not is_alive(at)
        assert is_alive(supervisor) is not model.is_over
        if model.is_over:
            assert not any(map(is_alive, everyone))
            return
        found = await Supervisor.which_children(supervisor)
        everyone += [child.pid for child in found]
        assert [child.id for child in found] == [None] * len(model.children)
        assert all(is_alive(child.pid) for child in found)
        specs = [(await Supervisor.get_childspec(supervisor, child.pid)).restart for child in found]
        assert specs == list(model.children.values())


async def outcome(supervisor, spec):
    """Return the outcome of a start, as the model says it."""
    try:
        await Supervisor.start_child(supervisor, spec)
    except ChildError as error:
        return error.reason
    except ZeroDivisionError as error:
        return type(error).__name__
    return "ok"


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 4), st.integers(0, 3), st.lists(steps, max_size=25))
def test_any_program_of_starts_and_ends_does_what_the_model_says(most, intensity, program):
    """Children, their order and their rules; the limit; and the end after too many restarts."""
    runtime = TestRuntime(ManualClock())
    try:
        runtime.run(follow, Model(most, intensity), program)
    finally:
        runtime.close()


def test_a_partition_has_the_arguments_of_its_number(runtime):
    """By with_arguments; without it all have those of the spec."""

    async def echo(*args):
        while True:
            (await receive()) << args

    async def main():
        parted = await PartitionSupervisor.start_link(
            ChildSpec("x", echo, ("all",)), 3, with_arguments=lambda args, number: (*args, number)
        )
        return [
            (await Supervisor.get_childspec(parted, number)).args
            for number in range(PartitionSupervisor.partitions(parted))
        ]

    assert runtime.run(main) == [("all", 0), ("all", 1), ("all", 2)]


def test_the_partition_of_a_word_is_always_the_same(runtime):
    """In this run of Python, and in the next."""

    async def main():
        await PartitionSupervisor.start_link(ChildSpec("x", wait_for_ever), 8, name="parts")
        children = [child.pid for child in await Supervisor.which_children("parts")]
        return [children.index(PartitionSupervisor.via("parts", key).whereis()) for key in ("ada", "bob", 11, -3)]

    assert runtime.run(main) == [0, 0, 3, 3]


def test_a_partition_stays_where_it_is(runtime):
    """One that was deleted leaves its keys to nobody, and a child that was added takes none."""

    async def main():
        await PartitionSupervisor.start_link(ChildSpec("x", wait_for_ever), 3, name="parts")
        before = [PartitionSupervisor.via("parts", key).whereis() for key in range(3)]
        await Supervisor.terminate_child("parts", 1)
        await Supervisor.delete_child("parts", 1)
        await Supervisor.start_child("parts", ChildSpec("more", wait_for_ever))
        after = [PartitionSupervisor.via("parts", key).whereis() for key in range(3)]
        for number in (0, 2, "more"):
            await Supervisor.terminate_child("parts", number)
            await Supervisor.delete_child("parts", number)
        nobody = PartitionSupervisor.via("parts", 5).whereis()
        return after == [before[0], None, before[2]], PartitionSupervisor.partitions("parts"), nobody

    assert runtime.run(main) == (True, 3, None)


def test_a_partition_is_no_name_to_start_by(runtime):
    """It is the child's own."""

    async def main():
        await PartitionSupervisor.start_link(ChildSpec("x", wait_for_ever), 8, name="parts")
        with pytest.raises(RegistrationError, match="nothing was started"):
            PartitionSupervisor.via("parts", 1).claim()

    runtime.run(main)


@pytest.mark.parametrize(
    "wrong",
    [{"partitions": 0}, {"child": "x"}, {"child": ChildSpec("x", wait_for_ever, name="x")}, {"strategy": "none"}],
)
def test_what_cannot_be_parted_starts_nothing(runtime, wrong):
    """At once, in the caller."""

    async def main():
        with pytest.raises((TypeError, ValueError), match=r"nothing was started|one name"):
            PartitionSupervisor.start_link(**{"child": ChildSpec("x", wait_for_ever), **wrong})

    runtime.run(main)


def test_a_stranger_is_no_partition_supervisor(runtime):
    """NoSuchName, as of a registry that is not there."""

    async def main():
        with pytest.raises(LookupError):
            await call(PartitionSupervisor.via("nobody", 1), "x")

    runtime.run(main)
