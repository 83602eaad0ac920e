"""`look_at_held`: the functions that others hold, found and, if that is asked for, forwarded; and the verb `forward`.

On the runtime's thread, when the current version is there: no process runs meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import CodeType
from typing import NamedTuple

from midflight.code.census.bystanders import FrameCounts
from midflight.code.census.census import take_census
from midflight.code.census.version_history import module_name
from midflight.code.held.forward import Verdicts, forward_closure, verdicts
from midflight.code.held.holders import holders_of
from midflight.code.held.references import OldVersion, versions_held
from midflight.code.held.search import NOTHING, After, Found
from midflight.code.held.stale_calls import watch
from midflight.code.loading.lock import load_lock
from midflight.code.report.held import ForwardReport, Held, Holders, NotForwarded
from midflight.code.version.facade import Namespace
from midflight.code.version.modules import Module, module_of

__all__ = ["HeldFunctions", "forward", "look_at_held"]


class HeldFunctions(NamedTuple):
    """The functions of older versions of a module that others hold; the fields are those of a LoadReport."""

    held: tuple[Held, ...]
    holders: Holders | None
    forwarded: tuple[str, ...] = ()
    not_forwarded: tuple[NotForwarded, ...] = ()


def forward(name: str) -> ForwardReport:
    """Make the functions of older versions of a module that others hold the current ones, and return a report.

    A function that a router, a signal or a timer has gets the code of the current one where that is safe: it has the
    same kind and takes the same calls, and no old code that may still run reads it by its name. Closures get the new
    code with their own captures, if those have the same names, when the search for their holders finds them.
    The report says of each of the others why not. `load(..., forward=True)` does so with a load.

    Raises: UnknownModuleError.
    OTP: nothing like it; fun m:f/1 is looked up at each call.

    Example:

        code.load("desk", "def price(): return 2")
        held = desk.price
        code.load("desk", "def price(): return 3")
        held(), code.forward("desk").forwarded, held()  # -> (2, ('price',), 3)
    """
    record = module_of(module_name(name))
    return load_lock.call(partial(_forward, record))


def _forward(record: Module) -> ForwardReport:
    current = record.current
    if current is None or (namespace := current.namespace) is None:
        return ForwardReport(record.name, None)
    found = look_at_held(record, namespace, FrameCounts(take_census()), is_forwarded=True)
    return ForwardReport(record.name, current.number, found.forwarded, found.not_forwarded, found.holders)


def look_at_held(
    record: Module, new: Namespace, frames: FrameCounts, after: After = NOTHING, *, is_forwarded: bool
) -> HeldFunctions:
    """Find what others hold of the older versions of a module, and forward it, if that is asked for."""
    alive = list(versions_held(record, new, frames))
    watch([code for each in alive for code in each.objects.codes() if code not in frames])  # the report has those
    old = [each for each in alive if each.functions or each.closures]
    if not is_forwarded:
        return HeldFunctions(_held(old), holders_of(old, _nothing, after) if old else None)
    found = [verdicts(each, new, frames) for each in old]
    for each in found:
        each.apply(new)
    forwarded = tuple(dict.fromkeys(function.__qualname__ for each in found for function, _ in each.functions))
    left = [_without(each, verdict) for each, verdict in zip(old, found, strict=True)]
    closures = {id(code): (code, current) for verdict in found for code, current in verdict.closures}
    holders = holders_of(left, partial(_forward_found, closures, new) if closures else _nothing, after)
    return HeldFunctions(_held(left), holders, forwarded, tuple(other for each in found for other in each.others))


def _held(old: list[OldVersion]) -> tuple[Held, ...]:
    return tuple(held for each in old for held in each.held())


def _without(old: OldVersion, verdict: Verdicts) -> OldVersion:
    """Leave out the functions that were forwarded."""
    done = {id(function) for function, _ in verdict.functions}
    return old._replace(functions=[each for each in old.functions if id(each.value) not in done])


def _nothing(_: Found) -> str:
    return ""


def _forward_found(closures: Mapping[int, tuple[CodeType, CodeType]], new: Namespace, found: Found) -> str:
    function = found.function
    pair = closures.get(id(function.__code__))
    if pair is None:
        return ""
    load_lock.call(partial(forward_closure, function, pair[1], new))
    return "forwarded"
