"""The texts of modules of your own that Python itself imports, noted as they are imported.

A file may be edited between the import of its module and the first load of that. What runs then is the text that was
imported, and nobody can read it from the disk any more. Byte code in the cache proves nothing: another process may
have written it since, or there is none.

Laws:
1. A note is made in the call that runs the body: the file's bytes, read before, and the code object that is run. A tool
   that asks a loader for code without running it changes nothing.
2. A text is known if the loader makes that very code of it. Else it is not known, and nobody guesses.
3. Modules that were there before are noted with their file as it is at that moment, and no code: their live functions
   and values are compared with it when somebody asks (`live_comparison`).
"""

from __future__ import annotations

import importlib.machinery
import logging
import os
import sys
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

from midflight.code.source.find_module import is_own_file
from midflight.code.source.look import is_module
from midflight.code.source.program import code_of_program, is_program, own_name
from midflight.code.source.unit import decoded
from midflight.code.started import as_others
from midflight.code.version.interpreter_age import is_older_than_interpreter
from midflight.code.version.last_texts import given_text, last_data
from midflight.code.version.live_comparison import is_same_as_live
from midflight.code.version.own_loader import code_by_loader, unwrapped
from midflight.code.version.snapshots import show_at
from midflight.kernel import trouble
from midflight.parsing import module_or_none

__all__ = [
    "imported_names",
    "imported_text",
    "is_changed_on_disk",
    "loader_of",
    "names_of",
    "note_program",
    "noted_text",
    "watch_imports",
]

Exec = Callable[[Any, ModuleType], None]

# Tracebacks of a failing import leave out the frames of Python's own import system: this one is a part of it.
IMPORT_SYSTEM = "<frozen importlib._bootstrap_external>"

_installing = threading.Lock()
_log = logging.getLogger("midflight.code")


@dataclass(slots=True)
class Note:
    """One import: the file's bytes, and the code that was run, None for a module that was there before.

    `is_old` says that the file has not been touched since the interpreter began. `text` is the answer once it is known:
    the text that runs, or None.
    """

    module: weakref.ref[ModuleType]
    path: str
    data: bytes
    code: CodeType | None
    is_old: bool = False
    is_settled: bool = False
    text: str | None = field(default=None, repr=False)


_notes: dict[int, Note] = {}  # by the id of the module object, as long as that lives
_of_file: dict[str, set[int]] = {}  # the keys of the notes of each file, its links resolved


def watch_imports(after: Callable[[ModuleType], object]) -> None:
    """Note the text of each module of your own from now on, and of those that are there. Once is enough.

    `after` is called with each such module whose body has ended well; what it raises goes into the log.
    """
    with _installing:
        if "exec_module" in vars(SourceFileLoader):
            return
        type.__setattr__(SourceFileLoader, "exec_module", _watching(SourceFileLoader.exec_module, after))
    for module in list(sys.modules.values()):
        _note_at_last(module)


def note_program(module: ModuleType, path: str, data: bytes) -> None:
    """Note that the body of `module` will be run from `data`, the bytes of the file `path`, by the caller of this."""
    text = decoded(data, path)
    _note(module, path, data, None)
    note = _notes[id(module)]
    note.text, note.is_settled = (text if isinstance(text, str) else None), True


def _watching(original: Exec, after: Callable[[ModuleType], object]) -> Exec:
    def exec_module(self: Any, module: ModuleType) -> None:
        last = last_data(module.__name__, self.path)
        data = _data_before(self) if last is None else last
        if data is None:
            with as_others():  # the module stays, whatever becomes of the load whose body imports it
                original(self, module)
            return
        if last is None:
            code = self.get_code(module.__name__)
        else:
            with given_text(self, last):
                code = self.get_code(module.__name__)
            text = decoded(last, self.path)
            show_at(self.path, text if isinstance(text, str) else None)
        if code is not None:
            _note(module, self.path, data, code)
        vars(self)["get_code"] = lambda _: code
        try:
            with as_others():
                original(self, module)
        finally:
            vars(self).pop("get_code", None)
        try:
            after(module)
        except Exception as error:  # the import itself has succeeded
            trouble.log_raised(_log, f"what the body of {module.__name__} made is not known", error)

    exec_module.__code__ = exec_module.__code__.replace(co_filename=IMPORT_SYSTEM)
    return exec_module


def _data_before(loader: Any) -> bytes | None:
    """Return the bytes of the file that `loader` is about to run; None if they are nothing to us, or cannot be read."""
    try:
        path: str = loader.path
        if not is_own_file(path):
            return None
        with open(path, "rb") as stream:
            return stream.read()
    except Exception:  # the import goes on, and says itself what is wrong with the file
        return None


