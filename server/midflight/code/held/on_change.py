"""`on_change` and adapters: they are told that another module has a new version.

A function of a module is told while that version of its own module is current. An adapter is told of every module: it
knows a library, and brings what the library keeps up to date. A tool that follows versions, as a debugger, is told.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import logging
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from types import FunctionType, ModuleType
from typing import Any, Protocol, TypeVar

from midflight.code.held.references import dict_of_class
from midflight.code.held.search import NOTHING, After
from midflight.code.loading.lock import load_lock
from midflight.code.source.look import OwnReference, is_class
from midflight.code.version.facade import Namespace
from midflight.kernel import trouble

__all__ = [
    "TOOLS",
    "Adapter",
    "ModuleChange",
    "Undo",
    "adapters",
    "after_search",
    "is_fixed",
    "libraries_in",
    "on_change",
    "on_new_versions",
    "remembered",
    "tell_of_new_versions",
    "told_of",
]

Hook = TypeVar("Hook", bound=Callable[..., object])

Undo = Callable[[Callable[[object], bool]], Iterable[tuple[str, bool]]]  # see Adapter, `remember`

HOOKS = "__midflight_on_change__"  # in a namespace: its functions that are told of changes

GROUP = "midflight.adapters"

SHIPPED = {  # the library, by the name that it is imported by, and the adapter for it
    "aiohttp.web_app": "midflight.adapters.aiohttp",
    "starlette.applications": "midflight.adapters.starlette",
    "flask.app": "midflight.adapters.flask",
    "click.core": "midflight.adapters.click",
    "celery.app.base": "midflight.adapters.celery",
    "sqlalchemy.orm": "midflight.adapters.sqlalchemy",
}

_log = logging.getLogger("midflight.code")

_hooks: dict[str, list[weakref.ref[FunctionType]]] = {}
_loaded: dict[str, Any] = {}  # adapters, by the library
TOOLS: list[Callable[[Sequence[str]], object]] = []


@dataclass(frozen=True, eq=False)
class ModuleChange:
    """A new version of a module, for those who keep something of the one before.

    `old` and `new` are what the names of the module meant before, and mean now; `old` is empty if that is not known.
    `added`, `changed` and `removed` are names of definitions, as in a LoadReport.
    """

    module: str
    version: int
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def pairs(self) -> Iterator[tuple[Any, Any]]:
        """Yield each object that a name of the module meant before with the one that it means now, if they differ."""
        for name, old in list(self.old.items()):
            if not name.startswith("__") and name in self.new and self.new[name] is not old:
                yield old, self.new[name]


class Adapter(Protocol):
    """A module, or an object, that the entry point group `midflight.adapters` names for a library.

    The entry point's name is that of a module of the library; the adapter is loaded when that has been imported. If it
    has a function `settles`, that gets the words of each warning of the body, "Category: text", after `changed` has
    done something, and says whether the warning is not so any more.

    If it has a function `remember`, that gets the objects that a body imports, before the body runs, and returns a
    function for the case that the load is refused. That gets a predicate, whether a class or a word is the body's own,
    and yields what the body did to the library: in words, and whether it has been taken back.

    If it has a function `is_fixed`, that gets classes of a module before its new body runs, and says of each whether
    the library knows it by its name and takes it once: it stays then, and its functions get their new code in place.
    """

    types: tuple[type, ...]
    """The search for holders collects objects of these types."""

    def changed(self, change: ModuleChange) -> Iterable[str]:
        """Bring up to date what a name of the module means; yield what was done, for the report.

        On the runtime's thread, when the version has become current.
        """

    def found(self, change: ModuleChange, objects: list[Any]) -> Iterable[tuple[object, str]]:
        """Bring objects of `types` up to date that the search has found; yield each holder with what was done to it.

        On the runtime's thread.
        """


def on_change(module: str) -> Callable[[Hook], Hook]:
    """Call the function below with a `ModuleChange` each time that `module` gets a new version.

    A table that is made of another module's functions is rebuilt so. The function runs on the runtime's thread, after
    the `@on_load` functions of the new version; what it raises is a warning in the load report. It is called as long
    as the version of its own module is current, so the next version of that registers its own.

    Raises: TypeError for what is not a plain function, or a module that is not given by its name.
    OTP: nothing like it.

    Example:

        code.load("desk", '''
        from midflight import code
        import shop
        PRICES = [shop.PRICE]

        @code.on_change("shop")
        def rebuild(change): PRICES[:] = [shop.PRICE]
        ''')
        code.load("shop", TEXT.replace("PRICE = 2", "PRICE = 3"))
        desk.PRICES  # -> [3]
    """
    if not isinstance(module, str):
        raise TypeError(f'on_change takes the name of a module, not {module!r}; write @on_change("shop")')

    def register(function: Hook) -> Hook:
        if not isinstance(function, FunctionType) or inspect.iscoroutinefunction(function):
            raise TypeError(f"@on_change takes a plain function, not {function!r}; it is not registered")
        function.__globals__.setdefault(HOOKS, []).append(function)
        _hooks.setdefault(module, []).append(OwnReference(function))
        return function

    return register


def told_of(module: str) -> list[FunctionType]:
    """Return the functions that are to be told of a module, of the current versions of their own."""
    alive = [(each, found) for each in _hooks.get(module, ()) if (found := each()) is not None]
    _hooks[module] = [each for each, _ in alive]
    return [found for _, found in alive if _is_current(found.__globals__)]


def _is_current(namespace: Namespace) -> bool:
    found = sys.modules.get(str(namespace.get("__name__")))
    return found is not None and vars(found) is namespace


@functools.cache
def _entries() -> tuple[EntryPoint, ...]:
    """Return the entry points of all that is installed: read once, for that takes milliseconds."""
    return tuple(entry_points(group=GROUP))


def adapters() -> Iterator[tuple[str, Adapter]]:
    """Yield the adapters of the libraries that are imported, each with the library's name. Raises what one raises."""
    for library, module in SHIPPED.items():
        if library in sys.modules:
            if library not in _loaded:
                _loaded[library] = importlib.import_module(module)
            yield library.partition(".")[0], _loaded[library]
    for entry in _entries():
        if entry.name in sys.modules:
            if entry.name not in _loaded:
                _loaded[entry.name] = entry.load()
            yield entry.name.partition(".")[0], _loaded[entry.name]


