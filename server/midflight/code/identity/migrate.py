"""An object of a superseded class becomes one of the current class: by `__class__`, or by its `__migrate__`.

Laws:
1. Nothing migrates by itself but the object of a server, which runs new code from its next message on. A process that
   runs old code has old objects, and they stay what that code expects; a program that moves state to new code on
   purpose asks for it here.
2. All that can fail comes first: an object that cannot become one of the new class is as it was.
"""

from __future__ import annotations

import enum
import sys
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from midflight.code.identity.current import current
from midflight.code.identity.fields import ABSENT, declared, fields_of, made, new_slots, put
from midflight.code.source.look import carried_module, carried_name, class_names, is_class
from midflight.code.version.facade import Namespace
from midflight.code.version.modules import known, module_of
from midflight.code.version.version import version_of
from midflight.collection import all_objects
from midflight.errors import MigrationError
from midflight.text import exception_said

__all__ = [
    "SUPERSEDED",
    "Newest",
    "become",
    "migrate",
    "migrate_state",
    "newest_class",
    "newest_for",
    "old_instances",
    "rebuilt",
]

Newest = Callable[[type], type]

SUPERSEDED = "__midflight_superseded__"  # in a class whose place another one has taken


def newest_class(cls: type) -> type:
    """Return the class that the name of `cls` means now; `cls` itself if it is of no module that was loaded.

    Raises: LookupError if it was superseded, and its name means no class any more.
    """
    module, path = carried_module(cls), str(carried_name(cls))
    if module is None or known(module) is None or "<locals>" in path:
        return cls
    try:
        found = current(cls)
        if is_class(found):
            return found
    except LookupError:
        pass
    if SUPERSEDED in class_names(cls):
        raise LookupError(f"the current version of {module} has no class {path}")
    return cls  # it was made in passing, and never had that name


def newest_for(namespace: Namespace) -> Newest:
    """Return a function from a class to the class that its name means to code in `namespace`.

    To code of the class's own module that is its own version's: a `code_change` runs before its version is current, and
    old code has no use for objects of a class that it does not know.
    """
    version = version_of(namespace)

    def newest(cls: type) -> type:
        path = str(carried_name(cls))
        if version is None or carried_module(cls) != version.name or "<locals>" in path:
            return newest_class(cls)
        first, *rest = path.split(".")
        found = namespace.get(first)
        for part in rest:
            found = getattr(found, part, None)
        return found if is_class(found) else newest_class(cls)

    return newest


def migrate(value: Any) -> Any:
    """Return `value` as an object of the class that the name of its class means now; any other value as it is.

    What it means to the caller: to code of the module itself the class of its own version, to all else the current one.
    It is the same object where Python can give it another class, else a new one: an enum's member, a named tuple, an
    object with other slots. The class's `__migrate__(old_fields)`, a class method, gets the fields by name, also those
    that the new class has no more, and returns the new fields as a dict, or the new object. Without it the fields
    stay; those that a dataclass, named tuple or pydantic model has no more are dropped, new ones get their default.
    What the fields hold is not migrated: see `migrate_state`. Neither `__init__` nor `__post_init__` runs.

    Raises: MigrationError, the object is as it was then: a new field has no default, `__migrate__` raised, the class or
    the enum's member is gone.
    OTP: what code_change/3 does with a state; Common Lisp's update-instance-for-redefined-class comes nearest.

    Example:

        order = shop.Order("tea")
        code.load("shop", TEXT.replace("name: str", "name: str; count: int = 1"))
        code.migrate(order)  # -> Order(name='tea', count=1)
    """
    old = type(value)
    new = _newest(old, newest_for(sys._getframe(1).f_globals))
    return value if new is old else become(value, new)


def become(value: Any, new: type, *, sets_slots_later: bool = False) -> Any:
    """Return `value` as an object of class `new`, as `migrate` does: the same object where Python can do that.

    With `sets_slots_later` new slots may stay without a value: those of a server, whose callbacks set them.
    Raises: MigrationError; the object is as it was then.
    """
    old = type(value)
    if isinstance(value, enum.Enum):
        return _member(value, new)
    found = _new_fields(value, new, fields_of(value), sets_slots_later)
    if not isinstance(found, dict):
        return found
    if isinstance(value, tuple):
        return _made(value, new, found)
    try:
        object.__setattr__(value, "__class__", new)  # past a frozen dataclass
    except TypeError:  # the slots differ
        return _made(value, new, found)
    try:
        put(value, found)
    except AttributeError as error:
        object.__setattr__(value, "__class__", old)
        raise MigrationError(old, str(error)) from error
    return value


