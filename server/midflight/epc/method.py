"""A method: a function under the name by which a peer calls it, and where it runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from midflight.errors import RequestError

__all__ = ["AnswerThen", "Lane", "Method"]


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
    """A function that the peer may call, with its signature read once."""

    def __init__(self, name: str, function: Callable[..., object], lane: Lane = Lane.IN_ORDER) -> None:
        self.name = name
        self.function = function
        self.lane = lane
        self._signature = inspect.signature(function)

    def __call__(self, *arguments: object) -> object:
        """Call the function.

        Raises: RequestError if it does not take that many arguments.
        """
        try:
            self._signature.bind(*arguments)
        except TypeError:
            names = " ".join(name.upper() for name in self._signature.parameters) or "no arguments"
            raise RequestError(
                f"{self.name} takes {names}, received {len(arguments)} argument(s); nothing was done. "
                "Send the arguments it takes."
            ) from None
        return self.function(*arguments)
