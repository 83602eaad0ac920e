"""Words and numbers that arguments are chosen from, apart from the commands that obey them."""

from __future__ import annotations

__all__ = ["HOLDERS_SECONDS", "KINDS", "ORDERS"]

HOLDERS_SECONDS = 2
"""For the search after a load, unless --holders says otherwise."""

KINDS = ("in", "out", "call", "spawn", "link", "exit")
"""The events of a trace."""

ORDERS = {"r": "reductions", "m": "messages", "p": "pid"}
"""What `top` sorts by, each with its key."""
