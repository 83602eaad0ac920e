"""The three-way merge of a container: base, as the old body left it; now; and new, as the new body made it. Pure.

Laws:
1. Nothing is changed here: a merge is a list of edits, which change the containers that are there now.
2. What the program put in, took out or replaced stays so; what the new body put in, left out or replaced does too. If
   both changed one item and differ, the program's stays, and the item is named.
3. Values are compared by identity, or by class and value where both are built-in scalars; never by a user's `__eq__`.
4. A function or class of the module is the body's, by its name: that of the new version takes its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from midflight.code.source.same_value import same
from midflight.code.state.base import MAPPINGS, MOST, SETS, Copy, is_container
from midflight.code.state.edits import BytesEdit, Edit, MappingEdit, SequenceEdit, SetEdit, WholeEdit
from midflight.code.state.iterated import is_iterated
from midflight.code.state.likeness import is_made_alike, is_untouched
from midflight.code.state.loose import LooseCopy
from midflight.code.state.own import Own, scalar_mark
from midflight.text import short

__all__ = ["OWN_EQUALITY", "UNTELLABLE", "WAITS", "Merge", "merge"]

WAITS = "it waits: a loop is in the midst of it, so the new body's items are not in it; load once more"

ABSENT: Any = object()

Path = tuple[object, ...]  # of keys and indexes

UNTELLABLE = "the body's own elements cannot be told from those that came at run time"
OWN_EQUALITY = "it has keys of a class with an `__eq__` of its own"


@dataclass(slots=True)
class Merge:
    """The outcome of a merge.

    `edits` are to be applied, all of them or none. `conflicts` are the paths, `['a'][0]`, of items that base, now and
    new all have another value for; "" is the container itself. `unmerged` are the containers that stay whole, by path,
    each with the reason. `survivors` are the containers of now, by the id of the one of new that was merged into each.
    """

    edits: list[Edit] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    unmerged: list[tuple[str, str]] = field(default_factory=list)
    survivors: dict[int, Any] = field(default_factory=dict)

    def is_in_a_loop(self, known: int, now: Any) -> bool:
        """Say whether an edit would change the size of a container that somebody loops over, and end the loop so.

        `known` is how many references to `now`, the outermost container, the caller knows of.
        """
        return any(
            edit.changes_size and is_iterated(edit.target, known if edit.target is now else 1) for edit in self.edits
        )

    def apply(self, undo: ExitStack, base: object) -> None:
        """Make the edits; the ways back go on `undo`. The note of the new body's value, `base`, is for `now` then."""
        for edit in self.edits:
            undo.callback(edit.undo)
            edit.apply()
        if isinstance(base, LooseCopy):
            base.settle(self.survivors)

    def told(self, name: str) -> Iterator[str]:
        """Yield a sentence for each item of the container `name` that is not as the text says."""
        for path in self.conflicts:
            yield f"{name}{path} was changed at run time and in the text: the running value stays"
        for path, why in self.unmerged:
            yield f"{name}{path} stays as it runs: {why}"


def merge(base: Copy | None, now: Any, new: Any, own: Own) -> Merge:
    """Return the changes to make to `now`. Both are containers of one class; `base` is the earlier copy of `now`.

    Without a `base` nobody knows what the old body made: nothing is taken out. Keys that the new body has besides are
    added; to a list only new definitions are, and it is told that others are missing.
    """
    found = _Merging(own)
    found.container((), base, now, new)
    return found.merge


