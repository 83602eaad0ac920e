"""`WatchedValues`: the identities of the values of many modules at one moment. Later they tell which have changed.

Nobody is told when a name of a module is bound to something else. So all values are looked at, by identity alone: those
of the modules that have not changed lately, nearly all, in one list, which costs some 30 ns a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import accumulate, chain, pairwise
from types import ModuleType

from midflight.code.checks.importer import Importer
from midflight.code.source.look import names_of_modules

__all__ = ["NOTHING", "WatchedValues"]

MOST_RESTLESS = 16

Ids = list[int]


class WatchedValues:
    """The identities of the values of some modules, as they were when it was made.

    `quiet` are most of the modules, with how many values each has and the identities of all of them; `restless` those
    that have changed last, each with its own identities, the last one at the end.
    """

    def __init__(
        self, quiet: Iterable[Importer], sizes: Iterable[int], ids: Ids, restless: Mapping[Importer, Ids]
    ) -> None:
        self._quiet, self._sizes, self._ids = list(quiet), list(sizes), ids
        self._modules = [each.module for each in self._quiet]
        self._restless = dict(restless)

    def __len__(self) -> int:
        return len(self._quiet) + len(self._restless)

    def importers(self) -> dict[Importer, None]:
        """Return the modules."""
        return dict.fromkeys([*self._quiet, *self._restless])

    def watching(self, importers: Iterable[Importer]) -> WatchedValues:
        """Return the identities for these modules. Those of modules that are watched already are as they were here."""
        known = dict(self._quiet_ids(self._sizes, self._ids))
        quiet = {
            each: known[each] if each in known else _ids([each.module])
            for each in importers
            if each not in self._restless
        }
        restless = {each: self._restless[each] for each in importers if each in self._restless}
        return _made(quiet, restless)

    def look(self) -> tuple[list[Importer], WatchedValues]:
        """Return the modules that have other values now, and the identities of what all of them have now."""
        restless = {each: _ids([each.module]) for each in self._restless}
        changed = {each: ids for each, ids in restless.items() if ids != self._restless[each]}
        ids = _ids(self._modules)
        if ids == self._ids:
            if not changed:
                return [], self
            restless = {each: ids for each, ids in restless.items() if each not in changed} | changed
            return list(changed), WatchedValues(self._quiet, self._sizes, ids, restless)
        # A module that gets a name in this moment may have others taken for changed: they are looked at once more.
        now = dict(self._quiet_ids(map(len, names_of_modules(self._modules)), ids))
        for each, before in self._quiet_ids(self._sizes, self._ids):
            if now[each] != before:
                changed[each] = now.pop(each)
        rest = {each: ids for each, ids in restless.items() if each not in changed}
        for each in list(rest)[: max(0, len(rest) + len(changed) - MOST_RESTLESS)]:
            now[each] = rest.pop(each)
        return list(changed), _made(now, rest | changed)

    def _quiet_ids(self, sizes: Iterable[int], ids: Ids) -> Iterable[tuple[Importer, Ids]]:
        places = pairwise(accumulate(sizes, initial=0))
        return ((each, ids[first:end]) for each, (first, end) in zip(self._quiet, places, strict=True))


NOTHING = WatchedValues((), (), [], {})


def _made(quiet: Mapping[Importer, Ids], restless: Mapping[Importer, Ids]) -> WatchedValues:
    return WatchedValues(quiet, map(len, quiet.values()), list(chain.from_iterable(quiet.values())), restless)


def _ids(modules: Iterable[ModuleType]) -> Ids:
    # No Python code, so no other thread either, runs in the midst of this.
    return list(map(id, chain.from_iterable(map(dict.values, names_of_modules(modules)))))