def rebuilt(value: Any, new: type) -> Any:
    """Return an object of class `new` with the fields of `value`, as `migrate` does, and leave that as it is.

    Raises: MigrationError.
    """
    if isinstance(value, enum.Enum):
        return _member(value, new)
    found = _new_fields(value, new, fields_of(value))
    return _made(value, new, found) if isinstance(found, dict) else found


def migrate_state(state: Any, newest: Newest | None = None) -> Any:
    """Return `state` with all objects of superseded classes in it migrated, and leave it as it is.

    Lists, dicts, sets, tuples and deques are copied, and looked into, as are the objects that migrate, a tree of nodes
    say. An object of another class of a loaded module is looked into, too, and copied if something in it migrates. All
    else is shared, and nothing is looked for in it. What was one object in the state is one object after it. `newest`
    gives the new class of an old one, the same if it has none; None stands for what `migrate` does.

    Raises: MigrationError, as `migrate` does.

    Example:

        orders = {"ada": [shop.Order("tea")]}
        code.load("shop", TEXT.replace("name: str", "name: str; count: int = 1"))
        code.migrate_state(orders)  # -> {'ada': [Order(name='tea', count=1)]}
        orders  # -> {'ada': [Order(name='tea')]}
    """
    return _State(newest or newest_for(sys._getframe(1).f_globals)).migrated(state)


def old_instances(name: str) -> dict[str, int]:
    """Count the objects of superseded classes of module `name`, by class, the largest count first.

    It looks at all objects that the garbage collector knows, which takes a while; it does not know those without
    fields, nor enum members that nobody holds.
    Raises: UnknownModuleError.

    Example:

        order = shop.Order("tea")
        code.load("shop", TEXT.replace("name: str", "name: str; count: int = 1"))
        code.old_instances("shop")  # -> {'Order': 1}
    """
    module_of(name)
    found: Counter[str] = Counter()
    for value in all_objects():
        cls = type(value)
        if SUPERSEDED in class_names(cls) and carried_module(cls) == name:
            found[str(carried_name(cls))] += 1
    return dict(found.most_common())


def _newest(old: type, newest: Newest) -> type:
    try:
        return newest(old)
    except LookupError as error:
        raise MigrationError(old, str(error)) from error


def _member(value: enum.Enum, new: type) -> Any:
    """Return the member of enum `new` that has the name of `value`; flags are taken apart."""
    if not issubclass(new, enum.Enum):
        raise MigrationError(type(value), f"{new.__qualname__} is no enum any more")
    try:
        if not isinstance(value, enum.Flag):
            return new[value.name]
        found: Any = new(0)
        for each in value:
            found |= new[str(each.name)]
    except (KeyError, ValueError) as error:
        raise MigrationError(type(value), f"the enum has no member {value.name} any more") from error
    return found


def _new_fields(value: Any, new: type, fields: dict[str, Any], sets_slots_later: bool = False) -> Any:
    """Return the fields of `value` as an object of `new`; or the object that its `__migrate__` made of it."""
    old = type(value)
    hook = getattr(new, "__migrate__", None)
    if hook is not None:
        own = {name: each for name, each in fields.items() if not _is_hidden(name)}
        try:
            found = hook(own)
        except Exception as error:
            raise MigrationError(old, f"its __migrate__ raised {exception_said(error)}") from error
        if isinstance(found, dict):
            return {**{name: each for name, each in fields.items() if _is_hidden(name)}, **found}
        if isinstance(found, new):
            return found
        raise MigrationError(
            old, f"its __migrate__ returned {found!r}, neither a dict of fields nor a {new.__qualname__}"
        )
    wanted, dropped = declared(new), set(declared(old) or ())
    if wanted is None:
        wanted, dropped = {} if sets_slots_later else new_slots(old, new), set()
    found = {name: each for name, each in fields.items() if name in wanted or name not in dropped}
    lacking = []
    for name, default in wanted.items():
        if name not in found and (each := default()) is not ABSENT:
            found[name] = each
        elif name not in found:
            lacking.append(name)
    if lacking:
        raise MigrationError(old, f"nothing says what its new {', '.join(lacking)} shall be")
    return found


def _is_hidden(name: str) -> bool:
    """Say whether a field is a library's own: pydantic keeps some next to the fields of a model."""
    return name.startswith("__") and name.endswith("__")


def _made(value: Any, new: type, fields: dict[str, Any]) -> Any:
    """Return a new object of class `new` with these fields, and with the items or the number that `value` is itself."""
    try:
        return made(value, new, fields)
    except (TypeError, AttributeError, ValueError) as error:
        raise MigrationError(type(value), str(error)) from error


