"""A server inside of a program that has a main of its own: `serve()` in asyncio, `serve_in_background()` anywhere.

Where processes run: in the event loop of the thread that asks, if one runs there; loads then change modules between two
callbacks of that loop. Else in a loop of a thread of its own, and loads change them while the program's threads run.

How it ends: by `stop`, when the block of `serve` is left, when the event loop is shut down (`asyncio.run` does that),
when a front end asks for the end, or with the interpreter. The program goes on in the first four. A forked child has no
server, and may start one.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TextIO, cast

from midflight.code.lowlevel import note_project
from midflight.driver import Runtime, forget_runtimes
from midflight.epc import MAIN, ProjectFiles, find_root
from midflight.errors import ServerRunning
from midflight.event_loop import run_main
from midflight.log_output import LogOutput
from midflight.program import configured_code, configured_store
from midflight.project_server import ProjectServer

__all__ = ["EmbeddedServer", "serve", "serve_in_background"]

_END_SECONDS = 10.0
"""How long the end of the interpreter waits: the 5 s that processes have to unwind, with room."""


class EmbeddedServer:
    """A server that runs inside of this program. `root` is its project, `name` its name there, `port` None or its port
    of 127.0.0.1, `runtime` where processes run: `server.runtime.spawn(f)`."""

    def __init__(self, runtime: Runtime, place: ProjectFiles, port: int | None, end: Callable[[], object]) -> None:
        self.runtime = runtime
        self.root, self.name = place.root, place.name
        self._end = end
        self._lock = threading.Lock()
        self._is_open = True
        self._take_back = note_project(place.root)
        log = cast(TextIO, sys.stdout or LogOutput(None))
        self._server = ProjectServer(runtime, place, self._ask_to_end, log, port=port)
        try:
            self._server.open()
            store = None if runtime.scheduler.states is not None else configured_store(place.root, None, place.name)
            if store is not None:
                runtime.open_store(store, configured_code(place.root, None))
        except BaseException:
            self._take_back()
            self._server.close()
            raise
        self._server.choose_thread()

    @property
    def port(self) -> int | None:
        """The port of 127.0.0.1, None if it listens on its Unix socket alone."""
        return self._server.port

    @property
    def is_open(self) -> bool:
        """Whether front ends find it and are answered."""
        return self._is_open

    def stop(self) -> None:
        """End the server, and the processes if it started their runtime; the program goes on. May be repeated.

        From any thread but one that serves a request: a shell of this server, say, asks with `midflight stop`.
        """
        self.close()
        self._end()

    def close(self) -> None:
        """End the server alone: its files, then its connections. May be repeated."""
        with self._lock:
            if self._is_open:
                self._is_open = False
                self._take_back()
                self._server.close()

    def _ask_to_end(self) -> None:
        self._server.withdraw()
        threading.Thread(target=self.stop, name="midflight-end", daemon=True).start()

    def __repr__(self) -> str:
        state = f"port {self.port}" if self.port is not None else "its Unix socket"
        return f"<EmbeddedServer {self.name} of {self.root}, {state if self._is_open else 'stopped'}>"


@asynccontextmanager
async def serve(
    root: str | os.PathLike[str] | None = None, *, name: str | None = None, port: int | None = None
) -> AsyncIterator[EmbeddedServer]:
    """Serve this program to front ends while the block runs: `async with midflight.serve():`.

    They load code into it, list its processes and open shells in it, as with `midflight serve`. `root` is the project,
    by default that of the main script. `name` is the server's name there: by default "main", or "worker-PID" if another
    process has that. It listens on a Unix socket, and with `port` on 127.0.0.1 too, 0 for a free port. If this thread
    has a runtime it is served; else one is started, and its processes end with the block.

    Raises: ServerRunning if another server has the `name` that was asked for; RuntimeFolderError if the files by which
    it is found cannot be written; ValueError for a name that no server can have; RuntimeError without a running loop.
    OTP: a node; here a program becomes one at any time.

    Example:

        async def main():
            async with serve(".") as server:
                return server.name

        asyncio.run(main())  # -> 'main'
    """
    runtime = Runtime.here()
    is_own = runtime is None
    if runtime is None:
        runtime = Runtime()
        runtime.start()
    try:
        if (running := _around(runtime, root, name)) is not None:  # by `midflight run`, which ends it
            yield running
            return
        server = _open(runtime, root, name, port, lambda: None)
        try:
            yield server
        finally:
            await asyncio.to_thread(server.close)
    finally:
        if is_own:
            await runtime.__aexit__()


def serve_in_background(
    root: str | os.PathLike[str] | None = None, *, name: str | None = None, port: int | None = None
) -> EmbeddedServer:
    """Serve this program to front ends from now on, and return at once; the arguments and errors are those of `serve`.

    In a thread whose event loop runs (a notebook, a web framework's start) processes run in that loop, and the server
    ends with it. Anywhere else they run in a thread of their own, until `stop` or the end of the interpreter. Called
    again for the same project it returns the server that runs.

    Raises: RuntimeError too, if a server of another project runs in this program: it goes on.

    Example:

        server = serve_in_background(".")
        server.is_open  # -> True
        server.stop()
    """
    place = _root(root)
    with _lock:
        running = _background[0] if _background and _background[0].is_open else None
        if running is not None:
            if running.root == place and name in (None, running.name):
                return running
            raise RuntimeError(
                f"this program is served as {running.name} of {running.root} already, and goes on; nothing was "
                "started. Stop that server first, or leave it at that"
            )
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            server = _in_a_thread(place, name, port)
        else:
            server = _in_this_loop(place, name, port)
        _background[:] = [server]
        if not _hooks:
            _hooks.append(atexit.register(_stop_background))
            os.register_at_fork(after_in_child=_forget)
        return server


_lock = threading.Lock()
_background: list[EmbeddedServer] = []  # the last that was started
_hooks: list[object] = []


def _around(runtime: Runtime, root: str | os.PathLike[str] | None, name: str | None) -> EmbeddedServer | None:
    """Return the server that serves `runtime` already, if it is the one that is asked for."""
    for server in _background:
        if server.is_open and server.runtime is runtime and server.root == _root(root) and name in (None, server.name):
            return server
    return None


def _root(root: str | os.PathLike[str] | None) -> Path:
    if root is None:
        file = getattr(sys.modules.get("__main__"), "__file__", None)
        root = file if file is not None and os.path.exists(file) else os.getcwd()
        return find_root(root)
    return Path(os.path.realpath(root))


def _open(
    runtime: Runtime,
    root: str | os.PathLike[str] | None,
    name: str | None,
    port: int | None,
    end: Callable[[], object],
) -> EmbeddedServer:
    place = ProjectFiles(_root(root), name or MAIN)
    try:
        return EmbeddedServer(runtime, place, port, end)
    except ServerRunning:
        if name is not None:
            raise
        return EmbeddedServer(runtime, ProjectFiles(place.root, f"worker-{os.getpid()}"), port, end)


# --- In the loop that runs here ------------------------------------------------------------------------------------


def _in_this_loop(root: Path, name: str | None, port: int | None) -> EmbeddedServer:
    runtime = Runtime.here()
    if runtime is not None:  # somebody else's, who ends it
        server = _open(runtime, root, name, port, lambda: None)
        own = None
    else:
        own = runtime = Runtime()
        own.start()
        loop = own.loop

        def end() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(lambda: loop.create_task(_leave(own)))

        try:
            server = _open(runtime, root, name, port, end)
        except BaseException:
            own.leave()
            raise
    _generators[server] = generator = _until_shutdown(server, own)
    try:
        generator.__anext__().send(None)  # the loop knows those that have begun
    except StopIteration:
        pass
    return server


async def _until_shutdown(server: EmbeddedServer, own: Runtime | None) -> AsyncGenerator[None, None]:
    """Wait for the loop's `shutdown_asyncgens`, which every runner of loops calls, and end the server then."""
    try:
        yield
    finally:
        _generators.pop(server, None)
        server.close()
        if own is not None:
            await _leave(own)


_generators: dict[EmbeddedServer, AsyncGenerator[None, None]] = {}  # a loop holds them weakly


async def _leave(runtime: Runtime) -> None:
    if Runtime.here() is runtime:
        await runtime.__aexit__()


# --- In a thread of its own ----------------------------------------------------------------------------------------


def _in_a_thread(root: Path, name: str | None, port: int | None) -> EmbeddedServer:
    opened: list[EmbeddedServer | BaseException] = []
    is_open, is_asked = threading.Event(), threading.Event()

    async def main() -> None:
        loop, asked = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with Runtime() as runtime:

                def end() -> None:
                    if not is_asked.is_set():
                        is_asked.set()
                        loop.call_soon_threadsafe(asked.set)
                        if threading.current_thread() is not thread:
                            thread.join(_END_SECONDS)

                opened.append(_open(runtime, root, name, port, end))
                is_open.set()
                await asked.wait()
        except BaseException as error:
            opened.append(error)
        finally:
            is_asked.set()
            is_open.set()

    thread = threading.Thread(target=lambda: run_main(main()), name="midflight-runtime", daemon=True)
    thread.start()
    is_open.wait()
    found = opened[0]
    if isinstance(found, BaseException):
        raise found
    return found


# --- The end of the interpreter, and children ----------------------------------------------------------------------


def _stop_background() -> None:
    for server in _background:
        server.stop()


def _forget() -> None:
    """Be a child that was forked: the server, its threads and its runtime are the parent's."""
    global _lock
    _lock = threading.Lock()
    _background.clear()
    _generators.clear()
    forget_runtimes()
