"""How servers start: init, names, links. Statement P33."""

from __future__ import annotations

import pytest

from helpers.servers import Recorder, Starter, advance_later, end_of, settle
from midflight import (
    AlreadyStarted,
    Down,
    InitFailed,
    NotInProcess,
    ProcessExit,
    RegistrationError,
    Stop,
    call,
    exit,
    is_alive,
    link,
    process_info,
    processes,
    receive,
    self_,
    sleep,
    spawn,
    spawn_monitor,
    stop,
    trap_exit,
    whereis,
)


async def start_and_tell(top, start, way):
    """Start a server in a process of its own and tell what came of it."""
    try:
        top << ("started", await start(way))
    except Exception as error:
        top << ("raised", error)


async def outcome_of(start, way):
    """Return what `start(way)` came to in a caller that does not trap exits: its value, its error, or its end."""
    pid, ref = spawn_monitor(start_and_tell, self_(), start, way)
    match await receive((ref, ..., ...), (str, ...)):
        case Down(_, _, reason):
            return "ended", reason
        case outcome:
            await end_of(pid)
            await receive((ref, ..., ...))
            return outcome


def test_start_answers_when_init_is_done(runtime):
    """Not before: what init does is seen by whoever has the pid."""

    class Slow(Recorder):
        async def init(self):
            super().init()
            await sleep(0)
            self.heard.append("ready")

    async def main():
        return await call(await Slow.start(), "heard")

    assert runtime.run(main) == ["ready"]


def test_init_gets_the_arguments(runtime):
    """Those of start."""

    class Keeper(Recorder):
        def init(self, *args):
            super().init(list(args))

    async def main():
        return await call(await Keeper.start(1, "two", [3]), "heard")

    assert runtime.run(main) == [1, "two", [3]]


@pytest.mark.parametrize("start", [Starter.start, Starter.start_link])
def test_ignore_starts_nothing(runtime, start):
    """P33: start returns None, and there is no process any more."""

    async def main():
        before = processes()
        return await start("ignore"), processes() == before, await receive(timeout=0, default="nothing came")

    assert runtime.run(main) == (None, True, "nothing came")


def test_start_raises_what_init_raised(runtime):
    """P33: the very exception; the caller lives; a crash report is made of it."""
    error = ValueError("no such table")

    async def main():
        return await outcome_of(Starter.start, error)

    status, raised = runtime.run(main)
    assert status == "raised"
    assert raised is error
    assert [report.reason for report in runtime.crashes] == [error]


@pytest.mark.parametrize("way", [Stop("no_way"), ProcessExit("no_way")])
def test_start_raises_init_failed_for_other_reasons(runtime, way):
    """P33: a stop and an exit; no crash report."""

    async def main():
        return await outcome_of(Starter.start, way)

    status, error = runtime.run(main)
    assert status == "raised"
    assert isinstance(error, InitFailed)
    assert error.reason == "no_way"
    assert "Starter did not start" in str(error)
    assert runtime.crashes == []


def test_a_stop_with_an_exception_is_raised_without_a_report(runtime):
    """init says in good order why not."""
    error = ValueError("not today")

    async def main():
        return await outcome_of(Starter.start, Stop(error))

    assert runtime.run(main) == ("raised", error)
    assert runtime.crashes == []


def test_init_must_return_nothing(runtime):
    """P33: a bad value is an error."""

    async def main():
        return await outcome_of(Starter.start, "value")

    status, error = runtime.run(main)
    assert status == "raised"
    assert isinstance(error, TypeError)
    assert "'not None'" in str(error)


@pytest.mark.parametrize(("way", "reason"), [(Stop("no_way"), "no_way"), (ProcessExit("boom"), "boom")])
def test_a_failed_start_link_ends_the_caller(runtime, way, reason):
    """P33: with the same reason, unless it traps exits."""

    async def main():
        return await outcome_of(Starter.start_link, way)

    assert runtime.run(main) == ("ended", reason)


def test_a_failed_start_link_raises_in_a_caller_that_traps_exits(runtime):
    """P33: and leaves no Exit message."""

    async def main():
        trap_exit(True)
        with pytest.raises(InitFailed):
            await Starter.start_link(Stop("no_way"))
        with pytest.raises(ValueError, match="crashed"):
            await Starter.start_link(ValueError("crashed"))
        return await receive(timeout=0, default="nothing came")

    assert runtime.run(main) == "nothing came"


