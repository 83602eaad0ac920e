"""Calls ahead of live code that the new version does not define, or takes with other arguments.

For each piece of code that a process is in, in whatever module and version: the reads `counter.f` through the module
are found in the byte code, which is what will run, and needs no source. How a call is made of such a read comes from
the text of that code, if it is known; so arguments are only judged where they are certain.
A call that fails in the current version too is not a fault of this load.
"""

from __future__ import annotations

import ast
import dis
import linecache
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from midflight.code.census.census import Start
from midflight.code.source.annotations import ANNOTATE, signature_of
from midflight.code.version.facade import Namespace
from midflight.code.version.version import version_of
from midflight.kernel import Pid
from midflight.parsing import UNPARSABLE, parse_module

__all__ = ["Ahead", "BrokenCall", "broken_calls"]

ATTRIBUTE_READS = ("LOAD_ATTR", "LOAD_METHOD")
GLOBAL_READS = ("LOAD_GLOBAL", "LOAD_NAME")

Position = tuple[int | None, int | None, int | None, int | None]


class Ahead(NamedTuple):
    """Code that processes are to run on, or may come to, and those processes, oldest first."""

    spot: Start
    pids: Sequence[Pid]
    is_certain: bool


@dataclass(frozen=True, slots=True)
class Read:
    """One read of `name` through the module, at `line` of its text. `call` is how it is called, if that is known."""

    name: str
    line: int
    call: ast.Call | None


@dataclass(frozen=True, slots=True)
class BrokenCall:
    """A read that would fail, or a call that would: where, why, and the processes that are in that code.

    `reached` tells code that those processes are not in, but may come to: what theirs calls by a bare name, say.
    """

    module: str
    version: int | None
    function: str
    line: int
    name: str
    why: str
    pids: tuple[Pid, ...]
    reached: bool


def broken_calls(ahead: Iterable[Ahead], module: ModuleType, old: Namespace, new: Namespace) -> Iterator[BrokenCall]:
    """Yield the calls of processes that would fail if `new` took the place of `old` behind `module`."""
    if "__getattr__" in new:
        return
    ahead = tuple(ahead)
    certain = {spot.f_code for spot, _, is_certain in ahead if is_certain}
    seen: set[tuple[CodeType, str, int]] = set()
    for spot, pids, is_certain in ahead:
        for code, called in _reachable(spot):
            reached = called or not is_certain
            for read in _reads(code, spot.f_globals, module):
                why = _why_broken(read, old, new)
                key = (code, read.name, read.line)
                if why is None or key in seen or (reached and code in certain):
                    continue
                seen.add(key)
                version = version_of(spot.f_globals)
                yield BrokenCall(
                    module=str(spot.f_globals.get("__name__")),
                    version=version.number if version is not None else None,
                    function=code.co_qualname,
                    line=read.line,
                    name=read.name,
                    why=why,
                    pids=tuple(pids),
                    reached=reached,
                )


def _reachable(spot: Start) -> Iterator[tuple[CodeType, bool]]:
    """Yield the code of `spot` and the code nested in it, then that of functions it calls by bare names, and so on."""
    waiting = [(spot.f_code, False)]
    seen = {spot.f_code}
    for code, reached in waiting:  # grows as it goes
        yield code, reached
        nested = [
            (const, reached)
            for const in code.co_consts
            if isinstance(const, CodeType) and const.co_name != ANNOTATE  # read by tools, if at all
        ]
        called = [
            (function.__code__, True)
            for function in map(spot.f_globals.get, code.co_names)
            if isinstance(function, FunctionType) and function.__globals__ is spot.f_globals
        ]
        for each in nested + called:
            if each[0] not in seen:
                seen.add(each[0])
                waiting.append(each)


def _reads(code: CodeType, namespace: Namespace, module: ModuleType) -> Iterator[Read]:
    """Yield the reads of attributes of `module` in `code`, whatever it is called there: counter.f, shop.counter.f."""
    if not any(isinstance(namespace.get(name), ModuleType) for name in code.co_names):
        return
    held: Any = None  # what the last instruction left on the stack, if that is a module
    for instruction in dis.get_instructions(code):
        if instruction.opname in GLOBAL_READS:
            held = namespace.get(instruction.argval)
        elif instruction.opname in ATTRIBUTE_READS and isinstance(held, ModuleType):
            if held is module:
                position = instruction.positions
                line = (position.lineno if position is not None else None) or code.co_firstlineno
                yield Read(instruction.argval, line, _call_at(code, namespace, position, instruction.argval))
            held = vars(held).get(instruction.argval)
        elif instruction.opname not in ("CACHE", "EXTENDED_ARG", "PUSH_NULL"):
            held = None


def _call_at(code: CodeType, namespace: Namespace, position: dis.Positions | None, name: str) -> ast.Call | None:
    """Return the call whose function is read at `position` of the text that `code` was compiled from."""
    if position is None:
        return None
    version = version_of(namespace)
    text = version.text if version is not None else "".join(linecache.getlines(code.co_filename))
    if text is None or (version is None and not _is_text_of(code, text)):
        return None
    call = _calls(text, code.co_filename).get(
        (position.lineno, position.end_lineno, position.col_offset, position.end_col_offset)
    )
    return call if call is not None and isinstance(call.func, ast.Attribute) and call.func.attr == name else None


@lru_cache(maxsize=32)
def _calls(text: str, file: str) -> Mapping[Position, ast.Call]:
    """Return the calls `x.f(...)` in `text` by the position of the `x.f`."""
    return {
        (node.func.lineno, node.func.end_lineno, node.func.col_offset, node.func.end_col_offset): node
        for node in ast.walk(parse_module(text, file))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }


@lru_cache(maxsize=256)
def _is_text_of(code: CodeType, text: str) -> bool:
    """Say whether `code` was compiled from `text`: a file may have changed since it was imported."""
    try:
        waiting = [compile(text, code.co_filename, "exec", dont_inherit=True)]
    except UNPARSABLE:
        return False
    for each in waiting:  # grows as it goes
        if each == code and each.co_qualname == code.co_qualname:
            return True
        waiting += [const for const in each.co_consts if isinstance(const, CodeType)]
    return False


def _why_broken(read: Read, old: Namespace, new: Namespace) -> str | None:
    if read.name not in old:
        return None
    if read.name not in new:
        return "which the new version lacks"
    if read.call is None or _mismatch(read.call, old[read.name]) is not None:
        return None
    why = _mismatch(read.call, new[read.name])
    return None if why is None else f"which the new version takes otherwise: {why}"


def _mismatch(call: ast.Call, function: Any) -> str | None:
    """Say why `function` cannot be called as `call` does; None if it can, or if that cannot be known."""
    if any(isinstance(each, ast.Starred) for each in call.args) or any(each.arg is None for each in call.keywords):
        return None
    if not callable(function):
        return f"it is {type(function).__name__}, and cannot be called"
    try:
        signature = signature_of(function, follow_wrapped=False)
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(*call.args, **{str(each.arg): each.value for each in call.keywords})
    except TypeError as error:
        return str(error)
    return None
