"""`StoreJournal`: the store of a runtime as the journal of the code server.

An upgrade writes the rows of all servers that it changes, its texts, and that these are current in one transaction,
before its code is current. After a power cut all of them are the old ones or all are the new ones, and the next start
runs no `code_change` a second time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from midflight.durable.kept import Kept
from midflight.durable.row import Row
from midflight.errors import NotDurable
from midflight.text import short

if TYPE_CHECKING:
    from midflight.code.lowlevel import ChangedServer, Version
    from midflight.durable.states import States

__all__ = ["StoreJournal"]

SHOWN = 5
LOOKED_INTO = 100  # live servers of a module whose states are pickled to see whether they can be


class StoreJournal:
    """The journal of the durable servers of `states`."""

    def __init__(self, states: States) -> None:
        self.states = states

    def look(self, module: str) -> Iterator[str]:
        """Name the states that cannot be stored, and those in the store of servers that do not live now."""
        live = {key: each for key, each in self.states.kept.items() if each.is_live}
        of_module = [each for each in live.values() if type(each.server).__module__ == module]
        for each in of_module[:LOOKED_INTO]:
            if not each.is_busy:
                try:
                    each.pickled(each.server)
                except NotDurable as error:
                    yield f"{error}. The store keeps the state before"
        asleep = [key for key in self.states.store.keys_of(module) if key not in live]
        if asleep:
            names = ", ".join(map(short, asleep[:SHOWN]))
            more = f" and {len(asleep) - SHOWN} more" if len(asleep) > SHOWN else ""
            yield (
                f"the store has states of servers that do not live now: {names}{more}. They are changed, by "
                "code_change if it is due, when their servers start"
            )

    def write(self, servers: Sequence[ChangedServer], versions: Sequence[Version]) -> None:
        """Write the new states of durable servers, and with them the texts. Raises: NotDurable; what the disk said."""
        found: list[tuple[Kept, Row]] = []
        for process, server in servers:
            keeper: Any = getattr(process.behaviour, "keeper", None)
            if isinstance(keeper, Kept) and keeper.states is self.states:
                found.append((keeper, keeper.row_of(server, keeper.pickled(server))))
        if found:
            rows = [row for _, row in found]
            self.states.store.write_at_once(rows, versions)
            for kept, row in found:
                kept.note_written(row)
