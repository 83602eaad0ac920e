"""How servers end, and that terminate runs. Statements P31 and P34."""

from __future__ import annotations

import asyncio

import pytest

from helpers.servers import Recorder, advance_later, end_of, exit_message_of, settle, wait_for_ever
from midflight import (
    CallError,
    CallTimeout,
    Exit,
    GenServer,
    ProcessExit,
    Stop,
    call,
    cast,
    exit,
    is_alive,
    receive,
    self_,
    sleep,
    spawn,
    spawn_monitor,
    stop,
    trap_exit,
)


def test_stop_runs_terminate(runtime):
    """P31: stop waits for the end; the reason is normal by default."""

    async def main():
        heard = []
        pid = await Recorder.start(heard)
        await stop(pid)
        return heard, is_alive(pid)

    assert runtime.run(main) == ([("terminate", "normal")], False)
    assert runtime.crashes == []


def test_stop_takes_a_reason_and_a_name(runtime):
    """Any reason; links and monitors hear it."""

    async def main():
        pid = await Recorder.start(name="recorder")
        ref = spawn_monitor(wait_for_ever)  # another monitor does not confuse it
        trap_exit(True)
        linked = await Recorder.start_link(name="linked")
        await stop("recorder", "enough")
        await stop("linked", "enough")
        exit(ref[0], "kill")
        return is_alive(pid), await exit_message_of(linked)

    lives, message = runtime.run(main)
    assert not lives
    assert message.reason == "enough"


def test_stop_of_nobody_fails(runtime):
    """noproc, as a call."""

    async def main():
        with pytest.raises(CallError) as caught:
            await stop("nobody")
        return caught.value.reason

    assert runtime.run(main) == "noproc"


def test_stop_says_so_if_the_server_ends_otherwise(runtime):
    """terminate that raises gives the process another reason."""

    class Stubborn(GenServer):
        def terminate(self, reason):
            raise KeyError(reason)

    async def main():
        with pytest.raises(CallError) as caught:
            await stop(await Stubborn.start())
        return caught.value.reason

    assert isinstance(runtime.run(main), KeyError)


def test_stop_times_out(runtime, clock):
    """A server that is busy is not waited for longer; it stops when it comes to it."""

    async def main():
        pid, me = await Recorder.start(), self_()
        spawn(ask, pid, me)
        await sleep(0)
        advance_later(clock, 3.0)
        with pytest.raises(CallTimeout):
            await stop(pid, timeout=3)
        alive = is_alive(pid)
        pid << "go on"
        await receive("answered")
        await sleep(0)
        return alive, is_alive(pid), await receive(timeout=0, default="nothing came")

    async def ask(pid, top):
        await call(pid, "wait", timeout=None)
        top << "answered"

    assert runtime.run(main) == (True, False, "nothing came")


def test_a_callback_stops_its_server(runtime):
    """Stop with a reply: terminate runs, then the caller is answered, then the process ends."""

    async def main():
        heard = []
        pid = await Recorder.start(heard)
        answer = await call(pid, ("raise", Stop("done", reply="goodbye")))
        return answer, heard, is_alive(pid)

    assert runtime.run(main) == ("goodbye", [("terminate", "done")], False)
    assert runtime.crashes == []


def test_stop_without_reply_fails_the_call(runtime):
    """The caller gets the reason in a CallError."""

    async def main():
        with pytest.raises(CallError) as caught:
            await call(await Recorder.start(), ("raise", Stop()))
        return caught.value.reason

    assert runtime.run(main) == "normal"


def test_stop_with_an_exception_is_a_crash(runtime):
    """A report is made of it, as of any other."""
    error = ValueError("out of order")

    async def main():
        pid = await Recorder.start()
        cast(pid, ("raise", Stop(error)))
        return await end_of(pid)

    assert runtime.run(main) is error
    assert [report.reason for report in runtime.crashes] == [error]


def test_except_exception_does_not_swallow_stop(runtime):
    """It is no Exception."""

    class Careful(GenServer):
        def handle_call(self, request, client):
            try:
                raise Stop("really", reply="ended")
            except Exception:
                return "swallowed"

    async def main():
        return await call(await Careful.start(), None)

    assert runtime.run(main) == "ended"


def test_a_crash_runs_terminate_and_is_reported(runtime):
    """The report shows the state, the message, and the class as the initial call."""
    error = ZeroDivisionError("division")

    async def main():
        heard = []
        pid = await Recorder.start(heard)
        cast(pid, ("raise", error))
        return await end_of(pid), heard

    reason, heard = runtime.run(main)
    (report,) = runtime.crashes

    assert reason is error
    assert heard[-1] == ("terminate", error)
    assert report.initial_call == "helpers.servers.Recorder.init"
    assert "<Recorder heard=" in report.text()
    assert "('raise', ZeroDivisionError('division'))" in report.text()


