"""Text that waits to be shown, with a bound: of a flood the middle is dropped, and a line says how much."""

from __future__ import annotations

from collections import deque

__all__ = ["Backlog"]

_PIECE = 4096


class Backlog:
    """A queue of characters that keeps the first `head_limit` and the last `tail_limit` of what waits.

    Whoever reads a flood wants its beginning, where the cause is, and its end, where things stand now.
    Adding costs no more than the text added. Not thread-safe: its owner holds a lock.
    """

    def __init__(self, head_limit: int, tail_limit: int) -> None:
        self._head_limit = head_limit
        self._tail_limit = tail_limit
        self._head: deque[str] = deque()
        self._tail: deque[str] = deque()
        self._head_size = 0
        self._tail_size = 0
        self._dropped_characters = 0
        self._dropped_lines = 0

    def __len__(self) -> int:
        return self._head_size + self._tail_size

    def add(self, text: str) -> None:
        """Put `text` at the end, dropping what no longer fits from the middle."""
        if not self._tail and not self._dropped_characters:
            room = self._head_limit - self._head_size
            if head := text[:room]:
                self._head.append(head)
                self._head_size += len(head)
            text = text[room:]
        if len(text) > self._tail_limit:
            self._drop("".join(self._tail))
            self._tail.clear()
            self._tail_size = 0
            self._drop(text[: -self._tail_limit])
            text = text[-self._tail_limit :]
        for start in range(0, len(text), _PIECE):
            self._tail.append(text[start : start + _PIECE])
        self._tail_size += len(text)
        while self._tail_size > self._tail_limit:
            piece = self._tail.popleft()
            self._tail_size -= len(piece)
            self._drop(piece)

    def take(self, limit: int) -> str:
        """Remove and return the next characters, about `limit` at most; empty if nothing waits."""
        if not self._head:
            self._move_tail()
        pieces: list[str] = []
        size = 0
        while self._head and size < limit:
            piece = self._head.popleft()
            if size + len(piece) > limit:
                self._head.appendleft(piece[limit - size :])
                piece = piece[: limit - size]
            pieces.append(piece)
            size += len(piece)
        self._head_size -= size
        return "".join(pieces)

    def _move_tail(self) -> None:
        """Make the tail the head, after the line that says what is missing between the two."""
        if self._dropped_characters:
            text = "".join(self._tail)
            cut = text.find("\n") + 1  # the tail begins anywhere in a line; begin with a whole one
            self._drop(text[:cut])
            self._tail = deque([self._notice(), text[cut:]])
            self._dropped_characters = self._dropped_lines = 0
        self._head, self._tail = self._tail, deque()
        self._head_size, self._tail_size = sum(map(len, self._head)), 0

    def _notice(self) -> str:
        return (
            f"\n[{self._dropped_characters:,} characters in {self._dropped_lines:,} lines of output dropped: "
            "they came faster than they could be shown]\n"
        )

    def _drop(self, text: str) -> None:
        self._dropped_characters += len(text)
        self._dropped_lines += text.count("\n")
