"""The code that processes will run next when versions become current: their places, and the callbacks of servers.

A server is in no version between two messages; its next one is handled by the class that its own means then. What
waits at the `receive` that its function begins with leaves its code behind if the load moves it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import FunctionType, ModuleType
from typing import Any

from midflight.code.census.census import Census, Start
from midflight.code.checks.live_calls import Ahead, BrokenCall, broken_calls
from midflight.code.identity.current import current
from midflight.code.load.new_version import NewVersion
from midflight.code.move.move import move_idle
from midflight.code.source.look import carried_module, is_class, is_from
from midflight.kernel import Pid

__all__ = ["broken_by"]

CALLBACKS = ("handle_call", "handle_cast", "handle_continue", "handle_event", "handle_info", "terminate")


def broken_by(new: Sequence[NewVersion], census: Census, *, move: bool) -> dict[NewVersion, list[BrokenCall]]:
    """Return, for each new version, the calls of the code ahead that would fail if they all became current.

    With `move`, without the processes that would be moved first: those call what the new version says. On the
    runtime's thread, as `move_idle`.
    """
    ahead = [*_frames(census), *_callbacks(census, {each.unit.name for each in new})]
    found = {each: list(_broken_by(each, ahead)) for each in new}
    if move and any(found.values()):
        moved = {pid for each in new for pid in move_idle(each.record, each.version).moved}
        found = {each: list(_without(moved, broken)) for each, broken in found.items()}
    return found


def _broken_by(new: NewVersion, ahead: Sequence[Ahead]) -> Iterator[BrokenCall]:
    module: ModuleType = new.record.facade.module
    if new.before is not None and (old := new.before.namespace) is not None:
        yield from broken_calls(ahead, module, old, new.namespace)


def _without(moved: set[Pid], broken: Sequence[BrokenCall]) -> Iterator[BrokenCall]:
    for each in broken:
        pids = tuple(pid for pid in each.pids if pid not in moved)
        if pids:
            yield replace(each, pids=pids)


def _frames(census: Census) -> Iterator[Ahead]:
    for spot, pids in census.by_code():
        yield Ahead(spot, pids, is_certain=True)


def _callbacks(census: Census, becoming_current: set[str]) -> Iterator[Ahead]:
    """Yield the methods of servers whose own module stays as it is; other servers take their new class."""
    servers: dict[type[Any], list[Pid]] = {}
    for pid, server in census.servers():
        servers.setdefault(type(server), []).append(pid)
    for cls, pids in servers.items():
        if carried_module(cls) in becoming_current or is_from("midflight", cls):
            continue
        for name, method in _methods(_newest(cls)):
            spot = Start(method.__code__, method.__globals__, method.__code__.co_firstlineno)
            yield Ahead(spot, pids, is_certain=name in CALLBACKS)


def _newest(cls: type[Any]) -> type[Any]:
    try:
        found = current(cls)
    except LookupError:
        return cls
    return found if is_class(found) else cls


def _methods(cls: type[Any]) -> Iterator[tuple[str, FunctionType]]:
    seen = set()
    for base in cls.__mro__:
        if is_from("midflight", base):
            return
        for name, value in list(vars(base).items()):
            if type(value) is FunctionType:
                yield name if name not in seen else "", value
                seen.add(name)