def test_an_error_in_terminate_is_the_reason(runtime):
    """What ended the server before is its context."""

    class Clumsy(GenServer):
        def terminate(self, reason):
            raise KeyError("while terminating")

    async def main():
        pid = await Clumsy.start()
        pid << "ignored"
        with pytest.raises(CallError):
            await call(pid, "no handle_call")
        return runtime.crashes[-1].reason

    reason = runtime.run(main)
    assert isinstance(reason, KeyError)
    assert isinstance(reason.__context__, NotImplementedError)


def test_an_exit_signal_runs_terminate(runtime):
    """Here OTP would not: a server that does not trap exits unwinds, and terminate is its finally."""

    async def main():
        heard = []
        pid = await Recorder.start(heard)
        return await end_of(pid, "enough"), heard

    assert runtime.run(main) == ("enough", [("terminate", "enough")])
    assert runtime.crashes == []


def test_a_signal_that_comes_in_the_middle_of_a_callback_ends_it(runtime):
    """The callback is unwound where it waits, then terminate runs, which may wait itself."""
    steps = []

    class Busy(GenServer):
        async def handle_info(self, message):
            try:
                await receive("never")
            finally:
                steps.append("unwound")

        async def terminate(self, reason):
            await sleep(0)
            steps.append(reason)

    async def main():
        pid = await Busy.start()
        pid << "start"
        await sleep(0)
        return await end_of(pid, "enough")

    assert runtime.run(main) == "enough"
    assert steps == ["unwound", "enough"]


def test_terminate_gets_the_reason_of_a_signal_however_it_comes_out(runtime):
    """A TaskGroup wraps it; the reason is the signal's all the same."""

    class Grouped(Recorder):
        async def handle_info(self, message):
            async with asyncio.TaskGroup() as group:
                group.create_task(self.fail_when_cancelled())
                await receive("never")

        async def fail_when_cancelled(self):
            try:
                await asyncio.sleep(1000)
            finally:
                raise KeyError("while unwinding")

    async def main():
        heard = []
        pid = await Grouped.start(heard)
        pid << "start"
        await asyncio.sleep(0)
        await settle()
        return await end_of(pid, "enough"), heard

    assert runtime.run(main) == ("enough", [("terminate", "enough")])


def test_kill_runs_no_terminate(runtime, caplog):
    """As in OTP: nothing of the program runs."""

    async def main():
        heard = []
        pid = await Recorder.start(heard)
        return await end_of(pid, "kill"), heard

    assert runtime.run(main) == ("killed", [])
    assert caplog.text == ""


def test_a_process_exit_in_a_callback_runs_terminate(runtime):
    """P31: exit(Reason) in a callback; no crash report."""

    async def main():
        heard = []
        pid = await Recorder.start(heard)
        cast(pid, ("raise", ProcessExit("gone")))
        return await end_of(pid), heard[-1]

    assert runtime.run(main) == ("gone", ("terminate", "gone"))
    assert runtime.crashes == []


def test_the_exit_of_the_parent_ends_a_trapping_server(runtime):
    """P34: through terminate, with the parent's reason; it is no message to handle_info."""
    heard = []

    async def parent(top):
        pid = await Recorder.start_link(heard)
        await call(pid, "trap")
        top << pid
        await receive("end")
        raise ProcessExit("parent gone")

    async def main():
        other = spawn(parent, self_())
        pid = await receive()
        other << "end"
        return await end_of(pid)

    assert runtime.run(main) == "parent gone"
    assert heard == [("terminate", "parent gone")]


def test_the_normal_exit_of_the_parent_ends_a_trapping_server(runtime):
    """P34: any reason does; a server that does not trap exits lives on, as "normal" is ignored."""
    heard = []

    async def parent(top):
        trapping = await Recorder.start_link(heard)
        await call(trapping, "trap")
        top << (trapping, await Recorder.start_link())

    async def main():
        spawn(parent, self_())
        trapping, other = await receive()
        reason = await end_of(trapping)
        return reason, await call(other, "alive")

    assert runtime.run(main) == ("normal", "alive")
    assert heard == [("terminate", "normal")]


def test_the_exit_of_another_process_is_an_info(runtime):
    """P34: to a server that traps exits."""

    async def main():
        pid = await Recorder.start()
        await call(pid, "trap")
        exit(pid, "from a stranger")
        return await call(pid, "heard"), self_()

    heard, me = runtime.run(main)
    assert heard == [("info", Exit(me, "from a stranger"))]


def test_the_end_of_the_runtime_ends_a_trapping_server(runtime):
    """Its shutdown comes from no process, and is obeyed like a parent's."""
    heard = []

    async def main():
        pid = await Recorder.start(heard)
        await call(pid, "trap")

    runtime.run(main)

    assert heard == [("terminate", "shutdown")]
