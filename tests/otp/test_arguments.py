"""Wrong arguments to behaviours' functions: an error at once, in the caller; no server, supervisor or registry ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest

from midflight import (
    CallError,
    ChildSpec,
    GenServer,
    Pid,
    Registry,
    Supervisor,
    Task,
    call,
    cast,
    is_alive,
    processes,
    receive,
    reply,
    self_,
    stop,
)
from midflight.otp import sys as otp_sys

NOTHING = r"; nobody was answered|; nothing was |; it runs on"  # in the middle of every message
HUGE = 10**5000  # its repr raises
UNHASHABLE = [[], ([],), {}]


class Echo(GenServer):
    def handle_call(self, request, client):
        return request


class Broken:
    """A name whose registry answers nonsense."""

    def whereis(self):
        return "a pid"


NO_SERVERS: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "int": lambda: 17,
    "huge int": lambda: HUGE,
    "empty str": lambda: "",
    "one": lambda: ("name",),
    "no name": lambda: (17, 18),
    "no node": lambda: ("name", None),
    "three": lambda: ("name", "node", "more"),
    "list": lambda: ["name", "node"],
    "process": lambda: self_().process,
    "mock": lambda: Mock(spec=Pid),
    "class": lambda: Registry,
    "nonsense whereis": Broken,
}


async def cast_to(dest: Any) -> None:
    cast(dest, "message")


TAKE_A_SERVER: dict[str, Callable[[Any], Any]] = {
    "call": lambda dest: call(dest, "request"),
    "cast": cast_to,
    "stop": stop,
    "get_state": otp_sys.get_state,
    "which_children": Supervisor.which_children,
}


@pytest.mark.parametrize("kind", NO_SERVERS)
@pytest.mark.parametrize("function", TAKE_A_SERVER)
def test_what_is_not_a_server_is_refused(runtime, function, kind):
    """OTP: an exit or an error with function_clause."""

    async def main():
        with pytest.raises((TypeError, ValueError)) as caught:
            await TAKE_A_SERVER[function](NO_SERVERS[kind]())
        assert not isinstance(caught.value, CallError)

    runtime.run(main)


NO_TIMEOUTS = {
    "str": "1",
    "bool": True,
    "list": [],
    "negative": -1,
    "nan": float("nan"),
    "huge": HUGE,
}
TAKE_A_TIMEOUT: dict[str, Callable[[Pid, Any], Any]] = {
    "call": lambda pid, timeout: call(pid, "request", timeout=timeout),
    "stop": lambda pid, timeout: stop(pid, timeout=timeout),
    "suspend": lambda pid, timeout: otp_sys.suspend(pid, timeout=timeout),
    "result": lambda _, timeout: Task.start(int).result(timeout),
    "yield_": lambda _, timeout: Task.start(int).yield_(timeout),
    "shutdown": lambda _, timeout: Task.start(int).shutdown(timeout),
    "stream": lambda _, timeout: Task.stream([1], int, timeout=timeout),
    "start": lambda _, timeout: Echo.start(timeout=timeout),
    "start_link": lambda _, timeout: Echo.start_link(timeout=timeout),
}


@pytest.mark.parametrize("kind", NO_TIMEOUTS)
@pytest.mark.parametrize("function", TAKE_A_TIMEOUT)
def test_what_is_not_a_timeout_is_refused(runtime, function, kind):
    """Nothing was sent or started, and no task was unlinked or ended."""

    async def main():
        server = await Echo.start()
        with pytest.raises((TypeError, ValueError), match=NOTHING):
            await TAKE_A_TIMEOUT[function](server, NO_TIMEOUTS[kind])
        assert await call(server, "still there") == "still there"

    runtime.run(main)


@pytest.mark.parametrize("kind", NO_TIMEOUTS)
def test_a_task_with_a_value_refuses_a_wrong_timeout_too(runtime, kind):
    """Whether it had to wait or not."""

    async def main():
        task = Task.start(int)
        assert await task.result() == 0
        with pytest.raises((TypeError, ValueError), match=NOTHING):
            await task.result(NO_TIMEOUTS[kind])

    runtime.run(main)


@pytest.mark.parametrize("client", [None, 17, "client", pytest.param(HUGE, id="huge")])
def test_a_reply_to_what_is_not_a_client_is_refused(runtime, client):
    """It takes what handle_call was given."""

    async def main():
        with pytest.raises(TypeError, match=NOTHING):
            reply(client, "value")

    runtime.run(main)


@pytest.mark.parametrize("name", [17, "", ("name", "node"), b"name", pytest.param(HUGE, id="huge"), Broken()])
@pytest.mark.parametrize(
    "start",
    [
        lambda name: Echo.start(name=name),
        lambda name: Echo.start_link(name=name),
        lambda name: Supervisor.start_link(name=name),
        lambda name: Registry.start_link(name),
        lambda name: ChildSpec("id", Echo, name=name),
    ],
)
def test_what_is_not_a_name_starts_nothing(runtime, start, name):
    """A name is a str, or what a registry's `via` returns."""

    async def main():
        with pytest.raises((TypeError, ValueError), match=NOTHING):
            start(name)
        return len(processes())

    assert runtime.run(main) == 1


