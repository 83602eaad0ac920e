"""Members of a superseded enum that others hold: servers of other modules, their state, messages that wait.

A member of the old enum equals none of the new one, so code that compares it with `colors.Color.RED` would take the
other branch after the load. The new members of the same names take their places in the commit, with undo, where that
is safe.

Laws:
1. Nothing is replaced while somebody runs code of an old version of the module, or has imported the enum itself: that
   code compares with the old members. The report says so.
2. What cannot be replaced, as a local variable of a process, is named.
"""

from __future__ import annotations

import enum
import gc
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from types import CellType, CoroutineType, FrameType, FunctionType, GeneratorType, ModuleType
from typing import Any, NamedTuple

from midflight.code.census.bystanders import FrameCounts
from midflight.code.held.references import VersionObjects
from midflight.code.identity.fields import fields_of
from midflight.code.identity.migrate import become
from midflight.code.report.state_report import StateChange
from midflight.code.source.look import is_a, is_from
from midflight.code.state.iterated import is_iterated
from midflight.code.state.saved import SAVED
from midflight.code.version.facade import Namespace
from midflight.collection import all_referrers
from midflight.errors import MigrationError

__all__ = ["is_enum", "renew_held_members"]

DEPTH = 4  # of tuples in tuples; each costs a look at all objects
KNOWN = 3  # references to a holder while it is looked at: the list of all, the loop's and its owner's
CONTAINERS = frozenset({dict, list, deque, set})
FROZEN = (tuple, frozenset)


def is_enum(cls: type) -> bool:
    """Say whether a class is an enum."""
    return is_a(cls, enum.EnumMeta)


def renew_held_members(
    pairs: Mapping[type, type],
    old: Namespace,
    new: Namespace,
    frames: FrameCounts,
    undo: ExitStack,
    books: Collection[int] = (),
) -> list[StateChange]:
    """Put the members of new enums in the place of old ones, wherever others hold those; return what is to be told.

    `pairs` has the new enum of each superseded one; `old` and `new` are the namespaces of the two versions, `frames`
    says how many frames run each code; `books` are the identities of objects that are renewed and not told of.
    On the runtime's thread. If a member has references that are not from the version, it looks at all objects that the
    garbage collector knows: 34 ms for a million.
    """
    objects = VersionObjects(old, new, frames)
    is_run = [code.co_qualname for code in objects.codes() if code in frames]
    held = [before for before in pairs if objects.is_any_referred_to(_keys(before))]
    own = objects.ids()
    del objects  # it holds members, too
    changes: list[StateChange] = []
    for before in held:
        search = _Members(before, pairs[before], own, books)
        if not search.is_held():
            continue
        why = f"{is_run[0]} of an old version is running" if is_run else ""
        why = why or "".join(f"{name} has imported the enum itself" for name in search.importers[:1])
        if why and search.is_told():
            changes.append(search.told(f"stay members of the old enum, which equal none of the new one: {why}"))
        elif not why:
            search.renew(undo)
            changes += search.outcome()
    return changes


class _Members:
    """The members of one superseded enum, and the search for those who hold one."""

    def __init__(self, old: type, new: type, own: frozenset[int], books: Collection[int]) -> None:
        self._name = str(old.__qualname__)
        self._books = books
        self._now: dict[int, Any] = {}  # by the identity of what is replaced
        self._gone: list[Any] = []
        self._old: list[Any] = []
        members = {id(each): each for each in [*vars(old)["_member_map_"].values(), *_values(old)]}
        for each in members.values():
            try:
                self._now[id(each)] = become(each, new)
                self._old.append(each)
            except MigrationError:
                self._gone.append(each)
        self._own = {*own, *_inside(old), *members, id(members), id(self._old), id(self._gone), id(self._now)}
        self.importers: list[str] = []
        self._holders: list[Any] = []
        self._done: Counter[str] = Counter()
        self._left: Counter[str] = Counter()
        self._look_for_holders(old)

    def is_held(self) -> bool:
        """Say whether somebody outside of the module holds a member."""
        return bool(self._holders)

    def is_told(self) -> bool:
        """Say whether one of those who hold a member is to be told of."""
        return any(id(each) not in self._books for each in self._holders)

    def told(self, what: str) -> StateChange:
        """Return words on all that is held."""
        found = Counter(_kind(each) for each in self._holders if id(each) not in self._books)
        return StateChange(self._name, "note", f"its members in {_listed(found)} {what}")

    def renew(self, undo: ExitStack) -> None:
        """Replace the members, in tuples and frozen sets too: those are made again, and put where the old ones were."""
        holders = self._holders
        for _ in range(DEPTH):
            again = []
            for holder in holders:
                if type(holder) in FROZEN:
                    self._now[id(holder)] = type(holder)(map(self._new, holder))
                    again.append(holder)
                elif not self._replace(holder, undo):
                    self._left[_kind(holder)] += 1
            self._old += again  # what is looked up by its identity has to live on
            if not again:
                return
            holders = self._referrers(again, {id(holders), id(again)})

    def outcome(self) -> Iterator[StateChange]:
        """Yield words on what was renewed, and on what was not."""
        if self._done:
            why = f"its members in {_listed(self._done)} became those of the new enum, by their names"
            yield StateChange(self._name, "migrated", why, size=self._done.total())
        if self._left:
            why = f"its members in {_listed(self._left)} are of the old enum, and equal none of the new one"
            yield StateChange(self._name, "note", why)
        if self._gone and (found := Counter(map(_kind, self._referrers(self._gone, set())))):
            names = ", ".join(str(each.name) for each in self._gone)
            why = f"{names} is gone, and still held in {_listed(found)}"
            yield StateChange(self._name, "note", why)

    def _look_for_holders(self, old: type) -> None:
        wanted = [old, *self._old]
        members = set(map(id, self._old))
        for each in self._referrers(wanted, set()):
            parts = gc.get_referents(each)
            if type(each) is dict and _is_namespace(each) and any(part is old for part in parts):
                self.importers.append(str(each["__name__"]))
            if not members.isdisjoint(map(id, parts)):
                self._holders.append(each)

    def _referrers(self, wanted: Sequence[Any], ours: set[int]) -> list[Any]:
        ours |= {id(wanted), id(ours)}
        return [each for each in all_referrers(*wanted) if id(each) not in ours and not self._is_own(each)]

    def _is_own(self, holder: Any) -> bool:
        kind = type(holder)
        return (
            id(holder) in self._own or kind is FrameType or kind in SAVED or issubclass(kind, (ModuleType, enum.Enum))
        )

    def _new(self, value: Any) -> Any:
        return self._now.get(id(value), value)

    def _replace(self, holder: Any, undo: ExitStack) -> bool:
        """Replace what a holder has; say whether it could be."""
        put = _puts(holder, self._now)
        if put is None:
            return False
        for set_value, old, new in put:
            undo.callback(set_value, old)
            set_value(new)
        if id(holder) not in self._books and not is_from("midflight", type(holder)):
            self._done[_kind(holder)] += 1
        return True


