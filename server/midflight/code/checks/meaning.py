"""The meaning that the called names of a text have in a version, as far as the checks of calls depend on it."""

from __future__ import annotations

from collections.abc import Collection
from types import FunctionType, ModuleType
from typing import Any

from midflight.code.checks.facts import Facts, Words
from midflight.code.checks.lost_coroutines import makes_coroutine, value_of
from midflight.code.source.look import class_names, is_class, mro_of
from midflight.code.version.facade import Namespace
from midflight.kernel import receive

__all__ = ["Meaning", "Means"]

Means = tuple[tuple[object, ...], ...]
"""A value that is the same if the names of a part mean the same. Empty if the part calls nothing that waits."""

COROUTINE, OF_THE_MODULE, RECEIVE, OWN = 1, 2, 4, 8


class Meaning:
    """The meanings in one version. `own` are the names of its own process functions."""

    def __init__(self, namespace: Namespace, module: ModuleType, own: Collection[str]) -> None:
        self._namespace = namespace
        self._module = module
        self._own = own
        self._known: dict[Words, int] = {}

    def of(self, facts: Facts) -> Means:
        """Return the meaning of the names that a part calls."""
        found: list[tuple[object, ...]] = []
        for words in facts.calls:
            means = self._known.get(words)
            if means is None:
                means = self._known[words] = self._means(words)
            if means:
                found.append((words, means))
        for cls, names in facts.methods:
            value = self._namespace.get(cls)
            if is_class(value):
                waiting = tuple(name for name in names if makes_coroutine(_attribute(value, name)))
                if waiting:
                    found.append((cls, waiting))
        return tuple(found)

    def _means(self, words: Words) -> int:
        value = value_of(words, self._namespace)
        means = COROUTINE if makes_coroutine(value) else 0
        if means and type(value) is FunctionType and value.__globals__ is self._namespace:
            means |= OF_THE_MODULE
        if value is receive:
            means |= RECEIVE
        if words[-1] in self._own:
            is_module = len(words) == 2 and self._namespace.get(words[0]) is self._module
            if len(words) == 1 or is_module:
                means |= OWN
        return means


def _attribute(cls: type[Any], name: str) -> object:
    return next((names[name] for names in map(class_names, mro_of(cls)) if name in names), None)
