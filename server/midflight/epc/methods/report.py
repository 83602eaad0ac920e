"""Methods about the reports of supervisors.

(call 7 report/list nil)
(return 7 ((:number 1 :at 1764448200.5 :context "child_terminated" :supervisor "<0.5.0>" :name "tops"
            :reason "ZeroDivisionError('division by zero')" :then "it is restarted" :child "'till'"
            :child-pid "<0.6.0>" :start "shop.Till" :arguments "()" :restart "permanent" :shutdown "5.0" :type "worker"
            :significant nil :text "supervisor <0.5.0> (tops): child ...")))
"""

from __future__ import annotations

from dataclasses import asdict

from midflight.epc.method import Method
from midflight.epc.services import Services

__all__ = ["ReportMethods"]


class ReportMethods:
    """The memory of supervisors' reports, as any connection may use it."""

    def __init__(self, services: Services) -> None:
        self._reports = services.reports

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (Method("report/list", self.list), Method("report/clear", self.clear))

    def list(self) -> list[dict[str, object]]:
        """Return the reports of supervisors that are remembered, the last 200 and the last 100 starts, oldest first."""
        return [asdict(row) for row in self._reports.all()]

    def clear(self) -> int:
        """Forget them; return how many there were."""
        return self._reports.clear()
