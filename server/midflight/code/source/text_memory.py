"""`TextMemory`: what was made of the last texts of modules. A load compares a text with the one before it.

Law: memory is bounded by the number of the texts and by their length together, for what is made of them is as long.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Generic, ParamSpec, TypeVar

__all__ = ["TextMemory"]

# Of all texts: two of 4,000 lines, or all that somebody edits in a day. Some 10 MB of trees: those take 30 to 50 times
# as much as their texts, and the garbage collector looks through them from time to time.
MOST_CHARACTERS = 300_000

Value = TypeVar("Value")
Parameters = ParamSpec("Parameters")


class TextMemory(Generic[Value]):
    """A memory of one value for each of the last texts, as many as `most_texts`, as long as `most_characters`.

    The text that was asked for last stays, however long it is. Any thread may ask.
    """

    def __init__(self, most_characters: int = MOST_CHARACTERS, most_texts: int = 200) -> None:
        self.most_characters, self.most_texts = most_characters, most_texts
        self._found: dict[str, tuple[object, Value]] = {}  # the one that was used last at the end
        self._lock = RLock()

    def get(
        self,
        text: str,
        source: object,
        make: Callable[Parameters, Value],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Value:
        """Return the value of a text, which `make` makes of these arguments if it is not known. Raises: as that does.

        One that was made of another object than `source`, another tree of the same text say, is made again.
        """
        with self._lock:
            found = self._found.get(text)
            if found is not None and found[0] is source:
                self._found[text] = self._found.pop(text)
                return found[1]
        value = make(*args, **kwargs)
        with self._lock:
            self._found.pop(text, None)
            self._found[text] = source, value
            length = sum(map(len, self._found))  # each time: Ctrl-C may have come in the midst of the last one
            for other in list(self._found)[:-1]:
                if length <= self.most_characters and len(self._found) <= self.most_texts:
                    break
                del self._found[other]
                length -= len(other)
        return value

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._found.clear()

    def texts(self) -> list[str]:
        """Return the texts that are known, the one that was used last at the end."""
        return list(self._found)
