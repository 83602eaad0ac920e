"""The objects of superseded classes in a module's state: they migrate in the commit, or later by `migrate_objects`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from types import FunctionType
from typing import Any

from midflight.code.census.bystanders import bystanders
from midflight.code.census.census import take_census
from midflight.code.identity.current import current
from midflight.code.identity.migrate import SUPERSEDED, newest_class
from midflight.code.report.state_report import StateChange
from midflight.code.source.look import class_names, is_class
from midflight.code.state.kinds import kind_of
from midflight.code.state.migrating import class_pairs, codes_of, find_objects, migrate_found
from midflight.code.version.facade import Namespace
from midflight.code.version.modules import known, module_of
from midflight.code.version.version import version_of
from midflight.errors import MigrationError

__all__ = ["migrate_objects", "superseded_pairs", "take_new_classes"]

TOO_MANY = "the state holds more than 10,000 objects, which were not looked at"


def superseded_pairs(before: Namespace, after: Namespace, names: Sequence[str]) -> dict[type, type]:
    """Return the superseded classes with these names, and those in them, each with its new class."""
    return {
        old: new
        for name in names
        if isinstance(before.get(name), type)
        for old, new in class_pairs(before[name], after.get(name))
    }


def take_new_classes(
    module: str,
    namespace: Namespace,
    roots: Mapping[str, Any],
    classes: Mapping[type, type],
    renewed: Callable[[Any], Any],
    undo: ExitStack,
) -> list[StateChange]:
    """Migrate the objects of superseded `classes` in the kept values `roots` of a module; return the outcome.

    Objects whose class has a method that a process or task is in stay what they are. What `renewed` has another
    function or class for gives way to that; not where it is a key and somebody runs code of an older version of the
    module. On the runtime's thread.
    """
    found = find_objects(roots.values(), classes.get, renewed=renewed)
    if not found.objects and not found.definitions:
        return []
    user = next(_users(module), "") if found.definitions else ""
    busy = dict(_busy({type(each) for each in found.objects}))
    found.objects = [each for each in found.objects if type(each) not in busy] if found.is_whole else []
    outcome = migrate_found(found, lambda cls: None if cls in busy else classes.get(cls), undo, keeps_keys=user)
    for name, value in roots.items():
        if id(value) in outcome.replaced:
            undo.callback(namespace.__setitem__, name, namespace[name])
            namespace[name] = outcome.replaced[id(value)]
    later = f"code.migrate_objects({module!r}) migrates them later"
    changes = [] if found.is_whole else [StateChange("objects of old classes", "migrated", f"{TOO_MANY}: {later}")]
    for cls, who in busy.items():
        why = f"its objects in the kept state stay of the old class, for {who}: {later}"
        changes.append(StateChange(cls.__qualname__, "migrated", why))
    for old_key, why in outcome.old_keys.items():
        text = f"it stays a key or an element of the old version in the kept state, for {why}: {later}"
        changes.append(StateChange(old_key, "migrated", text))
    for class_name, why in outcome.lost_keys.items():
        text = f"objects of it are keys or elements in the kept state, and are not found there any more: {why}"
        changes.append(StateChange(class_name, "migrated", text))
    return [*changes, *_said(outcome.done, outcome.failed)]


def _users(module: str) -> Iterator[str]:
    """Yield who runs code of a version of a module: a process, a task or a thread."""
    for spot, pids in take_census().by_code():
        if spot.f_globals.get("__name__") == module:
            yield f"{pids[0]!r} is in {spot.f_code.co_qualname}"
    for who, _, function, _ in bystanders(lambda version: version.name == module):
        yield f"{who} is in {function}"


def _said(done: Mapping[str, int], failed: Mapping[str, MigrationError]) -> Iterator[StateChange]:
    for name, count in done.items():
        objects = f"{count} object{'' if count == 1 else 's'} in the kept state took the new class"
        yield StateChange(name, "migrated", objects, size=count)
    for name, error in failed.items():
        yield StateChange(name, "migrated", f"objects in the kept state stay of the old class: {error}")


def _busy(classes: set[type]) -> Iterator[tuple[type, str]]:
    """Yield the classes whose methods a process, task or thread runs, each with words for that."""
    codes = {id(code): cls for cls in classes for code in codes_of(cls)}  # that of another version may be equal
    for spot, pids in take_census().by_code():
        if (cls := codes.get(id(spot.f_code))) is not None:
            yield cls, f"{pids[0]!r} is in {spot.f_code.co_qualname}"
    named = {(cls.__module__, cls.__qualname__): cls for cls in classes}
    for who, version, function, _ in bystanders(lambda version: any(version.name == module for module, _ in named)):
        cls = named.get((version.name, function.partition(".<locals>")[0].rpartition(".")[0]))
        if cls is not None:
            yield cls, f"{who} is in {function}"


def migrate_objects(name: str) -> dict[str, int]:
    """Migrate the objects of superseded classes that the state of module `name` holds; return their count by class.

    A load does so by itself for the objects in the state that it keeps, but not while a process or task is in a method
    of the old class. This does it then, too. Containers are looked into, and objects of loaded modules.

    Raises: UnknownModuleError; MigrationError, and nothing is changed, if one cannot take the new class.
    OTP: nothing like it; a module has no state there.

    Example:

        order = shop.Order("tea")
        code.load("shop", TEXT.replace("name: str", "name: str; count: int = 1"))
        shop.ORDERS = [order]
        code.migrate_objects("shop")  # -> {'Order': 1}
        shop.ORDERS  # -> [Order(name='tea', count=1)]
    """
    namespace = module_of(name).facade.namespace
    roots = {
        key: value for key, value in list(namespace.items()) if not key.startswith("__") and kind_of(value) is not None
    }
    with ExitStack() as undo:
        found = find_objects(roots.values(), _newest, most=None, renewed=_renewed)
        outcome = migrate_found(found, _newest, undo)
        for error in outcome.failed.values():
            raise error
        for class_name, why in outcome.lost_keys.items():
            cls = next(each for each in map(type, found.objects) if each.__qualname__ == class_name)
            raise MigrationError(cls, f"it is a key or an element, and would not be found any more: {why}")
        for key, value in roots.items():
            if id(value) in outcome.replaced:
                namespace[key] = outcome.replaced[id(value)]
        undo.pop_all()
    return dict(outcome.done)


def _renewed(definition: Any) -> Any:
    """Return the current version of a function or class of an older version of its module; any other as it is."""
    version = version_of(definition.__globals__) if type(definition) is FunctionType else None
    is_old = version is not None and known(version.name) is not None and module_of(version.name).current is not version
    if not is_old and not (is_class(definition) and SUPERSEDED in class_names(definition)):
        return definition
    try:
        found = current(definition)
    except LookupError:
        return definition
    return found if type(found) is type(definition) else definition


def _newest(cls: type) -> type | None:
    """Return the class that a superseded one has become; None for any other, and if there is none of that name."""
    if SUPERSEDED not in vars(cls):
        return None
    try:
        return newest_class(cls)
    except LookupError:
        return None
