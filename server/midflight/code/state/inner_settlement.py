"""The commit's part of the state inside of functions and classes: class attributes, defaults, closures.

Laws:
1. A kept class has its attributes still. A superseded one, and every function, takes those over whose text is the same:
   a container is merged into the old one, a changed scalar stays.
2. What is not in the text, or what a metaclass made, is the new body's; what somebody else has set there is named.
"""

from __future__ import annotations

import ast
from abc import ABCMeta
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from types import FunctionType
from typing import Any

from midflight.code.source.same_value import same
from midflight.code.state.base import Copy, TooLarge, size_of
from midflight.code.state.candidates import CHANGED
from midflight.code.state.carry import ABSENT, FRESH, Carry
from midflight.code.state.inner_values import (
    InnerValue,
    definition_at,
    inner_values,
    put_attribute,
    take_attribute,
)
from midflight.code.state.kinds import is_mock, kind_of
from midflight.code.state.likeness import is_untouched
from midflight.code.state.loose import loosened
from midflight.code.state.merge import WAITS, merge
from midflight.code.state.reach import changed_part
from midflight.code.state.record import Scalar, is_rebound, record_of

__all__ = ["InnerSettlement"]

Say = Callable[..., None]

CLOSURE = "it is a variable of a closure that is made again, so it begins again"
FROM_OUTSIDE = "it was set from outside, and the new version has no such attribute"


