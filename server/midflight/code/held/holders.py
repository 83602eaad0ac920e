"""`old_versions`, `holders_of`, `stale_subclasses`: a load's report on objects of older versions that others hold.

The count is known at once. The search for the holders begins when somebody asks for it, in a thread of its own.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import CodeType
from typing import NamedTuple

from midflight.code.held.references import Reference, VersionObjects, dict_of_class
from midflight.code.held.search import Found, Search, Wanted
from midflight.code.report.held import Held, Holder, Holders, StaleSubclass
from midflight.code.version.facade import Namespace
from midflight.code.version.modules import Module
from midflight.code.version.version import Version

__all__ = ["OldVersion", "holders_of", "old_versions", "stale_subclasses"]

MOST_VERSIONS = 5  # older ones that are looked at, newest first


class OldVersion(NamedTuple):
    """An older version, and the functions and closures of it that others hold. Not to be kept: it keeps the version."""

    version: Version
    objects: VersionObjects
    functions: list[Reference]
    closures: list[Reference]

    def held(self) -> Iterator[Held]:
        """Yield the held objects, as reports have them."""
        number = self.version.number
        for function, count in self.functions:
            yield Held(function.__qualname__, number, count)
        for code, count in self.closures:
            yield Held(code.co_qualname, number, count, is_closure=True)

    def wanted(self) -> Iterator[Wanted]:
        """Yield the held objects, as the search wants them."""
        for value, held in zip([each.value for each in (*self.functions, *self.closures)], self.held(), strict=True):
            yield Wanted(weakref.ref(value), held.name, held.version, held.count)


def old_versions(record: Module, new: Namespace, frames: Mapping[CodeType, int]) -> Iterator[OldVersion]:
    """Yield the older versions of a module that others hold functions of, newest first."""
    alive = [each for each in sorted(record.versions.items(), reverse=True) if each[1] is not record.current]
    for _, version in alive[:MOST_VERSIONS]:
        namespace = version.namespace
        if namespace is not None and namespace is not new:
            objects = VersionObjects(namespace, new, frames)
            old = OldVersion(version, objects, objects.held(), objects.closures())
            if old.functions or old.closures:
                yield old


def holders_of(old: Sequence[OldVersion], renew: Callable[[Found], str]) -> Holders | None:
    """Return the search for the holders of these; None if there is nothing to look for. `renew` as in Search."""
    wanted = [each for version in old for each in version.wanted()]
    if not wanted:
        return None
    search = Search(wanted, frozenset().union(*(version.objects.ids() for version in old)), renew)

    def start(holders: Holders) -> None:
        threading.Thread(target=_search, args=(search, holders), name="midflight-holders", daemon=True).start()

    return Holders(start)


def _search(search: Search, holders: Holders) -> None:
    found: list[Holder] = []
    try:
        found = search.run()
    finally:
        holders.finish(found)


def stale_subclasses(old: Namespace, new: Namespace) -> Iterator[StaleSubclass]:
    """Yield the classes of other modules that inherit from a class of `old` that `new` does not have any more."""
    module = old.get("__name__")
    for name, cls in list(old.items()):
        if not issubclass(type(cls), type) or dict_of_class(cls).get("__module__") != module or new.get(name) is cls:
            continue
        for each in type.__subclasses__(cls):
            where = dict_of_class(each).get("__module__")
            if isinstance(where, str) and where != module and _is_meant(where, each):
                yield StaleSubclass(where, type.__dict__["__qualname__"].__get__(each), name)


def _is_meant(module: str, cls: type) -> bool:
    """Say whether a module has the class now: else it belongs to an older version of that one."""
    found = sys.modules.get(module)
    return found is not None and any(value is cls for value in list(vars(found).values()))
