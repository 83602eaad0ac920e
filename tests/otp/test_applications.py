"""Applications: what starts before what, what ends with what, and what is refused."""

from __future__ import annotations

import logging

import pytest

from helpers.servers import settle
from midflight import (
    ApplicationError,
    ChildSpec,
    GenServer,
    NotInProcess,
    ProcessExit,
    Supervisor,
    call,
    code,
    exit,
    is_alive,
    receive,
    self_,
    send,
    spawn,
    spawn_link,
    whereis,
)
from midflight.otp import ApplicationReport, application
from midflight.otp.application import ApplicationSpec


async def ends_on_word():
    """End with the reason that ("end", reason) says."""
    _, reason = await receive(("end", ...))
    raise ProcessExit(reason)


class Tree:
    """A callback module whose tree is one process, registered as the argument."""

    async def start(kind, name):
        return await Supervisor.start_link([ChildSpec(name, ends_on_word, name=name)], intensity=0)


class Plain:
    """A callback module whose tree is a plain process."""

    def start(kind, name):
        return spawn_link(ends_on_word, name=name)


def load(name, module=Plain, *needs, **options):
    application.load(ApplicationSpec(name, module, name, needs, **options))


def running():
    return [each.name for each in application.which_applications()]


@pytest.mark.parametrize(
    ("restart", "reason", "left"),
    [
        ("permanent", "normal", []),
        ("permanent", "shutdown", []),
        ("transient", "shutdown", []),
        ("transient", "normal", ["log", "store"]),
        ("temporary", "boom", ["log", "store"]),
    ],
)
def test_the_end_of_an_application_stops_all_others_if_it_says_so(runtime, caplog, restart, reason, left):
    """OTP: a permanent one always, a transient one unless it has ended with normal, a temporary one never."""
    halted = []

    async def main():
        for name in ("store", "log", "desk"):
            load(name, restart=restart)
            await application.start(name, "temporary" if name != "desk" else None)
        application.on_halt(runtime.scheduler, lambda: halted.append(running()))
        send("desk", ("end", reason))
        await settle()
        return running()

    assert runtime.run(main) == left
    assert halted == ([] if left else [[]])
    reports = [record for record in caplog.records if hasattr(record, "report")]
    assert [record.report for record in reports] == [ApplicationReport("desk", reason, restart)] * bool(reports)
    assert (left != [] and reason == "normal") or reports[0].levelno == logging.ERROR


def test_the_last_one_started_is_stopped_first(runtime):
    """So that what an application needs runs as long as it does."""
    order = []

    class Told(Plain):
        def stop(state):
            order.append((application.get_application(), running()))

    async def main():
        for name in ("a", "b", "c"):
            load(name, Told)
            await application.start(name)
        await application.stop_all()
        return whereis("a"), whereis("c")

    assert runtime.run(main) == (None, None)
    assert order == [("c", ["b", "a"]), ("b", ["a"]), ("a", [])]


def test_a_failure_stops_what_was_started_for_it(runtime):
    """OTP: ensure_all_started leaves nothing behind."""

    class Fails:
        def start(kind, args):
            raise OSError("no disk")

    async def main():
        load("kept")
        load("store")
        load("desk", Fails, "kept", "store")
        await application.start("kept")
        with pytest.raises(ApplicationError, match=r"application desk: OSError\('no disk'\)") as raised:
            await application.ensure_all_started("desk")
        return raised.value.__cause__, running()

    cause, left = runtime.run(main)

    assert isinstance(cause, OSError)
    assert left == ["kept"]


def test_a_circle_is_refused(runtime):
    """Nothing of it is started."""

    async def main():
        load("a", Plain, "b")
        load("b", Plain, "a")
        with pytest.raises(ApplicationError, match="a -> b -> a"):
            await application.ensure_all_started("a")
        return running()

    assert runtime.run(main) == []


def test_one_that_needs_an_unknown_one_is_refused(runtime):
    """By the name of the unknown one."""

    async def main():
        load("a", Plain, "nobody")
        with pytest.raises(ApplicationError) as raised:
            await application.ensure_all_started(["a"])
        return raised.value.application, raised.value.reason

    assert runtime.run(main) == ("nobody", ("not_loaded", "nobody"))


def test_two_who_start_it_at_once_both_wait_for_it(runtime):
    """OTP: the second request joins the first."""
    order = []

    class Slow(Plain):
        async def start(kind, name):
            await receive("go on", timeout=None)
            return Plain.start(kind, name)

    async def starter(number):
        await application.start("a")
        order.append(number)

    async def main():
        load("a", Slow)
        for number in (1, 2):
            spawn(starter, number)
        await settle()
        order.append([each.status for each in application.states(runtime.scheduler)])
        with pytest.raises(ApplicationError, match="not_started"):
            await application.stop("a")
        for process in list(runtime.scheduler.processes.values()):
            process.pid << "go on"
        await settle()
        return order[0], sorted(order[1:])

    assert runtime.run(main) == (["starting"], [1, 2])


