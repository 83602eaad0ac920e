"""Objects of superseded classes in the state that is kept: they take the new class, in place wherever Python can.

The classes themselves and functions of the version before, which the program has put there, give way to the new ones.

Laws:
1. What is looked at are containers, and objects of classes that the code server has loaded; at most `MOST` of them.
2. Every change has its undo. An object that cannot take its new class stays what it is, and is counted.
3. A key or an element whose hash its new class makes otherwise is put in again, so that it is found.
"""

from __future__ import annotations

import enum
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import CodeType, FunctionType, MethodType
from typing import Any

from midflight.code.identity.fields import fields_of, put
from midflight.code.identity.migrate import become
from midflight.code.source.bindings import codes_in
from midflight.code.source.look import carried_name, class_names, is_class
from midflight.code.state.base import MAPPINGS, MOST, SETS
from midflight.code.state.iterated import is_iterated
from midflight.code.state.saved import SavedList
from midflight.code.version.modules import known
from midflight.errors import MigrationError

__all__ = ["Found", "Migrated", "class_pairs", "codes_of", "find_objects", "migrate_found"]

WRAPPERS = (staticmethod, classmethod, property, cached_property)

Newest = Callable[[type], type | None]
Renewed = Callable[[Any], Any]  # from a function or class to the one that has its place now, itself if it has none

FROZEN = (tuple, frozenset)
KNOWN = 3  # references to a holder while it is looked at: the list of all, the loop's and its owner's
IN_A_LOOP = "a loop is in the midst of it"


@dataclass(slots=True)
class Found:
    """The objects to migrate and all that may hold one, in the order in which they were reached.

    `definitions` has, by the id of the old one, each function and class that gives way, with the new one.
    `is_whole` is false if there was more than could be looked at.
    """

    objects: list[Any] = field(default_factory=list)
    holders: list[Any] = field(default_factory=list)
    definitions: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    is_whole: bool = True

    def counts(self) -> Counter[type]:
        """Count the objects by class."""
        return Counter(map(type, self.objects))


def _itself(definition: Any) -> Any:
    return definition


def find_objects(roots: Iterable[Any], newest: Newest, most: int | None = MOST, renewed: Renewed = _itself) -> Found:
    """Look for objects of superseded classes, and for what `renewed` replaces, in these values, at every depth.

    `newest` gives the new class of one. At most `most` objects are looked at, all for None.
    """
    found = Found()
    seen: set[int] = set()
    waiting = deque(roots)
    while waiting:
        each = waiting.popleft()
        kind = type(each)
        is_wanted = newest(kind) is not None
        inner = _inner(each, kind, is_wanted)
        if inner is None and not is_wanted:
            if (kind is FunctionType or issubclass(kind, type)) and (new := renewed(each)) is not each:
                found.definitions[id(each)] = each, new
            continue
        if id(each) in seen:
            continue
        seen.add(id(each))
        if most is not None and len(seen) > most:
            found.is_whole = False
            break
        if is_wanted:
            found.objects.append(each)
        if inner is not None:
            found.holders.append(each)
            waiting.extend(inner)
    return found


def _inner(value: Any, kind: type, is_wanted: bool) -> Iterable[Any] | None:
    """Return the values in a container or an object of a loaded module; None if there is nothing to look into."""
    if kind in MAPPINGS:
        return (*value, *value.values())
    if kind in (list, deque, *SETS, *FROZEN):
        return list(value)
    if kind is MethodType:
        return (value.__func__, value.__self__)
    if issubclass(kind, enum.Enum) or issubclass(kind, type):
        return None
    if is_wanted or known(getattr(kind, "__module__", "")) is not None:
        return list(fields_of(value).values())
    return None


@dataclass(slots=True)
class Migrated:
    """The outcome: how many objects of each class took the new one, and the first error of each class whose could not.

    `replaced` has, by the id of the old one, each object that had to be put in the place of another. `lost_keys` are
    the classes whose objects are not found in a container any more, each with the reason. `old_keys` are the
    functions and classes that stay keys or elements of sets, with who looks them up.
    """

    done: Counter[str] = field(default_factory=Counter)
    failed: dict[str, MigrationError] = field(default_factory=dict)
    replaced: dict[int, Any] = field(default_factory=dict)
    lost_keys: dict[str, str] = field(default_factory=dict)
    old_keys: dict[str, str] = field(default_factory=dict)


