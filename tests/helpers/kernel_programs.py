"""Random programs of processes, run on the kernel that MIDFLIGHT_KERNEL names, and the trace that each leaves.

As a program (`python kernel_programs.py`) it reads programs from stdin, one JSON line each, and answers with traces.
A program is a list of scripts; a script is a list of steps; a step is a list that begins with the name of a method of
`Player`. The first script is run as the first process, others when a step spawns them. All happens on a clock that is
held, so two kernels that do the same leave the same trace, to the last reduction.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["Worker", "is_built", "trace_of", "workers"]

ROOT = Path(__file__).parents[2]
MOST_PROCESSES = 12
TICKS = 12  # of a quarter of a second
variable = contextvars.ContextVar("variable", default=0)


def is_built() -> bool:
    """Say whether the compiled kernel is in this checkout, and no older than its sources."""
    return bool(runpy.run_path(str(ROOT / "scripts/build_kernel.py"))["is_fresh"](ROOT))


class Boom(Exception):
    """An error of a program."""


def trace_of(scripts: list[list[Any]]) -> list[str]:
    """Run a program in this interpreter and return what happened, one line an event."""
    from midflight.kernel import ManualClock
    from midflight.testing import TestRuntime

    stage = Stage(scripts, TestRuntime(ManualClock()))
    try:
        stage.play()
    finally:
        stage.runtime.close()
    return stage.trace


class Stage:
    """One run of a program: its processes by the order of their spawning, and the trace."""

    def __init__(self, scripts: list[list[Any]], runtime: Any) -> None:
        self.scripts = scripts
        self.runtime = runtime
        self.pids: list[Any] = []
        self.trace: list[str] = []

    def play(self) -> None:
        """Run the first script, let the time pass, look at all that is left, and end it."""
        self.pids.append(self.runtime.spawn(Player(self, 0, 0).start))
        for tick in range(TICKS):
            self.runtime.run_until_idle()
            self.trace.append(f"tick {tick}")
            self.runtime.clock.advance(0.25)
        for number in range(len(self.pids)):
            self.trace.append(f"left {number}: {self.look(number)}")
        self.runtime.shutdown()
        for report in self.runtime.crashes:
            self.trace.append(f"crash {report.pid!r} {report.reason!r} last {self.shown(report.last_message)}")
        self.trace.extend(f"end {number}: {self.look(number)}" for number in range(len(self.pids)))

    def look(self, number: int) -> str:
        """Show what process_info says of a process, as far as two runs can agree on it."""
        from midflight import process_info

        found = process_info(self.pids[number])
        if found is None:
            return "dead"
        left_out = ("current_function", "function", "line", "module", "version", "group_leader", "waiting_for")
        return self.shown({key: value for key, value in found.items() if key not in left_out})

    def shown(self, value: Any) -> str:
        """Show a value; refs are numbered by the interpreter, so they have no number here."""
        from midflight import Ref

        if isinstance(value, Ref):
            return "ref"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{key}: {self.shown(item)}" for key, item in value.items()) + "}"
        if isinstance(value, tuple | list):
            return f"{type(value).__name__}({', '.join(map(self.shown, value))})"
        return re.sub("#Ref<[^>]*>", "ref", repr(value))


class Player:
    """A process that takes the steps of one script. Each step is a method; what it gives is traced."""

    def __init__(self, stage: Stage, number: int, script: int) -> None:
        self.stage = stage
        self.number = number
        self.script = stage.scripts[script % len(stage.scripts)]
        self.refs: list[Any] = []
        self.timers: list[Any] = []

    async def start(self) -> Any:
        """Be the process function."""
        return self.go_on(self.script)

    async def go_on(self, steps: list[Any]) -> Any:
        """Take `steps`; a step "tail" goes on in a tail call."""
        for index, (name, *args) in enumerate(steps):
            if name == "tail":
                return self.go_on(steps[index + 1 :])
            if name == "leave":
                return args[0]
            try:
                given = getattr(self, name)(*args)
                if hasattr(given, "__await__"):
                    given = await given
            except Exception as error:
                self.say(f"{name} raised {type(error).__name__} {error}")
                if isinstance(error, Boom):
                    raise
            except BaseException as error:
                self.say(f"{name} was thrown {type(error).__name__} {error}")
                raise
            else:
                self.say(f"{name} gave {self.stage.shown(given)}")
        return None

    def say(self, text: str) -> None:
        """Add an event to the trace."""
        self.stage.trace.append(f"{self.number} {text}")

    def whom(self, number: int) -> Any:
        """Return the pid of a process of the stage."""
        return self.stage.pids[number % len(self.stage.pids)]

    # --- Steps ---

    def send(self, to: int, value: Any) -> Any:
        return self.whom(to) << value

    def flood(self, to: int, count: int) -> None:
        for number in range(count):
            self.whom(to) << number

    async def any(self) -> Any:
        import midflight

        return await midflight.receive()

    async def any_of(self, count: int) -> Any:
        import midflight

        return [await midflight.receive() for _ in range(count)]

    async def match(self, patterns: list[Any], timeout: float | None) -> Any:
        import midflight

        kinds = {"int": int, "str": str, "tuple": tuple, "any": ..., "Exit": midflight.Exit, "Down": midflight.Down}
        kinds |= {"odd": lambda value: value % 2, "chatty": self.chatty, "never": lambda value: False}
        made = [kinds.get(each, each) if isinstance(each, str) else each for each in patterns]
        return await midflight.receive(*made, timeout=timeout, default="late")

    async def hurried(self, timeout: float) -> Any:
        import midflight

        return await midflight.receive(int, timeout=timeout)

    def chatty(self, value: Any) -> bool:
        """Be a predicate that sends to its own process."""
        import midflight

        if value == 1:
            midflight.self_() << 3
        return bool(value == 3)

    def spawn(self, script: int, how: str) -> Any:
        import midflight

        if len(self.stage.pids) >= MOST_PROCESSES:
            return "enough"
        player = Player(self.stage, len(self.stage.pids), script)
        given = getattr(midflight, how)(player.start)
        pid = given[0] if isinstance(given, tuple) else given
        if isinstance(given, tuple):
            self.refs.append(given[1])
        self.stage.pids.append(pid)
        return given

    def link(self, to: int) -> None:
        import midflight

        midflight.link(self.whom(to))

    def unlink(self, to: int) -> None:
        import midflight

        midflight.unlink(self.whom(to))

    def monitor(self, to: int) -> None:
        import midflight

        self.refs.append(midflight.monitor(self.whom(to)))

    def demonitor(self, which: int, flush: bool) -> Any:
        import midflight

        return midflight.demonitor(self.refs[which % len(self.refs)], flush) if self.refs else None

    def trap(self, flag: bool) -> bool:
        import midflight

        return midflight.trap_exit(flag)

    def exit(self, to: int, reason: str) -> None:
        import midflight

        midflight.exit(self.whom(to), reason)

    def fail(self) -> None:
        raise Boom("of the program")

    def register(self, name: str) -> Any:
        import midflight

        return midflight.register(name, midflight.self_())

    def send_name(self, name: str, value: Any) -> Any:
        import midflight

        return midflight.send(name, value)

    def later(self, seconds: float, to: int, value: Any) -> None:
        import midflight

        self.timers.append(midflight.send_after(seconds, self.whom(to), value))

    def not_later(self, which: int) -> Any:
        import midflight

        return midflight.cancel_timer(self.timers[which % len(self.timers)]) if self.timers else None

    def timers_at_once(self, count: int) -> int:
        """Set many timers and cancel most, so that the heap is swept; return how many were still ahead."""
        import midflight

        me = midflight.self_()
        made = [midflight.send_after(number % 7 / 4, me, number) for number in range(count)]
        return sum(midflight.cancel_timer(each) is not None for number, each in enumerate(made) if number % 20)

    async def sleep(self, seconds: float) -> None:
        import midflight

        await midflight.sleep(seconds)

    async def future(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def hurry(self, seconds: float) -> Any:
        """Be timed out by asyncio in a receive."""
        import midflight

        async with asyncio.timeout(seconds):
            return await midflight.receive()

    def cancel(self, to: int) -> Any:
        process = self.whom(to).process
        return None if process is None else process.cancel()

    def look(self, to: int) -> str:
        return self.stage.look(to % len(self.stage.pids))

    def context(self, value: int) -> int:
        before = variable.get()
        variable.set(value)
        return before

    async def guarded(self, steps: list[Any], cleanup: list[Any]) -> None:
        """Take steps, and others in a `finally`."""
        try:
            await self.take_all(steps)
        finally:
            await self.take_all(cleanup)

    async def take_all(self, steps: list[Any]) -> None:
        """Take steps here, also those behind a tail call."""
        given = await self.go_on(steps)
        while asyncio.iscoroutine(given):
            given = await given

    async def call(self, to: int, request: Any, timeout: float) -> Any:
        import midflight

        return await midflight.call(self.whom(to), request, timeout=timeout)

    async def server(self, kind: str) -> Any:
        """Start a GenServer, which others then call by its number."""
        import midflight
        from helpers.kernel_servers import KINDS

        if len(self.stage.pids) >= MOST_PROCESSES:
            return "enough"
        number = len(self.stage.pids)
        self.stage.pids.append(midflight.self_())
        pid = await KINDS[kind].start(lambda text: self.stage.trace.append(f"{number} {text}"))
        self.stage.pids[number] = pid
        return pid

    async def ask(self, to: int, request: Any, times: int) -> list[Any]:
        """Call several times, so that a server is in its stride."""
        import midflight

        return [await midflight.call(self.whom(to), request, timeout=0.5) for _ in range(times)]

    def cast(self, to: int, message: Any) -> None:
        import midflight

        midflight.cast(self.whom(to), message)

    async def system(self, to: int, request: str) -> str:
        """Send a system message."""
        from midflight.otp import sys as otp_sys

        asked = {"log": lambda pid, timeout: otp_sys.log(pid, True, timeout=timeout)}
        ask = asked.get(request) or getattr(otp_sys, request)
        return repr(await ask(self.whom(to), timeout=0.5))

    async def serve(self, count: int) -> list[Any]:
        """Answer calls; every other message is counted too."""
        import midflight
        from midflight.otp.protocol import Call

        seen = []
        for _ in range(count):
            message = await midflight.receive()
            if type(message) is Call:
                midflight.reply(message.client, ("answer", message.request))
                message = message.request
            seen.append(message)
        return seen


class Worker:
    """An interpreter of its own that runs programs on one kernel."""

    def __init__(self, kernel: str) -> None:
        environment = os.environ | {
            "MIDFLIGHT_KERNEL": kernel,
            "PYTHONPATH": f"{ROOT / 'server'}{os.pathsep}{ROOT / 'tests'}",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        self.kernel = self._answer()

    def trace(self, program: list[Any]) -> list[str]:
        """Return the trace of a program."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(program) + "\n")
        self._process.stdin.flush()
        found = self._answer()
        assert isinstance(found, list)
        return found

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the worker ended with code {self._process.wait()}"
        return json.loads(line)

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@contextmanager
def workers() -> Iterator[tuple[Worker, Worker]]:
    """Give a worker of the kernel in Python and one of the compiled kernel."""
    pure, compiled = Worker("python"), Worker("compiled")
    try:
        yield pure, compiled
    finally:
        pure.close()
        compiled.close()


def main() -> None:
    """Answer programs with traces, until stdin ends."""
    import logging

    import midflight.kernel

    logging.disable()
    gc.disable()  # else a coroutine that ignores its end is closed whenever it comes
    out, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps(midflight.kernel.KERNEL), file=out, flush=True)
    for line in sys.stdin:
        try:
            found = trace_of(json.loads(line))
        except BaseException as error:
            found = [f"the run raised {type(error).__name__} {error}"]
        print(json.dumps(found), file=out, flush=True)
        gc.collect()


if __name__ == "__main__":
    main()