def test_the_kill_of_the_controller_ends_all_applications(runtime):
    """They can be started again, as they are loaded still."""

    async def main():
        load("a", Tree)
        await application.start("a")
        before = whereis("a")
        exit(whereis("application_controller"), "kill")
        await settle()
        assert not is_alive(before)
        await application.start("a")
        return running(), is_alive(whereis("a"))

    assert runtime.run(main) == (["a"], True)


def test_none_is_listed_as_running_once_the_controller_was_killed(runtime):
    """Before a new one is asked for anything, too."""

    async def main():
        load("a")
        await application.start("a")
        exit(whereis("application_controller"), "kill")
        await settle()
        states = [(each.name, each.status) for each in application.states(runtime.scheduler)]
        return running(), application.get_supervisor("a"), states

    assert runtime.run(main) == ([], None, [("a", "loaded")])


def test_the_kill_of_a_master_ends_its_application(runtime):
    """As the end of its tree does."""

    async def main():
        load("a", Tree)
        await application.start("a")
        (master,) = (each for each in runtime.scheduler.processes.values() if "Master" in each.initial_call)
        exit(master.pid, "kill")
        await settle()
        return running(), whereis("a")

    assert runtime.run(main) == ([], None)


def test_callbacks_are_those_of_the_current_version(runtime, project, monkeypatch):
    """They are looked up in the module at each call; one that is not loaded is loaded for it."""
    monkeypatch.syspath_prepend(project.root)
    text = "from midflight import spawn_link, receive\n"
    text += "def start(kind, said): return spawn_link(wait), said\n"
    text += "async def wait(): await receive('never')\n"
    text += "def stop(said): said.append(1)\n"
    project.write("desk.py", text)
    said = []

    async def main():
        application.load(ApplicationSpec("desk", "desk", said))
        await application.start("desk")
        code.load("desk", text.replace("append(1)", "append(2)"))
        await application.stop("desk")

    runtime.run(main)

    assert said == [2]


def test_a_stop_that_raises_stops_all_the_same(runtime, caplog):
    """It is logged."""

    class Raises(Plain):
        def prep_stop(state):
            raise LookupError("no state")

        def stop(state):
            raise LookupError("no state either")

    async def main():
        load("a", Raises)
        await application.start("a")
        await application.stop("a")
        return running(), whereis("a")

    assert runtime.run(main) == ([], None)
    assert "prep_stop of the application a" in caplog.text
    assert "stop of the application a" in caplog.text


def test_the_tree_of_a_phase_that_fails_is_stopped(runtime):
    """In good order: its servers terminate."""
    ended = []

    class Server(GenServer):
        def terminate(self, reason):
            ended.append(reason)

    class Module:
        def start(kind, args):
            return Supervisor.start_link([ChildSpec("server", Server)])

        def start_phase(phase, kind, args):
            raise OSError("cold")

    async def main():
        load("a", Module, start_phases={"warm": None})
        with pytest.raises(ApplicationError, match="cold"):
            await application.start("a")
        return application.get_supervisor("a")

    assert runtime.run(main) is None
    assert ended == ["shutdown"]


def test_a_stop_from_within_is_answered_to_nobody(runtime):
    """The process that asks is of the tree that ends; nothing waits for it."""

    class Stops(GenServer):
        async def handle_call(self, request, client):
            await application.stop("a")

    class Module:
        def start(kind, args):
            return Supervisor.start_link([ChildSpec("server", Stops, name="server")])

    async def main():
        load("a", Module)
        await application.start("a")
        spawn(call, "server", "stop")
        await settle()
        return running()

    assert runtime.run(main) == []


def test_what_is_asked_outside_a_process_is_refused(runtime):
    """Only the plain calls need none."""
    application.load(ApplicationSpec("a"))

    with pytest.raises(NotInProcess):
        application.start("a").send(None)

    assert [each.name for each in application.loaded_applications()] == ["a"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"name": ""}, "the name of an application must be a name, not empty"),
        ({"name": 1}, "the name of an application must be a str"),
        ({"applications": "store"}, r"the applications of an application must be names, such as \[\"store\"\]"),
        ({"env": {1: 2}}, "the env of an application must be a dict with str keys"),
        ({"start_phases": ["warm"]}, "the start_phases of an application must be pairs"),
        ({"restart": "always"}, "restart must be one of"),
        ({"module": ""}, "the module of an application must be the name of a module"),
    ],
)
def test_a_wrong_spec_is_refused(options, error):
    """With the value, and what is allowed."""
    with pytest.raises((TypeError, ValueError), match=error):
        ApplicationSpec(**{"name": "a", **options})


def test_an_unknown_key_of_a_table_is_refused():
    """It names the keys that there are."""
    with pytest.raises(ValueError, match=r"an application has no modul; .* It takes module, args, applications"):
        application.spec_of("a", {"modul": "a"})


def test_get_application_needs_no_application(runtime):
    """None for a process that is of none, and for a dead one."""

    async def main():
        return application.get_application(), application.get_application(self_())

    assert runtime.run(main) == (None, None)
