"""The callables that `live` makes: a function of each kind, or an object, that looks up the current version.

Laws:
1. A call that has begun, a generator or a connection too, ends in the version that it began in.
2. A call whose arguments do not fit raises TypeError at the call, as the current version does: some servers tell a
   factory from an application so.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator
from types import FunctionType
from typing import Any

__all__ = ["MADE", "Find", "LiveObject", "is_live", "kind_of", "live_callable", "refresh"]

Find = Callable[[], Any]

MADE = "__midflight_live__"  # in a live function: its `find`; in a namespace: what `@live` stands before, by name


def is_live(value: Any) -> bool:
    """Say whether `live` has made `value`."""
    return (type(value) is FunctionType and MADE in value.__dict__) or issubclass(type(value), LiveObject)


def kind_of(function: Any) -> str:
    """Return the kind of a callable as people write it: "def", "async def", "generator" or "async generator"."""
    if inspect.isasyncgenfunction(function):
        return "async generator"
    if inspect.iscoroutinefunction(function):
        return "async def"
    return "generator" if inspect.isgeneratorfunction(function) else "def"


def live_callable(function: Any, find: Find, name: str) -> Any:
    """Return a callable of the kind of `function` that calls the result of `find`; `name` is "module:name" or ""."""
    is_routine = inspect.isroutine(function) or isinstance(function, (functools.partial, type))
    if not is_routine:
        has_coroutine = inspect.iscoroutinefunction(type(function).__call__)
        return (_LiveAsync if has_coroutine else LiveObject)(find, name)
    found = _live_function(kind_of(function), find)
    _show(found, function, find)
    return found


def refresh(live: Any) -> str | None:
    """Show of a live callable what its current version is like; return what its user has to know, None for nothing."""
    if isinstance(live, LiveObject):
        return carried(live) if isinstance(live, _LiveAsync) else None
    find = live.__dict__[MADE]
    try:
        new = find()
    except LookupError as error:
        return str(error)
    before, now = kind_of(live), kind_of(new)
    _show(live, new, find)
    return None if before == now else f"it was registered as {before} and is {now} now; register it again"


def _show(live: Any, function: Any, find: Find) -> None:
    functools.update_wrapper(live, function)
    live.__dict__[MADE] = find


# --- Functions ----------------------------------------------------------------------------------------------------


def _live_function(kind: str, find: Find) -> Any:
    """Return a function that calls the current one at once, so that a call that does not fit raises at the call."""
    as_kind = AS_KIND[kind]

    def live(*arguments: Any, **named: Any) -> Any:
        return as_kind(find()(*arguments, **named))

    return _flagged(live, kind)


def _flagged(function: Any, kind: str) -> Any:
    """Return a plain function whose code says that it is of a kind: for those who ask the flags, as `inspect` does.

    The flags of a code object say what a call returns, its first instruction makes it. So a plain function may have
    them; it returns what it was given, no wrapper of it.
    """
    code = function.__code__.replace(co_flags=function.__code__.co_flags | FLAGS[kind])
    return FunctionType(code, function.__globals__, function.__name__, function.__defaults__, function.__closure__)


def _same(result: Any) -> Any:
    return result


def _as_coroutine(result: Any) -> Any:
    """Return a coroutine for the result: of a function that is no longer `async def`, or of a decorated one."""
    return result if inspect.iscoroutine(result) else _resolved(result)


async def _resolved(result: Any) -> Any:
    return await result if inspect.isawaitable(result) else result


def _as_generator(result: Any) -> Any:
    return result if inspect.isgenerator(result) else _delegated(result)


def _delegated(result: Any) -> Generator[Any, Any, Any]:
    return (yield from result)


FLAGS = {
    "def": 0,
    "async def": inspect.CO_COROUTINE,
    "generator": inspect.CO_GENERATOR,
    "async generator": inspect.CO_ASYNC_GENERATOR,
}
AS_KIND: dict[str, Callable[[Any], Any]] = {
    "def": _same,
    "async def": _as_coroutine,
    "generator": _as_generator,
    "async generator": _same,
}

# --- Objects ------------------------------------------------------------------------------------------------------


class LiveObject:
    """A callable object by its name, an application say: it has the calls and attributes of the current one."""

    __slots__ = ("__dict__", "__weakref__")

    def __init__(self, find: Find, name: str) -> None:
        self.__dict__.update(_find=find, _name=name)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.__dict__["_find"]()(*arguments, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_find"](), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.__dict__["_find"](), name, value)

    def __repr__(self) -> str:
        return f"live({self.__dict__['_name']!r})"


class _LiveAsync(LiveObject):
    """One whose call is a coroutine, as an ASGI application's is. The one that has a lifespan keeps it to its end."""

    def _call(self, *arguments: Any, **named: Any) -> Any:
        found = self.__dict__["_find"]()
        if arguments and isinstance(arguments[0], dict) and arguments[0].get("type") == "lifespan":
            self.__dict__["_begun"] = found
        return _as_coroutine(found(*arguments, **named))

    __call__ = _flagged(_call, "async def")


def carried(live: _LiveAsync) -> str | None:
    """Give the current application the state that a lifespan has put into the one that it was run for."""
    begun = live.__dict__.get("_begun")
    if begun is None:
        return None
    try:
        found = live.__dict__["_find"]()
    except LookupError as error:
        return str(error)
    if found is begun:
        return None
    old, new = (getattr(getattr(each, "state", None), "_state", None) for each in (begun, found))
    if not isinstance(old, dict) or not isinstance(new, dict):
        return "its lifespan has run for the application before: what that set up is not known to this one"
    names = [name for name in old if name not in new]
    new.update((name, old[name]) for name in names)
    return f"the state that its lifespan set up is carried: {', '.join(map(str, names))}" if names else None
