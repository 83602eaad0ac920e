"""The tasks that a coroutine waits for in a block that would cancel them, had it been cancelled and not closed.

A TaskGroup that waits for its children at its end cancels them when a CancelledError comes, and so does
`asyncio.wait_for` before Python 3.12 with what it runs. To a GeneratorExit, by which the coroutine of a killed process
is closed, neither listens: the children would run on with nobody who knows of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

from midflight.kernel import trouble
from midflight.text import type_name

__all__ = ["cancel_children"]


def cancel_children(awaited: Iterable[Any]) -> None:
    """Cancel the tasks that the blocks in `awaited`, a coroutine's chain of awaited objects, would leave behind."""
    for each in awaited:
        for child in _children_of(getattr(each, "cr_frame", None)):
            try:
                child.cancel()
            except BaseException as error:  # of a future of the program's own making
                trouble.tell("A child of a process that was killed", error)


def _children_of(frame: Any) -> Iterator[asyncio.Future[Any]]:
    if frame is None:
        return
    if frame.f_code.co_name == "__aexit__":
        group = frame.f_locals.get("self")
        if type_name(group) == "TaskGroup":  # of asyncio or anyio, which both keep them there
            yield from (each for each in tuple(getattr(group, "_tasks", ())) if isinstance(each, asyncio.Future))
    elif frame.f_code.co_name == "wait_for" and frame.f_globals.get("__name__") == "asyncio.tasks":
        inner = frame.f_locals.get("fut")
        if isinstance(inner, asyncio.Future):
            yield inner
