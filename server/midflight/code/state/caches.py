"""Results and registrations that functions hold: `lru_cache` and `singledispatch`."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from types import FunctionType
from typing import Any

from midflight.code.state.own import Own

__all__ = ["carry_registrations", "lost_results"]

Cache = type(functools.lru_cache(len))


def lost_results(old: Any) -> int:
    """Return how many results a function of the old version has cached, which the new one starts without."""
    return int(old.cache_info().currsize) if type(old) is Cache else 0


def carry_registrations(old: Any, new: Any, own: Own, undo: ExitStack) -> int:
    """Add to a `singledispatch` function the registrations of others in the old one; return how many.

    Others' are functions that the module has not defined. A type for which the new text registers one has that.
    """
    before, now = _registry(old), _registry(new)
    count = 0
    if before is None or now is None:
        return 0
    for kind, function in before.items():
        kind = own.renewed(kind)
        if kind in now or own.is_made_by_old(function):
            continue
        undo.callback(partial(_take_out, new, kind))
        new.register(kind, function)
        count += 1
    return count


def _registry(function: Any) -> Mapping[type, Any] | None:
    """Return the registry of a singledispatch function; None for any other value."""
    if type(function) is not FunctionType:
        return None
    register = vars(function).get("register")
    registry = vars(function).get("registry")
    is_one = type(register) is FunctionType and register.__module__ == "functools"
    return registry if is_one and isinstance(registry, Mapping) else None


def _take_out(function: Any, kind: type) -> None:
    """Take a registration back: the registry itself is shown read-only, and is in the closure of `register`."""
    for registry in _dictionaries(function.register):
        registry.pop(kind, None)
    function._clear_cache()


def _dictionaries(register: FunctionType) -> Iterator[dict[Any, Any]]:
    for cell in register.__closure__ or ():
        if type(cell.cell_contents) is dict:
            yield cell.cell_contents
