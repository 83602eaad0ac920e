"""Work of a thread that a process or an asyncio task awaits, and may give up.

The life of one: the thread begins -> its caller waits, and all others run -> it is done; or the caller is cancelled
or killed: the ticket is stopped, and what the thread suspended is let go before the cancellation goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from midflight.code.loading.load_thread import LoadThread
from midflight.code.upgrade.in_thread import Ticket

__all__ = ["in_a_thread"]

Result = TypeVar("Result")


async def in_a_thread(ticket: Ticket, function: Callable[[], Result]) -> Result:
    """Call `function` in a thread of its own, in this context; return its value or raise its exception.

    Cancelled, it stops `ticket`, and waits until nothing is suspended any more. Of its own, and not of asyncio's pool:
    upgrades that wait for one another would fill that, and a code_change that wants a thread of it would never get one.
    """
    thread = LoadThread(function)
    future = asyncio.wrap_future(thread.future)
    future.add_done_callback(asyncio.Future.exception)  # seen, though nobody may wait for it by then
    try:
        return await asyncio.shield(future)
    except GeneratorExit:  # the process is killed, and may not wait
        ticket.stop("the process that asked for it was killed")
        thread.break_off_aside("the process that asked for it, which was killed")
        raise
    except (asyncio.CancelledError, KeyboardInterrupt):
        ticket.stop("it was broken off")
        thread.break_off_aside("who asked for it")
        while ticket.is_holding and not future.done():
            try:
                await asyncio.wait([future])
            except asyncio.CancelledError:  # once more; the servers go on first
                pass
        raise
