"""A limit of time for code that runs on the runtime's thread outside a process's step: a report, a clean-up, a look.

Such code calls what a program has defined (a `__repr__`, a `finally`, a listener), and while it runs every process
waits. The watchdog sees that it does not return and has TookTooLong raised in it. A process that does not yield is
another matter: it is somebody's work, so it is reported, and ended only if somebody kills it.

Law: one piece at a time is limited; a piece within a piece shares its limit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from midflight.kernel.async_exc import Target
from midflight.outside import TookTooLong

__all__ = ["LIMIT_SECONDS", "Limit"]

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

LIMIT_SECONDS = 1.0


class Limit:
    """The limit of one runtime. `number` counts the pieces, so that the watchdog can tell them apart."""

    __slots__ = ("_target", "number")

    def __init__(self) -> None:
        self._target = Target(TookTooLong)
        self.number = 0

    @property
    def is_running(self) -> bool:
        """True while a piece of work runs."""
        return self._target.is_running

    def run(
        self, function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """Return the value of `function` or raise its exception; on the runtime's thread. Raises: TookTooLong."""
        if self._target.is_running:
            return function(*args, **kwargs)
        self.number += 1
        return self._target.run(function, *args, **kwargs)

    def break_off(self) -> bool:
        """Have TookTooLong raised in the running function, from another thread; False if that cannot be just now."""
        return self._target.interrupt()