class InnerSettlement:
    """The outcome for the values inside of the definitions of one new version.

    `say` and `leave` tell of a name, and leave its value behind. `roots` are the values that both versions share,
    `apart` the scalars that each version has for itself.
    """

    def __init__(self, carry: Carry, say: Say, leave: Callable[..., None]) -> None:
        self._carry, self._say, self._leave = carry, say, leave
        self.roots: dict[str, Any] = {}
        self.apart: list[str] = []

    def finish(self, inner: Mapping[str, InnerValue]) -> None:
        """Note the bases of those that no body made again: they are in classes that are kept.

        `inner` are the values of the new version.
        """
        record, new_record = self._carry.record, record_of(self._carry.namespace)
        if record is None or new_record is None or not record.inner:
            return
        old = inner_values(self._carry.before)
        if old:  # so that the commit finds them read
            _ = self._carry.old.inner, self._carry.new.inner
        for name, each in inner.items():
            if name in old and old[name].owner is each.owner:
                base = record.inner.get(name)
                if base is None:
                    new_record.inner.pop(name, None)
                else:
                    new_record.inner[name] = loosened(base) if isinstance(base, Copy) else base

    def settle(self, undo: ExitStack) -> None:
        """Give each value its place in the new version. On the runtime's thread; the ways back go on `undo`."""
        self.roots, self.apart = {}, []
        carry = self._carry
        news = inner_values(carry.namespace)
        for name, old in inner_values(carry.before).items():
            new = news.get(name)
            if new is not None and new.value is old.value:
                self._same(name, old.value)
            elif is_mock(old.value):
                continue
            elif new is not None:
                self._choose(name, old, new, undo)
            elif name in self._bases():
                if name in carry.old.inner.by_name and self._is_touched(name, old.value):
                    self._leave(name, old.value, ABSENT, "it is gone from the text")
            elif carry.record is not None:
                self._bound_at_run_time(name, old, undo)

    def _same(self, name: str, value: Any) -> None:
        if kind_of(value) != "scalar":
            self.roots[name] = value
        if name in self._carry.fresh:
            self._say(name, "note", f"{name.rpartition('.')[0]} is kept, and with it this: bind it again yourself")
        elif self._is_touched(name, value) and kind_of(value) != "object":
            self._say(name, "kept", size=size_of(value))

    def _bound_at_run_time(self, name: str, old: InnerValue, undo: ExitStack) -> None:
        """Carry an attribute that the module's own functions have set; name one that somebody else has."""
        path, _, attribute = name.rpartition(".")
        owner = definition_at(self._carry.namespace, path)
        if owner is None:
            return
        if attribute in self._carry.old.inner.stored:
            put_attribute(owner, attribute, old.value)
            undo.callback(take_attribute, owner, attribute)
            self._kept(name, old.value)
        elif not attribute.startswith("_"):
            self._say(name, "lost", FROM_OUTSIDE)

    # --- One value that both versions have ---------------------------------------------------------------------

    def _choose(self, name: str, old: InnerValue, new: InnerValue, undo: ExitStack) -> None:
        carry = self._carry
        is_touched = self._is_touched(name, old.value)
        if not self._is_in_text(name, new):
            if is_touched and name in self._bases() and new.is_of_closure:
                self._say(name, "lost", CLOSURE)
            return  # a metaclass or a decorator has made it
        if carry.fresh & {name, _root(name)}:
            self._leave(name, old.value, new.value, FRESH)
        elif kind_of(old.value) == "scalar" and not is_touched and name in self._bases():
            return
        elif not self._is_unchanged(name, new):
            if is_touched:
                self._leave(name, old.value, new.value, CHANGED)
        elif kind_of(old.value) == "container":
            self._container(name, old, new, undo, is_touched=is_touched)
        elif kind_of(old.value) == "scalar":
            self._scalar(name, old.value, new, undo, is_touched=is_touched)
        elif is_touched or self._is_made_of_others(name, new):
            self._put(new, old.value, undo)
            self._kept(name, old.value)
        else:
            self._say(name, "new", "it was made again with its class or function, so it is new")

    def _scalar(self, name: str, now: Any, new: InnerValue, undo: ExitStack, *, is_touched: bool) -> None:
        base = self._bases().get(name)
        if not (is_touched or (base is None and not same(now, new.value))):
            return
        if isinstance(base, Scalar) and not self._carry.own.is_same(base.value, new.value):
            why = "it was changed at run time, and its text gives another value than before: the running one stays"
            self._say(name, "conflict", why)
        self._put(new, now, undo)
        self._kept(name, now)
        self.apart.append(name)

    def _container(self, name: str, old: InnerValue, new: InnerValue, undo: ExitStack, *, is_touched: bool) -> None:
        now, base = old.value, self._bases().get(name)
        if type(now) is not type(new.value):
            if is_touched:
                self._leave(name, now, new.value, f"it is a {type(new.value).__name__} now")
            return
        size = len(now)
        if not isinstance(base, TooLarge) and not is_rebound(base, now):
            self._merge(name, base if isinstance(base, Copy) else None, now, new.value, undo)
        self._put(new, now, undo)
        self.roots[name] = now
        if is_touched:
            self._say(name, "kept", size=size, new_size=len(now))

    def _merge(self, name: str, base: Copy | None, now: Any, new: Any, undo: ExitStack) -> None:
        found = merge(base, now, new, self._carry.own)
        new_record = record_of(self._carry.namespace)
        bases = {} if new_record is None else new_record.inner
        if found.is_in_a_loop(1, now):
            self._say(name, "waits", WAITS, size=len(now))
            if base is not None:
                bases[name] = loosened(base)
            return
        found.apply(undo, bases.get(name))
        for why in found.told(name):
            self._say(name, "conflict", why, size=len(now))

    def _put(self, place: InnerValue, value: Any, undo: ExitStack) -> None:
        try:
            place.put(value)
        except TypeError:  # a class written in C that takes no attribute
            return
        undo.callback(place.put, place.value)

    def _kept(self, name: str, value: Any) -> None:
        if kind_of(value) != "scalar":
            self.roots[name] = value
        self._say(name, "kept", size=size_of(value))

    # --- What the texts and the bases say ----------------------------------------------------------------------

    def _bases(self) -> dict[str, Any]:
        return {} if self._carry.record is None else self._carry.record.inner

    def _is_touched(self, name: str, value: Any) -> bool:
        """Say whether the program has changed a value since its body made it, as far as anybody knows."""
        base = self._bases().get(name)
        if base is None or isinstance(base, TooLarge):
            return bool(size_of(value))
        if isinstance(base, Copy):
            return base.original is not value or not is_untouched(base)
        return is_rebound(base, value)

    def _is_in_text(self, name: str, new: InnerValue) -> bool:
        if new.is_of_closure:
            return _root(name) in self._carry.new.assigned
        return name in self._carry.new.inner.by_name

    def _is_unchanged(self, name: str, new: InnerValue) -> bool:
        carry = self._carry
        if type(new.owner) is partial:
            return _root(name) in carry.unchanged  # of whatever function
        if new.is_of_closure:
            return _root(name) in carry.unchanged and self._makers_changed(_root(name)) is None
        old, made = carry.old.inner.by_name.get(name, []), carry.new.inner.by_name[name]
        try:
            return list(map(ast.dump, old)) == list(map(ast.dump, made))
        except RecursionError:  # of a sum of a thousand, say
            return False

    def _makers_changed(self, name: str) -> str | None:
        """Return a definition that makes the value of a name and has changed; None if there is none."""
        old, new = self._carry.old, self._carry.new
        names = {
            node.id for statement in new.assigned[name] for node in ast.walk(statement) if isinstance(node, ast.Name)
        }
        called = [each for each in sorted(names) if each in new.definitions]
        return changed_part(
            old.definitions.reached(called, ()), old.lines, new.definitions.reached(called, ()), new.lines
        )

    def _is_made_of_others(self, name: str, new: InnerValue) -> bool:
        """Say whether an object is made of nothing that this module defines, and only made where it stands."""
        if new.is_of_closure:
            return True
        if type(new.owner) not in (type, ABCMeta, FunctionType):
            return False  # its metaclass may look at what is there
        bound = self._carry.new.bindings.by_name.keys() - self._carry.new.bindings.imported
        names = {
            node.id
            for each in self._carry.new.inner.by_name[name]
            for node in ast.walk(each)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        return not (names & bound) and not self._carry.new.inner.is_used_in_class(name)


def _root(name: str) -> str:
    return name.partition(".")[0].partition("(")[0]
