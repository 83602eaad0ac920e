"""One input of the shell: from its text to code that can run, or the reason why it cannot. Pure; nothing runs here.

Laws: an input without a statement, an incomplete one and a wrong one are values, never exceptions; the code of an
input hands the value to be shown to a function that its namespace knows as SHOW.
"""

from __future__ import annotations
import __future__

import ast
import codeop
import textwrap
from dataclasses import dataclass
from traceback import format_exception_only
from types import CodeType

from midflight.parsing import UNPARSABLE, expression_or_none, parse_module

__all__ = ["SHOW", "Code", "Incomplete", "Malformed", "Nothing", "Reader", "repeated_job"]

SHOW = "__show__"  # the function of the namespace that takes the value to be shown, and returns it

_RUNNING = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_READING = (
    _RUNNING
    | codeop.PyCF_ALLOW_INCOMPLETE_INPUT  # type: ignore[attr-defined]  # typeshed lacks it
    | codeop.PyCF_DONT_IMPLY_DEDENT  # type: ignore[attr-defined]  # typeshed lacks it
)
_FUTURE = 0
for _name in __future__.all_feature_names:
    _FUTURE |= getattr(__future__, _name).compiler_flag
_COMPOUND = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.If,
    ast.With,
    ast.AsyncWith,
    ast.Match,
    ast.Try,
    ast.TryStar,
)


@dataclass(frozen=True, slots=True)
class Code:
    """An input that can run. `code` was compiled from `text`."""

    text: str
    code: CodeType


@dataclass(frozen=True, slots=True)
class Nothing:
    """An input of white space and comments only."""


@dataclass(frozen=True, slots=True)
class Incomplete:
    """The beginning of an input: more lines must follow."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """An input that is not Python. `error` is its syntax error as a person reads it, ending in a newline."""

    error: str


class Reader:
    """Reads the inputs of one shell; remembers what they import from `__future__`, as a module would."""

    def __init__(self) -> None:
        self._future_flags = 0

    def read(self, text: str, filename: str) -> Code | Nothing | Incomplete | Malformed:
        """Compile `text`, whose frames will name `filename`.

        A compound statement over several lines is complete when `text` ends in a newline, as in Python's own
        shell: an editor that sends a whole region adds one. A text that is indented as a whole is
        shifted left, so that lines from inside a function can be sent as they stand.
        """
        text = _shifted_left(text)
        try:
            tree = self._parse(text, filename)
            if tree is None:
                return Incomplete()
            if not tree.body:
                return Nothing()
            if _may_go_on(tree.body[-1]) and not text.endswith("\n"):
                return Incomplete()
            _show_value(tree)
            code: CodeType = compile(tree, filename, "exec", _RUNNING | self._future_flags, dont_inherit=True)
        except UNPARSABLE as error:
            if isinstance(error, SyntaxError):
                _give_line(error, text)
            return Malformed("".join(format_exception_only(error)))
        self._future_flags |= code.co_flags & _FUTURE
        return Code(text, code)

    def _parse(self, text: str, filename: str) -> ast.Module | None:
        """Return the tree of `text`; None if it is only the beginning of one."""
        flags = _READING | self._future_flags
        try:
            tree = parse_module(text, filename, flags)
        except SyntaxError as error:
            if _is_incomplete(error):
                return None
            # `x = 1 + \` is the beginning of a statement only once its line has ended.
            try:
                tree = parse_module(text + "\n", filename, flags)
            except SyntaxError as second:
                if _is_incomplete(second):
                    return None
                raise error from None
        return tree


def repeated_job(text: str) -> int | None:
    """Return N if `text` is `e(N)` and nothing else: that input stands for the text of job N."""
    match expression_or_none(text.strip()):
        case ast.Call(func=ast.Name(id="e"), args=[argument], keywords=[]):
            try:
                number = ast.literal_eval(argument)
            except ValueError:
                return None
            return number if type(number) is int else None
    return None


def _shifted_left(text: str) -> str:
    """Remove the indentation common to all lines, if the first that holds anything is indented."""
    for line in text.splitlines():
        if line.strip():
            return textwrap.dedent(text) if line[0] in " \t" else text
    return text


def _is_incomplete(error: SyntaxError) -> bool:
    return "incomplete input" in str(error)


def _may_go_on(statement: ast.stmt) -> bool:
    """Say whether a further line could belong to `statement`."""
    return isinstance(statement, _COMPOUND) and statement.end_lineno != statement.lineno


def _show_value(tree: ast.Module) -> None:
    """Make the last expression, or the only assignment to names, hand its value to SHOW."""
    last = tree.body[-1]
    match last:
        case ast.Expr(value=value) if not isinstance(value, ast.Starred):
            last.value = _shown(last.value)
        case ast.Assign(targets=targets) if len(tree.body) == 1 and all(map(_is_name, targets)):
            last.value = _shown(last.value)
        case ast.AnnAssign(target=target, value=ast.expr() as value) if len(tree.body) == 1 and _is_name(target):
            last.value = _shown(value)


def _is_name(target: ast.expr) -> bool:
    match target:
        case ast.Name():
            return True
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return all(map(_is_name, elements))
        case ast.Starred(value=value):
            return _is_name(value)
    return False


def _shown(value: ast.expr) -> ast.Call:
    function = ast.copy_location(ast.Name(SHOW, ast.Load()), value)
    return ast.copy_location(ast.Call(function, [value], []), value)


def _give_line(error: SyntaxError, text: str) -> None:
    """Put the line into an error of the compiler's later passes, which look for it in a file."""
    lines = text.splitlines()
    if error.text is None and error.lineno is not None and 0 < error.lineno <= len(lines):
        error.text = lines[error.lineno - 1]
