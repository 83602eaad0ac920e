"""Modules that keep objects of older versions, by `from ... import` or otherwise."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import chain
from operator import itemgetter
from types import ModuleType
from typing import Any, NamedTuple

from midflight.code.checks.importer import Held, Importer, held_of
from midflight.code.checks.importers import ABSENT, Group, holders_of
from midflight.code.report.load_report import StaleImport
from midflight.code.source.look import carried_module, carried_name, is_module, module_names
from midflight.code.source.same_value import same
from midflight.code.state.record import record_of
from midflight.code.version.facade import Namespace
from midflight.code.version.modules import known
from midflight.code.version.version import version_of

__all__ = ["StaleNames", "said_of", "stale_imports", "stale_names"]


class StaleNames(NamedTuple):
    """Modules that keep the same older objects, `values`, by the same names."""

    values: dict[str, object]
    group: Group


def stale_imports(name: str, namespace: Namespace, made: Mapping[str, Namespace]) -> Iterator[StaleNames]:
    """Yield what other modules will hold of older objects once `namespace` is current for module `name`.

    Functions and classes are known by the module and name that they carry. Constants carry none: those are found by
    the text of the project's modules, where it says `from ... import`. `made` are the namespaces of the modules that
    become current together with it.
    """
    comparison = _Comparison(name, namespace)
    for group in holders_of(name, namespace.get("__file__")):
        values = comparison.stale(group.held, group.values())
        others = group.without(made) if values and len(made) > 1 else group
        if values and others is not None:
            yield StaleNames(values, others)
    for other, held in made.items():
        if other != name:
            version = version_of(held)
            found = held_of(name, other, held, None if version is None else version.text)
            if values := comparison.stale(found, held):
                yield StaleNames(values, Group(found, [Importer(other, ModuleType(other))]))


def said_of(stale: Iterable[StaleNames], is_kept: Callable[[object], bool]) -> tuple[StaleImport, ...]:
    """Return what a report says, without the names of values that are kept: the new version has them too."""
    found = []
    for values, group in stale:
        names = tuple(name for name, value in values.items() if not is_kept(value))
        if names:
            found.append((names, group))
    if len(found) == 1:
        ((names, group),) = found
        return group.said(names)
    each = [(importer.position, importer.said(names)) for names, group in found for importer in group.importers]
    return tuple(chain.from_iterable(said for _, said in sorted(each, key=itemgetter(0))))


def stale_names(name: str, namespace: Namespace, other: str, held: Namespace, text: str | None) -> list[str]:
    """Return the names in module `other`, whose namespace is `held`, as `stale_imports` does. `text` is its own."""
    return list(_Comparison(name, namespace).stale(held_of(name, other, held, text), held))


class _Comparison:
    """The comparison of values in other modules with the namespace that is to become current for module `name`."""

    def __init__(self, name: str, namespace: Namespace) -> None:
        self._name = name
        self._namespace = namespace

    def stale(self, held: Iterable[Held], values: Mapping[str, object]) -> dict[str, object]:
        """Return the older values, by their names. `values` are those that an importer has by its names."""
        found: dict[str, object] = {}
        for each in held:
            value = values.get(each.name, ABSENT)
            if each.name in found or not self._is_older(value, each.original):
                continue
            if each.stars is None or self._is_by_star(each.name, each.stars):
                found[each.name] = value
        return found

    def _is_older(self, value: object, original: str | None) -> bool:
        if original is not None:
            if self._is_made_on_demand(original):
                return False
            new = self._namespace.get(original, ABSENT)
            return value is not ABSENT and not is_module(value) and not same(value, new)
        if carried_module(value) != self._name:
            return False
        qualified = str(carried_name(value))
        is_older = "." not in qualified and self._namespace.get(qualified) is not value
        return is_older and not self._is_made_on_demand(qualified)

    def _is_made_on_demand(self, name: str) -> bool:
        """Say whether the module makes a name when it is asked for it, not in its body: to ask would run its code."""
        return name not in self._namespace and "__getattr__" in self._namespace and name not in self._bound_before

    @cached_property
    def _bound_before(self) -> frozenset[str]:
        """The names that the body of the version before bound, as far as that is known."""
        record = known(self._name)
        old = record.current.namespace if record is not None and record.current is not None else None
        noted = None if old is None else record_of(old)
        return frozenset() if noted is None else noted.names

    def _is_by_star(self, key: str, others: Iterable[str]) -> bool:
        """Say whether `*` takes `key` from the module, in its old version or in the new one, and from no other."""
        if key not in self._exported:
            return False
        modules = (sys.modules.get(other) for other in others)
        return not any(key in _by_star(module_names(module)) for module in modules if is_module(module))

    @cached_property
    def _exported(self) -> set[str]:
        record = known(self._name)
        old = record.current.namespace if record is not None and record.current is not None else None
        return _by_star(self._namespace) | _by_star(old or {})


def _by_star(namespace: Namespace) -> set[str]:
    """Return the names that `from m import *` takes from a module with this namespace."""
    names: Any = namespace.get("__all__")
    if type(names) in (list, tuple):
        return {name for name in tuple(names) if type(name) is str}
    return {name for name in list(namespace) if not name.startswith("_")}
