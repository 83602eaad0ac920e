"""`Token`: a value that stands for itself alone, and shows as its name."""

from __future__ import annotations

__all__ = ["Token"]


class Token:
    """A value that stands for itself: equal to nothing else, and never copied."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def __copy__(self) -> Token:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Token:
        return self
