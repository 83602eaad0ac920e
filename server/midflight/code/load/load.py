"""Load modules: `load`, `load_many`, `load_modified`, `rollback`. All that can fail comes before anything changes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from midflight.code.census.history import source
from midflight.code.load.attempt import Options, Thread
from midflight.code.load.folder import files_in
from midflight.code.load.modified import modified_modules
from midflight.code.load.transaction import load_units
from midflight.code.report.load_report import LoadReport
from midflight.code.source.find_module import ModulePlace, locate
from midflight.code.source.unit import Rejection, Unit, unit_at, unit_of
from midflight.code.version.modules import LOADED, Versions, known, versions_of
from midflight.errors import UnknownVersionError

__all__ = [
    "PathAndText",
    "PathOrName",
    "load",
    "load_many",
    "load_modified",
    "rollback",
    "unit_of_version",
    "units_of",
]

PathOrName = str | os.PathLike[str]
PathAndText = tuple[PathOrName, str | None]


def load(
    path_or_name: PathOrName,
    source: str | None = None,
    force: bool = False,
    two_versions: bool = False,
    move: bool = False,
    fresh: Iterable[str] = (),
    forward: bool = False,
    thread: Thread | None = None,
) -> LoadReport:
    """Load a module as its new version, and return a report on the load. Kills nobody; identical text is a version too.

    `path_or_name` is a file or a dotted name; `source` its text, if that is not what the file holds. `force` overrides
    what the checks refuse, and a name that belongs to another file. `two_versions` allows one old version, as Erlang
    does. `move` moves the idle processes at once, as `move()` does. The state of the module stays, but for the names in
    `fresh`, which are new. `forward` makes the functions that others hold the current ones, where that is safe, as
    `forward()` does. With thread="runtime" the body runs on the runtime's thread, and holds up all processes: for a
    body that makes what only one thread may use, as `sqlite3.connect` does. Callable from any thread: else the
    module's body runs in the calling one, and processes run on meanwhile. A process that calls it itself holds up all
    the others for as long; `await asyncio.to_thread(load, ...)` does not.

    Raises: LoadError if it does not compile, its body raises, or a check refuses it; NotPurged, a LoadError, with
    `two_versions` while processes run an old version. Nothing has changed then.
    OTP: c:c/1, code:load_file/1; those know two versions, and c:c/1 kills who runs the older one.

    Example:

        report = code.load("shop", TEXT.replace("PRICE = 2", "PRICE = 3"))
        report.module, report.version, report.changed  # -> ('shop', 2, ('PRICE',))
        shop.PRICE  # -> 3
    """
    options = Options(force, two_versions, move, names_in(fresh), forward, thread_in(thread))
    return load_units([unit_of(path_or_name, source, LOADED)], options)[0]


def load_many(
    modules: Iterable[PathOrName | PathAndText],
    force: bool = False,
    two_versions: bool = False,
    move: bool = False,
    forward: bool = False,
    fresh: Iterable[str] = (),
) -> tuple[LoadReport, ...]:
    """Load several modules together or not at all; return a report for each, in their order.

    Each is a path or name, or a pair of that and a text; a folder stands for those of its modules that the program has
    imported or loaded, or for the package that it is if there are none yet. One that imports another of them is made
    after it, and imports its new version. `move` moves the idle processes of all of them, when all are current;
    `forward` as in `load`. `fresh` are names of state that are to be new, each as "module:NAME".

    Raises: LoadError, as `load` does, with a report for each module that was refused; ValueError for one given twice,
    and for a name in `fresh` that says none of these modules.
    OTP: code:atomic_load/1.

    Example:

        first, second = code.load_many([("shop", TEXT), ("desk", "import shop")])
        (first.version, second.version)  # -> (2, 2)
    """
    units = units_of(modules)
    return load_units(units, Options(force, two_versions, move, names_of(units, fresh), forward))


def units_of(modules: Iterable[PathOrName | PathAndText]) -> list[Unit | Rejection]:
    """Return the sources of several modules: each a path or name, or a pair of that and a text. A folder is many.

    Raises: TypeError for one name alone, whose letters would be taken for names.
    """
    if isinstance(modules, str):
        raise TypeError(f"a list of modules is wanted, not {modules!r} alone; nothing was loaded. Give [{modules!r}]")
    pairs: list[PathAndText] = []
    for each in modules:
        if isinstance(each, tuple):
            pairs.append(each)
        elif os.path.isdir(each) and (not isinstance(each, str) or os.path.basename(each) != each):
            pairs += [(path, None) for path in files_in(each) or [os.fspath(each)]]
        else:
            pairs.append((each, None))
    return [unit_of(path, text, LOADED) for path, text in pairs]


def load_modified(force: bool = False, move: bool = False, forward: bool = False) -> tuple[LoadReport, ...]:
    """Load the modules whose file differs from their loaded text, together or not at all.

    `force`, `move` and `forward` as in `load`. Raises: LoadError.
    OTP: c:lm/0, which loads each alone.

    Example:

        code.load("shop", TEXT.replace("PRICE = 2", "PRICE = 3"))  # its file says 2 still
        [report.module for report in code.load_modified()]  # -> ['shop']
        shop.PRICE  # -> 2
    """
    return load_many(modified_modules(), force, move=move, forward=forward)


def rollback(name: str, to: int | None = None, force: bool = False, move: bool = False) -> LoadReport:
    """Load the text of version `to` as a NEW version; for None, the text of the version before the current one.

    `force` and `move` are those of `load`: idle processes go back with the code. A store has texts of earlier
    interpreters too; of a module that was not loaded in this one, None means the text that ran last.
    Raises: UnknownModuleError; UnknownVersionError; LoadError, as `load` does.
    OTP: nothing like it; code:load_binary/3 with the old object code comes nearest.

    Example:

        code.load("shop", TEXT.replace("PRICE = 2", "PRICE = 3"))
        code.rollback("shop").version  # -> 3
        shop.PRICE  # -> 2
    """
    record = versions_of(name)
    number = _number_before(record) if to is None else to
    return load_units([unit_of_version(name, number)], Options(force, move=move))[0]


def unit_of_version(name: str, number: int) -> Unit | Rejection:
    """Return the text of a version as the source of another one. Raises: UnknownModuleError, UnknownVersionError."""
    path = versions_of(name).version(number).path
    place = ModulePlace(name, path)
    if known(name) is None and isinstance(found := locate(path), ModulePlace) and found.name == name:
        place = found  # with the folder that others import it from
    return unit_at(place, source(name, number))


def _number_before(record: Versions) -> int:
    current = record.current
    older = [number for number in list(record.versions) if current is None or number < current.number]
    if not older:
        raise UnknownVersionError(record.name, None, [], before=None if current is None else current.number)
    return max(older)


def names_in(fresh: Iterable[str]) -> frozenset[str]:
    """Return the names that are to be new.

    Raises: TypeError for one name alone, whose letters would be taken for names.
    """
    if isinstance(fresh, str):
        raise TypeError(f"a list of names is wanted, not {fresh!r} alone; nothing was loaded. Give [{fresh!r}]")
    return frozenset(fresh)


def names_of(units: Sequence[Unit | Rejection], fresh: Iterable[str]) -> frozenset[str]:
    """Return the names that are to be new in several modules. Raises: TypeError as `names_in`; ValueError."""
    found = names_in(fresh)
    modules = {unit.name for unit in units if isinstance(unit, Unit)}
    for each in sorted(found):
        if each.rpartition(":")[0] not in modules:
            raise ValueError(
                f"{each!r} is to be new, and says none of the modules of this load ({', '.join(sorted(modules))}); "
                "nothing was loaded. Give MODULE:NAME"
            )
    return found


def thread_in(thread: Thread | None) -> Thread | None:
    """Return the thread that a body is to run on. Raises: ValueError for any but "runtime" and None."""
    if thread not in (None, "runtime"):
        raise ValueError(f'thread is "runtime" or None, not {thread!r}; nothing was loaded. Give one of these')
    return thread
