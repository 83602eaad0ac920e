"""`take_back`: what the bodies of a refused load did to the interpreter is undone where that is safe, else named.

`CHANGES` is the list of the tables. Add to it what else a body can change for the whole program.

Laws:
1. Only what can be seen to be a body's is taken back (made.py). What others have put there meanwhile stays.
2. What is in a table and was not there before, and may be anybody's, is named.
"""

from __future__ import annotations

import atexit
import builtins
import codecs
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from types import FunctionType, MethodType
from typing import Any, NamedTuple

from midflight.code.load.made import Made
from midflight.code.load.search_path import search_path
from midflight.code.load.tables import HOOKS, Tables, atexit_count
from midflight.code.source.look import class_names, is_from, mro_of
from midflight.collection import all_referrers, stacks_of_threads

__all__ = ["CHANGES", "Change", "TakenBack", "nothing", "take_back"]


class Change(NamedTuple):
    """A change of a table: what is changed, in words, and how it is taken back, None if it is not."""

    what: str
    undo: Callable[[], object] | None = None


class TakenBack(NamedTuple):
    """The changes that were taken back, and those that were not, each in words."""

    done: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def take_back(before: Tables, made: Made, more: Iterable[Change]) -> TakenBack:
    """Undo what can be seen to be the bodies' of a refused load, and `more`, in the thread that ran them."""
    done: dict[str, None] = {}
    left: dict[str, None] = {}
    for changes in (more, *(each(before, made) for each in CHANGES)):
        for what, undo in _all_of(changes):
            try:
                (left if undo is None else done)[what] = None
                if undo is not None:
                    undo()
            except Exception:  # of an object of others
                done.pop(what, None)
                left[what] = None
    return TakenBack(tuple(done), tuple(left))


def _all_of(changes: Iterable[Change]) -> list[Change]:
    """Return the changes, up to the one at which an object of others, or an adapter, raises."""
    found: list[Change] = []
    try:
        found.extend(changes)
    except Exception as error:
        found.append(Change(f"something that cannot be looked at ({type(error).__name__})"))
    return found


def _signals(before: Tables, _: Made) -> Iterator[Change]:
    """Only the thread that ran the body can have set one."""
    for number, old in before.signals.items():
        new = signal.getsignal(number)
        if new is not old and new != old:
            what = f"the handler of {signal.Signals(number).name}"
            is_loops = is_from("asyncio", new)  # it keeps books of its own
            yield Change(what, None if old is None or is_loops else partial(signal.signal, number, old))


def _path(before: Tables, made: Made) -> Iterator[Change]:
    for entry in _added(before.path, sys.path):
        if search_path.has(entry):
            continue
        yield Change(f"sys.path {entry!r}", partial(_take_out, sys.path, entry) if made.says_path(entry) else None)
    for entry in _added(sys.path, before.path):
        if made.says_path(entry):
            yield Change(f"sys.path without {entry!r}", partial(sys.path.insert, before.path.index(entry), entry))


def _finders(before: Tables, made: Made) -> Iterator[Change]:
    tables: tuple[tuple[str, list[Any], list[Any]], ...] = (
        ("sys.meta_path", before.finders, sys.meta_path),
        ("sys.path_hooks", before.path_hooks, sys.path_hooks),
    )
    for what, old, now in tables:
        for entry in _added(old, now):
            yield Change(what, partial(_take_out, now, entry) if made.says(entry) else None)


def _hooks(before: Tables, made: Made) -> Iterator[Change]:
    for (module, name), old in zip(HOOKS, before.hooks, strict=True):
        now = getattr(module, name)
        if now is not old:
            what = f"{module.__name__}.{name}"
            yield Change(what, partial(setattr, module, name, old) if made.says(now) else None)


def _environ(before: Tables, made: Made) -> Iterator[Change]:
    now = os.environ.copy()
    for key in sorted(before.environ.keys() | now.keys()):
        old = before.environ.get(key)
        if old != now.get(key):
            undo = partial(os.environ.pop, key, None) if old is None else partial(os.environ.__setitem__, key, old)
            yield Change(f"os.environ[{key!r}]", undo if made.says(key) else None)


def _folder(before: Tables, made: Made) -> Iterator[Change]:
    if os.getcwd() != before.folder:
        yield Change("the working folder", partial(os.chdir, before.folder) if "chdir" in made.names else None)


def _modules(before: Tables, made: Made) -> Iterator[Change]:
    own = {each.unit.name for each in made.bodies}
    for name, module in list(sys.modules.items()):
        old = before.modules.get(name)
        if module is not old and name not in own and made.says(name) and _is_no_import(module):
            undo = partial(sys.modules.pop, name, None) if old is None else partial(sys.modules.update, {name: old})
            yield Change(f"sys.modules[{name!r}]", undo)


def _is_no_import(module: object) -> bool:
    """Say whether no import has put a module where it is: one that has keeps its place, whatever asked for it."""
    return getattr(module, "__spec__", None) is None


def _builtins(before: Tables, made: Made) -> Iterator[Change]:
    for name, value in list(vars(builtins).items()):
        if name != "_" and before.builtins.get(name, before) is not value and made.says(value):
            old = before.builtins
            undo = partial(setattr, builtins, name, old[name]) if name in old else partial(delattr, builtins, name)
            yield Change(f"builtins.{name}", undo)


