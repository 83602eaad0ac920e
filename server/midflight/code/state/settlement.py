"""The commit's part of module state: each name gets the value that it is to have, and everything can be undone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from midflight.code.report.state_report import StateChange
from midflight.code.source.same_value import same
from midflight.code.state.base import Copy, TooLarge, size_of
from midflight.code.state.caches import carry_registrations
from midflight.code.state.candidates import CHANGED
from midflight.code.state.carry import ABSENT, FRESH, KEEP_STATE, Carry
from midflight.code.state.holders import Place, places_of
from midflight.code.state.inner_settlement import InnerSettlement
from midflight.code.state.inner_values import inner_values
from midflight.code.state.kinds import is_mock, kind_of
from midflight.code.state.likeness import is_made_alike, is_untouched
from midflight.code.state.loose import loosened
from midflight.code.state.merge import WAITS, merge
from midflight.code.state.migrating import find_objects
from midflight.code.state.record import (
    Scalar,
    Thing,
    is_rebound,
    note_bases,
    note_imports,
    other_names,
    parts_of,
    record_of,
)
from midflight.code.state.remembered import filled_since, results_lost_in
from midflight.text import short, type_name

__all__ = ["Settlement"]

UNSEEN = "it was made again, and no assignment of its own in the text says how"
DECORATED = "it is in an object that a decorator makes again"


@dataclass(slots=True)
class Settlement:
    """The outcome for the state of one new version. `changes` are what the report says, `left` the values left behind
    and `roots` the values that both versions share."""

    carry: Carry
    module: str
    changes: list[StateChange] = field(default_factory=list)
    left: dict[str, Any] = field(default_factory=dict)
    roots: dict[str, Any] = field(default_factory=dict)
    _places: dict[str, list[Place] | None] = field(default_factory=dict)
    _unseen: list[str] = field(default_factory=list)  # of the new version, as are these
    _imports: list[str] = field(default_factory=list)
    _inner: InnerSettlement = field(init=False)

    def __post_init__(self) -> None:
        self._inner = InnerSettlement(self.carry, self._say, self._leave_behind)

    def finish(self) -> None:
        """Look at the values that the body has made, in the thread that prepares, so that the commit has less to do."""
        carry = self.carry
        namespace, record = carry.namespace, carry.record
        namespace.pop(KEEP_STATE, None)  # it would hold the version before
        inner = inner_values(namespace)
        self._unseen, self._imports = other_names(carry.new, namespace)
        new_record = note_bases(namespace, [*carry.new.names(), *self._unseen], inner)
        if self._imports:
            note_imports(new_record, namespace, self._imports)
        for name in carry.unchanged:
            base = None if record is None else record.bases.get(name)
            if carry.is_skipped(name):
                if base is None:  # nor does anybody know from now on what of the kept value a body has made
                    new_record.bases.pop(name, None)
                else:
                    new_record.bases[name] = loosened(base) if isinstance(base, Copy) else base
        self._inner.finish(inner)
        del inner  # it holds the values, too
        self.look_for_holders()

    def look_for_holders(self, others: Sequence[dict[str, Any]] = ()) -> None:
        """Find out who has the containers that the body made: its module and `others`, namespaces of the same load.

        In the thread that prepares, when the bodies of those have run.
        """
        carry = self.carry
        for name in {*carry.unchanged, *self._unseen} - carry.fresh:
            if self._is_new_container(name):
                self._places[name] = places_of(name, carry.namespace, carry.before, others)

    def _is_new_container(self, name: str) -> bool:
        new = self.carry.namespace.get(name, ABSENT)
        return size_of(new) is not None and new is not self.carry.before.get(name)

    def _definitions(self) -> Iterator[str]:
        bindings = self.carry.new.bindings
        return (name for name in bindings.by_name if name in self.carry.new.definitions)

    # --- In the commit -----------------------------------------------------------------------------------------

    def settle(self, undo: ExitStack) -> None:
        """Give each name the value that it is to have. On the runtime's thread; the ways back go on `undo`."""
        self.changes, self.left, self.roots = [], {}, {}
        carry = self.carry
        for name in dict.fromkeys((*carry.old.assigned, *carry.new.assigned)):
            if name in carry.old.assigned:
                self._settle(name, undo)
        for name in self._unseen:
            if name in carry.before and name not in carry.old.assigned:
                self._settle_unseen(name, undo)
        for name in self._imports:
            self._look_at_import(name)
        for name, value in self._bound_at_run_time():
            undo.callback(carry.namespace.pop, name, None)
            carry.namespace[name] = value
            self._kept(name, value)
        self._look_at_definitions(undo)
        self._inner.settle(undo)
        self.roots |= self._inner.roots

    def _bound_at_run_time(self) -> list[tuple[str, Any]]:
        """Return the names that no statement binds, in either text: a function did by `global`, or somebody outside."""
        carry = self.carry
        names: Iterable[str] = carry.old.bindings.rebound - carry.old.bindings.by_name.keys()
        if carry.record is not None and "__getattr__" not in carry.before:  # it makes its names again when asked
            names = [name for name in list(carry.before) if name not in carry.record.names]
        return [
            (name, carry.before[name])
            for name in names
            if name in carry.before
            and name not in carry.namespace
            and not name.startswith("__")
            and not issubclass(type(carry.before[name]), ModuleType)
        ]

    def _is_bound_later(self, name: str) -> bool:
        """Say whether functions alone bind a name, by `global`, and the old body called none of them."""
        carry = self.carry
        texts = (carry.old.bindings, carry.new.bindings)
        if any(name in each.by_name for each in texts):
            return False
        return carry.record is None or name not in carry.record.names

    def _say(self, name: str, outcome: Any, why: str = "", **sizes: int | None) -> None:
        self.changes.append(StateChange(name, outcome, why, **sizes))

    def _settle(self, name: str, undo: ExitStack) -> None:
        carry = self.carry
        now, new = carry.before.get(name, ABSENT), carry.namespace.get(name, ABSENT)
        if now is ABSENT:
            if new is not ABSENT and name in carry.unchanged and self._base(name) is not None:
                self._say(name, "note", "it was deleted at run time, and is bound again")
            return
        if new is ABSENT and self._is_bound_later(name):
            return  # as `_bound_at_run_time` says
        if name not in carry.new.assigned:
            self._leave(name, now, new, "it is gone from the text" if new is ABSENT else "its statement is another one")
        elif name in carry.fresh:
            self._leave(name, now, new, FRESH)
        elif name not in carry.unchanged:
            self._leave(name, now, new, CHANGED)
        elif new is ABSENT:
            self._leave(name, now, new, "the new body did not bind it")
        elif now is new:
            self._kept(name, now)
        elif carry.is_skipped(name):  # the program has bound it again while the body ran
            self._put(name, now, undo)
            self._kept(name, now)
        else:
            self._choose(name, now, new, undo)

    def _settle_unseen(self, name: str, undo: ExitStack) -> None:
        """Decide on a name of which the text does not show what makes its value: by the values alone."""
        base, now, new = self._base(name), self.carry.before[name], self.carry.namespace[name]
        if now is new:
            self._kept(name, now)
        elif name in self.carry.fresh:
            self._leave(name, now, new, FRESH)
        elif kind_of(now) == "object" and not is_mock(now):
            self._leave(name, now, new, UNSEEN)
        elif kind_of(now) == "container" or (isinstance(base, Scalar) and not same(base.value, now)):
            self._choose(name, now, new, undo)

    def _look_at_import(self, name: str) -> None:
        """Leave behind what the program has bound to a name that imports alone bind."""
        now, new = self.carry.before.get(name, ABSENT), self.carry.namespace[name]
        if now is not ABSENT and now is not new and not same(now, new) and is_rebound(self._base(name), now):
            self._leave(name, now, new, "it was bound to something else than its import at run time; the import stands")

    def _choose(self, name: str, now: Any, new: Any, undo: ExitStack) -> None:
        """Decide between the running value and the one that the same statement has made once more."""
        base = self._base(name)
        if is_mock(now):
            self._say(name, "new", f"it was replaced from outside by a {type(now).__qualname__}, which is gone")
        elif kind_of(now) == "container":
            self._choose_container(name, base, now, new, undo)
        elif isinstance(base, Scalar):
            if not same(base.value, now):
                self._keep_running(name, now, undo, is_disputed=not self.carry.own.is_same(base.value, new))
            elif not self.carry.own.is_same(now, new):
                self._say(name, "new", "it differs though its text is the same; `once` keeps it")
        elif base is None and kind_of(now) == "scalar":
            if not same(now, new):
                self._keep_running(name, now, undo, is_disputed=False)
        elif kind_of(now) is not None and not (isinstance(base, Thing) and kind_of(new) is None):
            rebound = carry_rebound(self.carry, name, now)
            if rebound and not isinstance(base, Thing):
                self._keep_running(name, now, undo, is_disputed=False)
            elif name in self.carry.made_otherwise:
                self._leave(name, now, new, self.carry.why_not[name])
            else:
                why = self.carry.why_not.get(name, "its statement has run again")
                self._say(name, "new", f"it was made again, so it is new: {why}")

    def _keep_running(self, name: str, now: Any, undo: ExitStack, *, is_disputed: bool) -> None:
        self._put(name, now, undo)
        if is_disputed:
            why = "it was changed at run time, and its text gives another value than before: the running one stays"
            self._say(name, "conflict", why, size=size_of(now))
        self._say(name, "kept", size=size_of(now))
        self.roots[name] = now

    # --- Containers --------------------------------------------------------------------------------------------

    def _choose_container(self, name: str, base: Any, now: Any, new: Any, undo: ExitStack) -> None:
        if type(now) is not type(new):
            if base is not None and carry_rebound(self.carry, name, now):
                self._keep_running(name, now, undo, is_disputed=False)
            else:
                self._leave(name, now, new, f"it is a {type(new).__name__} now")
            return
        places = self._places.get(name, [])
        if places is None:
            why = "other objects that the body made hold the new one, so it is new together with them"
            self._leave(name, now, new, why)
            return
        if isinstance(base, TooLarge):
            why = "it is kept whole, for the body made more than 10,000 items: what is new in the text is not in it"
            self._take(name, now, new, places, undo)
            self._say(name, "kept", why, size=len(now))
            return
        is_rebound = isinstance(base, (Copy, Scalar)) and carry_rebound(self.carry, name, now)
        if is_rebound:
            self._take(name, now, new, places, undo)
            is_disputed = isinstance(base, Copy) and not is_made_alike(base, new, self.carry.own)
            self._keep_running(name, now, undo, is_disputed=is_disputed)
            return
        is_touched = base is None or not is_untouched(base)
        size = len(now)
        if not self._merge(name, base, now, new, undo):
            self._take(name, now, new, places, undo)
            return
        self._take(name, now, new, places, undo)
        if is_touched:
            self._say(name, "kept", size=size, new_size=len(now))

    def _merge(self, name: str, base: Copy | None, now: Any, new: Any, undo: ExitStack) -> bool:
        """Merge the new body's container into the running one; say whether that was done."""
        found = merge(base, now, new, self.carry.own)
        known = 5  # the old namespace, the record, the names in this function and its caller's, the one in the callee
        if found.is_in_a_loop(known, now):
            self._say(name, "waits", WAITS, size=len(now))
            if base is not None:
                self._new_bases()[name] = loosened(base)
            self.roots[name] = now
            return False
        found.apply(undo, self._new_bases().get(name))
        for why in found.told(name):
            self._say(name, "conflict", why, size=len(now))
        return True

    def _take(self, name: str, now: Any, new: Any, places: list[Place], undo: ExitStack) -> None:
        self._put(name, now, undo)
        for put in places:
            undo.callback(put, new)
            put(now)
        self.roots[name] = now

    # --- Parts -------------------------------------------------------------------------------------------------

    def _put(self, name: str, value: Any, undo: ExitStack) -> None:
        namespace = self.carry.namespace
        undo.callback(namespace.__setitem__, name, namespace[name])
        namespace[name] = value

    def _kept(self, name: str, now: Any) -> None:
        """Note a value that is the same object in both versions; name it if there is anything to lose in it."""
        if kind_of(now) is not None:
            self.roots[name] = now
        base = self._base(name)
        if isinstance(base, Copy) and base.original is now and is_untouched(base):
            return
        if isinstance(base, Scalar) and same(base.value, now):
            return
        if base is None and kind_of(now) == "scalar" and self._is_bound_by_text(name):
            return  # the new body has made the same
        if kind_of(now) is not None:
            self._say(name, "kept", size=size_of(now))

    def _is_bound_by_text(self, name: str) -> bool:
        return name in self.carry.new.assigned and not self.carry.is_skipped(name)

    def _leave(self, name: str, now: Any, new: Any, why: str) -> None:
        """Leave a value behind, if the program has put anything into it that the new one has not."""
        base = self._base(name)
        kind = kind_of(now)
        if kind is None or now is new:
            return
        if isinstance(base, Scalar) and same(base.value, now):
            return
        if isinstance(base, Copy) and base.original is now and is_untouched(base):
            return
        if base is None and (kind == "scalar" or size_of(now) == 0):
            return
        self._leave_behind(name, now, new, why)

    def _leave_behind(self, name: str, now: Any, new: Any, why: str) -> None:
        self.left[name] = now
        kind = kind_of(now)
        size, new_size = size_of(now), size_of(new)
        what = short(now) if kind == "scalar" else type_name(now) if size is None else _items(size)
        is_new = (
            ""
            if new is ABSENT
            else ", so it is new"
            if new_size is None
            else f", so it is new, with {_items(new_size)}"
        )
        remedy = f"code.recover({self.module!r}, {name!r}) brings it back"
        why = f"{why}{is_new}; the old one ({what}) is left behind: {remedy}"
        self._say(name, "left", why, size=size, new_size=new_size)

    def _look_at_definitions(self, undo: ExitStack) -> None:
        """Carry registrations over; name results that go, and what somebody has put in the place of a definition."""
        carry = self.carry
        for name in self._definitions():
            old, new = carry.before.get(name, ABSENT), carry.namespace.get(name, ABSENT)
            if old is ABSENT or new is ABSENT or old is new:
                continue
            for cache, count in results_lost_in(name, old, new):
                results = f"{count} result{'' if count == 1 else 's'} went"
                self._say(cache, "lost", f"it is a cache, and starts empty: {results}")
            for attribute, count in filled_since(old, new) if name not in self.left else ():
                self._say(f"{name}.{attribute}", "lost", f"{DECORATED}, so it begins again: {_items(count)} went")
            carry_registrations(old, new, carry.own, undo)
            base = self._base(name)
            if isinstance(base, Thing) and name not in carry.old.bindings.rebound and base.id != id(old):
                self._say(name, "lost", "it was replaced from outside; the text stands, so what replaced it is gone")

    def is_kept(self, value: Any) -> bool:
        """Say whether both versions have this object behind a name of state."""
        return kind_of(value) != "scalar" and any(value is each for each in self.roots.values())

    def books(self) -> set[int]:
        """Return the identities of the containers in the state, and of the objects that the records are made of."""
        records = (self.carry.record, record_of(self.carry.before), record_of(self.carry.namespace))
        return {id(each) for each in find_objects(self.roots.values(), lambda _: None).holders}.union(
            *map(parts_of, records)
        )

    def release(self) -> None:
        """Let go of what only the commit needed: else it would hold functions of the old version. May be repeated."""
        self.carry.record = None
        self._places.clear()

    def counted_apart(self) -> list[str]:
        """Return the scalars that functions of the old version bind again: while it runs, for itself alone."""
        carry = self.carry
        return [
            name
            for name in carry.unchanged
            if name in carry.old.bindings.rebound and kind_of(carry.before.get(name, ABSENT)) == "scalar"
        ] + self._inner.apart

    def _base(self, name: str) -> Any:
        return None if self.carry.record is None else self.carry.record.bases.get(name)

    def _new_bases(self) -> dict[str, Any]:
        found = record_of(self.carry.namespace)
        return {} if found is None else found.bases


def carry_rebound(carry: Carry, name: str, now: Any) -> bool:
    return carry.record is not None and carry.record.is_rebound(name, now)


def _items(count: int) -> str:
    return f"{count} item{'' if count == 1 else 's'}"
