"""The rows of a table, by the kind that it is: values by their keys. Knows no process."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Hashable, Iterable
from typing import Any

from midflight.text import Token

__all__ = ["KINDS", "MISSING", "Rows"]

MISSING = Token("MISSING")


class Rows:
    """A set: one value a key, in the order in which the keys came."""

    def __init__(self) -> None:
        self.values: dict[Hashable, Any] = {}

    def __len__(self) -> int:
        return len(self.values)

    def insert(self, key: Hashable, value: Any) -> None:
        """Put a value under a key, in the place of the one that is there."""
        self.values[key] = value

    def lookup(self, key: Hashable, default: Any) -> Any:
        """Return the value of a key, `default` if there is none."""
        return self.values.get(key, default)

    def take(self, key: Hashable, default: Any) -> Any:
        """Return the value of a key, and take it out."""
        return self.values.pop(key, default)

    def clear(self) -> None:
        """Take all out."""
        self.values.clear()

    def keys(self) -> list[Any]:
        """Return the keys in their order."""
        return list(self.values)

    def items(self) -> list[tuple[Any, Any]]:
        """Return (key, value) of all rows, in the order of the keys."""
        return [(key, self.values[key]) for key in self.keys()]

    def after(self, key: Any) -> Any:
        """Return the key that comes after `key`, MISSING if that is the last. Raises: KeyError if it is not there."""
        return self._neighbour(self.keys(), key, 1)

    def before(self, key: Any) -> Any:
        """Return the key that comes before `key`, MISSING if that is the first. Raises: KeyError as `after`."""
        return self._neighbour(self.keys(), key, -1)

    def _neighbour(self, keys: list[Any], key: Any, step: int) -> Any:
        if key not in self.values:
            raise KeyError(key)
        index = keys.index(key) + step
        return keys[index] if 0 <= index < len(keys) else MISSING


class OrderedRows(Rows):
    """An ordered set: one value a key, in the order of the keys themselves, which must compare with one another."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[Any] = []

    def insert(self, key: Hashable, value: Any) -> None:
        """Put a value under a key. Raises: TypeError if the key does not compare with the others."""
        if key not in self.values:
            insort(self.order, key)
        self.values[key] = value

    def take(self, key: Hashable, default: Any) -> Any:
        """Return the value of a key, and take it out."""
        if key in self.values:
            del self.order[bisect_left(self.order, key)]
        return super().take(key, default)

    def clear(self) -> None:
        """Take all out."""
        super().clear()
        self.order.clear()

    def keys(self) -> list[Any]:
        """Return the keys in their order."""
        return list(self.order)

    def after(self, key: Any) -> Any:
        """Return the key that comes after `key`, which need not be there; MISSING if none does."""
        index = bisect_right(self.order, key)
        return self.order[index] if index < len(self.order) else MISSING

    def before(self, key: Any) -> Any:
        """Return the key that comes before `key`, which need not be there; MISSING if none does."""
        index = bisect_left(self.order, key)
        return self.order[index - 1] if index else MISSING


class BagRows(Rows):
    """A bag: any number of values a key, each once; `lookup` and `take` give the list of them."""

    def __len__(self) -> int:
        return sum(map(len, self.values.values()))

    def insert(self, key: Hashable, value: Any) -> None:
        """Add a value to those of a key, if it is not there."""
        values = self.values.get(key, [])
        if not any(each is value or each == value for each in values):
            self.values[key] = [*values, value]

    def lookup(self, key: Hashable, default: Any) -> Any:
        """Return the values of a key, in the order in which they came; `default`, or [], if there are none."""
        return list(self.values[key]) if key in self.values else _or_none(default)

    def take(self, key: Hashable, default: Any) -> Any:
        """Return the values of a key, and take them out."""
        return self.values.pop(key, _or_none(default))

    def items(self) -> list[tuple[Any, Any]]:
        """Return (key, value) of all rows, in the order of the keys."""
        return [(key, value) for key, values in self.values.items() for value in values]


def _or_none(default: Iterable[Any] | None) -> Any:
    return [] if default is None else default


KINDS: dict[str, type[Rows]] = {"set": Rows, "ordered_set": OrderedRows, "bag": BagRows}
