"""The process of one running application: it calls the callback module, and is the parent of the tree.

Its life: start -> the start phases -> the controller is told -> the tree ends, or is to be stopped -> prep_stop, the
end of the tree, stop -> what the application's processes have left running is killed.

A process is of the application whose name its context has: every process that one of the application has spawned.
OTP: application_master, whose processes know theirs by the group leader.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar
from typing import Any, NamedTuple

from midflight import code
from midflight.code.lowlevel import last_text_of
from midflight.kernel import Exit, Pid, current_scheduler, exit, link, receive, self_, trap_exit, trouble
from midflight.otp.application_spec import ApplicationSpec
from midflight.otp.calls import cast
from midflight.otp.gen_server import GenServer
from midflight.otp.newest import newest
from midflight.otp.protocol import Continue, Stop, value_of

__all__ = ["Ended", "Failed", "Master", "Started", "application_var"]

application_var: ContextVar[str | None] = ContextVar("midflight_application", default=None)

NORMAL = "normal"  # the kind of every start: others are takeovers between nodes


class Started(NamedTuple):
    """The message to the controller that an application runs."""

    master: Pid
    supervisor: Pid


class Failed(NamedTuple):
    """The message to the controller that an application did not start: an exception, or ("bad_return", value)."""

    master: Pid
    reason: object


class Ended(NamedTuple):
    """The message to the controller that an application's tree has ended, and its `stop` has run."""

    master: Pid
    reason: object


class Master(GenServer):
    """The process of a running application. Only the controller starts it, and asks it to stop."""

    def init(self, spec: ApplicationSpec, controller: Pid) -> Continue:
        """Begin; the start comes after it, so that the controller waits for nothing."""
        trap_exit(True)
        application_var.set(spec.name)
        self.spec, self.controller = spec, controller
        self.supervisor: Pid | None = None
        self.state: Any = None
        self.reason: object = None  # of the tree's end
        self.is_started = False
        return Continue()

    async def handle_continue(self, value: object) -> None:  # noqa: ARG002  # there is one
        """Start the tree and go through the phases."""
        try:
            found: Any = await self._called("start", NORMAL, self.spec.args)
            supervisor, self.state = found if type(found) is tuple and len(found) == 2 else (found, None)
            if type(supervisor) is not Pid:
                self._fail(("bad_return", found))
            link(supervisor)  # it is, unless the function forgot
            self.supervisor = supervisor
            for phase, args in self.spec.start_phases:
                await self._called("start_phase", phase, NORMAL, args)
        except Exception as error:
            self._fail(error)
        self.is_started = True
        cast(self.controller, Started(self_(), supervisor))

    async def handle_cast(self, message: Any) -> None:
        """Stop the application: the one request there is."""
        assert message == "stop"
        await self._quietly("prep_stop")
        raise Stop

    def handle_info(self, message: Any) -> None:
        """End with the tree. Other messages mean nothing."""
        if type(message) is Exit and message.pid is self.supervisor:
            self.supervisor, self.reason = None, message.reason
            raise Stop

    async def terminate(self, reason: object) -> None:
        """End the tree, if it runs, and let the callback module clean up."""
        supervisor = self.supervisor
        if supervisor is not None:
            exit(supervisor, "shutdown")
            self.reason = (await receive(lambda message: type(message) is Exit and message.pid is supervisor)).reason
        if self.is_started:
            await self._quietly("stop")
        for process in list(current_scheduler().processes.values()):
            if process.pid is not self_() and process.context.get(application_var) == self.spec.name:
                exit(process.pid, "kill")
        if self.is_started:
            cast(self.controller, Ended(self_(), self.reason if reason == "normal" else reason))

    def _fail(self, reason: object) -> None:
        """Tell the controller that the application does not start. Raises: Stop."""
        cast(self.controller, Failed(self_(), reason))
        raise Stop

    async def _quietly(self, name: str) -> None:
        """Call a callback with the state, and keep what prep_stop returns; one that raises is logged."""
        if not hasattr(self._module(), name):
            return
        try:
            found = await self._called(name, self.state)
        except Exception as error:
            trouble.tell(f"{name} of the application {self.spec.name}", error)
        else:
            if name == "prep_stop":
                self.state = found

    async def _called(self, name: str, *args: object) -> Any:
        return await value_of(getattr(self._module(), name)(*args))

    def _module(self) -> Any:
        """Return the callback module as it is now; loads one that is not there. Raises: LoadError."""
        module = self.spec.module
        if type(module) is not str:
            return newest(module)
        if module not in sys.modules:
            code.load(module, source=last_text_of(module))
        return sys.modules[module]
