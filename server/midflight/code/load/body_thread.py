"""The thread that bodies run on: that of the load, or the runtime's if a load or the project asks for it."""

from __future__ import annotations

from typing import Literal

from midflight.code.loading.runtime_thread import runtime_thread

__all__ = ["on_runtime_thread", "run_bodies_on_runtime"]


class _Project:
    is_on_runtime = False


def run_bodies_on_runtime(wanted: bool) -> None:
    """Have all bodies run on the runtime's thread from now on, as `body = "runtime"` of a project says, or not."""
    _Project.is_on_runtime = wanted


def on_runtime_thread(asked: Literal["runtime"] | None) -> bool:
    """Say whether a body is to run on another thread than the calling one: the runtime's, if there is one."""
    if asked is None and not _Project.is_on_runtime:
        return False
    scheduler = runtime_thread()
    return scheduler is not None and not scheduler.is_own_thread()
