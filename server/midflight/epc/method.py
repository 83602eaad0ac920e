"""A method: a function under the name by which a peer calls it, and where it runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from types import MethodType

from midflight.errors import RequestError

__all__ = ["AnswerThen", "Lane", "Method"]

_FUNCTIONS = 512


class Lane(Enum):
    """The place where a method runs. All but the first overtake requests that wait or run."""

    IN_ORDER = auto()
    AT_ONCE = auto()  # in the reader's thread: it must not wait for anything
    ASIDE = auto()  # in a thread of its own: it may wait, and nothing waits for it


@dataclass(frozen=True, slots=True)
class AnswerThen:
    """The return value of a method that has work left: answer `value`; when that is on its way, call `then`."""

    value: object
    then: Callable[[], object]


class Method:
    """A function that the peer may call.

    Each connection has a table of some hundred, of which it calls a few: what is read of a function is read when it is
    needed, and once for all connections.
    """

    __slots__ = ("function", "lane", "name")

    def __init__(self, name: str, function: Callable[..., object], lane: Lane = Lane.IN_ORDER) -> None:
        self.name = name
        self.function = function
        self.lane = lane

    @property
    def description(self) -> str:
        """The docstring of the function, "" if it has none."""
        return _description(_plain(self.function))

    def __call__(self, *arguments: object) -> object:
        """Call the function.

        Raises: RequestError if it does not take that many arguments.
        """
        function = self.function
        signature = _signature(_plain(function))
        own = (function.__self__,) if isinstance(function, MethodType) else ()
        try:
            signature.bind(*own, *arguments)
        except TypeError:
            names = " ".join(name.upper() for name in list(signature.parameters)[len(own) :]) or "no arguments"
            raise RequestError(
                f"{self.name} takes {names}, received {len(arguments)} argument(s); nothing was done. "
                "Send the arguments it takes."
            ) from None
        return function(*arguments)


def _plain(function: Callable[..., object]) -> Callable[..., object]:
    """Return the function of a bound method: it is the same for all connections."""
    return function.__func__ if isinstance(function, MethodType) else function


@lru_cache(maxsize=_FUNCTIONS)
def _signature(function: Callable[..., object]) -> inspect.Signature:
    return inspect.signature(function)


@lru_cache(maxsize=_FUNCTIONS)
def _description(function: Callable[..., object]) -> str:
    return inspect.getdoc(function) or ""
