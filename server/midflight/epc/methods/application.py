"""The method about applications.

(call 4 application/list nil)
(return 4 ((:name "desk" :status "running" :restart "permanent" :supervisor "<0.7.0>" :applications ("store")
            :vsn "1.2" :description "Sells.")))
"""

from __future__ import annotations

from midflight.epc.method import Lane, Method
from midflight.epc.services import Services
from midflight.otp import application

__all__ = ["ApplicationMethods"]


class ApplicationMethods:
    """The applications of the runtime, as any connection may list them."""

    def __init__(self, services: Services) -> None:
        self._scheduler = services.scheduler

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (Method("application/list", self.list, Lane.ASIDE),)

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
