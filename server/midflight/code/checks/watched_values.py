"""`WatchedValues`: the identities of the values of many modules at one moment. Later they tell which have changed.

Nobody is told when a name of a module is bound to something else. So all values are looked at, by identity alone.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from midflight.code.checks.importer import Importer
from midflight.code.source.look import names_of_modules
from midflight.kernel import value_identities

__all__ = ["NOTHING", "WatchedValues"]


class WatchedValues:
    """The identities of the values of some modules, as they were when it was made, in the order of those."""

    def __init__(self, importers: Sequence[Importer], identities: Sequence[Hashable]) -> None:
        self._importers = importers
        self._identities = identities
        self._modules = [each.module for each in importers]

    def __len__(self) -> int:
        return len(self._importers)

    def importers(self) -> dict[Importer, None]:
        """Return the modules."""
        return dict.fromkeys(self._importers)

    def watching(self, importers: Iterable[Importer]) -> WatchedValues:
        """Return the identities for these modules. Those of modules that are watched already are as they were here."""
        wanted = list(importers)
        known = dict(zip(self._importers, self._identities, strict=True))
        new = [each for each in wanted if each not in known]
        known.update(zip(new, value_identities([*names_of_modules(each.module for each in new)]), strict=True))
        return WatchedValues(wanted, [known[each] for each in wanted])

    def look(self) -> tuple[list[Importer], WatchedValues]:
        """Return the modules that have other values now, and the identities of what all of them have now."""
        now = value_identities([*names_of_modules(self._modules)])
        if now == self._identities:
            return [], self
        compared = zip(self._importers, self._identities, now, strict=True)
        changed = [importer for importer, before, found in compared if before != found]
        return changed, WatchedValues(self._importers, now)


NOTHING = WatchedValues((), [])
