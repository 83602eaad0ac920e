"""The lives of a program: runtimes one after another on the same store."""

from __future__ import annotations

import shutil
import sqlite3
import sys
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from helpers.versions import Project, forget_modules_in
from midflight.code.version import modules
from midflight.durable import texts
from midflight.kernel import ManualClock
from midflight.testing import TestRuntime


class Lives:
    """Runtimes on the store at `path`; `clock` is that of the present one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.runtime: TestRuntime | None = None
        self.crashes: list[Any] = []

    def run(self, function: Callable[..., Any], *args: Any, code: str = "disk") -> Any:
        """Run `function(*args)` as a process in a new life, which ends in order; return its value."""
        self.close()
        self.clock = ManualClock()
        self.runtime = runtime = TestRuntime(self.clock, store=self.path, code=code)
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

    def new_interpreter(self, project: Project) -> None:
        """Have the modules of `project` forgotten, and the versions that ran be those of an earlier interpreter."""
        forget_modules_in(project.root)
        for name in [name for name, module in modules._modules.items() if module.path.startswith("<")]:
            del modules._modules[name], sys.modules[name]  # a text without a file
        texts.LIFE = uuid.uuid4().hex

    def query(self, text: str) -> list[Any]:
        """Return what a query finds in the store, which no life has."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(text).fetchall()

    def lose_power(self) -> None:
        """Go on with the files as they are now, whatever the life that runs still writes; call it before its end."""
        for each in self.path.parent.glob(f"{self.path.name}*"):
            shutil.copy(each, each.with_name(f"cut-{each.name}"))

    def after_power_cut(self) -> Lives:
        """Return the lives on the files of `lose_power`."""
        return Lives(self.path.with_name(f"cut-{self.path.name}"))
