"""Bodies that cannot run twice: a statement ran in the version before, and others refuse what it does a second time.

A class that a library knows by name, a route of an application that answers already: the line is not wrong, and to
mend it does not help. Two things show it, of any library:

1. What runs of the statement is the same as in the version before, whose body ended well, and so is all that it reads;
   the error comes from code of others that was not loaded since.
2. The error names a key by which a dictionary of others has an object that the version before made.
"""

from __future__ import annotations

import ast
import copy
import errno
import gc
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from inspect import CO_OPTIMIZED
from types import FrameType, FunctionType, ModuleType, TracebackType
from typing import Any

from midflight.code.report.load_report import RUNS_ONCE, Diagnostic
from midflight.code.source.look import carried_module, class_names, is_class
from midflight.code.source.parts import first_line
from midflight.code.version.facade import Namespace
from midflight.code.version.version import Version, version_of
from midflight.parsing import module_or_none

__all__ = ["as_running_once"]

DEPTH = 4  # questions: an argument, its attributes, a table of those, that table's items
MOST = 20_000  # objects that are looked at

# What the machine or the text is at fault for, and no earlier run.
OTHERWISE = (ImportError, NameError, SyntaxError, MemoryError, RecursionError)

WORD = re.compile(r"\w[\w.-]*\w|\w")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def as_running_once(
    problem: Diagnostic, error: Exception, tree: ast.Module, file: str, before: Version, old: Namespace
) -> Diagnostic:
    """Return `problem`, what the body of `tree` has raised, as one of a body that cannot run twice, if it is one.

    `before` is the version before and `old` its namespace; `file` is what the code of the new one names as its own.
    """
    frames = list(_frames(error.__traceback__))
    inside = [frame for frame, _ in frames if frame.f_code.co_filename == file]
    if isinstance(error, OTHERWISE) or (isinstance(error, OSError) and error.errno != errno.EADDRINUSE):
        return problem
    if not inside or any(frame.f_code.co_flags & CO_OPTIMIZED for frame in inside):
        return problem  # a function of its own has raised it
    line = next(number for frame, number in frames if frame is inside[0])
    statement = next((each for each in tree.body if first_line(each) <= line <= (each.end_lineno or line)), None)
    known = module_or_none(before.text) if before.text is not None else None
    if statement is None or known is None:
        return problem
    called = frames[next(index for index, (frame, _) in enumerate(frames) if frame is inside[0]) :]
    outside = [frame for frame, _ in called if frame.f_code.co_filename != file]
    what, number = _named(statement), before.number
    if key := _met(str(error), outside, set(_made_by(before.name, old))):
        why = f"{what} meets {key!r}, which version {number} has made there"
    elif _runs_the_same(statement, tree, known) and not any(map(_is_newer(before), outside)):
        why = f"{what} runs as it did in version {number}, and meets what that has left with others"
    else:
        return problem
    return replace(problem, message=f"the body cannot run twice: {why}: {problem.message}", code=RUNS_ONCE)


def _frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


def _named(statement: ast.stmt) -> str:
    match statement:
        case ast.ClassDef(name=name):
            return f"class {name}"
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return f"function {name}"
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
    return f"line {statement.lineno}"


# --- A statement that ran before -------------------------------------------------------------------------------------


def _runs_the_same(statement: ast.stmt, new: ast.Module, old: ast.Module) -> bool:
    """Say whether what runs of a statement is in both texts, and so is what binds the names that it reads."""
    if ast.dump(_run_of(statement)) not in {ast.dump(_run_of(each)) for each in old.body}:
        return False
    binding_new, binding_old = _by_name(new), _by_name(old)
    waiting = list(_reads(_run_of(statement)))
    for name in waiting:  # grows as it goes
        if [ast.dump(each) for each in binding_new.get(name, ())] != [
            ast.dump(each) for each in binding_old.get(name, ())
        ]:
            return False
        for each in binding_new.get(name, ()):
            waiting += _reads(each) - set(waiting)
    return True


def _run_of(statement: ast.stmt) -> ast.stmt:
    """Return the part of a statement that a body runs: of a function all but its own body."""
    if not isinstance(statement, FUNCTIONS):
        return statement
    part = copy.copy(statement)
    part.body = []
    return part


def _reads(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}


def _by_name(tree: ast.Module) -> dict[str, list[ast.stmt]]:
    found: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        names = {each.id for each in ast.walk(statement) if isinstance(each, ast.Name) and not _is_read(each)}
        if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
            names = {statement.name}
        for alias in statement.names if isinstance(statement, (ast.Import, ast.ImportFrom)) else ():
            names.add(alias.asname or alias.name.partition(".")[0])
        for name in names:
            found.setdefault(name, []).append(statement)
    return found


def _is_read(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Load)


class _is_newer:  # a predicate
    """Says of a frame whether its module was loaded after version `before`: it may be at fault itself."""

    def __init__(self, before: Version) -> None:
        self._loaded_at = before.loaded_at

    def __call__(self, frame: FrameType) -> bool:
        version = version_of(frame.f_globals)
        return version is not None and version.loaded_at > self._loaded_at


# --- A key that others have ------------------------------------------------------------------------------------------


def _made_by(name: str, old: Namespace) -> Iterator[int]:
    """Yield the ids of what a version has made: its functions, classes, objects, and what its classes were given."""
    for value in list(old.values()):
        if is_class(value) and carried_module(value) == name:
            yield id(value)
            yield from (id(each) for each in class_names(value).values() if type(each).__module__ != "builtins")
        elif type(value) is FunctionType:
            if value.__globals__ is old:
                yield id(value)
        elif not issubclass(type(value), ModuleType) and not is_class(value) and type(value).__module__ != "builtins":
            yield id(value)


def _met(message: str, frames: Iterable[FrameType], made: set[int]) -> str | None:
    """Return the word of a message that is a key of something made, in a dictionary that these frames lead to."""
    words = list(dict.fromkeys(WORD.findall(message)))
    level: list[Any] = [value for frame in frames for value in _seen_from(frame)]
    seen = {id(value) for value in level}
    for _ in range(DEPTH):
        for value in level:
            if issubclass(type(value), dict):
                for word in words:
                    if id(dict.get(value, word)) in made:
                        return str(word)
        following = [each for value in level if not _is_shared(value) for each in gc.get_referents(value)]
        level = []
        for each in following:
            if id(each) not in seen and len(seen) < MOST:
                seen.add(id(each))
                level.append(each)
    return None


def _seen_from(frame: FrameType) -> Iterator[Any]:
    """Yield the values that the code of a frame has names for: its own and those of its module."""
    yield from frame.f_locals.values()
    yield from (frame.f_globals[name] for name in frame.f_code.co_names if name in frame.f_globals)


def _is_shared(value: object) -> bool:
    """Say whether a value leads to everything there is."""
    return issubclass(type(value), (ModuleType, FunctionType, FrameType, TracebackType, BaseException))
