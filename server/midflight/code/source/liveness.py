"""Locals of a function that are read later: backward liveness over its byte code. Pure: code in, names out.

Laws:
1. A local that is not named is read by no way on from there, loops and exception handlers included, before it is
   set again. The other way round nothing is promised: a local that is named may never be read.
2. An instruction that is not in EFFECTS and touches locals is a Doubt, never a guess. So is all of a newer Python than
   NEWEST: it may have another way to jump, which nobody here has looked at.
"""

from __future__ import annotations

import dis
import sys
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType
from typing import NamedTuple

__all__ = ["Doubt", "live_after"]

NEWEST = (3, 14)  # whose instructions and exception table this file was written for, and run on

# What each instruction does to the locals it names, in order: reads one, or sets or unsets it; 0 is the first that it
# names. To delete one is to read it too: that raises if it is not set. LOAD_FAST_AND_CLEAR saves a local while a
# comprehension uses its name; an ordinary store puts it back later, so it counts as read, though perhaps nobody does.
EFFECTS = {
    "LOAD_FAST": (("read", 0),),
    "LOAD_FAST_CHECK": (("read", 0),),
    "LOAD_FAST_AND_CLEAR": (("read", 0), ("set", 0)),
    "LOAD_FAST_LOAD_FAST": (("read", 0), ("read", 1)),
    "LOAD_FAST_BORROW": (("read", 0),),
    "LOAD_FAST_BORROW_LOAD_FAST_BORROW": (("read", 0), ("read", 1)),
    "STORE_FAST": (("set", 0),),
    "STORE_FAST_LOAD_FAST": (("set", 0), ("read", 1)),
    "STORE_FAST_STORE_FAST": (("set", 0), ("set", 1)),
    "DELETE_FAST": (("read", 0), ("set", 0)),
}

# After these the next instruction is not the next to run. What is missing here only makes more locals live.
NEVER_FALL_THROUGH = frozenset(
    {
        "JUMP_FORWARD",
        "JUMP_BACKWARD",
        "JUMP_BACKWARD_NO_INTERRUPT",
        "RETURN_VALUE",
        "RETURN_CONST",
        "RAISE_VARARGS",
        "RERAISE",
    }
)

JUMPS = frozenset((*dis.hasjrel, *dis.hasjabs))
TOUCH_LOCALS = frozenset((*dis.haslocal, *dis.hasfree))

# Builtins that look at all locals of their caller, and attributes by which a frame is had.
LOOK_AT_ALL = frozenset({"locals", "vars", "dir", "eval", "exec"})
GIVE_FRAMES = frozenset({"_getframe", "currentframe", "f_locals"})


class Doubt(Exception):
    """It cannot be known which locals are read later. Its text says why."""


def live_after(code: CodeType, offset: int) -> frozenset[str]:
    """Return the locals that may be read after the instruction at `offset`, an index into `co_code`, has run.

    For a suspended coroutine that is its frame's `f_lasti`; what is thrown into it there is a way on too. All locals,
    if the function may look at them otherwise than by name, as `locals()` does.

    Raises: Doubt for a function with cells, for an instruction or a Python that is not known, for no instruction at
    `offset`.
    """
    flow = _flow(code)
    index = _index_at(flow.instructions, offset)
    if index == len(flow.instructions) or flow.instructions[index].offset != offset:
        raise Doubt(f"no instruction at {offset}")
    nexts = flow.successors[index] + flow.handlers[index]
    if index:  # 3.13 has f_lasti on the RESUME after the YIELD_VALUE, out of which comes what is thrown in
        nexts += flow.handlers[index - 1]
    return frozenset[str]().union(*(flow.live[each] for each in nexts))


class Flow(NamedTuple):
    """The instructions of a function, each with its successors, its handler, and the locals that are live before it."""

    instructions: list[dis.Instruction]
    successors: list[list[int]]
    handlers: list[list[int]]
    live: list[frozenset[str]]


