"""`holders_of`: the search for those who hold functions of older versions, which begins when somebody asks for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from midflight.code.held.references import OldVersion
from midflight.code.held.search import After, Found, Search, Wanted
from midflight.code.report.held import Holder, Holders
from midflight.code.source.look import OwnReference

__all__ = ["holders_of"]


def holders_of(old: Sequence[OldVersion], renew: Callable[[Found], str], after: After) -> Holders | None:
    """Return the search for the holders of these; None if there is nothing to look for. `renew` and
    `after` as in Search."""
    wanted = [each for version in old for each in _wanted(version)]
    if not wanted:
        return None
    search = Search(wanted, frozenset().union(*(version.objects.ids() for version in old)), renew, after)
    module = old[0].version.name

    def start(holders: Holders) -> None:
        threading.Thread(
            target=_searches.run, args=(module, search, holders), name="midflight-holders", daemon=True
        ).start()

    return Holders(start)


def _wanted(old: OldVersion) -> Iterator[Wanted]:
    for value, held in zip([each.value for each in (*old.functions, *old.closures)], old.held(), strict=True):
        yield Wanted(OwnReference(value), held.name, held.version, held.count)


class _Searches:
    """The searches under way, of which one runs at a time. A later one for the same module ends an earlier one.

    It looks for what that has not found, too: the versions before are looked at again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._by_module: dict[str, Search] = {}

    def run(self, module: str, search: Search, holders: Holders) -> None:
        """Run a search when it is its turn, and tell `holders` what it has found."""
        found: list[Holder] = []
        try:
            with self._lock:
                earlier, self._by_module[module] = self._by_module.get(module), search
            if earlier is not None:
                earlier.give_up()
            with self._turn:
                found = search.run()
        finally:
            with self._lock:
                if self._by_module.get(module) is search:
                    del self._by_module[module]
            holders.finish(found)


_searches = _Searches()
