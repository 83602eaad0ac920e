"""Methods about applications.

(call 4 application/list nil)
(return 4 ((:name "desk" :status "running" :restart "permanent" :supervisor "<0.7.0>" :applications ("store")
            :vsn "1.2" :description "Sells.")))
(call 5 application/start ("desk"))
(return 5 ("store" "desk"))
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from midflight.epc.method import Lane, Method
from midflight.epc.methods.arguments import text
from midflight.epc.services import Services
from midflight.errors import ApplicationError, RequestError
from midflight.observer import run_aside
from midflight.otp import application

__all__ = ["ApplicationMethods"]

Result = TypeVar("Result")
Names = list[str]

SECONDS = 60.0  # an application may take long to start, and to stop


class ApplicationMethods:
    """The applications of the runtime, as any connection may list, start and stop them."""

    def __init__(self, services: Services) -> None:
        self._scheduler = services.scheduler
        self._log = services.log

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("application/list", self.list, Lane.ASIDE),
            Method("application/start", self.start, Lane.ASIDE),
            Method("application/stop", self.stop, Lane.ASIDE),
        )

    def list(self) -> list[dict[str, object]]:
        """Return all applications that are loaded: those that run in the order of their start, then the others."""
        return [
            {
                **each._asdict(),
                "supervisor": None if each.supervisor is None else repr(each.supervisor),
                "applications": list(each.applications),
            }
            for each in application.states(self._scheduler)
        ]

    def start(self, name: object) -> Names:
        """Start the application NAME, and before it all that it needs; return those that were started, in order.

        Raises: RequestError if one does not start, or NAME runs already; those that were started are stopped again.
        """
        wanted = text(name, "NAME")

        async def work() -> Names:
            if wanted in [each.name for each in application.which_applications()]:
                raise RequestError(f"The application {wanted} runs already; nothing was started. Stop it first.")
            return await application.ensure_all_started(wanted)

        return self._done(work, f"The start of the application {wanted}")

    def stop(self, name: object) -> None:
        """Stop the application NAME; what needs it runs on. Raises: RequestError if it does not run."""
        wanted = text(name, "NAME")
        self._done(lambda: application.stop(wanted), f"The stop of the application {wanted}")

    def _done(self, function: Callable[[], Awaitable[Result]], what: str) -> Result:
        async def work() -> Result:
            try:
                return await function()
            except (ApplicationError, TypeError, ValueError) as error:
                raise RequestError(f"{what} failed: {error}") from error

        return run_aside(self._scheduler, work, what, sink=self._log, seconds=SECONDS)