class _Put(NamedTuple):
    """A place that a holder has for a value: how to set it, the value there, and the one that replaces it."""

    set_value: Callable[[Any], object]
    old: Any
    new: Any


def _puts(holder: Any, now: Mapping[int, Any]) -> list[_Put] | None:
    """Return the places of a holder that are to be set; None if it cannot be changed."""
    kind = type(holder)
    if kind is set or (kind is dict and any(id(key) in now for key in holder)):
        return None if is_iterated(holder, KNOWN) else [_refilled(holder, now)]
    if kind is dict and _is_of_class(holder):
        owners = [each for each in all_referrers(holder) if issubclass(type(each), type)]
        return _named(holder, now, partial(type.__setattr__, owners[0])) if owners else None
    if kind is dict:
        return _named(holder, now, holder.__setitem__)
    if kind is list or kind is deque:
        return _named(dict(enumerate(holder)), now, holder.__setitem__)
    if kind is CellType:
        return _named({"cell_contents": holder.cell_contents}, now, partial(setattr, holder))
    if kind is FunctionType:
        return _named({"__defaults__": holder.__defaults__}, now, partial(setattr, holder)) or None
    if issubclass(kind, type):
        return None
    return _named(_fields(holder), now, partial(object.__setattr__, holder)) or None


def _named(values: Mapping[Any, Any], now: Mapping[int, Any], set_item: Callable[[Any, Any], object]) -> list[_Put]:
    return [_Put(partial(set_item, key), each, now[id(each)]) for key, each in values.items() if id(each) in now]


def _refilled(holder: Any, now: Mapping[int, Any]) -> _Put:
    """Fill a set, or a dict that has members as its keys, again: the same object, in the same order."""

    def fill(content: Any) -> None:
        holder.clear()
        holder.update(content)

    def new(value: Any) -> Any:
        return now.get(id(value), value)

    if type(holder) is set:
        return _Put(fill, set(holder), set(map(new, holder)))
    return _Put(fill, dict(holder), {new(key): new(value) for key, value in holder.items()})


def _fields(holder: Any) -> dict[str, Any]:
    try:
        return fields_of(holder)
    except Exception:  # its class does something of its own with its attributes
        return {}


def _keys(cls: type) -> set[int]:
    """Return the identities of the members of an enum. No reference to one is left."""
    return {id(each) for each in [*vars(cls)["_member_map_"].values(), *_values(cls)]}


def _values(cls: type) -> list[Any]:
    """Return all members of an enum, those that flags make together too."""
    found: dict[Any, Any] = vars(cls)["_value2member_map_"]
    return list(found.values())


def _inside(cls: type) -> set[int]:
    """Return the identities of the objects that an enum is made of."""
    found = {id(cls)}
    waiting: list[Any] = [cls]
    for each in waiting:  # grows as it goes
        for part in gc.get_referents(each):
            kind = type(part)
            is_part = each is cls or kind is dict or kind is list or kind is property or issubclass(kind, cls)
            is_part = is_part and not issubclass(kind, (type, ModuleType, FunctionType))
            if is_part and id(part) not in found and not (kind is dict and _is_namespace(part)):
                found.add(id(part))
                waiting.append(part)
    return found


def _is_namespace(value: Mapping[Any, Any]) -> bool:
    return "__name__" in value and "__spec__" in value


def _is_of_class(value: Mapping[Any, Any]) -> bool:
    return "__module__" in value and "__doc__" in value


def _kind(holder: Any) -> str:
    """Return words for a holder."""
    kind = type(holder)
    if kind is dict and _is_namespace(holder):
        return f"the module {holder['__name__']}"
    if kind is dict and _is_of_class(holder):
        return "a class"
    if kind is CoroutineType or kind is GeneratorType:
        frame = holder.cr_frame if kind is CoroutineType else holder.gi_frame
        return f"a local of {'' if frame is None else frame.f_globals.get('__name__')}.{holder.__qualname__}"
    if kind in CONTAINERS or kind in FROZEN:
        return f"a {kind.__name__}"
    if kind is CellType:
        return "a closure"
    if kind is FunctionType:
        return f"a default of {holder.__qualname__}"
    return f"an object of {kind.__qualname__}"


def _listed(found: Counter[str]) -> str:
    return ", ".join(what if count == 1 else f"{what} ({count} of them)" for what, count in found.most_common())
