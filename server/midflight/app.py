"""One server of one project: builds its parts, starts them, and stops them in order.

Start: runtime, then the socket, then the files by which it is found, then it accepts. Stop: the files go first,
so that nobody new comes; the applications stop in their order; the other processes get the exit signal "shutdown" while
their editors still hear them; then the connections are closed. All processes run in the loop of the main thread; one
more reads and writes all connections, and a request that runs has a thread.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, TextIO, cast

from midflight import systemd
from midflight.code.lowlevel import note_project
from midflight.detached_log import DetachedLog
from midflight.driver import Runtime
from midflight.durable import NotRestored, States
from midflight.epc import ProjectFiles, RemoteServer, ServerFile
from midflight.errors import (
    ConnectionLost,
    OutputFailed,
    RemoteError,
    ServerRunning,
    StartFailed,
)
from midflight.event_loop import run_main
from midflight.kernel import Scheduler, exit
from midflight.line_input import no_lines
from midflight.log_output import LogOutput, lasting_output
from midflight.memory import use_few_arenas
from midflight.otp import application
from midflight.pauses import quick_handovers
from midflight.program import configured_code, configured_store
from midflight.project_server import ProjectServer
from midflight.project_start import start_configured, stop_applications

__all__ = ["NodePlace", "Program", "serve", "start_detached"]


@dataclass(frozen=True, slots=True)
class NodePlace:
    """A node that a server is to be: its name, the endpoints where it listens, and those that it joins."""

    name: str
    listen: tuple[str, ...] = ()
    join: tuple[str, ...] = ()

    def options(self) -> list[str]:
        """Return them as options of `midflight serve`."""
        pairs = [("--name", self.name), *(("--listen", each) for each in self.listen)]
        return [part for pair in [*pairs, *(("--join", each) for each in self.join)] for part in pair]


Program = Callable[[], Any]
"""What `serve` runs as its first process; async or plain."""

_END_SECONDS = 12.0
"""From being asked to end to ending by force: the 5 s that processes have to unwind, with room."""

_LAST_SECONDS = 1.0
"""For the last word and the files, which an output that nobody reads or a lock would hold up."""

_STUCK_SECONDS = 2.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_START_SECONDS = 20.0
_LOOK_SECONDS = 0.02
_LOG_TAIL_BYTES = 4000
_log = logging.getLogger("midflight")


def serve(
    root: Path,
    announce: Callable[[int], object],
    *,
    port: int = 0,
    program: Program | None = None,
    store: str | None = None,
    code: str | None = None,
    requires_start: bool = False,
    node: NodePlace | None = None,
) -> Any:
    """Run the server of `root` in the calling thread, which must be the main one, until it is asked to end.

    SIGTERM, SIGINT, SIGHUP and `server/stop` ask for it; a second signal ends at once. `announce` is called with
    the port when clients can connect. With `program` the server ends with it, and its result is returned; without one
    the failures of the project's start are, a sentence each. With `requires_start` the first of them ends the server.
    With `node` the server is that node of a cluster, and is found by the node's name.

    `store` and `code` are those of the command line, else the project's count.

    Raises: ClusterError if it cannot be that node; ServerRunning if another server of `root` runs and there is no
    program, which would run without a server instead; NotRestored, after the end, if it requires the start and states
    were refused; OutputFailed if, without a program, `announce` could not print; StoreError if the store cannot be
    used; RequestError if it is not a path, or `code` is unknown; what `program` raises; SystemExit if the server
    was asked to end before `program` had ended, with the code that shells give to such a signal.
    """
    place = ProjectFiles(root) if node is None else ProjectFiles(root, node.name)
    kept = configured_store(place.root, store, place.name), configured_code(place.root, code)
    note_project(place.root)
    ending = _Ending()
    use_few_arenas()
    with ExitStack() as stack:
        stack.enter_context(ending.on_signals())
        stack.enter_context(quick_handovers())
        if program is None:
            stack.enter_context(no_lines())
            output = stack.enter_context(lasting_output())
            announce = partial(_announce, output, announce)
        elif sys.stdout is not None and hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(line_buffering=True)  # a log file is read while it is written
        return run_main(_serve(place, ending, announce, port, program, kept, requires_start, node))


def _announce(output: LogOutput, announce: Callable[[int], object], port: int) -> None:
    announce(port)
    if output.trouble is not None:
        raise OutputFailed(port, output.trouble)


async def _serve(
    place: ProjectFiles,
    ending: _Ending,
    announce: Callable[[int], object],
    port: int,
    program: Program | None,
    kept: tuple[Path | None, str],
    requires_start: bool,
    node: NodePlace | None,
) -> Any:
    store, code = kept
    states: States | None = None
    log = cast(TextIO, sys.stdout or LogOutput(None))  # the real one: the runtime routes what processes print
    async with Runtime() as runtime:
        asked = ending.listen(runtime)
        beside = [asyncio.create_task(systemd.keep_alive())]
        detached_log = DetachedLog.of_this_process(place.log_path)
        if detached_log is not None:
            beside.append(asyncio.create_task(detached_log.keep_short()))
        server = ProjectServer(
            runtime,
            place,
            ending.request,
            log,
            port=port,
            take_log=detached_log.write_to if detached_log is not None else None,
        )
        ending.withdraw = server.withdraw
        application.on_halt(runtime.scheduler, ending.request)
        try:
            try:
                server.open()
            except ServerRunning as error:
                if program is None:
                    raise
                _log.warning("%s The program runs without one, so no editor can load code into it.", error)
            if store is not None:
                states = runtime.open_store(store, code)
            if node is not None:
                runtime.open_node(node.name, node.listen, node.join)
            if server.is_open:
                assert server.port is not None
                announce(server.port)
            server.choose_thread()
            if program is None:

                def fail(text: str) -> None:
                    server.start_failures.append(text)
                    if requires_start:
                        ending.request()

                if states is not None and requires_start:
                    states.refusals.listeners.append(ending.request)
                beside.append(asyncio.create_task(_start(runtime, place.root, fail)))
            else:
                systemd.tell("READY=1")
            value = await _until(asked, ending, runtime, program)
            if program is not None:
                return value
            if requires_start and states is not None and states.refusals.said:
                raise NotRestored(states.refusals.said)
            return server.start_failures
        finally:
            systemd.tell("STOPPING=1")
            for each in beside:
                each.cancel()
            server.withdraw()
            await stop_applications(runtime)
            await runtime.shutdown()
            await asyncio.to_thread(server.close)


async def _start(runtime: Runtime, root: Path, fail: Callable[[str], object]) -> None:
    """Start what the project has to start, then say that it is ready: those who wait for that find it running."""
    await start_configured(runtime, root, fail)
    systemd.tell("READY=1")


async def _until(asked: asyncio.Event, ending: _Ending, runtime: Runtime, program: Program | None) -> Any:
    """Wait until the server is asked to end or `program` has ended; return its result, None without one."""
    waiting = asyncio.create_task(asked.wait(), name="midflight-end")
    if program is None:
        await waiting
        return None
    running = asyncio.create_task(_outcome(runtime, program))
    try:
        await asyncio.wait((waiting, running), return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            value, end = running.result()
            if end is not None:
                raise end
            return value
        running.cancel()  # the program gets the exit signal "shutdown"
        await asyncio.wait((running,))
        if ending.signal == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(0 if ending.signal is None else 128 + ending.signal)
    finally:
        waiting.cancel()


async def _outcome(runtime: Runtime, program: Program) -> tuple[Any, BaseException | None]:
    """Run `program`; return its value, or the SystemExit or KeyboardInterrupt that ended it.

    Out of a task those two would go through the event loop, which takes them for a fault.
    """
    try:
        return await runtime.run(program), None
    except (SystemExit, KeyboardInterrupt) as end:
        return None, end


class _Ending:
    """The end of a server: it is asked for here alone, from any thread and from signal handlers."""

    def __init__(self) -> None:
        self.withdraw: Callable[[], object] = lambda: None  # takes the files away by which the server is found
        self.signal: int | None = None  # that asked for it first; None for a client
        self._is_asked = False
        self._wake: Callable[[], object] = lambda: None
        self._scheduler: Scheduler | None = None
        self._heard: asyncio.Event | None = None
        # Started before any signal: one may interrupt this very thread while it holds the lock that starting takes.
        self._asking = threading.Event()
        for function in (self._insist, self._unblock):
            threading.Thread(target=function, name="midflight-end", daemon=True).start()

    def listen(self, runtime: Runtime) -> asyncio.Event:
        """Return an event that is set in the running loop when the end is asked for, or was."""
        self._scheduler, self._heard = runtime.scheduler, asyncio.Event()
        self._wake = partial(runtime.loop.call_soon_threadsafe, self._heard.set)
        for number in _SIGNALS:
            # For the wake-up that comes with it. Without, a signal that comes a moment before the loop sleeps, or that
            # the system gives to another thread, is handled when the loop wakes for something else. The handler stays
            # ours: the loop's own would wait for the loop, and a process that never yields holds that up.
            runtime.loop.add_signal_handler(number, _do_nothing)
            signal.signal(number, self._take)
        if self._is_asked:
            self._heard.set()
        return self._heard

    def request(self) -> None:
        """Ask for the end; return at once. A process that holds the loop up is killed, in the end so are all."""
        if self._is_asked:
            return
        self._is_asked = True
        self._asking.set()
        self._wake()

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Let SIGTERM, SIGINT and SIGHUP ask for the end while the block runs."""
        before = [(number, signal.signal(number, self._take)) for number in _SIGNALS]
        try:
            yield
        finally:
            for number, handler in before:
                signal.signal(number, handler)

    def _take(self, number: int, _frame: FrameType | None) -> None:
        if self._is_asked:
            os._exit(128 + number)  # asked twice: what is left behind is stale, and taken for that
        self.signal = number
        self.request()

    def _insist(self) -> None:
        """End the server by force when its time is over. Waits for nothing that a process can hold."""
        self._asking.wait()
        time.sleep(_END_SECONDS)
        # Not by the log: the code that keeps the server from ending may hold its lock.
        text = f"Processes have not ended within {_END_SECONDS} s of being asked; the server ends without them.\n"
        last = (
            threading.Thread(target=os.write, args=(2, text.encode()), daemon=True),
            threading.Thread(target=self.withdraw, daemon=True),
        )
        for each in last:
            each.start()
        deadline = time.monotonic() + _LAST_SECONDS
        for each in last:
            each.join(max(0.0, deadline - time.monotonic()))
        os._exit(1)

    def _unblock(self) -> None:
        """Kill the process that holds the loop up, as long as it has not heard that the end was asked for."""
        self._asking.wait()
        while True:
            time.sleep(_STUCK_SECONDS)
            if self._heard is not None and self._heard.is_set():
                return
            process = self._scheduler.current() if self._scheduler is not None else None
            if process is not None:
                exit(process.pid, "kill")  # first: the log may have to wait for this process
                _log.error("Process %r does not yield, so it is killed: the server was asked to end.", process.pid)


