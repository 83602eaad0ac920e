"""The words of a front end that goes on with a shell that another client has had."""

from __future__ import annotations

import time
from typing import Any

__all__ = ["clock_of", "others_text", "taken_text"]


def taken_text(opened: dict[str, Any]) -> str:
    """Return the words about a shell taken up: its client before, its output; `opened` answers shell/open."""
    inputs = opened["number"] - 1
    printed = "what was printed meanwhile follows" if opened["waiting"] else "nothing was printed meanwhile"
    return (
        f"Shell {opened['session']} of {opened['client']}, taken up again: nobody had it since "
        f"{clock_of(opened['since'])}. {inputs} input{'' if inputs == 1 else 's'}, and its bindings; {printed}."
        f"{' The evaluation goes on.' if opened['busy'] else ''}"
    )


def others_text(count: int) -> str:
    """Return how many shells wait on the server."""
    return f"{count} shell{' waits' if count == 1 else 's wait'} to be taken up"


def clock_of(seconds: float) -> str:
    """Return a time, in seconds since the epoch, as people read it, with its day if that is not today."""
    at = time.localtime(seconds)
    return time.strftime("%H:%M" if at[:3] == time.localtime()[:3] else "%Y-%m-%d %H:%M", at)
