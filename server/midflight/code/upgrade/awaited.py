"""What a thread does for a process or an asyncio task that awaits it, and that may give it up.

The life of one: the thread begins -> whoever asked waits, and all others run -> it is done; or who asked is cancelled
or killed: the ticket is stopped, and what the thread held is let go before the cancellation goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from threading import Thread
from typing import TypeVar

from midflight.code.upgrade.in_thread import Ticket

__all__ = ["in_a_thread"]

Result = TypeVar("Result")


async def in_a_thread(ticket: Ticket, function: Callable[[], Result]) -> Result:
    """Return what `function` returns or raises, called in a thread of its own, in this context.

    Cancelled, it stops `ticket`, and waits until nothing is held any more. Of its own, and not of asyncio's pool:
    upgrades that wait for one another would fill that, and a code_change that wants a thread of it would wait for ever.
    """
    future = asyncio.wrap_future(_begun(function))
    future.add_done_callback(asyncio.Future.exception)  # seen, though nobody may wait for it by then
    try:
        return await asyncio.shield(future)
    except GeneratorExit:  # the process is killed, and may not wait
        ticket.stop("the process that asked for it was killed")
        raise
    except (asyncio.CancelledError, KeyboardInterrupt):
        ticket.stop("it was broken off")
        while ticket.is_holding and not future.done():
            try:
                await asyncio.wait([future])
            except asyncio.CancelledError:  # once more; the servers go on first
                pass
        raise


def _begun(function: Callable[[], Result]) -> Future[Result]:
    future: Future[Result] = Future()
    future.set_running_or_notify_cancel()
    context = copy_context()

    def work() -> None:
        try:
            future.set_result(context.run(function))
        except BaseException as error:
            future.set_exception(error)

    Thread(target=work, name="midflight-upgrade", daemon=True).start()
    return future
