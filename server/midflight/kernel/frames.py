"""The frames of a suspended or running process, outermost first: their functions, lines and versions."""

from __future__ import annotations

import gc
from collections.abc import AsyncGenerator, Coroutine, Generator
from functools import partial
from inspect import CO_OPTIMIZED
from types import AsyncGeneratorType, CoroutineType, FrameType, FunctionType, GeneratorType
from typing import Any

from midflight.outside import is_from_outside
from midflight.text import encodable, type_name

__all__ = [
    "ASYNC_GENERATOR_STEPS",
    "awaitables_of",
    "function_name",
    "globals_of",
    "innermost_user_frame",
    "is_kernel_frame",
    "is_own_frame",
    "locals_of",
    "module_of",
    "stack_of",
    "version_of",
]

ASYNC_GENERATOR_STEPS = ("async_generator_asend", "async_generator_athrow")
KERNEL = __name__.rpartition(".")[0] + "."
OURS = __name__.partition(".")[0] + "."
CALLS = OURS + "otp.calls"  # where `call` is: compiled it has no frame


def stack_of(awaitable: Any) -> list[FrameType]:
    """Return the frames of `awaitable` and of all that it awaits, outermost first.

    Follows coroutines, generators, async generators, and the step objects of `async for`, which hide theirs.
    Awaitables written in C and asyncio futures end the walk: a child task has a stack of its own.
    """
    frames: list[FrameType] = []
    seen: set[int] = set()
    while awaitable is not None and id(awaitable) not in seen:
        seen.add(id(awaitable))
        frame, awaitable = _look(awaitable)
        if frame is not None:
            frames.append(frame)
    return frames


def awaitables_of(awaitable: Any) -> list[Any]:
    """Return `awaitable` and all that it awaits, outermost first, as far as `stack_of` follows."""
    found: list[Any] = []
    seen: set[int] = set()
    while awaitable is not None and id(awaitable) not in seen:
        seen.add(id(awaitable))
        found.append(awaitable)
        awaitable = _look(awaitable)[1]
    return found


def _look(awaitable: Any) -> Any:
    try:
        return _frame_and_awaited(awaitable)
    except BaseException as error:  # of an awaitable of the program's own making
        if is_from_outside(error):
            raise
        return None, None


def _frame_and_awaited(
    awaitable: Coroutine[Any, Any, Any] | Generator[Any, Any, Any] | AsyncGenerator[Any, Any],
) -> Any:
    if type(awaitable) is CoroutineType:
        return awaitable.cr_frame, awaitable.cr_await
    if type(awaitable) is GeneratorType:
        return awaitable.gi_frame, awaitable.gi_yieldfrom
    if type(awaitable) is AsyncGeneratorType:
        return awaitable.ag_frame, awaitable.ag_await
    name = type_name(awaitable)
    if name in ASYNC_GENERATOR_STEPS or name in ("coroutine_wrapper", "anext_awaitable"):
        for inner in gc.get_referents(awaitable):
            if type(inner) in (CoroutineType, AsyncGeneratorType) or (type(inner).__name__ in ASYNC_GENERATOR_STEPS):
                return None, inner
    if isinstance(awaitable, Coroutine):  # not CPython's own: Cython's, or one that drives another
        return getattr(awaitable, "cr_frame", None), getattr(awaitable, "cr_await", None)
    return None, None


def is_kernel_frame(frame: FrameType) -> bool:
    """Say whether `frame` is the kernel's own, for instance the one of `receive`."""
    return _name_in(frame.f_globals).startswith(KERNEL)


def is_own_frame(frame: FrameType) -> bool:
    """Say whether `frame` is of any part of Midflight: the kernel, the loop of a server."""
    return _name_in(frame.f_globals).startswith(OURS)


def _name_in(namespace: dict[str, Any]) -> str:
    """Return the name of the module whose namespace this is, "" if it has none: a program may put anything there."""
    name = dict.get(namespace, "__name__")
    return name if type(name) is str else ""


def innermost_user_frame(frames: list[FrameType]) -> FrameType | None:
    """Return the last of `frames` that is neither the kernel's nor of a `call`; None if there is none."""
    for frame in reversed(frames):
        if not is_kernel_frame(frame) and _name_in(frame.f_globals) != CALLS:
            return frame
    return None


def locals_of(frame: FrameType) -> dict[str, Any]:
    """Return the locals of `frame` by name, a new dict; the frame is left holding nothing that it did not hold."""
    seen = frame.f_locals
    values = dict(seen)
    if isinstance(seen, dict) and frame.f_code.co_flags & CO_OPTIMIZED:
        seen.clear()  # a function's, before 3.13 (PEP 667): the frame keeps this copy, and all that is in it
    return values


def version_of(namespace: dict[str, Any]) -> int | None:
    """Return the number of the version whose namespace this is; None for a module that is not versioned."""
    version = dict.get(namespace, "__midflight_version__")
    return version if type(version) is int else None


def function_name(function: Any) -> str:
    """Return `module.qualified_name` of a callable, as far as it tells; of one that raises, its type's name."""
    if type(function) is FunctionType:
        return f"{function.__module__}.{function.__qualname__}"
    while type(function) is partial:
        function = function.func
    module, name = module_of(function), _text_of(function, "__qualname__") or type_name(function)
    return f"{module}.{name}" if module else name


def module_of(function: Any) -> str:
    """Return the name of the module that a callable says it is of; "" if it says none, or raises."""
    return _text_of(function, "__module__")


def globals_of(function: Any) -> dict[str, Any]:
    """Return the namespace that a callable runs in; an empty one if it says none, or raises."""
    try:
        found = getattr(function, "__globals__", None)
    except BaseException as error:  # of a class of the program's
        if is_from_outside(error):
            raise
        return {}
    return found if type(found) is dict else {}


def _text_of(function: Any, name: str) -> str:
    """Return an attribute of a callable if it is a text; "" for any other, or if the read of it raises."""
    try:
        found = getattr(function, name, None)
    except BaseException as error:  # of a class of the program's
        if is_from_outside(error):
            raise
        return ""
    return encodable(found) if type(found) is str else ""
