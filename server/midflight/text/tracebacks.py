"""Exceptions as text, bounded, and safe from their classes.

Python's own formatting is used wherever it is safe. It is not for an exception that redefines what formatting reads
(`__cause__`, `exceptions`...), for a long chain of contexts, for groups in groups in groups: it raises there, or
writes megabytes. Such an exception is written here, in a shorter form, newest first.

Laws:
1. Nothing raises but what came from outside (`is_from_outside`).
2. At most CHARACTERS come out: of a longer text both ends stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from traceback import TracebackException
from types import TracebackType
from typing import Any

from midflight.outside import is_from_outside
from midflight.text.shorten import encodable, medium, type_name

__all__ = ["exception_line", "exception_said", "exception_text", "exceptions_in", "trace_of"]

CHARACTERS = 100_000
HEAD_CHARACTERS = 20_000  # of a text that is longer: how it began
EXCEPTIONS = 200  # that Python is trusted with, in one chain or tree
DEPTH = 20  # of groups in groups
CHAIN = 20  # in a chain or a group that is written here: more are left out
STEPS = 100  # of one traceback, where it is written here

trace_of: Callable[[BaseException], TracebackType | None] = BaseException.__dict__["__traceback__"].__get__
_cause_of: Callable[[BaseException], BaseException | None] = BaseException.__dict__["__cause__"].__get__
_context_of: Callable[[BaseException], BaseException | None] = BaseException.__dict__["__context__"].__get__
_is_suppressed: Callable[[BaseException], bool] = BaseException.__dict__["__suppress_context__"].__get__
_members_of: Callable[[BaseException], tuple[BaseException, ...]] = BaseExceptionGroup.__dict__["exceptions"].__get__
_dict_of: Callable[[type], Any] = type.__dict__["__dict__"].__get__
_mro_of: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__

_READ = frozenset(
    "__cause__ __context__ __suppress_context__ __traceback__ __notes__ __getattribute__ __class__ exceptions".split()
)
_OWN = (BaseException, BaseExceptionGroup, object)  # that define these themselves


def exception_text(error: BaseException, edit: Callable[[TracebackException], object] | None = None) -> str:
    """Return `error` as Python prints it, with its traceback, its causes and its groups.

    `edit` may change what Python is going to print.
    """
    try:
        if _is_trusted(error):
            report = TracebackException(type(error), error, trace_of(error), compact=True)
            if edit is not None:
                edit(report)
            return _bounded("".join(report.format()))
    except BaseException as worse:
        if is_from_outside(worse):
            raise
    return _bounded("".join(_written(error)))


def exception_said(error: BaseException) -> str:
    """Return the name of the type of `error` and its message, for a sentence."""
    try:
        said = encodable(str(error))
    except BaseException as worse:
        if is_from_outside(worse):
            raise
        said = f"<its __str__ raised {type_name(worse)}>"
    return f"{type_name(error)}: {said}" if said else type_name(error)


def exception_line(error: BaseException) -> str:
    """Return the last line of the traceback of `error`: its type and its message."""
    module = _dict_of(type(error)).get("__module__")
    is_shown = type(module) is str and module not in ("builtins", "__main__")
    return f"{module}.{exception_said(error)}" if is_shown else exception_said(error)


def _causes(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    """Yield the causes of `error`, newest first, each with "cause" or "context"; a chain that is a ring ends."""
    seen = {id(error)}
    while True:
        cause = _cause_of(error)
        how = "context" if cause is None else "cause"
        before = _context_of(error) if cause is None and not _is_suppressed(error) else cause
        if before is None or id(before) in seen:
            return
        seen.add(id(before))
        yield how, before
        error = before


def exceptions_in(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and, if it is a group, all that is in it, depth first; each once, and by no recursion."""
    seen: set[int] = set()
    left = [error]
    while left:
        each = left.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if issubclass(type(each), BaseExceptionGroup):
            left.extend(reversed(_members_of(each)))


def _place_text(trace: TracebackType | None) -> str:
    """Return the steps of a traceback without their source lines, oldest first; of very many the newest."""
    steps = []
    while trace is not None:
        steps.append((trace.tb_frame.f_code, trace.tb_lineno))
        trace = trace.tb_next
    left_out = len(steps) - STEPS
    lines = [f"  [{left_out} steps left out]\n"] if left_out > 0 else []
    lines += [
        f'  File "{code.co_filename}", line {line}, in {code.co_qualname}\n' for code, line in steps[max(0, left_out) :]
    ]
    return encodable("".join(lines))


def _is_trusted(error: BaseException) -> bool:
    """Say whether Python can format `error`: no class of its own ideas, not too many exceptions, not too deep."""
    visits = 0
    chained = {id(error)}  # Python prints each of these once, but what is in two groups twice
    left = [(error, 0)]
    while left:
        each, depth = left.pop()
        visits += 1
        if visits > EXCEPTIONS or depth > DEPTH or not _is_plain(each):
            return False
        for before in (_cause_of(each), _context_of(each)):
            if before is not None and id(before) not in chained:
                chained.add(id(before))
                left.append((before, depth))
        if issubclass(type(each), BaseExceptionGroup):
            left.extend((member, depth + 1) for member in _members_of(each))
    return True


def _is_plain(error: BaseException) -> bool:
    """Say whether formatting reads only attributes of `error` that Python's own classes have set."""
    bases = [base for base in _mro_of(type(error)) if not any(base is each for each in _OWN)]
    return all(_READ.isdisjoint(_dict_of(base)) for base in bases)


def _written(error: BaseException) -> Iterator[str]:
    """Yield the text of an exception that Python's formatting cannot be trusted with."""
    yield from _one(error)
    left_out = 0
    for number, (how, before) in enumerate(_causes(error)):
        if number >= CHAIN:
            left_out += 1
            continue
        yield f"It was raised {'from' if how == 'cause' else 'while this was handled:'}\n"
        yield from _one(before)
    if left_out:
        yield f"[{left_out} older exceptions left out]\n"


def _one(error: BaseException) -> Iterator[str]:
    yield "Traceback (most recent call last):\n"
    yield _place_text(trace_of(error))
    yield exception_line(error) + "\n"
    if issubclass(type(error), BaseExceptionGroup):
        inner = list(islice(exceptions_in(error), 1, CHAIN + 1))
        for each in inner:
            yield f"  in it: {exception_line(each)}\n"
        if len(inner) == CHAIN:
            yield "  [more may be in it]\n"
    try:
        notes = error.__dict__.get("__notes__")
    except BaseException as worse:
        if is_from_outside(worse):
            raise
        return
    if type(notes) is list:
        for note in notes[:CHAIN]:
            yield f"{encodable(note) if type(note) is str else medium(note)}\n"


def _bounded(text: str) -> str:
    text = encodable(text)
    left_out = len(text) - CHARACTERS
    if left_out <= 0:
        return text
    tail = CHARACTERS - HEAD_CHARACTERS
    return f"{text[:HEAD_CHARACTERS]}\n[{left_out} characters left out]\n{text[-tail:]}"
