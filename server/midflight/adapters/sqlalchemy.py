"""The adapter for SQLAlchemy: mapped classes stay, and models of a refused load leave the registry and the metadata.

A class is in the registry of its base as soon as its statement begins to run, and its table in the metadata. Neither
takes a second one, so the class stays, and its methods are renewed in place. Another column, relationship or table is a
change of the database as well: the load says that the statement cannot run twice. Were the new class left there, a name
would mean two classes ("Multiple classes found for path"), and the mended text would find its table defined already.
"""

from __future__ import annotations

import importlib
import weakref
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from midflight.code import ModuleChange

__all__ = ["changed", "found", "is_fixed", "remember", "types"]

orm: Any = importlib.import_module("sqlalchemy.orm")
Registry: Any = orm.registry

types: tuple[type, ...] = ()

Own = Callable[[object], bool]


def changed(change: ModuleChange) -> Iterator[str]:  # noqa: ARG001  # as Adapter has it
    """Do nothing: the classes stay."""
    return iter(())


def found(change: ModuleChange, objects: list[Any]) -> Iterator[tuple[object, str]]:  # noqa: ARG001  # as Adapter has it
    """Do nothing."""
    return iter(())


def is_fixed(cls: type) -> bool:
    """Say whether a class is mapped, or is the base of mapped ones. Its metaclass is not asked."""
    own = type.__getattribute__(cls, "__dict__")
    is_base = orm.DeclarativeBase in type.__getattribute__(cls, "__mro__") and "registry" in own
    return "__mapper__" in own or is_base


def remember(values: list[Any]) -> Callable[[Own], Iterator[tuple[str, bool]]]:
    """Note what is in the registries of the bases that a body imports."""
    registries = {id(each): each for value in values for each in _registries(value)}
    before = [_Before(each) for each in registries.values()]

    def take_back(is_own: Own) -> Iterator[tuple[str, bool]]:
        for each in before:
            yield from each.take_back(is_own)

    return take_back


def _registries(value: Any) -> Iterator[Any]:
    if type(value) is ModuleType:
        for each in list(vars(value).values()):
            if type(each) is not ModuleType:
                yield from _registries(each)
    elif type(value) is Registry:
        yield value
    elif issubclass(type(value), type):
        for each in type.__dict__["__mro__"].__get__(value):
            if type(known := vars(each).get("registry")) is Registry:
                yield known


class _Before:
    """The classes, tables and identities that a registry had before a body ran."""

    def __init__(self, registry: Any) -> None:
        self._registry = registry
        self._classes = weakref.WeakSet(cls for _, cls in _classes(registry))
        self._tables = {key: tuple(table.columns) for key, table in registry.metadata.tables.items()}
        self._identities = {
            id(each.polymorphic_map): (each.polymorphic_map, dict(each.polymorphic_map))
            for each in list(registry.mappers)
            if each is not None
        }

    def take_back(self, is_own: Own) -> Iterator[tuple[str, bool]]:
        """Take out what the body has put in; yield each in words."""
        registry, metadata = self._registry, self._registry.metadata
        gone = [(name, cls) for name, cls in _classes(registry) if cls not in self._classes and is_own(cls)]
        mappers = [vars(cls)["__mapper__"] for _, cls in gone if "__mapper__" in vars(cls)]
        for known, before in self._identities.values():
            for identity, mapper in list(known.items()):
                if any(mapper is each for each in mappers):
                    known.pop(identity)
                    known.update({identity: before[identity]} if identity in before else {})
        for name, cls in gone:
            manager = vars(cls).get("_sa_class_manager")
            if manager is not None and "mapper" in vars(manager):
                registry._dispose_manager_and_mapper(manager)
                registry._managers.pop(manager, None)  # else it is configured with the others
            else:
                registry._dispose_cls(cls)
            yield f"class {name} in SQLAlchemy's registry", True
        for key, table in list(metadata.tables.items()):
            if key not in self._tables:
                is_taken = is_own("".join(table.name))  # plain: a name of SQLAlchemy's is a class of str
                if is_taken:
                    metadata.remove(table)
                yield f"table {key} in SQLAlchemy's metadata", is_taken
            elif self._tables[key] != tuple(table.columns):
                yield f"the columns of table {key} in SQLAlchemy's metadata", False


def _classes(registry: Any) -> Iterator[tuple[str, Any]]:
    """Yield the classes of a registry, each with its name there; of a name that means several, each of them."""
    for name, entry in list(registry._class_registry.items()):
        several = getattr(entry, "contents", None)
        if issubclass(type(entry), type):
            yield name, entry
        elif isinstance(several, set):  # of weak references
            for each in list(several):
                if (cls := each()) is not None:
                    yield name, cls