def migrate_found(found: Found, newest: Newest, undo: ExitStack, *, keeps_keys: str = "") -> Migrated:
    """Give the objects their new classes; replace those that could only be made again.

    If `keeps_keys` says who runs code that looks them up, old functions and classes stay keys and elements of sets.
    """
    outcome = Migrated()
    done, failed, replaced = outcome.done, outcome.failed, outcome.replaced
    for key, (_, definition) in found.definitions.items():
        replaced[key] = definition
    hashed = _with_other_hashes(found, newest)
    for holder, content in hashed.values():
        undo.callback(_put_in_again, holder, content)  # first, so that it is done when all have their old classes again
    for each in found.objects:
        old = type(each)
        new_class = newest(old)
        if new_class is None:
            continue
        fields = None if isinstance(each, (enum.Enum, tuple)) else fields_of(each)
        try:
            new = become(each, new_class)
        except MigrationError as error:
            failed.setdefault(old.__qualname__, error)
            continue
        done[old.__qualname__] += 1
        if new is not each:
            replaced[id(each)] = new
        elif fields is not None:
            undo.callback(_take_back, each, old, fields)
    if replaced or hashed:
        for holder in reversed(found.holders):  # what is in a tuple comes before the tuple
            if id(holder) not in hashed:
                kept = _definition_keys(holder, found) if found.definitions else []
                why = keeps_keys or (IN_A_LOOP if kept and is_iterated(holder, KNOWN) else "")
                if why:
                    outcome.old_keys.update((each.__qualname__, why) for each in kept if id(each) in found.definitions)
                _replace_in(holder, replaced, undo, found, {id(each) for each in kept} if why else ())
            elif why := _hash_again(*hashed[id(holder)], replaced):
                content = hashed[id(holder)][1]
                kinds = {type(each[0] if type(holder) in MAPPINGS else each).__qualname__ for each in content}
                keys = kinds & done.keys()
                outcome.lost_keys.update(dict.fromkeys(sorted(keys or done), why))
    return outcome


def _definition_keys(holder: Any, found: Found) -> list[Any]:
    """Return the keys of a mapping, or elements of a set, that are old functions or classes, or tuples of such."""

    if type(holder) not in (*MAPPINGS, *SETS):
        return []
    return [each for each in holder if _is_old(each, found.definitions)]


def _is_old(key: Any, definitions: Mapping[int, object]) -> bool:
    return id(key) in definitions or (type(key) in FROZEN and any(_is_old(each, definitions) for each in key))


def _with_other_hashes(found: Found, newest: Newest) -> dict[int, tuple[Any, list[Any]]]:
    """Return, by their ids, the sets and mappings with keys whose hash may be another one in the new class.

    Each with its items: an OrderedDict does not find them afterwards.
    """
    ids = {
        id(each)
        for each in found.objects
        if (new := newest(type(each))) is not None and _hash_of(new) is not _hash_of(object)
    }

    def is_hit(key: Any) -> bool:
        return id(key) in ids or (type(key) in FROZEN and any(map(is_hit, key)))

    kinds = (*MAPPINGS, *SETS, frozenset)
    return {
        id(each): (each, SavedList(each.items() if type(each) in MAPPINGS else each))
        for each in found.holders
        if ids and type(each) in kinds and any(map(is_hit, each))
    }


def _hash_of(cls: type) -> object:
    return getattr(cls, "__hash__", None)


def _hash_again(holder: Any, content: list[Any], replaced: dict[int, Any]) -> str:
    """Have a set or mapping find its keys by the hashes that they have now; say why it cannot, "" if it can."""

    def new(value: Any) -> Any:
        return replaced.get(id(value), value)

    is_mapping = type(holder) in MAPPINGS
    content = [(new(each[0]), new(each[1])) if is_mapping else new(each) for each in content]
    try:
        kept = len({key for key, _ in content} if is_mapping else set(content))
    except Exception as error:  # of the class
        return f"their new class has no hash ({type(error).__name__}: {error})"
    if kept < len(content):
        return "some of them are equal in the new class"
    if type(holder) is frozenset:
        replaced[id(holder)] = frozenset(content)
    else:
        _put_in_again(holder, content)
    return ""


