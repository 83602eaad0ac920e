"""Child specs: what is refused, what is filled in, and what may be started."""

from __future__ import annotations

import functools

import pytest

from helpers.servers import Recorder, wait_for_ever
from midflight import (
    ChildSpec,
    InitFailed,
    Registry,
    Supervisor,
    call,
    is_alive,
    process_info,
    receive,
    spawn,
    spawn_link,
    stop,
    trap_exit,
    whereis,
)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"id": []}, TypeError, "id must be a hashable value"),
        ({"id": ([],)}, TypeError, "id must be a hashable value"),
        ({"start": "wait_for_ever"}, TypeError, "start must be a GenServer class"),
        ({"start": None}, TypeError, "start must be"),
        ({"args": [1]}, TypeError, r"args must be a tuple; for one argument: \(argument,\), not \[1\]"),
        ({"args": 1}, TypeError, "args must be a tuple"),
        ({"restart": "always"}, ValueError, "restart must be one of .*'transient'.*, not 'always'"),
        ({"type": "boss"}, ValueError, "type must be one of .*'supervisor'"),
        ({"shutdown": -1}, ValueError, 'shutdown must be seconds >= 0, "brutal_kill" or "infinity", not -1'),
        ({"shutdown": "never"}, ValueError, "shutdown must be"),
        ({"shutdown": True}, ValueError, "shutdown must be"),
        ({"start": lambda: None, "name": "x"}, ValueError, "name must be None with a plain function"),
    ],
)
def test_a_bad_spec_is_refused(options, error, text):
    """The error names the child, the field, what is allowed, and what was given; nothing was started."""
    with pytest.raises(error, match=text) as caught:
        ChildSpec(**{"id": "c", "start": wait_for_ever, **options})

    assert str(caught.value).endswith("; nothing was started")


@pytest.mark.parametrize(
    ("options", "shutdown"),
    [
        ({}, 5.0),
        ({"type": "supervisor"}, "infinity"),
        ({"shutdown": 1}, 1),
        ({"shutdown": "brutal_kill"}, "brutal_kill"),
    ],
)
def test_the_time_to_shut_down(options, shutdown):
    """By default 5 s for a worker, and for a supervisor as long as it takes."""
    assert ChildSpec("c", wait_for_ever, **options).shutdown == shutdown


async def pid_of(spec):
    """Start a supervisor with one child and return the child's pid."""
    supervisor = await Supervisor.start_link([spec])
    ((_, pid, _),) = await Supervisor.which_children(supervisor)
    return pid


def start_plain():
    return spawn_link(wait_for_ever)


def start_unlinked():
    return spawn(wait_for_ever)


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


class Holder:
    async def run(self):
        await wait_for_ever()


@pytest.mark.parametrize(
    "start",
    [
        wait_for_ever,
        Holder().run,
        decorated(wait_for_ever),
        functools.partial(wait_for_ever),
        start_plain,
        start_unlinked,
        lambda: start_plain(),
        Recorder,
        Recorder.start_link,
        functools.partial(Recorder.start_link, []),
        lambda: Recorder.start_link(),
        lambda: Recorder.start(),
        lambda: Supervisor.start_link([]),
    ],
)
def test_what_may_be_started(runtime, start):
    """Classes and their start_link, async functions however wrapped, functions that return a pid; all are linked."""

    async def main():
        pid = await pid_of(ChildSpec("c", start))
        return is_alive(pid), len(process_info(pid)["links"])

    assert runtime.run(main) == (True, 1)


def test_what_is_started_keeps_its_wrapping(runtime):
    """A function that was wrapped in passing has the name of what is in it, and is not taken for that."""
    steps = []

    def noted(function):
        @functools.wraps(function)
        def wrapper(*args):
            steps.append("wrapped")
            return function(*args)

        return wrapper

    async def main():
        pid = await pid_of(ChildSpec("c", noted(wait_for_ever)))
        return is_alive(pid)

    assert runtime.run(main)
    assert steps == ["wrapped"]


def test_arguments_are_passed(runtime):
    """To a class and to an async function."""
    heard = []

    async def worker(*args):
        heard.append(args)
        await receive()

    async def main():
        pid = await pid_of(ChildSpec("c", Recorder, (["told"],)))
        await pid_of(ChildSpec("c", worker, (1, 2)))
        return await call(pid, "heard")

    assert runtime.run(main) == ["told"]
    assert heard == [(1, 2)]


def test_a_child_may_have_a_name(runtime):
    """A class and an async function; a registry's name too."""

    async def main():
        await Registry.start_link("names")
        names = Registry("names")
        children = [
            ChildSpec("a", Recorder, name="server"),
            ChildSpec("b", wait_for_ever, name="loop"),
            ChildSpec("c", Recorder, name=names.via("server")),
            ChildSpec("d", wait_for_ever, name=names.via("loop")),
            ChildSpec("e", Registry, ("more names",)),
        ]
        supervisor = await Supervisor.start_link(children)
        pids = [child.pid for child in await Supervisor.which_children(supervisor)]
        await call(names.via("server"), "alive")
        found = [whereis("server"), whereis("loop"), names.whereis("server"), names.whereis("loop")]
        return pids == [*found, whereis("more names")]

    assert runtime.run(main)


@pytest.mark.parametrize("start", [lambda: 5, lambda: "pid"])
def test_a_start_that_returns_no_pid_fails(runtime, start):
    """The error says what it returned."""

    async def main():
        trap_exit(True)
        with pytest.raises(InitFailed) as caught:
            await Supervisor.start_link([ChildSpec("c", start)])
        return caught.value

    error = runtime.run(main)
    assert isinstance(error.__cause__, TypeError)
    assert "start must return a Pid" in str(error.__cause__)


def test_a_start_may_want_no_process(runtime):
    """None of a function: the child is there, and does not run."""

    async def main():
        supervisor = await Supervisor.start_link([ChildSpec("c", lambda: None)])
        children = await Supervisor.which_children(supervisor)
        await stop(supervisor)
        return children

    assert runtime.run(main) == [("c", None, "worker")]
