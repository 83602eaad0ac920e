"""Calls ahead of live code that the new version does not define, or takes with other arguments.

For each piece of code that a process is in, in whatever module and version, the reads of the module's names are found
in the byte code. How such a name is called, and whether the code is prepared to miss it, comes from the text of that
code, if it is known; so arguments are only judged where they are certain.
A call that fails in the current version too is not a fault of this load.
"""

from __future__ import annotations

import ast
import linecache
import sys
from abc import ABCMeta
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import EnumMeta
from functools import cached_property, lru_cache, partial
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from midflight.code.census.census import Start
from midflight.code.checks.live_guards import uses_of
from midflight.code.checks.live_reads import Aliases, Read, aliases_in, reads_in
from midflight.code.source.annotations import ANNOTATE, signature_of
from midflight.code.source.look import is_class, is_module
from midflight.code.source.trees import tree_or_none
from midflight.code.version.facade import Namespace
from midflight.code.version.version import version_of
from midflight.kernel import Pid
from midflight.parsing import UNPARSABLE

__all__ = ["Ahead", "BrokenCall", "broken_calls"]


class Ahead(NamedTuple):
    """Code that processes are to run on, or may come to, and those processes, oldest first."""

    spot: Start
    pids: Sequence[Pid]
    is_certain: bool


@dataclass(frozen=True, slots=True)
class BrokenCall:
    """A read that would fail, or a call that would: where, why, and the processes that are in that code.

    `reached` tells code that those processes are not in, but may come to: what theirs calls by a bare name, say.
    `is_callback` tells code that they hand on to others, in which no process is when it is called.
    """

    module: str
    version: int | None
    function: str
    line: int
    name: str
    why: str
    pids: tuple[Pid, ...]
    reached: bool
    is_callback: bool = False


def broken_calls(ahead: Iterable[Ahead], module: ModuleType, old: Namespace, new: Namespace) -> Iterator[BrokenCall]:
    """Yield the calls of processes that would fail if `new` took the place of `old` behind `module`."""
    ahead = tuple(ahead)
    if not ahead or "__getattr__" in new:
        return
    name = str(old.get("__name__"))
    changed = [(key, value) for key, value in list(old.items()) if value is not new.get(key)]
    wanted = {key for key, value in changed if not _serves_as_well(value, new.get(key), f"{name}.{key}")}
    if not wanted:
        return
    certain = {id(spot.f_code) for spot, _, is_certain in ahead if is_certain}  # that of other versions may be equal
    seen: set[tuple[int, str, int]] = set()
    for spot, pids, is_certain in ahead:
        for scope, called in _reachable(spot):
            code = scope.code
            if wanted.isdisjoint(code.co_names):
                continue
            for read in reads_in(code, spot.f_globals, module, scope.aliases):
                key = (id(code), read.name, read.line)
                reached = called or not is_certain
                if read.name not in wanted or key in seen or (reached and id(code) in certain):
                    continue
                found = _fault(read, code, spot.f_globals, old, new)
                if found is None:
                    continue
                seen.add(key)
                version = version_of(spot.f_globals)
                why, is_callback = found
                yield BrokenCall(
                    module=str(spot.f_globals.get("__name__")),
                    version=version.number if version is not None else None,
                    function=code.co_qualname,
                    line=read.line,
                    name=read.name,
                    why=why,
                    pids=tuple(pids),
                    reached=reached or is_callback,
                    is_callback=is_callback,
                )


def _serves_as_well(old: object, new: object, name: str) -> bool:
    """Say whether another object of that name can be called in the same way, or the name is that of a submodule."""
    if new is None and is_module(old) and sys.modules.get(name) is old:
        return True
    return type(old) is FunctionType and type(new) is FunctionType and _shape(old) == _shape(new)