@lru_cache(maxsize=256)
def _flow(code: CodeType) -> Flow:
    if sys.version_info[:2] > NEWEST:
        raise Doubt(f"the byte code of Python {sys.version_info[0]}.{sys.version_info[1]} is not known yet")
    if code.co_cellvars or code.co_freevars:
        raise Doubt(f"it shares variables: {', '.join(code.co_cellvars + code.co_freevars)}")
    instructions = list(dis.get_instructions(code))
    successors = [list(_successors(instructions, index)) for index in range(len(instructions))]
    handlers = _handlers(code, instructions)
    if _looks_at_all(instructions):
        live = [frozenset(code.co_varnames)] * len(instructions)
    else:
        effects = [_effects(each, code.co_varnames) for each in instructions]
        live = _live(effects, successors, handlers)
    return Flow(instructions, successors, handlers, live)


def _live(
    effects: list[list[tuple[str, str]]], successors: list[list[int]], handlers: list[list[int]]
) -> list[frozenset[str]]:
    """Return the locals that are live before each instruction: the least that agrees with all that follows it."""
    live = [frozenset[str]()] * len(effects)
    is_settled = False
    while not is_settled:
        is_settled = True
        for index in reversed(range(len(effects))):
            now = set[str]().union(*(live[each] for each in successors[index]))
            for kind, name in reversed(effects[index]):
                if kind == "read":
                    now.add(name)
                else:
                    now.discard(name)
            now.update(*(live[each] for each in handlers[index]))  # it may raise before it has set anything
            if now != live[index]:
                live[index] = frozenset(now)
                is_settled = False
    return live


def _looks_at_all(instructions: list[dis.Instruction]) -> bool:
    return any(
        each.argval in (LOOK_AT_ALL | GIVE_FRAMES if each.opname == "LOAD_GLOBAL" else GIVE_FRAMES)
        for each in instructions
        if each.opcode in dis.hasname
    )


def _effects(instruction: dis.Instruction, names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the effects of the instruction on locals, in order, as (kind, name)."""
    effects = EFFECTS.get(instruction.opname)
    if effects is None:
        if instruction.opcode in TOUCH_LOCALS or "FAST" in instruction.opname:
            raise Doubt(f"an unknown instruction, {instruction.opname}")
        return []
    named = instruction.argval if isinstance(instruction.argval, tuple) else (instruction.argval,)
    if len(named) != effects[-1][1] + 1 or not set(named) <= set(names):
        raise Doubt(f"{instruction.opname} of {instruction.argval!r}")
    return [(kind, named[number]) for kind, number in effects]


def _successors(instructions: list[dis.Instruction], index: int) -> Iterator[int]:
    """Yield the indexes of the instructions that may run next, unless this one raises."""
    instruction = instructions[index]
    if instruction.opname not in NEVER_FALL_THROUGH and index + 1 < len(instructions):
        yield index + 1
    if instruction.opcode in JUMPS:
        yield _index_at(instructions, instruction.argval)


def _handlers(code: CodeType, instructions: list[dis.Instruction]) -> list[list[int]]:
    """Return, for each instruction, the indexes of the handlers that run if it raises: one or none."""
    found: list[list[int]] = [[] for _ in instructions]
    for start, end, target in _exception_table(code.co_exceptiontable):
        for index in range(_index_at(instructions, start), _index_at(instructions, end)):
            found[index].append(_index_at(instructions, target))
    return found


def _index_at(instructions: list[dis.Instruction], offset: int) -> int:
    return bisect_left(instructions, offset, key=lambda each: each.offset)


def _exception_table(table: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the entries of `co_exceptiontable` as byte offsets: first, one past the last, handler.

    An entry is four numbers: start, length, target, depth. Each has six bits a byte, the highest first; 0x40 says that
    another byte follows, 0x80 that an entry begins. They count code units, of two bytes.
    """
    numbers: list[int] = []
    number = 0
    for byte in table:
        number = number << 6 | byte & 0x3F
        if not byte & 0x40:
            numbers.append(number)
            number = 0
    for start, length, target in zip(numbers[0::4], numbers[1::4], numbers[2::4], strict=True):
        yield start * 2, (start + length) * 2, target * 2
