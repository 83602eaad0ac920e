"""Registries that are made again in the same load as a kept class, whose statement does not run: it is put back.

A class registers with a dictionary, a list or a set of another module when its statement runs: by `__init_subclass__`,
a metaclass, a decorator. If that module is loaded too and its registry is a new object, the kept class would be missing
from it for good.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from midflight.code.load.draft import Draft
from midflight.code.version.facade import Namespace

__all__ = ["refill"]


def refill(drafts: Sequence[Draft]) -> None:
    """Put each kept class of a load into the new registries of the other modules whose old ones had it."""
    kept = {
        id(value): value
        for draft in drafts
        for name in (draft.identity.kept if draft.identity is not None else ())
        if isinstance(value := draft.old.get(name), type)
    }
    for draft in drafts if kept else ():
        for old, new in _made_again(draft.old, draft.namespace):
            _put_back(old, new, kept)


def _made_again(old: Namespace, new: Namespace) -> Iterator[tuple[Any, Any]]:
    """Yield the containers of two namespaces that have one name and are two objects of one kind."""
    for name, value in list(old.items()):
        other = new.get(name)
        if other is not value:
            for kind in (dict, list, set):
                if issubclass(type(value), kind) and issubclass(type(other), kind):
                    yield value, other


def _put_back(old: Any, new: Any, kept: dict[int, type]) -> None:
    if issubclass(type(old), dict):
        for key, value in list(dict.items(old)):
            if (id(value) in kept or id(key) in kept) and key not in new:
                new[key] = value
        return
    there = {id(each) for each in list(new)}
    missing = [each for each in list(old) if id(each) in kept and id(each) not in there]
    if issubclass(type(old), set):
        new.update(missing)
    elif missing:  # before what the body itself has put there: it came first in the version before
        new[:0] = missing