def _shape(function: FunctionType) -> tuple[object, ...]:
    """Return the parameters of a function as a value: equal ones take the same calls."""
    code = function.__code__
    named = code.co_argcount + code.co_kwonlyargcount
    given = (len(function.__defaults__ or ()), frozenset(function.__kwdefaults__ or ()))
    return code.co_posonlyargcount, code.co_argcount, code.co_varnames[:named], code.co_flags & 12, given


class _Scope:
    """A piece of code, and the one around it. Its aliases are looked for when they are asked for: that takes long."""

    def __init__(self, code: CodeType, namespace: Namespace, around: _Scope | None = None) -> None:
        self.code = code
        self._namespace = namespace
        self._around = around

    @cached_property
    def aliases(self) -> Aliases:
        """The local names that stand for modules."""
        return aliases_in(self.code, self._namespace, self._around.aliases if self._around is not None else {})


def _reachable(spot: Start) -> Iterator[tuple[_Scope, bool]]:
    """Yield the code of `spot` and the code nested in it, then that of functions it calls by bare names, and so on.

    With each: whether it is called, and not what the processes are in.
    """
    waiting: list[tuple[_Scope, bool]] = [(_Scope(spot.f_code, spot.f_globals), False)]
    seen = {spot.f_code}
    for scope, called in waiting:  # grows as it goes
        yield scope, called
        nested = [
            (_Scope(const, spot.f_globals, scope), called)
            for const in scope.code.co_consts
            if isinstance(const, CodeType) and const.co_name != ANNOTATE  # read by tools, if at all
        ]
        named = [
            (_Scope(function.__code__, spot.f_globals), True)
            for function in map(spot.f_globals.get, scope.code.co_names)
            if type(function) is FunctionType and function.__globals__ is spot.f_globals
        ]
        for each in nested + named:
            if each[0].code not in seen:
                seen.add(each[0].code)
                waiting.append(each)


def _fault(read: Read, code: CodeType, namespace: Namespace, old: Namespace, new: Namespace) -> tuple[str, bool] | None:
    """Return the fault of a read in `code`, and whether it stands in a callback; None if there is none."""
    tree = _tree_of(code, namespace)
    uses = uses_of(read, tree) if tree is not None else []
    if read.name not in new:
        error = "ImportError" if read.is_import else "AttributeError"
        if uses and error in uses[0].handled:
            return None
        return "which the new version lacks", bool(uses) and uses[0].is_callback
    for use in uses:
        if use.call is None or "TypeError" in use.handled or _mismatch(use.call, old[read.name]) is not None:
            continue
        why = _mismatch(use.call, new[read.name])
        if why is not None:
            return f"which the new version takes otherwise: {why}", use.is_callback
    return None


def _tree_of(code: CodeType, namespace: Namespace) -> ast.Module | None:
    """Return the tree of the text that `code` was compiled from, None if that is not known."""
    version = version_of(namespace)
    text = version.text if version is not None else "".join(linecache.getlines(code.co_filename))
    if text is None or (version is None and not _is_text_of(code, text)):
        return None
    return tree_or_none(text)


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


def _mismatch(call: ast.Call, function: Any) -> str | None:
    """Say why `function` cannot be called as `call` does; None if it can, or if that cannot be known."""
    if any(isinstance(each, ast.Starred) for each in call.args) or any(each.arg is None for each in call.keywords):
        return None
    if not callable(function):
        return f"it is {type(function).__name__}, and cannot be called"
    if not _is_plain(function):
        return None
    try:
        signature = signature_of(function, follow_wrapped=False)
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(*call.args, **{str(each.arg): each.value for each in call.keywords})
    except TypeError as error:
        return str(error)
    return None


def _is_plain(function: Any) -> bool:
    """Say whether a look at how it is called runs nobody's code: a lazy proxy would do its work for that."""
    if is_class(function):
        return type(function) in (type, ABCMeta, EnumMeta)
    if type(function) is partial:
        return _is_plain(function.func)
    return type(function) in (FunctionType, MethodType, BuiltinFunctionType)
