"""The lives of a program: runtimes one after another on the same store."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from midflight.kernel import ManualClock
from midflight.testing import TestRuntime


class Lives:
    """Runtimes on the store at `path`; `clock` is that of the present one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.runtime: TestRuntime | None = None
        self.crashes: list[Any] = []

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run `function(*args)` as a process in a new life, which ends in order; return its value."""
        self.close()
        self.clock = ManualClock()
        self.runtime = runtime = TestRuntime(self.clock, store=self.path)
        self.crashes = runtime.crashes
        runtime.scheduler.states.work_seconds = lambda: 0.0  # pickling takes no time, so there is always time for it
        try:
            return runtime.run(function, *args)
        finally:
            self.close()

    def close(self) -> None:
        """End the life that runs."""
        runtime, self.runtime = self.runtime, None
        if runtime is not None:
            assert runtime.close() == []

    def lose_power(self) -> None:
        """Go on with the files as they are now, whatever the life that runs still writes; call it before its end."""
        for each in self.path.parent.glob(f"{self.path.name}*"):
            shutil.copy(each, each.with_name(f"cut-{each.name}"))

    def after_power_cut(self) -> Lives:
        """Return the lives on the files of `lose_power`."""
        return Lives(self.path.with_name(f"cut-{self.path.name}"))
