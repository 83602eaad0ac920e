"""Pushes of a server, taken one after another until a time is up or the server has gone."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from typing import Any

from midflight.errors import RequestError

__all__ = ["pushes_until"]

LOOK_SECONDS = 0.5  # so that Ctrl-C is heard

Push = tuple[list[dict[str, Any]], int]
"""Events, and how many were dropped before them."""


def pushes_until(pushes: queue.SimpleQueue[Push | None], seconds: float | None) -> Iterator[Push]:
    """Yield the pushes until the time is up, or Ctrl-C. Raises: RequestError for None, the end of the server."""
    deadline = None if seconds is None else time.monotonic() + seconds
    while deadline is None or time.monotonic() < deadline:
        wait = LOOK_SECONDS if deadline is None else min(LOOK_SECONDS, max(0.0, deadline - time.monotonic()))
        try:
            push = pushes.get(timeout=wait)
        except queue.Empty:
            continue
        if push is None:
            raise RequestError("The server has gone; the trace ended with it. See midflight doctor.")
        yield push