def _do_nothing() -> None:
    """Handle a signal that was handled."""


def start_detached(
    root: Path,
    *,
    port: int = 0,
    store: str | None = None,
    code: str | None = None,
    node: NodePlace | None = None,
) -> ServerFile:
    """Start a server of `root` that outlives this program, unless one runs; return where it is.

    It has a session of its own, works in `root`, and writes to server.log. Returns when it answers.
    Raises: ServerRunning if one runs on another port than `port`; StartFailed, with the end of the log, if it does not
    answer within 20 s; RuntimeFolderError if there is no room for a log.
    """
    place = ProjectFiles(root) if node is None else ProjectFiles(root, node.name)
    if (found := place.running()) is not None:
        return _on_port(found, port)
    with place.claimed() as folder:
        if (found := place.held(folder)) is not None:
            return _on_port(found, port)
        log = place.open_log(folder)
    # -P: the current folder is the project's, and a file of its may be called like one of Python's own.
    of_store = [
        word for name, value in (("--store", store), ("--code", code)) if value is not None for word in (name, value)
    ]
    words = ("-P", "-m", "midflight.cli", "serve", "--root", str(place.root), "--port", str(port))
    command = [sys.executable, *words, *of_store, *(node.options() if node is not None else ())]
    try:
        server = subprocess.Popen(
            command, cwd=place.root, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    finally:
        os.close(log)
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        has_ended = server.poll() is not None
        if (found := _answering(place)) is not None:  # perhaps another one, which was a moment faster
            return found
        if has_ended:
            break
        time.sleep(_LOOK_SECONDS)
    server.kill()
    raise StartFailed(str(place.root), str(place.log_path), _tail(place.log_path))


def _on_port(found: ServerFile, port: int) -> ServerFile:
    if port not in (0, found.port):
        raise ServerRunning(found.root, found.place, found.pid)
    return found


def _answering(place: ProjectFiles) -> ServerFile | None:
    found = place.running()
    if found is None:
        return None
    try:
        RemoteServer.to(found).close()
    except (ConnectionLost, RemoteError):
        return None
    return found


def _tail(path: Path) -> str:
    """Return the end of a log, whole lines."""
    text = path.read_bytes()
    if len(text) > _LOG_TAIL_BYTES:
        text = text[-_LOG_TAIL_BYTES:].partition(b"\n")[2]
    return text.decode("utf-8", "replace").rstrip("\n")
