"""The crash report of a server tells of the user's code: Midflight's frames, the loop that called it, are not in it."""

from __future__ import annotations

from midflight import CallError, Down, GenServer, call, cast, exit, monitor, receive, sleep, spawn_monitor


class Counter(GenServer):
    def init(self, total):
        self.total = total

    async def handle_call(self, request, client):
        return await self.look_up(request)

    async def look_up(self, request):
        raise KeyError(request)

    def handle_cast(self, message):
        self.total.append(message)

    def handle_info(self, message):
        try:
            self.total.append(message)
        except AttributeError as error:
            raise ValueError("info") from error


class Waiting(GenServer):
    async def handle_cast(self, message):
        await receive("never", timeout=0)


async def crash(runtime, server, act):
    """Have a server crash; return its report."""
    monitor(server)
    act(server)
    await receive(Down, timeout=60)
    return runtime.crashes[-1]


def check_frames(report):
    """A traceback in the report is the user's from its first line on."""
    assert "midflight/otp" not in report.traceback
    assert "midflight/kernel" not in report.traceback
    assert report.traceback.count("Traceback (most recent call last):") >= 1


def test_frames_of_the_loop_of_a_server_are_left_out(runtime):
    """Casts and messages, plain callbacks and async ones; place and state are of the callback."""

    async def main():
        for act, function in (
            (lambda pid: cast(pid, "more"), "Counter.handle_cast"),
            (lambda pid: pid << "info", "Counter.handle_info"),
        ):
            report = await crash(runtime, await Counter.start(0), act)
            check_frames(report)
            assert report.function == function
            assert report.module == __name__
            assert report.arguments["message"] in ("more", "info")
            assert report.arguments["self"].total == 0
            assert f"in {function.rpartition('.')[2]}\n" in report.traceback

    runtime.run(main)


def test_frames_between_the_loop_and_the_error_stay(runtime):
    """The outermost is the callback's."""

    async def ask(pid):
        await call(pid, "key")

    async def main():
        server = await Counter.start(0)
        report = await crash(runtime, server, lambda pid: spawn_monitor(ask, pid))
        check_frames(report)
        lines = [line for line in report.traceback.splitlines() if line.startswith("  File")]
        assert [line.rpartition(" in ")[2] for line in lines] == ["handle_call", "look_up"]
        assert report.function == "Counter.look_up"
        assert set(report.arguments) == {"self", "request", "client"}
        await sleep(0)

    runtime.run(main)


def test_what_the_kernel_raises_for_the_user_has_the_users_place(runtime):
    """A receive that timed out: the frame of `receive` is in the traceback, the place is where it was called."""

    async def main():
        report = await crash(runtime, await Waiting.start(), lambda pid: cast(pid, "wait"))
        assert (report.module, report.function) == (__name__, "Waiting.handle_cast")
        assert report.traceback.rstrip().endswith("TimeoutError: receive: no message matched within 0 s")
        assert "midflight/otp" not in report.traceback

    runtime.run(main)


def test_a_report_of_code_of_ours_alone_keeps_its_frames(runtime):
    """Nothing would be left of it."""

    async def main():
        server = await Counter.start(0)
        exit(server, "kill")
        spawn_monitor(call, server, "key")
        await receive(Down, timeout=60)
        report = runtime.crashes[-1]
        assert isinstance(report.reason, CallError)
        assert "midflight/otp" in report.traceback
        assert report.function == "call"

    runtime.run(main)