def test_start_link_links(runtime):
    """Both ways: the caller is the parent."""

    async def main():
        pid = await Recorder.start_link()
        return process_info(pid)["links"], process_info(pid)["parent"], self_()

    links, parent, me = runtime.run(main)
    assert links == [me]
    assert parent is me


def test_a_start_leaves_no_monitor(runtime):
    """What told the caller of the end of init is gone."""

    async def main():
        pid = await Recorder.start()
        return process_info(pid)["monitored_by"], process_info(self_())["monitors"]

    assert runtime.run(main) == ([], [])


def test_a_start_times_out(runtime, clock):
    """The process is killed; the error says timeout; a link does not end the caller."""

    async def main():
        before = processes()
        for start in (Starter.start, Starter.start_link):
            advance_later(clock, 2)
            with pytest.raises(InitFailed, match="timeout"):
                await start("hang", timeout=2)
        return processes() == before

    assert runtime.run(main)


def test_a_cancelled_start_leaves_no_process(runtime):
    """Nobody would have its pid."""

    async def main():
        starter = spawn(start_and_tell, self_(), Starter.start, "hang")
        await sleep(0)
        (hanging,) = [pid for pid in processes() if pid not in (self_(), starter)]
        await end_of(starter, "enough")
        return is_alive(hanging)

    assert runtime.run(main) is False


def test_a_name_is_registered_before_init(runtime):
    """init sees it, and it goes with the process."""

    class Named(Recorder):
        def init(self):
            super().init([whereis("named") is self_()])

    async def main():
        pid = await Named.start(name="named")
        heard = await call("named", "heard")
        await stop("named")
        return heard, whereis("named"), is_alive(pid)

    assert runtime.run(main) == ([True], None, False)


@pytest.mark.parametrize("start", [Recorder.start, Recorder.start_link])
def test_a_taken_name_is_already_started(runtime, start):
    """The error has the pid of who has it; nothing is started and nobody ends."""

    async def main():
        first = await Recorder.start(name="only")
        before = processes()
        with pytest.raises(AlreadyStarted) as caught:
            await start(name="only")
        return caught.value.pid is first, processes() == before

    assert runtime.run(main) == (True, True)


def test_a_bad_name_is_refused(runtime):
    """As register does."""

    async def main():
        before = processes()
        with pytest.raises(RegistrationError):
            await Recorder.start(name="undefined")
        return processes() == before

    assert runtime.run(main)


def test_start_outside_a_process_is_refused(runtime):
    """Nobody would hear of the end of init."""

    async def start():
        return await Recorder.start()

    with pytest.raises(NotInProcess):
        runtime.loop.run_until_complete(start())


def test_a_start_that_nobody_awaits_is_warned_of(runtime):
    """Python's own warning; nothing is started."""

    async def main():
        before = processes()
        with pytest.warns(RuntimeWarning, match="never awaited"):
            Recorder.start()
        return processes() == before

    assert runtime.run(main)


def test_a_server_killed_in_its_init_was_not_started(runtime):
    """By whoever found its pid."""

    async def main():
        spawn(start_and_tell, self_(), Starter.start, "hang")
        await sleep(0)
        exit(processes()[-1], "kill")
        return await receive(("raised", ...))

    _, error = runtime.run(main)
    assert isinstance(error, InitFailed)
    assert error.reason == "killed"


@pytest.mark.parametrize("way", [Starter.start, Starter.start_link])
@pytest.mark.parametrize("who", ["the server", "its starter"])
def test_a_kill_while_init_runs_is_no_crash(runtime, caplog, way, who):
    """Of the server, or of its starter, with whom the server goes; nobody else hears of it."""

    async def main():
        before = processes()
        spawn(way, "hang")
        await settle()
        starter, server = processes()[-2:]
        exit(server if who == "the server" else starter, "kill")
        await settle()
        return processes() == before

    assert runtime.run(main)
    crashes = [report for report in runtime.crashes if not isinstance(report.reason, InitFailed)]
    assert (crashes, [each.getMessage() for each in caplog.records if "clean-up" in each.getMessage()]) == ([], [])


def test_the_process_shows_the_class(runtime):
    """initial_call is the class's init; the process is in no code of the class's module while it waits."""

    async def main():
        pid = await Recorder.start()
        link(pid)
        return process_info(pid)

    info = runtime.run(main)
    assert info["initial_call"] == "helpers.servers.Recorder.init"
    assert info["module"].startswith("midflight.otp")
