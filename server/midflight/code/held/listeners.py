"""`update_listeners`: listeners that others hold run the new code after a load, each once.

A listener that the body has registered again is heard once, as the new function.

A signal, an emitter or another module's list has the function of the version before, strongly or weakly, and now the
new one too. Weak registrations end with their function, so a superseded function that nothing else needs ends at once
and not at some later collection. What cannot end is taken out of the registry (registries.py).

A bound method of an object whose class is superseded, and which has taken the new class, would run old code, and one
that is held weakly would end with the old class. So the function that is held gets the new code and takes its place in
the new class: bound methods that were made before the load equal those made after it, and `disconnect`, `remove` and
WeakMethod find them.

Laws:
1. Nobody is lost: a function that others hold weakly, and whose successor the body has not registered, stays alive, as
   one that others hold.
2. A function that old code may still read by its name stays in its version.
3. A method is renewed only if nothing is left of the old class: objects, subclasses elsewhere, and old code that runs.
"""

from __future__ import annotations

import sys
import weakref
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType, MethodType
from typing import Any, NamedTuple

from midflight.code.census.bystanders import FrameCounts
from midflight.code.held.references import OldVersion, Reads, dict_of_class, old_versions, versions_alive
from midflight.code.held.registries import Pair, withdraw_doubles
from midflight.code.source.look import OwnReference, is_class, references_of_others
from midflight.code.version.facade import Namespace
from midflight.code.version.hooks import LOAD_HOOKS, UNLOAD_HOOKS
from midflight.code.version.in_place import FORWARDED, WEAKLY_HELD, Renewal
from midflight.code.version.modules import Module
from midflight.collection import all_referrers

__all__ = ["Updated", "end_listeners", "update_listeners"]


CONTAINERS = (list, tuple, dict, set, deque)


class Updated(NamedTuple):
    """The outcome for functions of older versions that others held: by qualified name, each once.

    `renewed` are methods that are those of the new classes now. `withdrawn` are out of the registries that have the
    current ones; those of `left` are in one still, and are called besides the current ones.
    """

    renewed: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


class _Listener(NamedTuple):
    """A function of an older version that others have: by name, for an object that is to end must not be held.

    `names` are what it is bound to there. `has_successor` says that the same name means a function now, `is_again` that
    each of its weak registrations is one of that, too; `is_held` is by strong references, `is_read` by the names of old
    code that may run.
    """

    names: tuple[str, ...]
    has_successor: bool
    is_weak: bool
    is_again: bool
    is_held: bool
    is_read: bool

    def ends(self) -> bool:
        """Say whether nothing but weak references, which the body has made again, keeps it apart from its version."""
        return self.is_weak and not self.is_held and not self.is_read and (self.is_again or not self.has_successor)


def update_listeners(record: Module, new: Namespace, frames: FrameCounts) -> Updated:
    """Renew the methods of older versions of a module that others hold, and withdraw what the body registered again.

    On the runtime's thread, when the version is current. `frames` are the frames that live, by code.
    """
    alive = [namespace for _, namespace in reversed(versions_alive(record, new))]
    if not alive:
        return Updated()
    renewed: list[str] = []
    if _may_be_held([method for each in alive for _, method, _ in _methods(each, new)]):
        renewed = [name for old in old_versions(record, new, frames) for name in _renew(old, new, frames)]
    for namespace in alive:
        if WEAKLY_HELD in namespace:
            new.setdefault(WEAKLY_HELD, []).extend(namespace.pop(WEAKLY_HELD))
    done: dict[str, None] = {}
    left: dict[str, None] = {}
    if any(_has_listeners(namespace, new) for namespace in alive):
        plans = [
            (old.objects.namespace, old.objects.ids(), list(_listeners(old, new, frames)))
            for old in old_versions(record, new, frames)
        ]
        for namespace, own, listeners in plans:
            _carry_out(namespace, new, own, listeners, done, left)
    kept = [each for each in new.pop(WEAKLY_HELD, ()) if _is_registered(each)]
    if kept:
        new[WEAKLY_HELD] = kept
    return Updated(tuple(renewed), tuple(done), tuple(name for name in left if name not in done))


def end_listeners(namespace: Namespace) -> None:
    """End the functions of a body that was refused and that others have by weak references only, as far as that goes.

    Else they would be called until the next collection.
    """
    names = [name for name, value in list(namespace.items()) if type(value) is FunctionType and _registrations(value)]
    for name in names:
        alive = OwnReference(namespace.pop(name))
        found = alive()
        if found is not None:
            namespace[name] = found


