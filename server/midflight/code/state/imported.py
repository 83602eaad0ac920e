"""The state of modules that Python imports: what their bodies made is noted when these end, as for a load."""

from __future__ import annotations

from types import ModuleType

from midflight.code.source.program import name_program
from midflight.code.state.record import note_bases
from midflight.code.version import import_watch

__all__ = ["watch_imports"]


def watch_imports() -> None:
    """Note text and state of each module of your own that Python imports from now on.

    What runs as `__main__` is a module like any other, too.
    """
    name_program()
    import_watch.watch_imports(_note)


def _note(module: ModuleType) -> None:
    note_bases(import_watch.names_of(module))
