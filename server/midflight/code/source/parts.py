"""A text in parts, one for each statement at its top level, and a memory of earlier findings about such parts.

An edit changes one definition of many. What is found out of the text of a definition alone is the same until that text
changes, so it is remembered by it: a load looks at what has changed, and takes as long as that.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Hashable, Sequence
from threading import RLock
from typing import Generic, NamedTuple, ParamSpec, TypeVar

from midflight.code.source.text_memory import TextMemory

__all__ = ["LastLook", "Memory", "Part", "first_line", "lines_of", "parts_of"]

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Parameters = ParamSpec("Parameters")

MOST_FILES = 2000


class Part(NamedTuple):
    """A statement, or several that share a line, and the lines that they stand on. `line` is that of the first one."""

    text: str
    line: int
    statements: tuple[ast.stmt, ...]


_parts: TextMemory[list[Part]] = TextMemory()


def parts_of(tree: ast.Module, text: str) -> list[Part]:
    """Return the parts of a text, in its order. Each begins and ends with a line; comments between them are in none.

    They are remembered for the last few texts: nobody changes the list.
    """
    return _parts.get(text, tree, _parts_of, tree, text)


def _parts_of(tree: ast.Module, text: str) -> list[Part]:
    lines = text.split("\n")
    found: list[Part] = []
    together: list[ast.stmt] = []
    end = 0
    for statement in tree.body:
        if together and first_line(statement) > end:
            found.append(_part(together, lines, end))
            together = []
        together.append(statement)
        end = max(end, statement.end_lineno or statement.lineno)
    if together:
        found.append(_part(together, lines, end))
    return found


def _part(statements: Sequence[ast.stmt], lines: Sequence[str], end: int) -> Part:
    line = first_line(statements[0])
    return Part("\n".join(lines[line - 1 : end]), line, tuple(statements))


def first_line(node: ast.stmt) -> int:
    """Return the line where a statement begins, its decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min(node.lineno, *(each.lineno for each in decorators)) if decorators else node.lineno


def lines_of(statement: ast.stmt, lines: Sequence[str]) -> str:
    """Return the lines that a statement stands on, those of its decorators included. `lines` are those of its text."""
    return "\n".join(lines[first_line(statement) - 1 : statement.end_lineno])


class Memory(Generic[Key, Value]):
    """A memory of the values of the last so many keys that were asked for. Any thread may ask."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: dict[Key, Value] = {}
        self._lock = RLock()

    def get(
        self, key: Key, find: Callable[Parameters, Value], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Value:
        """Return the value of `key`, which `find` makes of these arguments if it is not known. Raises: as that does."""
        with self._lock:
            if key in self._found:
                value = self._found[key] = self._found.pop(key)
                return value
        value = find(*args, **kwargs)
        self.put(key, value)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Remember the value of `key`."""
        with self._lock:
            self._found.pop(key, None)
            self._found[key] = value
            while len(self._found) > self._most:
                del self._found[next(iter(self._found))]


class LastLook(Generic[Key, Value]):
    """A memory of the values of the last look at a text, by its file; of older texts nothing is kept."""

    def __init__(self) -> None:
        self._found: Memory[str, dict[Key, Value]] = Memory(MOST_FILES)

    def again(self, file: str, keys: Sequence[Key], find: Callable[[int], Value]) -> list[Value]:
        """Return a value for each key: the last look's, or the one that `find` makes of the key with that index."""
        before = self._found.get(file, dict)
        now: dict[Key, Value] = {}
        for index, key in enumerate(keys):
            if key not in now:
                now[key] = before[key] if key in before else find(index)
        self._found.put(file, now)
        return [now[key] for key in keys]