def _carry_out(
    namespace: Namespace,
    new: Namespace,
    own: frozenset[int],
    listeners: list[_Listener],
    done: dict[str, None],
    left: dict[str, None],
) -> None:
    """Do to the listeners of one version what is to be done; note those that are withdrawn, or could not be."""
    others = []
    for each in listeners:
        name = _named(namespace, each.names[0]).__qualname__
        if each.ends() and _end(namespace, new, each):
            if each.has_successor:
                done[name] = None
        else:
            others.append(each)
    pairs = [Pair(_named(namespace, each.names[0]), new[each.names[0]]) for each in others if each.has_successor]
    for pair, is_done in withdraw_doubles(pairs, own) if pairs else ():
        (done if is_done else left)[pair.old.__qualname__] = None
    for each in others:
        function = _named(namespace, each.names[0])
        if each.has_successor and not each.is_held and not each.is_again and _is_registered(function):
            new.setdefault(WEAKLY_HELD, []).append(function)


def _end(namespace: Namespace, new: Namespace, listener: _Listener) -> bool:
    """Take a function out of its version, so that it ends, and weak registrations with it. Say whether it has ended."""
    function = _named(namespace, listener.names[0])
    new[WEAKLY_HELD] = [each for each in new.get(WEAKLY_HELD, ()) if each is not function]
    bound = [name for name in listener.names if namespace.pop(name, None) is not None]
    alive = OwnReference(function)
    del function
    found = alive()
    if found is not None:  # in a container of the version, say
        namespace.update(dict.fromkeys(bound, found))
    return found is None


def _named(namespace: Namespace, name: str) -> FunctionType:
    """Return the function that a name of a version means, or that was forwarded to it by that name."""
    found = namespace.get(name)
    came: Mapping[FunctionType, str] = namespace.get(FORWARDED, {})
    return found if type(found) is FunctionType else next(each for each, known in came.items() if known == name)


def _names(namespace: Namespace, new: Namespace) -> dict[int, tuple[FunctionType, list[str]]]:
    """Return the functions of a version that are not those of the current one, by identity, each with its names."""
    found: dict[int, tuple[FunctionType, list[str]]] = {}
    named = list(namespace.items())
    if FORWARDED in namespace:
        named += [(name, each) for each, name in namespace[FORWARDED].items() if name not in namespace]
    for name, value in named:
        is_own = type(value) is FunctionType and value.__module__ == namespace["__name__"]
        if is_own and new.get(name) is not value:
            found.setdefault(id(value), (value, []))[1].append(name)
    return found


def _has_listeners(namespace: Namespace, new: Namespace) -> bool:
    """Say whether anybody may have registered a function of a version: weakly, or else its successor, too."""
    for function, names in _names(namespace, new).values():
        if _registrations(function):
            return True
        own = len(names) + _hooks(namespace, function)
        if sys.getrefcount(function) > own + _BASE and _is_registered_again(new.get(names[0]), new):
            return True
    return False


def _is_registered_again(successor: Any, new: Namespace) -> bool:
    """Say whether anything may have the successor of a function but its name."""
    if type(successor) is not FunctionType:
        return False
    return bool(_registrations(successor)) or sys.getrefcount(successor) > _BASE + _hooks(new, successor)


def _hooks(namespace: Namespace, function: Any) -> int:
    """Return how often a function is among the module's own hooks, which call those of the current version alone."""
    return sum(each is function for name in (LOAD_HOOKS, UNLOAD_HOOKS) for each in namespace.get(name, ()))


def _listeners(old: OldVersion, new: Namespace, frames: FrameCounts) -> Iterator[_Listener]:
    """Yield the functions of a version that others have."""
    namespace = old.objects.namespace
    kept = set(map(id, new.get(WEAKLY_HELD, ())))
    held = {id(each.value) for each in old.functions if each.references > (id(each.value) in kept)}
    reads = Reads(old)
    codes = [code for code in frames if reads.is_of_version(code)]
    codes += [each.__code__ for each in old.objects.old_methods()]
    codes += [each.value.__code__ for each in old.functions if id(each.value) in held]
    codes += [each.value for each in old.closures]
    read = reads.names_from(codes)
    for key, (function, names) in _names(namespace, new).items():
        successor = new.get(names[0])
        has_successor = type(successor) is FunctionType
        before = _registrations(function)
        now = _registrations(successor) if type(successor) is FunctionType else Counter[Any]()
        is_decorated = function.__globals__ is not namespace  # by another module: its references are not counted
        own = len(names) + _hooks(namespace, function)
        is_held = key in held or (is_decorated and sys.getrefcount(function) > own + _BASE)
        is_doubled = has_successor and (bool(now) or sys.getrefcount(successor) > _BASE + _hooks(new, successor))
        if before or (is_held and is_doubled):
            yield _Listener(
                tuple(names), has_successor, bool(before), before <= now, is_held, not read.isdisjoint(names)
            )


