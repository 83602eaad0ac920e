"""`forward_held`: functions of older versions that others hold become the current ones, where that is safe.

The held object gets the code, the names and the defaults of the current function: who has it calls the new code, and
nothing else is changed.

Laws:
1. Versions do not mix in one call. A function that old code still reads by its name (a frame that runs, a held function
   that is not forwarded, a closure) stays old, and so does all that such a function reads.
2. Only a function of the same kind takes the place of one: plain, `async def`, generator.
3. A closure gets the new code with its own cells, if the free variables are the same; a function that a name of the
   module means gets what is in the cells of the current one.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType
from typing import NamedTuple

from midflight.code.held.references import OldVersion, Reads, nested_codes
from midflight.code.report.held import NotForwarded
from midflight.code.version.facade import Namespace
from midflight.code.version.in_place import FORWARDED, Renewal

__all__ = ["Verdicts", "forward_closure", "verdicts"]

KINDS = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
KIND_NAMES = {
    0: "def",
    inspect.CO_COROUTINE: "async def",
    inspect.CO_GENERATOR: "a generator",
    inspect.CO_ASYNC_GENERATOR: "an async generator",
}


class Verdicts(NamedTuple):
    """The functions of one old version that may be forwarded, each with the current one, and the others.

    `closures` are the codes of closures that may be, each with the current code.
    """

    functions: list[tuple[FunctionType, FunctionType | CodeType]]
    closures: list[tuple[CodeType, CodeType]]
    others: list[NotForwarded]

    def apply(self, namespace: Namespace) -> None:
        """Forward the functions to the current namespace. The closures are forwarded when they are found."""
        for old, new in self.functions:
            if isinstance(new, CodeType):
                forward_closure(old, new, namespace)
            else:
                _forward_function(old, new, namespace)


def verdicts(old: OldVersion, new: Namespace, running: Iterable[CodeType]) -> Verdicts:
    """Say what becomes of each function of `old` that others hold. `running` is the code of the frames that live."""
    namespace, number = old.objects.namespace, old.version.number
    why: dict[int, str] = {}  # by the identity of a function or a code: the reason why not
    functions: dict[int, tuple[FunctionType, FunctionType | CodeType]] = {}
    closures: dict[int, tuple[CodeType, CodeType]] = {}
    for function, _ in old.functions:
        found = _current_function(function, namespace, new)
        if isinstance(found, str):
            why[id(function)] = found
        else:
            functions[id(function)] = function, found
    for code, _ in old.closures:
        other = _current_code(code, new)
        if isinstance(other, str):
            why[id(code)] = other
        else:
            closures[id(code)] = code, other
    reads = Reads(old)
    stay = [(code, f"{code.co_qualname} runs") for code in running if reads.is_of_version(code)]
    stay += [(each.__code__, f"{each.__qualname__} is a method of an old class") for each in old.objects.old_methods()]
    stay += [(each.__code__, f"{each.__qualname__} stays old") for each, _ in old.functions if id(each) in why]
    stay += [(each, f"{each.co_qualname} is a closure that somebody holds") for each, _ in old.closures]
    for code, who in stay:  # grows as it goes
        for read in reads.of(code):
            if functions.pop(id(read), None) is not None:
                why[id(read)] = f"{who} and reads it: versions would mix"
            if not reads.seen(read):
                stay.append((read.__code__, f"{read.__qualname__} stays old"))
    others = [
        NotForwarded(_name(each), number, why[id(each)])
        for each, _ in (*old.functions, *old.closures)
        if id(each) in why
    ]
    return Verdicts(list(functions.values()), list(closures.values()), others)


def _name(value: FunctionType | CodeType) -> str:
    return value.co_qualname if isinstance(value, CodeType) else value.__qualname__


def forward_closure(closure: FunctionType, code: CodeType, namespace: Namespace) -> None:
    """Give a closure the current code and namespace; its cells stay."""
    Renewal(closure, code, namespace).apply()
    _note(closure, "", namespace)


def _forward_function(old: FunctionType, new: FunctionType, namespace: Namespace) -> None:
    for mine, current in zip(old.__closure__ or (), new.__closure__ or (), strict=True):
        mine.cell_contents = current.cell_contents
    Renewal(old, new.__code__, new.__globals__, like=new).apply()
    name = next(each for each, value in list(namespace.items()) if value is new)
    _note(old, name, namespace)


def _note(function: FunctionType, name: str, namespace: Namespace) -> None:
    """Remember that a function has come to a version: no name there leads to it, and the next load must find it."""
    namespace.setdefault(FORWARDED, weakref.WeakKeyDictionary())[function] = name


def _current_function(function: FunctionType, old: Namespace, new: Namespace) -> FunctionType | CodeType | str:
    """Return the function that may take the place of a held one, or the reason why none may."""
    name = function.__qualname__
    if "<locals>" not in name and "." in name:
        return f"it is a method of {name.rpartition('.')[0]}, which was superseded: migrate its objects"
    name = next((each for each, value in list(old.items()) if value is function), "")
    name = name or old.get(FORWARDED, {}).get(function, "")
    if not name:
        return _current_code(function.__code__, new) if "<locals>" in function.__qualname__ else "no name means it"
    found = new.get(name)
    if found is None:
        return f"the current version has no {name}"
    if type(found) is not FunctionType:
        return f"{name} is {type(found).__name__} now, not a function"
    if found is function:
        return "it is the current one"
    if (why := _difference(function.__code__, found.__code__)) is not None:
        return why
    if (why := _narrower(function, found)) is not None:
        return why
    return found


def _current_code(code: CodeType, new: Namespace) -> CodeType | str:
    functions = [value for value in new.values() if type(value) is FunctionType and value.__globals__ is new]
    nested = (each for function in functions for each in nested_codes(function.__code__))
    found = [each for each in nested if each.co_qualname == code.co_qualname]
    if len(found) != 1:
        return "the current version has no such function" if not found else "more than one has its name"
    return _difference(code, found[0]) or found[0]


def _difference(old: CodeType, new: CodeType) -> str | None:
    kinds = old.co_flags & KINDS, new.co_flags & KINDS
    if kinds[0] != kinds[1]:
        return f"it is {KIND_NAMES[kinds[0]]}, and {KIND_NAMES[kinds[1]]} now"
    if old.co_freevars != new.co_freevars:
        return f"its captures changed: ({', '.join(old.co_freevars)}), now ({', '.join(new.co_freevars)})"
    return None


def _narrower(old: FunctionType, new: FunctionType) -> str | None:
    """Say why a call that the old function takes would fail with the new one: by its parameters."""
    before, now = inspect.signature(old), inspect.signature(new)
    for arguments, named in _calls(before):
        try:
            now.bind(*arguments, **named)
        except TypeError:
            return f"its parameters are {before}, and now {now}"
    return None


def _calls(signature: inspect.Signature) -> Iterator[tuple[list[None], dict[str, None]]]:
    """Yield calls that a signature takes: with all arguments, with the fewest, by position and by name."""
    parameters = list(signature.parameters.values())
    for all_of_them in (True, False):
        chosen = [each for each in parameters if all_of_them or each.default is each.empty]
        only = [each for each in chosen if each.kind is each.POSITIONAL_ONLY]
        either = [each for each in chosen if each.kind is each.POSITIONAL_OR_KEYWORD]
        named = {each.name: None for each in chosen if each.kind is each.KEYWORD_ONLY}
        more = [None for each in parameters if each.kind is each.VAR_POSITIONAL and all_of_them]
        if all_of_them and any(each.kind is each.VAR_KEYWORD for each in parameters):
            named["any other name"] = None
        yield [None] * len([*only, *either]) + more, named
        yield [None] * len(only), named | {each.name: None for each in either}
