"""Random programs of starts, stops and ends of applications do what a model of OTP's rules says."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.servers import settle
from midflight import ApplicationError, ProcessExit, is_alive, receive, spawn_link, whereis
from midflight.kernel import ManualClock
from midflight.otp import application
from midflight.otp.application import ApplicationSpec
from midflight.testing import TestRuntime

NAMES = "abcde"

names = st.sampled_from(NAMES)
restarts = st.sampled_from(["permanent", "transient", "temporary"])
reasons = st.sampled_from(["normal", "shutdown", "boom", "kill"])
starts = st.tuples(st.sampled_from(["start", "ensure"]), names, restarts)
ends = st.tuples(st.just("end"), names, reasons)
others = st.tuples(st.sampled_from(["stop", "unload", "load"]), names)
steps = st.one_of(starts, starts, ends, others)


class Model:
    """The applications that there should be: those that are loaded, and those that run, in the order of their start.

    `needs` are those that each needs, which come before it in NAMES: so there is no circle.
    """

    def __init__(self, needs):
        self.needs = needs
        self.loaded = set(NAMES)
        self.running = {}

    def start(self, name, restart):
        if name not in self.loaded:
            return "not_loaded", name
        if name in self.running:
            return "already_started", name
        missing = [each for each in self.needs[name] if each not in self.running]
        if missing:
            return "not_started", missing[0]
        self.running[name] = restart
        return "ok"

    def ensure(self, name, restart):
        order = []

        def add(name):
            """Say which of those that are needed is not loaded, None if all are; put them into the order."""
            if name in order:
                return None
            if name not in self.loaded:
                return name
            for each in self.needs[name]:
                if (unknown := add(each)) is not None:
                    return unknown
            order.append(name)
            return None

        if (unknown := add(name)) is not None:
            return "not_loaded", unknown
        started = [each for each in order if each not in self.running]
        for each in started:
            assert self.start(each, restart) == "ok"
        return started

    def stop(self, name):
        return "ok" if self.running.pop(name, None) else ("not_started", name)

    def end(self, name, reason):
        restart = self.running.pop(name, "temporary")
        if restart == "permanent" or (restart == "transient" and reason != "normal"):
            self.running.clear()

    def unload(self, name):
        if name in self.running:
            return "running", name
        if name not in self.loaded:
            return "not_loaded", name
        self.loaded.remove(name)
        return "ok"

    def load(self, name):
        if name in self.loaded:
            return "already_loaded", name
        self.loaded.add(name)
        return "ok"


class Module:
    """The callback module of all: a process under the application's name, that ends as it is told."""

    def start(kind, name):
        return spawn_link(tree, name=name)


async def tree():
    _, reason = await receive(("end", ...))
    raise ProcessExit(reason)


async def follow(model, program):
    """Do the steps of a program with the applications and with the model; they must agree after each."""
    for name in NAMES:
        application.load(spec(model, name))
    for kind, name, *rest in program:
        expected = getattr(model, kind)(name, *rest) if kind != "end" else None
        if kind == "end":
            if name in model.running:
                model.end(name, *rest)
                whereis(name) << ("end", *rest)
                for _ in NAMES:  # each of them may have to stop, one after the other
                    await settle()
        else:
            assert await outcome(model, kind, name, *rest) == expected
        assert [each.name for each in application.which_applications()] == list(model.running)[::-1]
        assert {each.name for each in application.loaded_applications()} == model.loaded
        assert {each for each in NAMES if whereis(each) is not None} == set(model.running)
        assert all(is_alive(application.get_supervisor(each)) for each in model.running)


def spec(model, name):
    return ApplicationSpec(name, Module, name, model.needs[name])


async def outcome(model, kind, name, *rest):
    """Return the outcome of a step, as the model says it."""
    try:
        match kind:
            case "start":
                await application.start(name, *rest)
            case "ensure":
                return await application.ensure_all_started(name, *rest)
            case "stop":
                await application.stop(name)
            case "unload":
                application.unload(name)
            case "load":
                application.load(spec(model, name))
    except ApplicationError as error:
        return error.reason
    return "ok"


needs = st.fixed_dictionaries(
    {
        name: st.lists(st.sampled_from(NAMES[:place]), unique=True).map(tuple) if place else st.just(())
        for place, name in enumerate(NAMES)
    }
)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(needs, st.lists(steps, min_size=10, max_size=20))
def test_any_program_of_starts_and_ends_does_what_the_model_says(needs, program):
    """Who runs, in which order they were started, what is refused, and who ends with whom."""
    runtime = TestRuntime(ManualClock())
    try:
        runtime.run(follow, Model(needs), program)
    finally:
        runtime.close()
