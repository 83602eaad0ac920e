"""System messages: suspend, look, replace, change code. Statements H37 to H40."""

from __future__ import annotations

import sys

import pytest

from helpers.servers import Recorder, advance_later, end_of, wait_for_ever
from helpers.versions import text_of
from midflight import (
    CallError,
    CallTimeout,
    CodeChangeError,
    GenServer,
    call,
    cast,
    code,
    is_alive,
    process_info,
    processes,
    receive,
    self_,
    sleep,
    spawn,
    spawn_link,
    stop,
)
from midflight.otp import sys as otp_sys
from midflight.otp.calls import system_call


@pytest.fixture
def tally(project):
    """Load version 1 of the server and give its module."""
    project.load("tally_v1")
    return sys.modules["tally"]


def load(project, version):
    """Load another version of the server."""
    return code.load(project.write("tally.py", text_of(version)))


async def ask_and_tell(pid, top):
    """Call a server and send its reply to `top`."""
    top << ("answer", await call(pid, "get", timeout=None))


def test_a_suspended_server_lets_messages_wait(project, runtime):
    """H37: until it is resumed; then they come in their order."""

    async def main():
        pid = await Recorder.start()
        await otp_sys.suspend(pid)
        pid << "one"
        cast(pid, "two")
        spawn(ask_and_tell, pid, self_())
        await sleep(0)
        waiting = process_info(pid)["message_queue_len"], list((await otp_sys.get_state(pid)).heard)
        await otp_sys.resume(pid)
        await receive()
        return waiting, await call(pid, "heard")

    assert runtime.run(main) == ((3, []), [("info", "one"), ("cast", "two")])


def test_change_code_changes_the_state(project, tally, runtime):
    """H37: code_change gets the old vsn and extra; calls made meanwhile wait and see the new state."""

    async def main():
        pid = await tally.Tally.start(7)
        await otp_sys.suspend(pid)
        spawn(ask_and_tell, pid, self_())
        await sleep(0)
        load(project, "tally_v2")
        before = await receive(timeout=0, default="nothing came")
        await otp_sys.change_code(pid, "tally", 1, "extra")
        log = (await otp_sys.get_state(pid)).log
        suspended = await receive(timeout=0, default="nothing came")
        await otp_sys.resume(pid)
        return before, log, suspended, await receive()

    assert runtime.run(main) == (
        "nothing came",
        [("code_change", 1, "extra")],
        "nothing came",
        ("answer", (2, {"sum": 7})),
    )


def test_a_load_while_suspended_needs_no_code_change(project, tally, runtime):
    """H36: after resume the new callbacks run with the old state, as after any load."""

    async def main():
        pid = await tally.Tally.start(7)
        await otp_sys.suspend(pid)
        load(project, "tally_v2")
        await otp_sys.resume(pid)
        return await call(pid, "get")

    assert runtime.run(main) == (2, 7)


def test_a_failed_code_change_keeps_the_state_and_the_suspension(project, tally, runtime):
    """H38: the error has the reason; what code_change did before it raised was done to a copy."""

    async def main():
        pid = await tally.Tally.start(7)
        await call(pid, "first")
        await otp_sys.suspend(pid)
        load(project, "tally_that_fails")
        with pytest.raises(CodeChangeError, match="its state is as it was") as caught:
            await otp_sys.change_code(pid, tally, 1, "too bad")
        spawn(ask_and_tell, pid, self_())
        await sleep(0)
        still = await receive(timeout=0, default="suspended")
        state = await otp_sys.get_state(pid)
        load(project, "tally_v2")
        await otp_sys.change_code(pid, tally, 1)
        await otp_sys.resume(pid)
        return caught.value.__cause__, still, (state.total, state.log), await receive()

    cause, still, state, answer = runtime.run(main)
    assert isinstance(cause, ValueError)
    assert still == "suspended"
    assert state == (7, ["first"])
    assert answer == ("answer", (2, {"sum": 7}))
    assert runtime.crashes == []


def test_change_code_needs_a_suspended_process(project, tally, runtime):
    """H39: the error says so; nothing is changed."""

    async def main():
        pid = await tally.Tally.start(7)
        load(project, "tally_v2")
        with pytest.raises(CodeChangeError, match=r"suspend\(\) it first") as caught:
            await otp_sys.change_code(pid, "tally", 1)
        return caught.value.reason, await call(pid, "get")

    assert runtime.run(main) == ("not suspended", (2, 7))


