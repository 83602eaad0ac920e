"""The start of a project in its server: the applications, then the function `start`; and the applications' stop.

Both stand in `[tool.midflight]` of pyproject.toml. Whatever of them does not start is logged, and the server runs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from midflight.driver import Runtime
from midflight.errors import ApplicationError, LoadError, RequestError
from midflight.kernel import CrashReport, Pid
from midflight.otp import application
from midflight.program import configured_applications, configured_start, function_of
from midflight.text import exception_line

__all__ = ["start_configured", "stop_applications"]

STOP_SECONDS = 5.0  # for the applications in their order; what runs then is ended as all processes are
MEND = "The server runs without it. Mend it, load it,"

_log = logging.getLogger("midflight")


async def start_configured(runtime: Runtime, root: Path, fail: Callable[[str], object]) -> None:
    """Start the applications of the project at `root`, each after those that it needs, then its `start`.

    `fail` is called with a sentence for each that does not start, and if the process of `start` crashes later.

    Modules are loaded on this thread, which runs all processes: what a body makes, a connection of sqlite3 say, works
    in them. Editors are answered after it. `start` runs as a process.
    """

    def failed(text: str) -> None:
        _log.error("%s", text)
        fail(text)

    try:
        tables = configured_applications(root)
    except RequestError as error:
        failed(str(error))
    else:
        if tables:
            await runtime.run(_start_applications, tables, failed)
    target = None
    try:
        target = configured_start(root)
        if target is not None:
            function = function_of(target)
            pid = runtime.spawn(function)
            runtime.scheduler.on_crash.append(partial(_tell_of_crash, pid, target, fail))
            _log.info("[tool.midflight] start: %s runs as %r", target, pid)
    except (LoadError, RequestError) as error:
        named = f" = {target!r}" if target else ""
        failed(f"[tool.midflight] start{named} did not start: {error} {MEND} spawn it in a shell.")


def _tell_of_crash(pid: Pid, target: str, fail: Callable[[str], object], report: CrashReport) -> None:
    """Tell of a crash of the process of `start`, which has its report in the log already."""
    if report.pid is pid:
        fail(f"[tool.midflight] start = {target!r} has crashed ({pid!r}): {exception_line(report.reason)}")


async def stop_applications(runtime: Runtime) -> None:
    """Stop the applications that run, the last one started first; give up after some seconds."""
    if any(each.status != "loaded" for each in application.states(runtime.scheduler)):
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await runtime.run(application.stop_all)


async def _start_applications(tables: Mapping[str, Any], failed: Callable[[str], object]) -> None:
    """Load the applications, all of them first, and start each."""
    for name, table in tables.items():
        try:
            application.load(application.spec_of(name, table))
        except (TypeError, ValueError) as error:
            failed(f"[tool.midflight.applications.{name}] is wrong: {error}. Mend it, and start the server again.")
    for each in application.loaded_applications():
        try:
            started = await application.ensure_all_started(each.name)
        except ApplicationError as error:
            failed(
                f"[tool.midflight.applications.{each.name}] did not start: {error} {MEND} "
                f'and in a shell: await application.start("{each.name}")'
            )
        else:
            for name in started:
                _log.info("[tool.midflight.applications.%s] runs", name)