def _filters(before: Tables, made: Made) -> Iterator[Change]:
    filters: Any = warnings.filters  # a list, which typeshed does not say
    for entry in _added(before.filters, filters):
        action, message, category, module, _ = entry
        patterns = [getattr(each, "pattern", each) for each in (message, module) if each is not None]
        if any(is_from("midflight", type(each)) for each in (message, module)):
            continue  # that of a load under way
        is_named = category is Warning or category.__name__ in made.names
        is_own = action in made.words and all(each in made.words for each in patterns) and is_named
        yield Change("a filter of warnings", partial(_take_out_filter, entry) if is_own else None)


def _take_out_filter(entry: Any) -> None:
    _take_out(warnings.filters, entry)  # type: ignore[arg-type]  # a list, which typeshed does not say
    for name in ("_filters_mutated", "_filters_mutated_lock_held"):  # 3.11 to 3.13, 3.14: what was shown is forgotten
        mutated = getattr(warnings, name, None)
        if mutated is not None and sys.version_info < (3, 14):
            mutated()


def _logging(before: Tables, made: Made) -> Iterator[Change]:
    for logger in (logging.getLogger(), *list(logging.Logger.manager.loggerDict.values())):
        if not isinstance(logger, logging.Logger):
            continue
        level, handlers, filters = before.loggers.get(logger, (logging.NOTSET, [], []))
        is_root = logger is logging.getLogger()
        whose = "the root logger" if is_root else f"logger {logger.name}"
        for handler in _added(handlers, logger.handlers):
            undo = partial(logger.removeHandler, handler) if made.says(handler) else None
            yield Change(f"a handler of {whose}", undo)
        for each in _added(filters, logger.filters):
            yield Change(f"a filter of {whose}", partial(logger.removeFilter, each) if made.says(each) else None)
        if logger.level != level:
            is_own = "setLevel" in made.names and (is_root or logger.name in made.words)
            yield Change(f"the level of {whose}", partial(logger.setLevel, level) if is_own else None)


def _atexit(before: Tables, made: Made) -> Iterator[Change]:
    """Its count only grows, until 3.12; that a function was there is told by the reference that is gone."""
    if atexit_count() <= before.atexit:
        return
    is_found = False
    for function in _callables(made):
        held = getattr(function, "__self__", function)
        count = sys.getrefcount(held)
        atexit.unregister(function)
        if sys.getrefcount(held) < count:
            is_found = True
            yield Change(f"{function.__qualname__} of atexit", nothing)
    if not is_found and "atexit" in made.names:
        yield Change("a function of atexit")


def _callables(made: Made) -> Iterator[Any]:
    """Yield the functions that the bodies have made, and methods of their objects that the texts name."""
    for body in made.bodies:
        for value in all_referrers(body.namespace):
            if type(value) is FunctionType and value.__globals__ is body.namespace:
                yield value
        for value in list(body.namespace.values()):
            if made.has(value, 0) and type(value) is not FunctionType:
                names = {name: each for cls in reversed(mro_of(type(value))) for name, each in class_names(cls).items()}
                for name in made.names & names.keys():
                    if type(names[name]) is FunctionType:
                        yield MethodType(names[name], value)


def nothing() -> None:
    """Stand for an undo that is done already."""


def _codecs(_: Tables, made: Made) -> Iterator[Change]:
    if "codecs" in made.names:
        for body in made.bodies:
            for value in list(body.namespace.values()):
                if type(value) is FunctionType and value.__globals__ is body.namespace:
                    codecs.unregister(value)  # which says of none whether it was there
        yield Change("search functions of codecs", nothing)


def _threads(before: Tables, made: Made) -> Iterator[Change]:
    namespaces = {id(each.namespace) for each in made.bodies}
    stacks = stacks_of_threads()
    me = threading.get_ident()
    for thread in threading.enumerate():
        if thread in before.threads or thread.ident is None or thread.ident == me:
            continue
        is_in = any(id(frame.f_globals) in namespaces for frame in stacks.get(thread.ident, ()))
        if is_in or made.has(getattr(thread, "_target", None)):
            yield Change(f"thread {thread.name}, which it started and which runs on")


def _added(old: Iterable[Any], new: Iterable[Any]) -> list[Any]:
    """Return the items of `new` that are not in `old`, the very objects or, of words and tuples, equal ones."""
    known = {id(each) for each in old}
    words = {each for each in old if type(each) is str}
    return [each for each in list(new) if id(each) not in known and not (type(each) is str and each in words)]


def _take_out(table: list[Any], entry: Any) -> None:
    """Take the last entry that is this very object, or an equal word, out of a table."""
    for index in range(len(table) - 1, -1, -1):
        if table[index] is entry:
            del table[index]
            return


CHANGES: tuple[Callable[[Tables, Made], Iterable[Change]], ...] = (
    _signals,
    _path,
    _finders,
    _hooks,
    _environ,
    _folder,
    _modules,
    _builtins,
    _filters,
    _logging,
    _atexit,
    _codecs,
    _threads,
)
