"""`holders_of`: the search for those who hold functions of older versions, which begins when somebody asks for it."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator, Sequence

from midflight.code.held.references import OldVersion
from midflight.code.held.search import After, Found, Search, Wanted
from midflight.code.report.held import Holder, Holders

__all__ = ["holders_of"]


def holders_of(old: Sequence[OldVersion], renew: Callable[[Found], str], after: After) -> Holders | None:
    """Return the search for the holders of these; None if there is nothing to look for. `renew` and
    `after` as in Search."""
    wanted = [each for version in old for each in _wanted(version)]
    if not wanted:
        return None
    search = Search(wanted, frozenset().union(*(version.objects.ids() for version in old)), renew, after)

    def start(holders: Holders) -> None:
        threading.Thread(target=_search, args=(search, holders), name="midflight-holders", daemon=True).start()

    return Holders(start)


def _wanted(old: OldVersion) -> Iterator[Wanted]:
    for value, held in zip([each.value for each in (*old.functions, *old.closures)], old.held(), strict=True):
        yield Wanted(weakref.ref(value), held.name, held.version, held.count)


def _search(search: Search, holders: Holders) -> None:
    found: list[Holder] = []
    try:
        found = search.run()
    finally:
        holders.finish(found)
