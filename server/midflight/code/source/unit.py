"""From a path, a name or a text to a parsed `Unit`. A fault of it is a value, a `Rejection`, never an exception."""

from __future__ import annotations

import ast
import io
import os
import time
import tokenize
from dataclasses import dataclass, field
from types import CodeType

from midflight.code.report.load_report import Diagnostic
from midflight.code.source.find_module import NOTHING, ModulePlace, Modules, locate
from midflight.code.source.trees import tree_of
from midflight.parsing import UNPARSABLE

__all__ = ["Rejection", "Unit", "compile_unit", "decoded", "parse", "read_text", "syntax_problem", "unit_of"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A module's text, parsed: the source of a version. `encoding` is the one that the text names, else UTF-8.

    `seconds` is how long it took to read and parse it.
    """

    place: ModulePlace
    text: str
    tree: ast.Module
    encoding: str
    seconds: float = field(default=0.0, compare=False)

    @property
    def name(self) -> str:
        """The module's dotted name."""
        return self.place.name

    @property
    def path(self) -> str:
        """The module's file, absolute."""
        return self.place.path

    @property
    def is_package(self) -> bool:
        """Whether the module is a package."""
        return os.path.basename(self.path) == "__init__.py"


@dataclass(frozen=True, slots=True)
class Rejection:
    """The reason why a path, name or text is not a unit."""

    name: str
    path: str
    problem: Diagnostic


def unit_of(path_or_name: str | os.PathLike[str], text: str | None, loaded: Modules = NOTHING) -> Unit | Rejection:
    """Find the module, read its text unless `text` is given, and parse it. `loaded`: see `locate`."""
    place = locate(path_or_name, loaded, has_text=text is not None)
    if isinstance(place, Diagnostic):
        given = os.fspath(path_or_name)
        return Rejection(os.path.basename(given).removesuffix(".py"), place.path, place)
    return unit_at(place, text)


def unit_at(place: ModulePlace, text: str | None) -> Unit | Rejection:
    """Read and parse the module at `place`."""
    began = time.perf_counter()
    if text is None:
        found = read_text(place.path)
        if isinstance(found, Diagnostic):
            return Rejection(place.name, place.path, found)
        text = found
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    encoding = encoding_of(text, place.path)
    if isinstance(encoding, Diagnostic):
        return Rejection(place.name, place.path, encoding)
    tree = parse(text, place.path)
    if isinstance(tree, Diagnostic):
        return Rejection(place.name, place.path, tree)
    return Unit(place, text, tree, encoding, time.perf_counter() - began)


def read_text(path: str) -> str | Diagnostic:
    """Return the text of a source file, decoded as Python does."""
    try:
        with open(path, "rb") as stream:
            raw = stream.read()
    except OSError as error:
        if path.startswith("<"):
            why = f"{path[1:-1]} has no file, so its text must be given: load({path[1:-1]!r}, source=...)"
            return _problem(path, why, "no-file")
        return _problem(path, f"cannot read {path}: {error.strerror or error}", "read")
    return decoded(raw, path)


def decoded(raw: bytes, path: str) -> str | Diagnostic:
    """Return the text that the bytes of the source file `path` stand for, decoded as Python does."""
    try:
        return io.TextIOWrapper(io.BytesIO(raw), _declared_encoding(raw)).read()
    except (SyntaxError, UnicodeDecodeError) as error:
        return _problem(path, f"cannot decode {os.path.basename(path)}: {error}", "encoding")


def encoding_of(text: str, path: str) -> str | Diagnostic:
    """Return the encoding that the first two lines of `text` declare, UTF-8 if they declare none.

    A file of that encoding must be able to hold the text, else the version could not be kept.
    """
    head = "\n".join(text.split("\n", 2)[:2]).encode("utf-8", "replace")
    try:
        encoding = _declared_encoding(head)
        text.encode(encoding)
    except (SyntaxError, UnicodeError) as error:
        return _problem(path, f"the text does not fit its encoding: {error}", "encoding")
    return encoding


def _declared_encoding(text: bytes) -> str:
    """Return the encoding that `text` declares. Null bytes are the parser's to complain of, on every Python."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(text.replace(b"\0", b" ")).readline)
    return encoding


def parse(text: str, path: str) -> ast.Module | Diagnostic:
    """Return the syntax tree of `text`, which others share, or a diagnostic of its fault."""
    try:
        return tree_of(text, path)
    except UNPARSABLE as error:
        return syntax_problem(error, path)


def compile_unit(tree: ast.Module, unit: Unit, file: str) -> CodeType | Diagnostic:
    """Compile `unit`, with `tree` in place of its own if that is another one, as code that names `file` as its own."""
    # From the text unless that is not what is wanted: a tree goes back through Python, and may be too deep for that.
    source = unit.text if tree is unit.tree else tree
    try:
        return compile(source, file, "exec", dont_inherit=True)
    except UNPARSABLE as error:
        return syntax_problem(error, unit.path)


def syntax_problem(error: BaseException, path: str) -> Diagnostic:
    """Return the compiler's error as a diagnostic, with line and column where it gave them."""
    if not isinstance(error, SyntaxError):
        what = "too deeply nested to compile" if isinstance(error, (RecursionError, MemoryError)) else str(error)
        return _problem(path, what, "syntax")
    line, column = error.lineno or 1, max((error.offset or 1) - 1, 0)
    end_line = error.end_lineno or line
    end_column = (error.end_offset or 0) - 1
    if (end_line, end_column) < (line, column):
        end_line, end_column = line, column
    return Diagnostic(path, line, column, end_line, end_column, "error", error.msg, "syntax")


def _problem(path: str, message: str, code: str) -> Diagnostic:
    return Diagnostic(path, 1, 0, 1, 0, "error", message, code)
