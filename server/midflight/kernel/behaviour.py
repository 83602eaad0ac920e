"""The base of process functions that are objects with a state: the mark by which the kernel knows a server."""

from __future__ import annotations

from typing import Any

__all__ = ["Behaviour"]


class Behaviour:
    """The base of the process functions that handle System messages.

    `server` is the object that holds the state, None while its init runs: it is `starting` then. While `is_suspended`
    only system messages are handled. `is_held` says that an upgrade has it suspended, or is about to.
    """

    server: Any = None
    starting: Any = None
    is_suspended = False
    is_held = False
