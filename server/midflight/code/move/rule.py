"""The rule by which a process that waits goes on in the current version, without its help, and its application.

A process that waits at the receive its function begins with, and has nothing to remember but the parameters, is
where a call of that function would be. So it goes on as that call, in the current version: `module.f(**parameters)`.
Every clause of the rule is in this file or in one of three that it asks: `kernel.obstacle` (does it only wait?),
`heads` (is its function of that shape, in both texts?), `liveness` (has it nothing to remember?). When in doubt the
process stays; the reason reads on from its place: `<0.37.0> at loop:9 (a live local: total)`.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from inspect import CO_COROUTINE, CO_VARARGS, CO_VARKEYWORDS
from itertools import islice
from types import CodeType, CoroutineType, FrameType, FunctionType
from typing import Any, NamedTuple

from midflight.code.identity.members import member_now, superseded_enum_in
from midflight.code.identity.migrate import Newest, newest_for
from midflight.code.source.liveness import Doubt, live_after
from midflight.code.source.look import is_module
from midflight.code.source.receive_heads import Head, Position, heads_of
from midflight.code.version.facade import Namespace
from midflight.code.version.version import Version, version_of
from midflight.errors import MigrationError
from midflight.kernel import Process, Scheduler, obstacle, receive, reenter

__all__ = ["Elsewhere", "Mover"]


class _Way(NamedTuple):
    """The way on from a function of an old version: the function to call, its parameters, the only await to leave."""

    function: Callable[..., Coroutine[Any, Any, Any]]
    parameters: tuple[str, ...]
    position: Position


class _CannotMove(Exception):
    """A clause of the rule does not hold. Its text says which, in words."""


class Elsewhere(Exception):
    """The process has left the old versions of the module."""


class Mover:
    """The rule for one move, to the version `current`. Its part for all processes in a function is worked out once."""

    def __init__(self, current: Version, *, is_rehearsal: bool = False) -> None:
        self.current = current
        self._is_rehearsal = is_rehearsal
        self._ways: dict[tuple[int, CodeType], _Way | str] = {}
        self._live: dict[tuple[CodeType, int], tuple[str, ...] | str] = {}

    def move(self, process: Process) -> str | None:
        """Move `process`; say why not, if not. Raises: Elsewhere."""
        scheduler = process.core
        assert isinstance(scheduler, Scheduler)
        why = obstacle(scheduler, process)
        if why is not None:
            return why
        assert isinstance(process.coro, CoroutineType)
        try:
            coro = self._call_for(process.coro)
        except _CannotMove as refused:
            return str(refused)
        if self._is_rehearsal:
            coro.close()
            return None
        why = reenter(scheduler, process, coro)  # no frame is held here: the old one goes, and what is in it
        if why is not None:  # what the garbage collector ran meanwhile has sent to it
            coro.close()
        return why

    def _call_for(self, old: CoroutineType[Any, Any, Any]) -> Coroutine[Any, Any, Any]:
        """Return the call, not begun, that takes a process in `old` on. Raises: _CannotMove, Elsewhere."""
        frame = old.cr_frame
        assert frame is not None  # it has begun, and has not ended
        version = version_of(frame.f_globals)  # it is the only frame
        if version is None or version.name != self.current.name or version is self.current:
            raise Elsewhere
        way = self._way(frame.f_code, version)
        live = self._live_at(frame.f_code, frame.f_lasti, way)
        values = _locals(frame)
        gone = [name for name in way.parameters if name not in values]
        if gone:
            raise _CannotMove(f"a deleted parameter: {', '.join(gone)}")
        kept = [name for name in live if name in values]
        if kept:
            raise _CannotMove(f"{'a live local' if len(kept) == 1 else 'live locals'}: {', '.join(kept)}")
        newest = newest_for(self.current.namespace or {})
        return way.function(**{name: _as_it_is_now(name, values[name], newest) for name in way.parameters})

    def _way(self, code: CodeType, version: Version) -> _Way:
        key = version.number, code
        if key not in self._ways:
            try:
                self._ways[key] = _find_way(code, version, self.current)
            except _CannotMove as refused:
                self._ways[key] = str(refused)
        found = self._ways[key]
        if isinstance(found, str):
            raise _CannotMove(found)
        return found

    def _live_at(self, code: CodeType, offset: int, way: _Way) -> tuple[str, ...]:
        key = code, offset
        if key not in self._live:
            self._live[key] = _look_at(code, offset, way)
        found = self._live[key]
        if isinstance(found, str):
            raise _CannotMove(found)
        return found


def _as_it_is_now(name: str, value: Any, newest: Newest) -> Any:
    """Return a parameter for the current version: the new member for one of a superseded enum. Raises: _CannotMove."""
    try:
        found = member_now(value, newest)
    except MigrationError:
        raise _CannotMove(f"the parameter {name} is {value}, which the current version lacks") from None
    if found is value and (enum := superseded_enum_in(value, newest)) is not None:
        raise _CannotMove(f"the parameter {name} holds a member of {enum.__qualname__}, which was superseded")
    return found


def _look_at(code: CodeType, offset: int, way: _Way) -> tuple[str, ...] | str:
    """Return the locals other than parameters that are live after the await of `way`.

    If the instruction at `offset`, where the process is, does not belong to that await, or there is a doubt: why.
    """
    found = next(islice(code.co_positions(), offset // 2, None), (None,) * 4)
    if None in found:
        return "where in its line it waits is not known"
    if found != way.position:
        return "it waits at another receive than the first of its function"
    try:
        live = live_after(code, offset)
    except Doubt as doubt:
        return f"which locals are live is not known: {doubt}"
    return tuple(name for name in code.co_varnames if name in live and name not in way.parameters)


def _locals(frame: FrameType) -> dict[str, Any]:
    seen = frame.f_locals
    values = dict(seen)
    if isinstance(seen, dict):  # before 3.13 (PEP 667): the frame keeps this copy, and all that is in it
        seen.clear()
    return values


# --- The function, in both versions ---------------------------------------------------------------------------


def _find_way(code: CodeType, old: Version, new: Version) -> _Way:
    """Return how to go on from `code`, a function of the version `old`, in `new`. Raises: _CannotMove."""
    name = code.co_name
    if code.co_qualname != name:
        raise _CannotMove(f"{code.co_qualname} is no async def at module level")
    head = _head(old, name)
    function = _function(old, name, head)
    if function.__code__ is not code:
        raise _CannotMove(f"{name} is not what its text defines")
    shared = code.co_cellvars + code.co_freevars
    if shared:
        raise _CannotMove(f"a variable shared with a closure: {', '.join(shared)}")
    starred = list(_starred(code))
    if starred:
        raise _CannotMove(f"a starred parameter: {', '.join(starred)}")
    try:
        next_head = _head(new, name)
        next_function = _function(new, name, next_head)
    except _CannotMove as refused:
        raise _CannotMove(f"{refused} in v{new.number}") from None
    taken = _parameters(next_function.__code__)
    unset = next_head.reads & set(next_function.__code__.co_varnames) - set(taken)
    if unset:
        raise _CannotMove(f"the receive of {name} reads {', '.join(sorted(unset))} before it is set in v{new.number}")
    parameters = _parameters(code)
    changed = list(_parameters_changed(parameters, next_function))
    if changed:
        raise _CannotMove(f"parameters changed: v{new.number} {' and '.join(changed)}")
    return _Way(next_function, parameters, head.position)


def _head(version: Version, name: str) -> Head:
    """Return the head of module-level function `name` in the text of `version`. Raises: _CannotMove."""
    text = version.text
    if text is None:
        raise _CannotMove(f"the text of {name} is not known")
    found = heads_of(text).get(name)
    if found is None:
        is_there = name in (version.namespace or {})
        raise _CannotMove(f"{name} is no async def at module level" if is_there else f"there is no {name}")
    if isinstance(found, str):
        raise _CannotMove(f"{name} {found}")
    return found


def _function(version: Version, name: str, head: Head) -> FunctionType:
    """Return the function of `version` under `name`, if it is the one that its text defines. Raises: _CannotMove."""
    namespace = version.namespace or {}
    function = namespace.get(name)
    if type(function) is not FunctionType or function.__globals__ is not namespace:
        raise _CannotMove(f"{name} is not what its text defines")
    code = function.__code__
    file = version.path if version.is_imported or version.snapshot is None else version.snapshot.file
    if (code.co_filename, code.co_firstlineno, code.co_qualname) != (file, head.line, name):
        raise _CannotMove(f"{name} is not what its text defines")
    if not code.co_flags & CO_COROUTINE:
        raise _CannotMove(f"{name} is an async generator")
    if head.receive[0] in (*code.co_varnames, *code.co_cellvars) or not _is_receive(head.receive, namespace):
        raise _CannotMove(f"{name} begins with a receive that is not Midflight's")
    return function


def _is_receive(name: tuple[str, ...], namespace: Namespace) -> bool:
    first, *rest = name
    value = namespace.get(first)
    for each in rest:
        if not is_module(value):
            return False
        value = vars(value).get(each)
    return value is receive


def _parameters(code: CodeType) -> tuple[str, ...]:
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _starred(code: CodeType) -> Iterator[str]:
    index = code.co_argcount + code.co_kwonlyargcount
    for flag, stars in ((CO_VARARGS, "*"), (CO_VARKEYWORDS, "**")):
        if code.co_flags & flag:
            yield stars + code.co_varnames[index]
            index += 1


def _parameters_changed(given: tuple[str, ...], function: FunctionType) -> Iterator[str]:
    """Yield the differences that keep `function` from being called with arguments of these names, and only these."""
    code = function.__code__
    taken = _parameters(code)
    for name in given:
        if name not in taken:
            yield f"takes no {name}"
        elif name in taken[: code.co_posonlyargcount]:
            yield f"takes {name} by position only"
    positional = taken[: code.co_argcount]
    has_default = {*positional[len(positional) - len(function.__defaults__ or ()) :], *(function.__kwdefaults__ or {})}
    for name in taken:
        if name not in given and name not in has_default:
            yield f"also needs {name}"
