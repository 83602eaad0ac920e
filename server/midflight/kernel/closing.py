"""Closing a coroutine that waits, with all that it waits in: every `finally` runs, innermost first.

`coroutine.close()` does that for coroutines and generators. The step objects of asynchronous generators (`async for`,
`asend`, `athrow`, `anext` with a default) do nothing in their `close` before Python 3.13: the generator stays as it is,
within a step, and asyncio fails to close it later. So each generator is closed here by its step's `throw`, from the
innermost outwards. A generator that waits for its consumer is nobody's step, and is left alone: another may go on.
"""

from __future__ import annotations

import ctypes
from typing import Any

from midflight.kernel.frames import ASYNC_GENERATOR_STEPS, awaitables_of
from midflight.kernel.orphans import cancel_children
from midflight.text import type_name

__all__ = ["close"]


def close(coro: Any) -> BaseException | None:
    """Close `coro`, which waits or has not begun; return the first exception that a `finally` raised, if one did.

    Tasks that would be nobody's are cancelled first. A `finally` runs to its first await, and is closed there in turn.
    What goes on even then is never resumed.
    """
    awaited = awaitables_of(coro)
    cancel_children(awaited)
    errors = []
    for step, inner in zip(reversed(awaited[:-1]), reversed(awaited[1:]), strict=True):
        if type_name(step) in ASYNC_GENERATOR_STEPS:
            errors.append(_end_step(step, inner))
    try:
        coro.close()
    except BaseException as error:  # whatever its `finally` raised
        errors.append(error)
        if coro.cr_frame is not None:
            _never_again(coro)
    return next((error for error in errors if error is not None), None)


def _end_step(step: Any, generator: Any) -> BaseException | None:
    """Close the asynchronous generator that `step` has begun."""
    for _ in range(2):  # once where it waits, once at the first await of its `finally`
        try:
            step.throw(GeneratorExit())
        except (GeneratorExit, StopIteration, StopAsyncIteration):  # as it should; or it gave one more item
            return None
        except BaseException as error:  # whatever its `finally` raised
            return error
    _never_again(generator)
    return RuntimeError("asynchronous generator ignored GeneratorExit")


def _never_again(suspended: Any) -> None:
    """Keep a coroutine that goes on after its close: its last reference, dropped, would close it again, and print."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(suspended))