class _Merging:
    def __init__(self, own: Own) -> None:
        self.merge = Merge()
        self._own = own
        self._seen: set[int] = set()

    def container(self, path: Path, base: Copy | None, now: Any, new: Any) -> None:
        """Merge one container, and those in it."""
        if now is new or id(now) in self._seen:
            return
        self._seen.add(id(now))
        self.merge.survivors[id(new)] = now
        kind = type(now)
        if kind in MAPPINGS:
            self._mapping(path, base, now, new)
        elif kind in SETS:
            self._set(path, base, now, new)
        elif kind is bytearray:
            self._bytes(path, base, now, new)
        else:
            self._sequence(path, base, now, new)

    def _edit(self, edit: Edit) -> None:
        self.merge.edits.append(edit)

    def _unsafe(self, path: Path, base: Copy | None, now: Any, new: Any) -> None:
        """Merge what has keys with an `__eq__` of their own: as a whole, if the program has not touched it."""
        if base is not None and is_made_alike(base, new):
            return
        if base is not None and base.original is now and is_untouched(base):
            self._edit(WholeEdit(now, new))
        else:
            self.merge.unmerged.append((_said(path), OWN_EQUALITY))

    # --- One item ------------------------------------------------------------------------------------------------

    def _item(self, path: Path, base: Copy | None, key: Any, now: Any, new: Any) -> Any:
        """Return the value that an item is to have, ABSENT for none. `key` is that in `base`."""
        was = ABSENT if base is None else base.items.get(key, ABSENT)
        copy = None if base is None else base.inner.get(key)
        if base is None:
            return self._without_base(path, now, new)
        if now is was and type(now) is type(new) and is_container(now):
            self.container(path, copy, now, new)
            return now
        is_as_made = now is was or (was is not ABSENT and now is not ABSENT and same(was, now))
        if is_as_made and (copy is None or is_untouched(copy)):
            return new
        if self._is_as_before(was, copy, new):
            return now
        if now is not ABSENT and new is not ABSENT and self._own.is_same(now, new):
            return new
        if now is not new:
            self.merge.conflicts.append(_said(path))
        return now

    def _without_base(self, path: Path, now: Any, new: Any) -> Any:
        if now is ABSENT:
            return new
        if type(now) is type(new) and is_container(now):
            self.container(path, None, now, new)
        return self._own.renewed(now)

    def _is_as_before(self, was: Any, copy: Copy | None, new: Any) -> bool:
        if was is ABSENT or new is ABSENT:
            return was is new
        return self._own.is_same(was, new) if copy is None else is_made_alike(copy, new, self._own)

    def _renewals(self, values: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
        """Return the replacements of functions and classes among items that came at run time, by key."""
        found = {}
        for key, value in values:
            if is_container(value):
                self._renew(value)
            elif (renewed := self._own.renewed(value)) is not value:
                found[key] = renewed
        return found

    def _renew(self, value: Any) -> None:
        """Renew the functions and classes in a container that came at run time."""
        if id(value) not in self._seen and len(value) <= MOST:
            self.container((), None, value, type(value)())

    # --- dict and its relatives ----------------------------------------------------------------------------------

    def _mapping(self, path: Path, base: Copy | None, now: Any, new: Any) -> None:
        was = {} if base is None else base.items
        if not all(map(_is_safe, chain(was, new))):
            self._unsafe(path, base, now, new)
            return
        names = {name: key for key in was if (name := self._own.key_name(key)) is not None}
        earlier = {key: names.get(self._own.key_name(key) or "", key) for key in new} if names else {}
        put, gone = {}, set()
        for key, value in new.items():
            old_key = earlier.get(key, key)
            found = self._item((*path, key), base, old_key, now.get(old_key, ABSENT), value)
            if found is not ABSENT:
                put[key] = found
            if (old_key is not key or found is ABSENT) and old_key in now and old_key not in new:
                gone.add(old_key)
        left_out = was.keys() - new.keys() - set(earlier.values())
        for key in was if left_out else ():
            is_there = key in left_out and key in now
            if is_there and self._item((*path, key), base, key, now[key], ABSENT) is ABSENT:
                gone.add(key)
        body = list(put)
        if len(now) <= MOST:
            put |= self._renewals((key, value) for key, value in now.items() if key not in put and key not in gone)
        order = None
        if base is not None and len(now) <= MOST and body != [key for key in was if key in put]:
            order = [*body, *(key for key in now if key not in gone and key not in body)]
        put = {key: value for key, value in put.items() if now.get(key, ABSENT) is not value}
        if order == list(now) and not put:
            order = None
        if put or gone or order is not None:
            self._edit(MappingEdit(now, gone, put, order))

    # --- set -----------------------------------------------------------------------------------------------------

    def _set(self, path: Path, base: Copy | None, now: Any, new: Any) -> None:
        was = set() if base is None else base.items
        if not all(map(_is_safe, chain(was, new))):
            self._unsafe(path, base, now, new)
            return
        old = dict(zip(self._own.marks(was), was, strict=True))
        made = dict(zip(self._own.marks(new), new, strict=True))
        gone = {value for mark, value in old.items() if value in now and made.get(mark, ABSENT) is not value}
        put = {
            value
            for mark, value in made.items()
            if (mark not in old or old[mark] in now) and (value not in now or value in gone)
        }
        if len(now) <= MOST:
            for value in now:
                if value not in was and (renewed := self._own.renewed(value)) is not value:
                    gone.add(value)
                    put.add(renewed)
        same_ones = gone & put
        if gone - same_ones or put - same_ones:
            self._edit(SetEdit(now, gone - same_ones, put - same_ones))

    # --- bytearray -----------------------------------------------------------------------------------------------

    def _bytes(self, path: Path, base: Copy | None, now: Any, new: Any) -> None:
        if base is None or now == new or base.items == new:
            return
        if base.items == now:
            self._edit(BytesEdit(now, new))
        else:
            self.merge.conflicts.append(_said(path))

    # --- list and deque ------------------------------------------------------------------------------------------

    def _sequence(self, path: Path, base: Copy | None, now: Any, new: Any) -> None:
        if base is None:
            present = set(self._own.marks(now)) if new else set()
            missing = [value for mark, value in zip(self._own.marks(new), new, strict=True) if mark not in present]
            added = [value for value in missing if self._own.is_added(value)]
            if len(added) < len(missing):  # the program took them out, or replaced them, or the body has more now
                self.merge.unmerged.append((_said(path), UNTELLABLE))
            result = [*self._renewed(now), *added]
        elif is_made_alike(base, new):
            result = self._renewed(now) if len(now) <= MOST else now
        else:
            parts = self._parts(base, now)
            if parts is None or len(now) > MOST:
                self.merge.unmerged.append((_said(path), UNTELLABLE))
                return
            deleted, came = parts
            result = [*self._body_part(path, base, new, deleted), *self._renewed(came)]
            if getattr(now, "maxlen", None) is not None:
                result = result[-now.maxlen :]
        if len(result) != len(now) or any(one is not two for one, two in zip(result, now, strict=True)):
            self._edit(SequenceEdit(now, result))

    def _renewed(self, values: Iterable[Any]) -> list[Any]:
        found = list(values)
        for index, value in self._renewals(enumerate(found)).items():
            found[index] = value
        return found

    def _parts(self, base: Copy, now: Any) -> tuple[set[object], list[Any]] | None:
        """Return the indexes of the body's elements that are gone, and the elements that came; None if nobody knows."""
        was, is_list = base.items, list(now)
        if len(is_list) >= len(was) and all(map(same, was, is_list)):
            return set(), is_list[len(was) :]
        keys = [_key(value) for value in was]
        found = [_key(value) for value in is_list]
        own = set(keys)
        if len(own) < len(keys) or any(found.count(key) > 1 for key in own):
            return None
        present = set(found)
        return (
            {index for index, key in enumerate(keys) if key not in present},
            [value for key, value in zip(found, is_list, strict=True) if key not in own],
        )

    def _body_part(self, path: Path, base: Copy, new: Any, deleted: set[object]) -> list[Any]:
        indexes = {mark: index for index, mark in enumerate(self._own.marks(base.items))}
        found = []
        for mark, value in zip(self._own.marks(new), new, strict=True):
            index = indexes.get(mark)
            if index is None:
                found.append(value)
            elif index not in deleted:
                inner = base.inner.get(index)
                if inner is not None:
                    self.container((*path, len(found)), inner, inner.original, value)
                found.append(value if inner is None else inner.original)
        return found


def _key(value: Any) -> object:
    return scalar_mark(value) or id(value)


def _is_safe(key: Any) -> bool:
    """Say whether a key can be looked up without a user's `__eq__`; a tuple of such keys can."""
    compares: object = type(key).__eq__
    if scalar_mark(key) is not None or compares is object.__eq__:
        return True
    return type(key) in (tuple, frozenset) and all(map(_is_safe, key))


def _said(path: Path) -> str:
    return "".join(f"[{short(key)}]" for key in path)
