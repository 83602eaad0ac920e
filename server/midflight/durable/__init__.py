"""State that outlives the server: what durable servers keep between two messages, in a file of SQLite.

A program needs only `durable = True` in a class of servers and a store for its runtime. The way of a state: a GenServer
between two messages -> states.py pickles it if it changed -> writer.py commits it, together with others -> replies that
were held back leave. At the next start: store.py reads it -> reading.py makes its values -> kept.py makes the server of
them, or refusals.py notes why not. The texts of versions go the same way: texts.py, and last_run.py at the next start.
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from midflight.lazy import names_of as _names_of

if _TYPE_CHECKING:
    from midflight.durable.live import Change, LiveStore, Window
    from midflight.durable.refusals import NotRestored
    from midflight.durable.shelf import Shelf
    from midflight.durable.states import States
    from midflight.durable.store import Row, Store
    from midflight.durable.store_error import StoreError
else:
    __getattr__ = _names_of(
        __name__,
        {
            "midflight.durable.live": "Change LiveStore Window",
            "midflight.durable.refusals": "NotRestored",
            "midflight.durable.shelf": "Shelf",
            "midflight.durable.states": "States",
            "midflight.durable.store": "Row Store",
            "midflight.durable.store_error": "StoreError",
        },
    )

__all__ = ["Change", "LiveStore", "NotRestored", "Row", "Shelf", "States", "Store", "StoreError", "Window"]
