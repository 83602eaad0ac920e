"""`taken_out`: the entries that refused bodies have made in containers of the project's other modules.

Laws:
1. An entry is taken out only if it was not there before and is, or has in it, what a body made. A variable, an
   attribute or a key that had a value before has that again.
2. A container that somebody iterates over keeps its size: it is named.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from midflight.code.load.made import Made
from midflight.code.load.others import Others, Seen
from midflight.code.load.take_back import Change, nothing
from midflight.code.source.look import class_names, is_class
from midflight.code.state.iterated import is_iterated

__all__ = ["taken_out"]

DEPTH = 3  # of an entry: an object, a tuple in it, a function in that
KNOWN = 5  # references to a container: its owner's, what was seen of it, the undo, and variables of two functions here


def taken_out(others: Others, made: Made) -> Iterator[Change]:
    """Yield each entry of the bodies, with how it is taken out."""
    made.shared = frozenset(others.seen)
    is_changed = False
    every = list(others.seen.values())
    copies = Counter(id(each) for seen in every for each in _items(seen.before))
    for seen in every:
        changes = _in_sequence if isinstance(seen.container, (list, set, deque)) else _in_names
        for change in changes(seen, made, KNOWN + copies[id(seen.container)]):
            is_changed = True
            yield change
    for take_back in others.libraries:
        for what, is_done in take_back(made.says):
            yield Change(what, nothing if is_done else None)
    for function in others.cached if is_changed else ():
        yield Change("the cache of a singledispatch", vars(function)["_clear_cache"])


def _items(copy: Any) -> Iterable[Any]:
    return copy.values() if type(copy) is dict else copy


def _in_names(seen: Seen, made: Made, known: int) -> Iterator[Change]:
    """Yield the changes of a dictionary, of a module's variables, or of a class's attributes."""
    container, before, where = seen
    is_of_class = is_class(container)
    now = dict(class_names(container)) if is_of_class else dict(container)
    is_names = is_of_class or "__name__" in now
    for key, value in now.items():
        if key in before and before[key] is value:
            continue
        place = f"{where}.{key}" if is_names else where
        if not (_is_own(value, made) or made.has(key)):
            if type(key) is str and key in made.words and key not in before and not is_names:
                yield Change(f"{where}[{key!r}]")
            continue
        if type(value) in (list, set, deque) and not all(_is_own(each, made) for each in list(value)):
            yield Change(place)  # another thread's are in it, too
        elif is_of_class:
            undo = partial(type.__setattr__, container, key, before[key]) if key in before else None
            yield Change(place, undo or partial(type.__delattr__, container, key))
        elif key in before:
            yield Change(place, partial(dict.__setitem__, container, key, before[key]))
        else:
            yield Change(place, _unless_iterated(container, known, partial(dict.pop, container, key, None)))


def _in_sequence(seen: Seen, made: Made, known: int) -> Iterator[Change]:
    """Yield the change of a list, a deque or a set."""
    container, before, where = seen
    there = {id(each) for each in before}
    added = [each for each in list(container) if id(each) not in there and _is_own(each, made)]
    if not added:
        return
    if issubclass(type(container), set):
        yield Change(where, _unless_iterated(container, known, partial(container.difference_update, added)))
        return
    now = {id(each) for each in list(container)}
    gone = [each for each in before if id(each) not in now]
    in_place = gone if len(gone) == len(added) else []
    undo: Callable[[], object] = partial(_replace, container, added, in_place)
    yield Change(where, _unless_iterated(container, known, undo) if isinstance(container, deque) else undo)


def _replace(container: Any, added: list[Any], by: list[Any]) -> None:
    """Take the items of `added` out of a list or a deque; each is replaced by one of `by`, if there are any."""
    for number, item in enumerate(added):
        index = next((index for index, each in enumerate(container) if each is item), None)
        if index is None:
            continue
        if by:
            container[index] = by[number]
        else:
            del container[index]


def _unless_iterated(container: Any, known: int, undo: Callable[[], object]) -> Callable[[], object] | None:
    return None if is_iterated(container, known) else undo


def _is_own(value: Any, made: Made, depth: int = DEPTH) -> bool:
    """Say whether a new entry is a body's: it was made there, or is an object that has what was made there.

    Containers that were seen are not looked into: what a body has registered there makes no entry elsewhere its own.
    """
    if id(value) in made.shared:
        return False
    if made.has(value):
        return True
    if depth == 0:
        return False
    if issubclass(type(value), (tuple, list, set, deque)):
        return any(_is_own(each, made, depth - 1) for each in list(value))
    try:
        attributes = value if issubclass(type(value), dict) else object.__getattribute__(value, "__dict__")
    except AttributeError:
        return False
    if type(attributes) is not dict or is_class(value):
        return False
    return any(_is_own(each, made, depth - 1) for each in list(attributes.values()))
