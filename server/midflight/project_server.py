"""`ProjectServer`: what answers clients of one project, around a runtime, and the files by which they find it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import TextIO

from midflight.code import StaleCall
from midflight.code.lowlevel import on_stale_call, run_bodies_on_runtime
from midflight.driver import Runtime
from midflight.epc import (
    ProjectFiles,
    Publication,
    Server,
    Services,
    crash_plist,
    describe,
    methods_of,
    new_cookie,
    stale_plist,
    stuck_plist,
)
from midflight.errors import RequestError
from midflight.kernel import CrashReport, StuckReport, log_crash, trouble
from midflight.program import forwards, runs_bodies_on_runtime, takes_plain_cookie

__all__ = ["ProjectServer"]

_log = logging.getLogger("midflight")


class ProjectServer:
    """A server of the project at `place`, around `runtime`.

    `ask_to_end` is called when a client asks for the end, and returns at once. `log` takes what processes print whose
    shell is closed; `port` is that of 127.0.0.1, 0 for a free one and None for none; `take_log` is Publication's.
    """

    def __init__(
        self,
        runtime: Runtime,
        place: ProjectFiles,
        ask_to_end: Callable[[], object],
        log: TextIO,
        *,
        port: int | None,
        take_log: Callable[[int], object] | None = None,
    ) -> None:
        self.place = place
        self.is_open = False
        self._runtime = runtime
        self._services = services = Services(
            runtime.scheduler, place.root, version("midflight"), ask_to_end, log, forwards=forwards(place.root)
        )
        cookie = new_cookie()
        plain = takes_plain_cookie(place.root)
        self._server = Server(
            cookie, partial(methods_of, services), partial(describe, services), port=port, plain_cookie=plain
        )
        self._publication = Publication(
            place,
            cookie,
            services.version,
            port=self._server.port,
            listen=self._server.listeners.add,
            plain=plain,
            take_log=take_log,
        )
        self._on_crash = partial(_tell_of_crash, self._server)
        self._stop_telling = on_stale_call(partial(_tell_of_stale_call, self._server))
        runtime.scheduler.on_crash.append(self._on_crash)
        self._on_store_trouble = partial(_tell_of_store, self._server)
        runtime.scheduler.on_store_trouble.append(self._on_store_trouble)
        if runtime.watchdog is not None:
            runtime.watchdog.on_stuck = partial(_tell_of_stuck, self._server)

    @property
    def start_failures(self) -> list[str]:
        """A sentence for each part of the project's start that failed, in a list to add to: clients are told of it."""
        return self._services.start_failures

    @property
    def port(self) -> int | None:
        """The port of 127.0.0.1, None if it listens on the Unix socket alone."""
        return self._server.port

    def open(self) -> None:
        """Let clients find the server, and answer them.

        Raises: ServerRunning if another server has the place, which goes on; RuntimeFolderError.
        """
        self._publication.publish()
        self._server.start()
        self._publication.keep()
        self.is_open = True

    def choose_thread(self) -> None:
        """Do what `[tool.midflight] body` of the project says; a fault in it is logged, and the server runs."""
        try:
            run_bodies_on_runtime(runs_bodies_on_runtime(self.place.root))
        except RequestError as error:
            run_bodies_on_runtime(False)
            _log.error("%s", error)

    def withdraw(self) -> None:
        """Take the files away, so that nobody new comes. May be repeated, from any thread."""
        self._publication.withdraw()

    def close(self) -> None:
        """Send what waits and close all connections; call it from a thread that serves none of them."""
        self.withdraw()
        self._stop_telling()
        if self._on_crash in self._runtime.scheduler.on_crash:
            self._runtime.scheduler.on_crash.remove(self._on_crash)
        if self._on_store_trouble in self._runtime.scheduler.on_store_trouble:
            self._runtime.scheduler.on_store_trouble.remove(self._on_store_trouble)
        self._server.stop()


def _tell_of_crash(server: Server, report: CrashReport) -> None:
    """Log a crash and tell every editor. Runs on the runtime's thread; waits for nobody."""
    plist = crash_plist(report)
    log_crash(report, str(plist["text"]))
    server.report("process/crashed", plist)


def _tell_of_store(server: Server, text: str) -> None:
    """Tell every editor that the store cannot be written, or can again. Runs on the runtime's thread."""
    server.report("store/trouble", {"text": text})


def _tell_of_stale_call(server: Server, call: StaleCall) -> None:
    """Tell every editor of old code that ran. Runs in the thread that called it; waits for nobody."""
    server.report("code/stale", stale_plist(call))


def _tell_of_stuck(server: Server, report: StuckReport) -> None:
    """Log a process that does not yield and tell every editor, but not one that it waits for a line from.

    Runs on the watchdog's thread.
    """
    plist = stuck_plist(report)
    if report.asked is None:  # a wait for a person needs no log
        trouble.log(logging.getLogger("midflight.watchdog"), logging.WARNING, str(plist["text"]))
    server.report("process/stuck", plist, but=getattr(report.leader, "connection", None))
