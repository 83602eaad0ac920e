"""The applications of a runtime, and the process that starts and stops them: the `application_controller`.

What is loaded, what runs and the environments are read by plain calls; what starts or stops is asked of the process.
The life of an application: loaded -> starting -> running -> stopping -> loaded -> gone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from midflight.errors import ApplicationError, CallError
from midflight.kernel import Client, Exit, Pid, Scheduler, self_, spawn, trap_exit, trouble
from midflight.otp.application_master import Ended, Failed, Master, Started, application_var
from midflight.otp.application_spec import ApplicationSpec
from midflight.otp.calls import call, cast, reply
from midflight.otp.gen_server import GenServer
from midflight.otp.protocol import NOREPLY
from midflight.text import medium

__all__ = ["NAME", "ApplicationReport", "Applications", "Controller", "Running", "applications_of", "stop_in_order"]

NAME = "application_controller"
logger = logging.getLogger("midflight.application")


@dataclass(frozen=True, slots=True)
class ApplicationReport:
    """An application that has ended by itself: the attribute `report` of a record on `midflight.application`.

    OTP: the report with the fields application, exited and type.
    """

    application: str
    exited: object
    restart: str

    def text(self) -> str:
        """Return the report as it is logged, one line."""
        return f"application {self.application} ({self.restart}) has ended with {medium(self.exited)}"


@dataclass(slots=True)
class Running:
    """An application that is not merely loaded. A library has no master and no supervisor."""

    spec: ApplicationSpec
    restart: str
    status: str = "starting"  # "running", "stopping"
    master: Pid | None = None
    supervisor: Pid | None = None
    clients: list[Client] = field(default_factory=list)  # who wait for its start, or its stop
    outcome: object = None  # of a start that failed, or a tree that ended


@dataclass(slots=True, weakref_slot=True)
class Applications:
    """The applications of one runtime: loaded, running, and their environments.

    Plain data, read and changed on the runtime's thread.
    """

    loaded: dict[str, ApplicationSpec] = field(default_factory=dict)
    env: dict[str, dict[str, Any]] = field(default_factory=dict)
    running: dict[str, Running] = field(default_factory=dict)  # in the order in which they have started
    on_halt: Callable[[], object] | None = None

    def is_running(self, name: str) -> bool:
        """Say whether the application runs, and neither starts nor stops."""
        found = self.running.get(name)
        return found is not None and found.status == "running"


_by_scheduler: WeakKeyDictionary[Scheduler, Applications] = WeakKeyDictionary()


def applications_of(scheduler: Scheduler) -> Applications:
    """Return the applications of a runtime. None runs any more if their controller was killed: it ends them all."""
    found = _by_scheduler.setdefault(scheduler, Applications())
    if found.running and NAME not in scheduler.names:
        found.running.clear()
    return found


class Controller(GenServer):
    """The process that starts and stops applications. It waits for none of them, and answers when they are done."""

    def init(self, applications: Applications) -> None:
        """Begin. It is of no application, whichever process starts it."""
        trap_exit(True)
        application_var.set(None)
        self.applications = applications
        applications.running.clear()  # of a controller that was killed, with all masters

    async def handle_call(self, request: Any, client: Client) -> Any:
        """Start or stop an application; answers None or an ApplicationError."""
        match request:
            case ("start", name, restart):
                return await self._start(name, restart, client)
            case ("stop", name):
                return self._stop(name, client)
        return super().handle_call(request, client)

    def handle_cast(self, message: Any) -> None:
        """Take in what a master says of its application."""
        found = self._of(message.master)
        match message:
            case _ if found is None:
                return
            case Started(_, supervisor):
                self._run(found, supervisor)
            case Failed(_, reason) | Ended(_, reason):
                found.outcome = (reason,)

    def handle_info(self, message: Any) -> None:
        """Take in that a master has ended, and so its application."""
        found = self._of(message.pid) if type(message) is Exit else None
        if found is None:
            return
        name = found.spec.name
        del self.applications.running[name]
        reason = found.outcome[0] if type(found.outcome) is tuple else message.reason
        match found.status:
            case "starting":
                self._answer(found, ApplicationError(name, reason, "It is loaded still."))
            case "stopping":
                trouble.log(logger, logging.INFO, f"application {name} was stopped")
                self._answer(found, None)
            case _:
                self._has_ended(found, reason)

    async def _start(self, name: str, restart: str | None, client: Client) -> Any:
        spec, found = self.applications.loaded.get(name), self.applications.running.get(name)
        if spec is None:
            return ApplicationError(name, ("not_loaded", name), "application.load() it first")
        if found is not None and found.status == "starting":
            found.clients.append(client)
            return NOREPLY
        if found is not None:
            return ApplicationError(name, ("already_started", name), "stop() it first")
        for needed in spec.applications:
            if not self.applications.is_running(needed):
                return ApplicationError(
                    name, ("not_started", needed), f"start {needed} first, or ensure_all_started({name!r})"
                )
        found = Running(spec, restart or spec.restart, clients=[client])
        self.applications.running[name] = found
        if spec.module is None:
            self._run(found, None)
        else:
            found.master = await Master.start_link(spec, self_())
        return NOREPLY

    def _stop(self, name: str, client: Client) -> Any:
        found = self.applications.running.get(name)
        if found is None or found.status == "starting":
            return ApplicationError(name, ("not_started", name), "which_applications() lists those that run")
        if found.master is None:
            del self.applications.running[name]
            return None
        if found.status == "running":
            found.status = "stopping"
            cast(found.master, "stop")
        found.clients.append(client)
        return NOREPLY

    def _run(self, found: Running, supervisor: Pid | None) -> None:
        """Note that an application runs, as the last one that has started."""
        running = self.applications.running
        running[found.spec.name] = running.pop(found.spec.name)
        found.status, found.supervisor = "running", supervisor
        trouble.log(logger, logging.INFO, f"application {found.spec.name} was started")
        self._answer(found, None)

    def _has_ended(self, found: Running, reason: object) -> None:
        """Report an application that has ended by itself; stop all others if its `restart` says so."""
        report = ApplicationReport(found.spec.name, reason, found.restart)
        is_fatal = found.restart == "permanent" or (found.restart == "transient" and reason != "normal")
        level = logging.ERROR if is_fatal or reason != "normal" else logging.INFO
        then = "all other applications are stopped" if is_fatal else "the others run on"
        trouble.log(logger, level, f"{report.text()}; {then}", report=report)
        if is_fatal:
            spawn(_halt, self.applications)

    def _of(self, master: Pid) -> Running | None:
        return next((each for each in self.applications.running.values() if each.master is master), None)

    def _answer(self, found: Running, value: object) -> None:
        clients, found.clients = found.clients, []
        for client in clients:
            reply(client, value)


async def stop_in_order(applications: Applications) -> None:
    """Stop all applications that run, the last one that has started first."""
    for name in reversed(list(applications.running)):
        if name in applications.running:
            try:
                await call(NAME, ("stop", name), timeout=None)
            except CallError:  # the controller has ended, and all applications with it
                return


async def _halt(applications: Applications) -> None:
    await stop_in_order(applications)
    if applications.on_halt is not None:
        applications.on_halt()
