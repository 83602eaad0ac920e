"""Reads of a module's names in code that is to run: `counter.f`, `me.f` after `me = counter`, `from counter import f`.

They are found in the byte code, which is what will run, and needs no source. A local name stands for a module if it is
bound to that module wherever the code binds it.
"""

from __future__ import annotations

import dis
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType, ModuleType
from typing import Any

from midflight.code.source.look import is_module, module_value
from midflight.code.version.facade import Namespace

__all__ = ["Aliases", "Read", "aliases_in", "reads_in"]

Aliases = Mapping[str, ModuleType]
"""The local names that stand for modules."""

ATTRIBUTE_READS = ("LOAD_ATTR", "LOAD_METHOD")
GLOBAL_READS = ("LOAD_GLOBAL", "LOAD_NAME")
NO_OPERATION = ("CACHE", "EXTENDED_ARG", "PUSH_NULL", "NOP", "RESUME", "PRECALL", "NOT_TAKEN")

NOTHING: Any = None


@dataclass(frozen=True, slots=True)
class Read:
    """One read of `name` through the module, and its place in the text; with `is_import`, `from module import name`."""

    name: str
    line: int
    position: dis.Positions | None
    is_import: bool


def aliases_in(code: CodeType, namespace: Namespace, around: Aliases) -> Aliases:
    """Return the local names that stand for a module in `code`. `around` are the ones of the function around it."""
    known = {name: around[name] for name in code.co_freevars if name in around}
    bound: dict[str, list[Any]] = {}
    for name, value in _Walk(code, namespace, known).bindings():
        bound.setdefault(name, []).append(value)
    every = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8)
    parameters = code.co_varnames[:every]
    inner = {name for const in code.co_consts if isinstance(const, CodeType) for name in _rebound(const)}
    for name, values in bound.items():
        is_sure = name not in parameters and name not in inner and name not in code.co_freevars
        if is_sure and is_module(values[0]) and all(value is values[0] for value in values):
            known[name] = values[0]
    return known


def reads_in(code: CodeType, namespace: Namespace, module: ModuleType, aliases: Aliases) -> Iterator[Read]:
    """Yield the reads of attributes of `module` in `code`, under any name of it there: counter.f, shop.counter.f."""
    for instruction, owner, is_import in _Walk(code, namespace, aliases).reads():
        if owner is module:
            position = instruction.positions
            line = (position.lineno if position is not None else None) or code.co_firstlineno
            yield Read(instruction.argval, line, position, is_import)


def _rebound(code: CodeType) -> Iterator[str]:
    """Yield the names of functions around that `code`, or code in it, binds again by `nonlocal`."""
    for instruction in dis.get_instructions(code) if code.co_freevars else ():
        if instruction.opname in ("STORE_DEREF", "DELETE_DEREF") and instruction.argval in code.co_freevars:
            yield instruction.argval
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _rebound(const)


class _Walk:
    """A walk through byte code that follows modules on the stack, from one instruction to the next."""

    def __init__(self, code: CodeType, namespace: Namespace, aliases: Aliases) -> None:
        self._code, self._namespace, self._aliases = code, namespace, aliases

    def bindings(self) -> Iterator[tuple[str, Any]]:
        """Yield the local names that are bound, each with the module it is bound to, None for anything else."""
        return ((name, value) for kind, name, value in self._steps() if kind == "bound")

    def reads(self) -> Iterator[tuple[dis.Instruction, ModuleType, bool]]:
        """Yield the instructions that read a name of a module, with that module, and whether it is an import."""
        return ((found, owner, kind == "import") for kind, found, owner in self._steps() if kind != "bound")

    def _steps(self) -> Iterator[tuple[str, Any, Any]]:
        held = copied = importing = NOTHING
        level, last = 0, NOTHING  # the two constants before the last one, and that
        for each in dis.get_instructions(self._code):
            operation = each.opname
            if operation in NO_OPERATION:
                continue
            names = each.argval if type(each.argval) is tuple else (each.argval,)
            stays, copied = copied, NOTHING
            if operation in GLOBAL_READS:
                held = self._namespace.get(each.argval)
            elif operation.startswith(("LOAD_FAST", "LOAD_DEREF")):
                held = self._aliases.get(names[-1])
            elif operation in ATTRIBUTE_READS and is_module(held):
                yield "read", each, held
                held = module_value(held, each.argval)
            elif operation == "IMPORT_NAME":
                importing = held = _imported(each.argval, level, last, self._namespace)
            elif operation == "IMPORT_FROM" and is_module(importing):
                yield "import", each, importing
                held = module_value(importing, each.argval)
            elif operation.startswith(("STORE_FAST", "STORE_DEREF")):
                yield "bound", names[0], held if is_module(held) else NOTHING
                held = stays
                if operation == "STORE_FAST_STORE_FAST":
                    yield "bound", names[1], held if is_module(held) else NOTHING
                    held = NOTHING
                elif operation.startswith("STORE_FAST_LOAD_FAST"):
                    held = self._aliases.get(names[1])
            elif operation == "COPY" and each.arg == 1:
                copied = held
            elif operation in ("LOAD_CONST", "LOAD_SMALL_INT"):
                level, last, held = last, each.argval, NOTHING
            else:
                held = NOTHING


def _imported(name: str, level: Any, names: Any, namespace: Namespace) -> Any:
    """Return the module that an import leaves on the stack, if it is there; None else. Imports nothing."""
    if type(level) is int and level:
        try:
            package = namespace.get("__package__") or str(namespace.get("__name__"))
            name = importlib.util.resolve_name("." * level + name, package)
        except (ImportError, TypeError, ValueError):
            return None
    return sys.modules.get(name if names or level else name.partition(".")[0])
