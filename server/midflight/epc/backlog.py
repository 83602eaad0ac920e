"""Text that waits to be shown, with a bound: of a flood the middle is dropped, and a line says how much."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

__all__ = ["Backlog"]

_PIECE = 4096

Writer = TypeVar("Writer")
Run = tuple[str, Writer | None]


class Backlog(Generic[Writer]):
    """A queue of characters, each with its writer, that keeps the first `head_limit` and the last
    `tail_limit` of what waits.

    The reader of a flood wants its beginning, where the cause is, and its end, which shows the present state.
    The line that tells of what was dropped has no writer.
    Adding costs no more than the text added. Not thread-safe: its owner holds a lock.
    """

    def __init__(self, head_limit: int, tail_limit: int) -> None:
        self._head_limit = head_limit
        self._tail_limit = tail_limit
        self._head: deque[Run[Writer]] = deque()
        self._tail: deque[Run[Writer]] = deque()
        self._head_size = 0
        self._tail_size = 0
        self._dropped_characters = 0
        self._dropped_lines = 0

    def __len__(self) -> int:
        return self._head_size + self._tail_size

    def add(self, text: str, writer: Writer | None = None) -> None:
        """Put `text` of `writer` at the end, dropping what no longer fits from the middle."""
        if not self._tail and not self._dropped_characters:
            room = self._head_limit - self._head_size
            if head := text[:room]:
                self._head.append((head, writer))
                self._head_size += len(head)
            text = text[room:]
        if len(text) > self._tail_limit:
            self._drop("".join(piece for piece, _ in self._tail))
            self._tail.clear()
            self._tail_size = 0
            self._drop(text[: -self._tail_limit])
            text = text[-self._tail_limit :]
        for start in range(0, len(text), _PIECE):
            self._tail.append((text[start : start + _PIECE], writer))
        self._tail_size += len(text)
        while self._tail_size > self._tail_limit:
            piece, _ = self._tail.popleft()
            self._tail_size -= len(piece)
            self._drop(piece)

    def put_back(self, runs: Iterable[Run[Writer]]) -> None:
        """Put `runs`, which were taken, before all that waits; they may go beyond the limits."""
        runs = list(runs)
        self._head.extendleft(reversed(runs))
        self._head_size += sum(len(text) for text, _ in runs)

    def take(self, limit: int) -> str:
        """Remove and return the next characters, about `limit` at most; empty if nothing waits."""
        return "".join(text for text, _ in self.take_runs(limit))

    def take_runs(self, limit: int) -> list[Run[Writer]]:
        """Remove and return the next characters as `take` does, in pieces of one writer each."""
        if not self._head:
            self._move_tail()
        runs: list[Run[Writer]] = []
        pieces: list[list[str]] = []
        size = 0
        while self._head and size < limit:
            piece, writer = self._head.popleft()
            if size + len(piece) > limit:
                self._head.appendleft((piece[limit - size :], writer))
                piece = piece[: limit - size]
            if runs and runs[-1][1] is writer:
                pieces[-1].append(piece)
            else:
                runs.append(("", writer))
                pieces.append([piece])
            size += len(piece)
        self._head_size -= size
        return [("".join(parts), writer) for parts, (_, writer) in zip(pieces, runs, strict=True)]

    def _move_tail(self) -> None:
        """Make the tail the head, after a line that counts the missing text between the two."""
        if self._dropped_characters:
            self._begin_with_a_line()
            self._tail.appendleft((self._notice(), None))
            self._dropped_characters = self._dropped_lines = 0
        self._head, self._tail = self._tail, deque()
        self._head_size, self._tail_size = sum(len(text) for text, _ in self._head), 0

    def _begin_with_a_line(self) -> None:
        """Drop the rest of a line that the tail begins in the middle of, unless it has no other."""
        if not any("\n" in text for text, _ in self._tail):
            return
        cut = 0
        while not cut:
            text, writer = self._tail.popleft()
            cut = text.find("\n") + 1
            self._drop(text[:cut] if cut else text)
            if cut < len(text) and cut:
                self._tail.appendleft((text[cut:], writer))

    def _notice(self) -> str:
        return (
            f"\n[{self._dropped_characters:,} characters in {self._dropped_lines:,} lines of output dropped: "
            "they came faster than they could be shown]\n"
        )

    def _drop(self, text: str) -> None:
        self._dropped_characters += len(text)
        self._dropped_lines += text.count("\n")
