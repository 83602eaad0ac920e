"""The state of modules that Python imports: what their bodies made is noted when these end, as for a load."""

from __future__ import annotations

from types import ModuleType

from midflight.code.source.find_module import is_own_file
from midflight.code.source.program import name_program
from midflight.code.state.record import note_bases
from midflight.code.version import import_watch
from midflight.code.version.imported_versions import keep_imported

__all__ = ["note_body_of_program", "watch_before_program", "watch_imports"]


def watch_imports() -> None:
    """Note text and state of each module of your own that Python imports from now on.

    What runs as `__main__` is a module like any other, too.
    """
    name_program()
    import_watch.watch_imports(_note)


def _note(module: ModuleType) -> None:
    note_bases(import_watch.names_of(module))
    keep_imported(module)


def watch_before_program(module: ModuleType, path: str, data: bytes) -> None:
    """Do as `watch_imports`, before `module`, which is to run as `__main__`, has run any of its text.

    `data` are the bytes of its file `path`. It gets its name for others later, by `watch_imports`.
    """
    import_watch.watch_imports(_note)
    if is_own_file(path):
        import_watch.note_program(module, path, data)


def note_body_of_program(module: ModuleType) -> None:
    """Note the state of what runs as `__main__` as its body has made it, at its `if __name__ == "__main__":`."""
    _note(module)
