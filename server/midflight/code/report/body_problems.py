"""The error that the body of a version raised, as diagnostics at the lines of its text."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

from midflight.code.report.load_report import Diagnostic

__all__ = ["body_problems"]

Span = tuple[int, int, int, int]  # as in a Diagnostic


def body_problems(error: BaseException, path: str, text: str, file: str) -> Iterator[Diagnostic]:
    """Yield what `error` means for the module of `path`, whose code says that it comes from `file`.

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