def _is_registered(function: FunctionType) -> bool:
    """Say whether somebody has a function weakly as registries do: to be called at its end, or in a container.

    A weak reference that stands alone may only look: a function is not kept alive for that.
    """
    references = references_of_others(function)
    for each in references:
        if each.__callback__ is None:
            if any(type(found) in CONTAINERS and found is not references for found in all_referrers(each)):
                return True
        elif getattr(each.__callback__, "__code__", None) is not _CACHE_CODE:
            return True
    return False


def _registrations(function: FunctionType) -> Counter[Any]:
    """Return how many weak references others have to a function, by what tells registries apart: who is called back.

    Those without a callback are one object. The keys of a WeakKeyDictionary are left out: it is a cache more often.
    """
    return Counter(
        (type(each), _of_callback(callback))
        for each in references_of_others(function)
        if getattr(callback := each.__callback__, "__code__", None) is not _CACHE_CODE
    )


def _of_callback(callback: Any) -> Any:
    if type(callback) is MethodType:
        return callback.__func__, id(callback.__self__)
    if type(callback) is FunctionType:
        cells = [each.cell_contents for each in callback.__closure__ or ()]
        return callback.__code__, tuple(id(each) for each in cells if type(each) is not int)
    return type(callback)


def _code_of_caches() -> CodeType:
    """Return the code that is called back for the keys of a WeakKeyDictionary."""

    def probe() -> None: ...

    cache = weakref.WeakKeyDictionary({probe: None})
    callback: Any = weakref.getweakrefs(probe)[0].__callback__
    del cache
    found: CodeType = callback.__code__
    return found


_CACHE_CODE = _code_of_caches()
_BASE = 3  # references that a count has besides those of names: of variables, a tuple and the call


# --- Methods ------------------------------------------------------------------------------------------------------


def _methods(namespace: Namespace, new: Namespace) -> Iterator[tuple[str, FunctionType, type]]:
    """Yield each method of a superseded class that the new class has too, with the class's name and the new class."""
    for name, cls in list(namespace.items()):
        current = new.get(name)
        if not is_class(cls) or not is_class(current) or cls is current or not _is_of(cls, namespace):
            continue
        methods = dict_of_class(current)
        for key, function in list(dict_of_class(cls).items()):
            if type(function) is FunctionType and type(methods.get(key)) is FunctionType:
                yield name, function, current


def _is_of(cls: type, namespace: Namespace) -> bool:
    return dict_of_class(cls).get("__module__") == namespace.get("__name__")


def _may_be_held(methods: list[FunctionType]) -> bool:
    """Say whether anybody may have one of the methods of old classes, each of which is listed once."""
    of_list = next(map(sys.getrefcount, [object()]))
    return any(map(references_of_others, methods)) or any(
        count > of_list + 1
        for count in map(sys.getrefcount, methods)  # the class has it too
    )


def _renew(old: OldVersion, new: Namespace, frames: FrameCounts) -> Iterator[str]:
    namespace = old.objects.namespace
    held = {id(each.value) for each in old.functions}
    left = {id(each) for each in old.objects.old_methods()}
    reads = Reads(old)
    codes = [code for code in frames if reads.is_of_version(code)]
    codes += [each.value.__code__ for each in old.functions if "." not in each.value.__qualname__]
    read = reads.names_from([*codes, *(each.value for each in old.closures)])
    for name, function, cls in _methods(namespace, new):
        key = function.__name__
        is_held = id(function) in held or bool(references_of_others(function))
        if not is_held or id(function) in left or name in read or frames.get(function.__code__):
            continue
        current = dict_of_class(cls).get(key)
        if type(current) is not FunctionType or current is function or not _takes_its_place(function, current):
            continue
        for mine, others in zip(function.__closure__ or (), current.__closure__ or (), strict=True):
            mine.cell_contents = others.cell_contents
        Renewal(function, current.__code__, new, like=current).apply()
        type.__setattr__(cls, key, function)
        yield function.__qualname__


def _takes_its_place(old: FunctionType, new: FunctionType) -> bool:
    return old.__code__.co_freevars == new.__code__.co_freevars and new.__name__ == old.__name__
