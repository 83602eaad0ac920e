"""Processes that end in one way or do not, and what a monitor hears of it."""

from __future__ import annotations

from midflight import Down, receive, spawn_monitor

__all__ = ["down_reason", "fail", "wait_for_ever"]


async def wait_for_ever():
    """Take messages, and do nothing."""
    while True:
        await receive()


async def fail(error):
    """End by that exception."""
    raise error


async def down_reason(function, *args):
    """Return the reason that a monitor hears of a process that runs `function`."""
    spawn_monitor(function, *args)
    return (await receive(Down, timeout=60)).reason