class _State:
    """One state on its way, and the objects of it that are migrated or copied by now."""

    def __init__(self, newest: Newest) -> None:
        self._newest = newest
        self._made: dict[int, tuple[Any, Any]] = {}  # by id: what it was, so that the id stays its own, and what it is
        self._classes: dict[type, type] = {}

    def migrated(self, state: Any) -> Any:
        """Return the state. Objects are made first and filled then, so however many hang on one another, it goes."""
        objects = [(each, new) for each, new in self._objects(state) if not _is_made_at_once(each, new)]
        for each, new in objects:
            self._note(each, _made(each, new, {}))
        for each, new in reversed(objects):  # what is in an object is filled before it, for a __migrate__ to look at
            fields = fields_of(each) if new is type(each) else _new_fields(each, new, fields_of(each))
            self._fill(each, fields)
        return self.of(state)

    def _objects(self, state: Any) -> list[tuple[Any, type]]:
        """Return the objects that are others then, with the class of each: those that migrate or hold one that does."""
        found: list[tuple[Any, type]] = []
        holders: dict[int, list[Any]] = {}  # by the id of what they hold
        seen = {id(state): state}
        waiting = [state]
        for each in waiting:  # grows as it goes
            new = self._class_of(each)
            if new is not type(each):
                found.append((each, new))
            for inner in _looked_into(each, is_old=new is not type(each)):
                holders.setdefault(id(inner), []).append(each)
                if id(inner) not in seen:
                    seen[id(inner)] = inner
                    waiting.append(inner)
        others = {id(each) for each, _ in found}
        for each, _ in found:  # grows as it goes
            for holder in holders.get(id(each), ()):
                if id(holder) not in others:
                    others.add(id(holder))
                    found.append((holder, type(holder)))
        position = {id(each): index for index, each in enumerate(waiting)}
        return sorted((pair for pair in found if not _is_container(pair[0])), key=lambda pair: position[id(pair[0])])

    def _class_of(self, value: Any) -> type:
        kind = type(value)
        if kind not in self._classes:
            self._classes[kind] = _newest(kind, self._newest)
        return self._classes[kind]

    def _fill(self, value: Any, fields: dict[str, Any]) -> None:
        try:
            put(self._made[id(value)][1], {name: self.of(each) for name, each in fields.items()})
        except AttributeError as error:
            raise MigrationError(type(value), str(error)) from error

    def of(self, value: Any) -> Any:
        if id(value) in self._made:
            return self._made[id(value)][1]
        kind: Any = type(value)
        new = self._class_of(value)
        if new is not kind:
            return self._object(value, new)
        if kind is list or kind is deque:
            twin = self._note(value, kind() if kind is list else deque(maxlen=value.maxlen))
            twin.extend(map(self.of, value))
        elif isinstance(value, dict) and kind is dict:
            twin = self._note(value, {})
            twin.update((self.of(key), self.of(each)) for key, each in value.items())
        elif kind is set or kind is frozenset:
            twin = self._note(value, kind(map(self.of, value)))
        elif kind is tuple:
            twin = self._note(value, tuple(map(self.of, value)))
        elif isinstance(value, tuple) and hasattr(kind, "_make"):
            twin = self._note(value, kind._make(map(self.of, value)))
        else:
            return value
        return twin

    def _note(self, value: Any, made: Any) -> Any:
        self._made[id(value)] = (value, made)
        return made

    def _object(self, value: Any, new: type) -> Any:
        if isinstance(value, enum.Enum):
            return self._note(value, _member(value, new))
        fields = fields_of(value)
        self._note(value, value)  # what comes back to it meanwhile finds the old one: __migrate__ has made none yet
        found = _new_fields(value, new, {name: self.of(each) for name, each in fields.items()})
        return self._note(value, _made(value, new, found) if isinstance(found, dict) else found)


def _is_made_at_once(value: Any, new: type) -> bool:
    """Say whether an object is made only when what it holds is: an enum's member, a tuple, one with `__migrate__`."""
    return issubclass(type(value), (enum.Enum, tuple)) or (new is not type(value) and hasattr(new, "__migrate__"))


def _is_container(value: Any) -> bool:
    kind = type(value)
    return kind in (list, deque, dict, set, frozenset, tuple) or (issubclass(kind, tuple) and hasattr(kind, "_make"))


def _looked_into(value: Any, *, is_old: bool) -> list[Any]:
    """Return what a container or an object holds; nothing for what is not looked into."""
    kind = type(value)
    if kind is dict:
        return [*value, *value.values()]
    if _is_container(value) and not is_old:
        return list(value)
    if issubclass(kind, (type, enum.Enum)) or not (is_old or known(str(getattr(kind, "__module__", ""))) is not None):
        return []
    return list(fields_of(value).values())
