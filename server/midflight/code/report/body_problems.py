"""The error that the body of a version raised, as diagnostics at the lines of its text, and of all that it called."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from types import TracebackType

from midflight.code.report.load_report import TRACE, Diagnostic

__all__ = ["body_problems", "with_traceback"]

_STEPS = 30  # of a traceback, the innermost: one of endless recursion has thousands

Span = tuple[int, int, int, int]  # as in a Diagnostic


def body_problems(error: BaseException, path: str, text: str, file: str) -> Iterator[Diagnostic]:
    """Yield `error` as diagnostics in the file `path`. The code of the module says that it comes from `file`.

    The place is the last one in the module's own text. If the body imported a file that does not compile, a second
    diagnostic points into that.
    """
    kind = "import" if isinstance(error, ImportError) else "body"
    said = str(error)
    message = f"{type(error).__name__}: {said}" if said else type(error).__name__
    if isinstance(error, SystemExit):
        message = f"its body ends the program (SystemExit: {error.code!r}); do that in a function"
    yield Diagnostic(path, *_place(error.__traceback__, file, text), "error", message, kind)
    if isinstance(error, SyntaxError) and error.filename and error.filename != file and error.lineno:
        column = max((error.offset or 1) - 1, 0)
        yield Diagnostic(error.filename, error.lineno, column, error.lineno, column, "error", error.msg, "syntax")


def with_traceback(
    problems: Iterable[Diagnostic],
    error: BaseException,
    real_file: Callable[[str], str | None],
    is_own_file: Callable[[str], bool],
) -> list[Diagnostic]:
    """Return `problems`, those of `error`, with the steps of its traceback behind them, the innermost step first.

    The first of the result is where the user has to look: the innermost step in a file for which `is_own_file`
    holds, or the error in a file that does not compile. `real_file` gives the file that people edit for the file name
    of a code object, None for a step to leave out.
    """
    own, *others = problems
    syntax = next((each for each in others if is_own_file(each.path)), None)
    steps = list(_steps(error.__traceback__, real_file))[-_STEPS:][::-1]
    place = next(((path, line) for path, line, _ in steps if is_own_file(path)), (own.path, own.line))
    first = own
    if syntax is not None:
        first = syntax
    elif place != (own.path, own.line):
        first = replace(own, path=place[0], line=place[1], column=0, end_line=place[1], end_column=0)
    found = [first]
    if first is not own:
        raised = f"{own.message}, raised at {os.path.basename(first.path)}:{first.line}"
        found.append(replace(own, message=raised, code=TRACE))
    told = {(each.path, each.line) for each in found}
    for path, line, function in steps:
        if (path, line) not in told:
            told.add((path, line))
            found.append(Diagnostic(path, line, 0, line, 0, "note", f"on the way to the error, in {function}", TRACE))
    return found + [each for each in others if each is not syntax]


def _steps(trace: TracebackType | None, real_file: Callable[[str], str | None]) -> Iterator[tuple[str, int, str]]:
    """Yield file, line and function of each step, the outermost first."""
    while trace is not None:
        code = trace.tb_frame.f_code
        path = real_file(code.co_filename)
        if path is not None:
            yield path, trace.tb_lineno, code.co_qualname
        trace = trace.tb_next


def _place(trace: TracebackType | None, file: str, text: str) -> Span:
    """Return lines and columns of the innermost step in `file`."""
    last = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            last = trace
        trace = trace.tb_next
    if last is None:
        return 1, 0, 1, 0
    for index, position in enumerate(last.tb_frame.f_code.co_positions()):
        if index == last.tb_lasti // 2 and None not in position:
            line, end_line, column, end_column = (number or 0 for number in position)
            lines = text.split("\n")
            return (
                line,
                _characters(lines[line - 1], column),
                end_line,
                _characters(lines[end_line - 1], end_column),
            )
    return last.tb_lineno, 0, last.tb_lineno, 0


def _characters(line: str, column: int) -> int:
    """Return a column in characters: code objects count bytes of UTF-8."""
    return len(line.encode("utf-8", "surrogatepass")[:column].decode("utf-8", "ignore"))