def _put_in_again(holder: Any, content: list[Any]) -> None:
    if type(holder) in MAPPINGS:
        _fill_mapping(holder, content)
    elif type(holder) is not frozenset:
        _fill(holder, holder.update, content)


def _take_back(value: Any, old: type, fields: dict[str, Any]) -> None:
    object.__setattr__(value, "__class__", old)
    put(value, fields)


def _replace_in(
    holder: Any, replaced: dict[int, Any], undo: ExitStack, found: Found, kept: Collection[int] = ()
) -> None:
    """Put what replaces a value in its place; the keys and elements with ids in `kept` stay."""
    kind = type(holder)
    is_in = any(id(each) in replaced for each in _inner(holder, kind, True) or ())
    if not is_in:
        return

    def new(value: Any) -> Any:
        return replaced.get(id(value), value)

    def new_key(value: Any) -> Any:
        return value if id(value) in kept else new(value)

    fill: Callable[[Any], object]
    if kind in FROZEN:
        replaced[id(holder)] = kind(map(new, holder))
        return
    if kind is MethodType:
        replaced[id(holder)] = MethodType(new(holder.__func__), new(holder.__self__))
        return
    if kind in MAPPINGS:
        saved: Any = SavedList(holder.items())
        content: Any = [(new_key(key), new(value)) for key, value in saved]
        if all(key is before for (key, _), (before, _) in zip(content, saved, strict=True)):
            fill = partial(_put_values, holder)
        else:
            fill = partial(_fill_mapping, holder)
    elif kind in SETS:
        saved, content = SavedList(holder), list(map(new_key, holder))
        fill = partial(_fill, holder, holder.update)
    elif kind is list or kind is deque:
        saved = SavedList(holder)
        content = [new(each) for each in _without_successors(holder, found)]
        fill = partial(_fill, holder, holder.extend) if len(content) < len(saved) else partial(_put_elements, holder)
    else:
        saved = fields_of(holder)
        content = {name: new(value) for name, value in saved.items()}
        fill = partial(put, holder)
    undo.callback(fill, saved)
    fill(content)


def _without_successors(holder: Any, found: Found) -> Iterator[Any]:
    """Yield the elements of a list but those of new functions and classes whose older ones are in it, too.

    A body that registers its classes again has put them there; each takes the place of the older one.
    """
    older = Counter(id(found.definitions[id(each)][1]) for each in holder if id(each) in found.definitions)
    for each in holder:
        if older[id(each)] > 0:
            older[id(each)] -= 1
        else:
            yield each


def _put_values(holder: Any, content: list[tuple[Any, Any]]) -> None:
    """Give a mapping other values for its keys, which does not disturb a loop over it."""
    for key, value in content:
        if holder[key] is not value:
            holder[key] = value


def _put_elements(holder: Any, content: list[Any]) -> None:
    """Give a list or deque other elements, which does not disturb a loop over it."""
    for index, value in enumerate(content):
        if holder[index] is not value:
            holder[index] = value


def _fill(holder: Any, add: Callable[[list[Any]], object], content: list[Any]) -> None:
    holder.clear()
    add(content)


def _fill_mapping(holder: Any, content: list[tuple[Any, Any]]) -> None:
    holder.clear()
    for key, value in content:
        holder[key] = value


def class_pairs(old: type, new: object) -> Iterator[tuple[type, type]]:
    """Yield a superseded class with the one that has its name now, and the same for the classes in it."""
    if not is_class(new):
        return
    yield old, new
    for name, value in list(class_names(old).items()):
        if is_class(value) and carried_name(value) == f"{carried_name(old)}.{name}":
            yield from class_pairs(value, class_names(new).get(name))


def codes_of(cls: type) -> Iterator[CodeType]:
    """Yield the code of the methods of a class, and of the functions defined in them."""
    for value in list(class_names(cls).values()):
        parts: list[object] = [value]
        if issubclass(type(value), WRAPPERS):  # of nothing else is anything asked
            parts += (getattr(value, name, None) for name in ("__func__", "fget", "fset", "fdel", "func"))
        for part in parts:
            if type(part) is FunctionType:
                yield part.__code__
                yield from codes_in(part.__code__)