def remembered(values: list[Any]) -> Iterator[Undo]:
    """Yield what takes back, for each library, what a body is about to do to it; `values` are what that imports."""
    for library, adapter in adapters():
        if (remember := getattr(adapter, "remember", None)) is None:
            continue
        try:
            yield remember(values)
        except Exception as error:
            trouble.log_raised(_log, f"the adapter for {library} failed before a body", error)


def is_fixed(cls: type) -> bool:
    """Say whether an adapter knows that the statement of a class cannot run twice. One that fails knows nothing."""
    for library, adapter in adapters():
        try:
            if hasattr(adapter, "is_fixed") and adapter.is_fixed(cls):
                return True
        except Exception as error:
            trouble.log_raised(_log, f"the adapter for {library} failed", error)
    return False


def after_search(change: ModuleChange, namespace: Namespace) -> After:
    """Return the types that adapters want to see, and what is done with the objects.

    Those are the adapters of libraries that the new namespace uses: others have nothing of the module's.
    """
    used = libraries_in(namespace)
    types = tuple(each for library, adapter in adapters() if library in used for each in adapter.types)
    return After(types, _Finish(change)) if types else NOTHING


def libraries_in(namespace: Namespace) -> set[str]:
    """Return the names of the packages that modules, functions, classes and objects in a namespace are of."""
    found = set()
    for value in list(namespace.values()):
        kind = type(value)
        if kind is ModuleType:
            name = vars(value).get("__name__")
        elif kind is FunctionType:
            name = value.__module__
        else:
            name = dict_of_class(value if is_class(value) else kind).get("__module__")
        if type(name) is str:
            found.add(name.partition(".")[0])
    return found


class _Finish:
    """Gives adapters the objects that were found. The version before is kept as long as the search may need it."""

    def __init__(self, change: ModuleChange) -> None:
        self._change = change

    def __call__(self, objects: list[Any]) -> Iterator[tuple[object, str]]:
        return iter(load_lock.call(partial(self._tell, objects)))

    def _tell(self, objects: list[Any]) -> list[tuple[object, str]]:
        done: list[tuple[object, str]] = []
        for library, adapter in adapters():
            mine = [each for each in objects if issubclass(type(each), adapter.types)]
            try:
                done += adapter.found(self._change, mine) if mine else ()
            except Exception as error:
                trouble.log_raised(_log, f"the adapter for {library} failed at {self._change.module}", error)
        return done


def on_new_versions(listener: Callable[[Sequence[str]], object]) -> Callable[[], None]:
    """Have `listener` called with the files of each load, on the runtime's thread; return what ends that.

    The new versions are current, and no process has run them. Everybody waits for the listener.
    """
    TOOLS.append(listener)

    def end() -> None:
        if listener in TOOLS:
            TOOLS.remove(listener)

    return end


def tell_of_new_versions(paths: Sequence[str]) -> None:
    """Call the listeners; one that raises is logged."""
    for listener in [*TOOLS]:
        try:
            listener(paths)
        except Exception as error:
            trouble.log_raised(_log, "a listener of new versions failed", error)