def test_change_code_of_another_module_is_refused(project, tally, runtime):
    """The class of the server must be one of the module's, or a subclass of one."""

    async def main():
        pid = await tally.Tally.start(7)
        await otp_sys.suspend(pid)
        with pytest.raises(CodeChangeError, match="no class of 'other'"):
            await otp_sys.change_code(pid, "other", 1)
        await otp_sys.resume(pid)
        return await call(pid, "get")

    assert runtime.run(main) == (1, 7)


def test_a_class_without_code_change_keeps_its_state(project, tally, runtime):
    """H40: as nobody checks the vsn, so nobody needs the callback."""

    async def main():
        pid = await tally.Tally.start(7)
        await otp_sys.suspend(pid)
        await otp_sys.change_code(pid, "tally", "any vsn")
        await otp_sys.resume(pid)
        return await call(pid, "get")

    assert runtime.run(main) == (1, 7)


def test_replace_state_goes_by_a_function(runtime):
    """It runs in the server's process, between two messages."""

    def twice(server):
        assert self_() in processes()
        server.heard = server.heard * 2
        return server

    async def main():
        pid = await Recorder.start(["once"])
        server = await otp_sys.replace_state(pid, twice)
        return list(server.heard), await call(pid, "heard")

    assert runtime.run(main) == (["once", "once"], ["once", "once"])


def test_replace_state_needs_a_server(runtime):
    """Whatever else the function returns or raises, the server goes on with what it has."""

    async def main():
        pid = await Recorder.start(["kept"])
        with pytest.raises(TypeError, match="must return a server object, not None"):
            await otp_sys.replace_state(pid, lambda server: None)
        with pytest.raises(ZeroDivisionError):
            await otp_sys.replace_state(pid, lambda server: 1 / 0)
        return await call(pid, "heard")

    assert runtime.run(main) == ["kept"]


def test_a_suspended_server_obeys_its_end(runtime):
    """stop, an exit signal, and the exit of a parent."""

    async def parent(top):
        pid = await Recorder.start_link([])
        await call(pid, "trap")
        top << pid
        await receive("end")

    async def main():
        heard = [[], []]
        stopped, signalled = await Recorder.start(heard[0]), await Recorder.start(heard[1])
        starter = spawn(parent, self_())
        child = await receive()
        for pid in (stopped, signalled, child):
            await otp_sys.suspend(pid)
        await stop(stopped, "enough")
        reasons = [await end_of(signalled, "signal")]
        starter << "end"
        reasons.append(await end_of(child))
        return reasons, heard

    reasons, heard = runtime.run(main)
    assert reasons == ["signal", "normal"]
    assert heard == [[("terminate", "enough")], [("terminate", "signal")]]


def test_suspending_twice_is_suspending_once(runtime):
    """And resuming what runs is nothing."""

    async def main():
        pid = await Recorder.start()
        await otp_sys.resume(pid)
        await otp_sys.suspend(pid)
        await otp_sys.suspend(pid)
        await otp_sys.resume(pid)
        return await call(pid, "answered")

    assert runtime.run(main) == "answered"


def test_system_messages_to_nobody_fail(runtime):
    """As calls do."""

    async def main():
        with pytest.raises(CallError) as caught:
            await otp_sys.suspend("nobody")
        return caught.value.reason

    assert runtime.run(main) == "noproc"


def test_a_plain_process_answers_no_system_message(runtime, clock):
    """It is a message like others to it."""

    async def main():
        pid = spawn_link(wait_for_ever)
        advance_later(clock, 5)
        with pytest.raises(CallTimeout):
            await otp_sys.get_state(pid)
        return is_alive(pid)

    assert runtime.run(main)


def test_an_unknown_system_request_is_refused(runtime):
    """The process goes on."""

    async def main():
        pid = await Recorder.start()
        return await system_call(pid, ("dance",)), await call(pid, "alive")

    assert runtime.run(main) == (("error", "('dance',) is no system request"), "alive")


def test_a_server_can_be_of_a_class_that_has_no_module(runtime):
    """Made by hand, in no module that is loaded: it has one version for ever."""
    made = type("Made", (GenServer,), {"__module__": "no.such.module", "handle_call": lambda self, request, _: request})

    async def main():
        return await call(await made.start(), "answer")

    assert runtime.run(main) == "answer"