def _note(module: ModuleType, path: str, data: bytes, code: CodeType | None, *, is_old: bool = False) -> None:
    key, real = id(module), os.path.realpath(path)

    def forget(_: object) -> None:
        _notes.pop(key, None)
        _of_file.get(real, set()).discard(key)

    _of_file.setdefault(real, set()).add(key)
    _notes[key] = Note(weakref.ref(module, forget), path, data, code, is_old)


def _note_of(module: ModuleType) -> Note | None:
    found = _notes.get(id(module))
    return found if found is not None and found.module() is module else None


def _note_at_last(module: object) -> None:
    """Note a module that was imported before anybody watched."""
    if not is_module(module) or id(module) in _notes:
        return
    path = names_of(module).get("__file__")
    if type(path) is not str or not is_own_file(path):
        return
    spec = names_of(module).get("__spec__")
    if getattr(spec, "_initializing", False):
        return  # its body runs: it is compared when it is done
    try:
        is_old = is_older_than_interpreter(path)
        with open(path, "rb") as stream:
            data = stream.read()
    except OSError:
        return
    code = code_of_program(names_of(module)) if is_program(module) else None  # its body runs: that is the proof
    _note(module, path, data, code, is_old=is_old)


def names_of(module: ModuleType) -> dict[str, Any]:
    """Return a module's names, past whatever its class does: a lazy module must not be imported by a look at it."""
    found: dict[str, Any] = ModuleType.__getattribute__(module, "__dict__")
    return found


# --- What a note tells ---------------------------------------------------------------------------------------


def imported_text(module: ModuleType) -> str | None:
    """Return the text that a module which Python imported was made from; None if nobody can tell."""
    _note_at_last(module)
    note = _note_of(module)
    if note is None:
        return None
    if not note.is_settled:
        note.text, note.is_settled = _settled(note, module), True
    return note.text


def noted_text(module: ModuleType) -> str | None:
    """Return the text that a module's file had when it was imported, whether that is proved or not; None if unknown."""
    _note_at_last(module)
    note = _note_of(module)
    text = None if note is None else decoded(note.data, note.path)
    return text if isinstance(text, str) else None


def is_changed_on_disk(module: ModuleType) -> bool | None:
    """Say whether the file of a module that Python imported differs from what runs; None if that cannot be known."""
    _note_at_last(module)
    note = _note_of(module)
    if note is None:
        return None
    try:
        with open(note.path, "rb") as stream:
            data = stream.read()
    except OSError:
        return None
    if data != note.data:
        return True
    return False if imported_text(module) is not None else _is_seen_to_differ(note, module)


def _settled(note: Note, module: ModuleType) -> str | None:
    text = decoded(note.data, note.path)
    if not isinstance(text, str):
        return None
    made = compiled_by(loader_of(module), str(names_of(module).get("__name__")), note.data, note.path)
    if made is None:
        return None
    if note.code is not None:
        return text if note.code == made else None
    tree = module_or_none(text)
    same = None if tree is None else is_same_as_live(tree, made, names_of(module))
    return text if same or (same is None and note.is_old) else None


def _is_seen_to_differ(note: Note, module: ModuleType) -> bool | None:
    text = decoded(note.data, note.path)
    made = compiled_by(loader_of(module), str(names_of(module).get("__name__")), note.data, note.path)
    tree = module_or_none(text) if isinstance(text, str) else None
    if made is None or tree is None:
        return None
    if note.code is not None:
        return note.code != made
    return True if is_same_as_live(tree, made, names_of(module)) is False else None


def imported_names(path: str) -> list[str]:
    """Return the names under which Python has imported the file `path`, sorted. Another module each."""
    notes = [_notes.get(key) for key in tuple(_of_file.get(os.path.realpath(path), ()))]
    modules = [module for note in notes if note is not None and (module := note.module()) is not None]
    names = {str(own_name(names_of(module))): module for module in modules}
    return sorted(name for name, module in names.items() if sys.modules.get(name) is module)


def loader_of(module: ModuleType) -> object:
    """Return the loader of a module, as its spec has it."""
    spec = names_of(module).get("__spec__")
    found = spec.loader if isinstance(spec, importlib.machinery.ModuleSpec) else names_of(module).get("__loader__")
    return unwrapped(found)


def compiled_by(loader: object, name: str, source: bytes, path: str) -> CodeType | None:
    """Return the code that the loader of module `name` makes of `source`; None if it makes none."""
    if not os.path.isabs(path):
        return None
    try:
        return code_by_loader(loader, name, source, path)
    except Exception:  # what it raises is told when its module is loaded
        return None
