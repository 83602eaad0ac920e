"""The return value of a process function: a coroutine that nobody has awaited, to go on as, or any other value."""

from __future__ import annotations

from collections.abc import Callable
from inspect import CO_ITERABLE_COROUTINE
from types import CoroutineType, GeneratorType
from typing import Any

from midflight.kernel.choice import COMPILED

__all__ = ["coroutine_in", "is_coroutine"]

TRIP = CoroutineType if COMPILED is None else COMPILED.CallTrip  # what `call` returns

METHODS = ("send", "throw", "close")
_dict_of: Callable[[type], Any] = type.__dict__["__dict__"].__get__
_mro_of: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__


def is_coroutine(value: object) -> bool:
    """Say whether `value` is of an `async def`, or what the compiled `call` returns. Quick, and runs no other code."""
    kind = type(value)
    return kind is CoroutineType or kind is TRIP


def coroutine_in(value: Any) -> CoroutineType[Any, Any, Any] | None:
    """Return the coroutine that `value` is, None if it is a plain value.

    Coroutines are those of an `async def`, those of `types.coroutine` (`receive` and `sleep` too), those of compiled
    modules, and objects with the methods of a coroutine (`collections.abc.Coroutine`), as what `GenServer.start`
    returns is. Those that are not of the first kind come wrapped in one. A future, a task, and what can only be
    awaited are values: a program may want to return them.
    """
    if value is None:
        return None
    kind = type(value)
    if kind is CoroutineType:
        return value  # type: ignore[no-any-return]
    if kind is TRIP:
        value = value.in_python()
        return value if type(value) is CoroutineType else _awaited(value)
    if kind is GeneratorType:
        return _awaited(value) if value.gi_code.co_flags & CO_ITERABLE_COROUTINE else None
    if _has(kind, "__await__") and all(_has(kind, name) for name in METHODS):
        return _awaited(value)
    return None


def _has(kind: type, name: str) -> bool:
    """Say whether `kind` defines `name`; nothing of its own runs, and nothing of its metaclass's."""
    for base in _mro_of(kind):  # noqa: SIM110  # a generator would take twice as long, and each process ends here
        if name in _dict_of(base):
            return True
    return False


async def _await(coro: Any) -> Any:
    return await coro


_awaited: Callable[[Any], CoroutineType[Any, Any, Any]] = _await  # type: ignore[assignment]  # typeshed: any Coroutine