@pytest.mark.parametrize("id", UNHASHABLE)
@pytest.mark.parametrize(
    "request_",
    [Supervisor.restart_child, Supervisor.terminate_child, Supervisor.delete_child],
    ids=lambda f: f.__name__,
)
def test_a_child_id_that_cannot_be_one_ends_no_supervisor(runtime, request_, id):
    """It is the caller's error, and the supervisor and its children run on."""

    async def main():
        supervisor = await Supervisor.start([ChildSpec("echo", Echo)])
        with pytest.raises(TypeError, match=NOTHING):
            await request_(supervisor, id)
        return (await Supervisor.which_children(supervisor))[0].id

    assert runtime.run(main) == "echo"


class Hostile:
    """Hashable, and not comparable."""

    def __hash__(self):
        return hash("echo")

    def __eq__(self, other):
        raise RuntimeError("not comparable")


@pytest.mark.parametrize(
    "request_",
    [
        17,
        None,
        (),
        ("no such request",),
        ("terminate_child", []),
        ("terminate_child", Hostile()),
        ("delete_child", Hostile()),
        Hostile(),
        (Hostile(), 1),
    ],
    ids=range(9),
)
def test_no_request_ends_a_supervisor(runtime, request_):
    """What it does not know, or cannot look for, it refuses. OTP: an unknown request is answered {error, badarg}."""

    async def main():
        supervisor = await Supervisor.start([ChildSpec("echo", Echo)])
        await call(supervisor, request_)
        cast(supervisor, request_)
        return len(await Supervisor.which_children(supervisor))

    assert runtime.run(main) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"children": 17},
        {"children": [17]},
        {"children": [pytest]},
        {"strategy": None},
        {"strategy": []},
        {"intensity": True},
        {"intensity": "1"},
        {"intensity": -1},
        {"intensity": 1.5},
        {"period": "5"},
        {"period": None},
        {"period": True},
        {"period": 0},
        {"period": float("nan")},
        {"period": HUGE},
    ],
    ids=lambda options: next(iter(options)),
)
def test_what_cannot_be_a_supervisor_starts_nothing(runtime, options):
    """Each option is checked before anything is started."""

    async def main():
        with pytest.raises((TypeError, ValueError), match=NOTHING):
            Supervisor.start_link(**options)
        return len(processes())

    assert runtime.run(main) == 1


@pytest.mark.parametrize("shutdown", [True, "kill", float("nan"), -1, pytest.param(HUGE, id="huge"), []])
def test_what_is_not_a_shutdown_time_makes_no_child_spec(shutdown):
    """Else the supervisor would fail when it stops the child."""
    with pytest.raises((TypeError, ValueError), match=NOTHING):
        ChildSpec("id", Echo, shutdown=shutdown)


@pytest.mark.parametrize(("items", "function"), [(None, int), (17, int), ([1], None), ([1], "int")])
def test_a_stream_of_nothing_is_refused_at_once(runtime, items, function):
    """Before the loop begins."""

    async def main():
        with pytest.raises(TypeError, match=NOTHING):
            Task.stream(items, function)

    runtime.run(main)


@pytest.mark.parametrize("function", [None, 17, "echo"])
def test_what_is_not_a_function_is_refused(runtime, function):
    """By a task, and by what runs a function in a server."""

    async def main():
        server = await Echo.start()
        for start in (Task.start, Task.start_nolink):
            with pytest.raises(TypeError, match=NOTHING):
                start(function)
        with pytest.raises(TypeError, match=NOTHING):
            await otp_sys.replace_state(server, function)
        return is_alive(server)

    assert runtime.run(main)


@pytest.mark.parametrize("module", [None, 17, Echo])
def test_code_change_for_what_is_not_a_module_is_refused(runtime, module):
    """It takes the module or its name."""

    async def main():
        server = await Echo.start()
        with pytest.raises(TypeError, match=NOTHING):
            await otp_sys.change_code(server, module, None)

    runtime.run(main)


@pytest.mark.parametrize("key", UNHASHABLE)
def test_a_key_that_cannot_be_one_is_refused_by_a_registry(runtime, key):
    """The registry is as it was."""

    async def main():
        await Registry.start_link("rooms")
        rooms = Registry("rooms")
        for function in (rooms.register, rooms.unregister, rooms.lookup, rooms.whereis, rooms.via):
            with pytest.raises(TypeError, match=NOTHING):
                function(key)
        with pytest.raises(TypeError, match=NOTHING):
            rooms.update(key, str)
        return rooms.count()

    assert runtime.run(main) == 0


@pytest.mark.parametrize("pid", [None, 17, "rooms", Mock(spec=Pid)])
def test_the_keys_of_what_is_not_a_pid_are_refused(runtime, pid):
    """A dead process has none; this is not a process."""

    async def main():
        await Registry.start_link("rooms")
        with pytest.raises(TypeError, match=NOTHING):
            Registry("rooms").keys(pid)

    runtime.run(main)


def test_functions_of_a_registry_must_be_functions(runtime):
    """Also where there is nothing to call them with."""

    async def main():
        await Registry.start_link("rooms")
        rooms = Registry("rooms")
        with pytest.raises(TypeError, match=NOTHING):
            rooms.dispatch("nobody", None)
        with pytest.raises(TypeError, match=NOTHING):
            rooms.update("nobody", None)

    runtime.run(main)


def test_a_caller_that_gives_wrong_arguments_hears_no_more_of_it(runtime):
    """No monitor, link or message stays."""

    async def main():
        server = await Echo.start()
        for timeout in NO_TIMEOUTS.values():
            with pytest.raises((TypeError, ValueError)):
                await call(server, "request", timeout=timeout)
        assert not self_().process.monitors
        return await receive(timeout=0, default="nothing")

    assert runtime.run(main) == "nothing"
