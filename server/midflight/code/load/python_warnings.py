"""The warnings that Python gives while a version is compiled and its body runs: `x is "a"`, `warnings.warn(...)`.

They go where they always went, to the terminal or the log; here they are noted for the report as well, each at the line
of the text. Filters count: a warning that is ignored is not noted.
"""

from __future__ import annotations

import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from midflight.code.report.load_report import Diagnostic
from midflight.code.source.parts import Memory, parts_of
from midflight.code.source.unit import Unit
from midflight.code.version.facade import Namespace
from midflight.collection import callers_of
from midflight.parsing import parse_module

__all__ = ["parse_again", "warnings_of"]

PYTHON = "python-warning"

# What the parser may warn of: a backslash before another character than those of an escape that every literal has, a
# large octal escape, a number that a keyword follows at once. Raw literals have such too, so it is asked.
SUSPICIOUS = re.compile(r"""\\(?:[^\\\n'"abfnrtvx0-7]|[4-7][0-7]{2})|\b\d[\w.]*(?:and|else|for|if|in|is|not|or)\b""")

_harmless: Memory[str, bool] = Memory(1024)  # parts of texts of which the parser does not warn

_lock = threading.Lock()
_collecting: list[_Collector] = []


class _Collector(NamedTuple):
    """The warnings of one version: `file` is that of its code, `thread` the one that compiles it."""

    path: str
    file: str
    namespace: Namespace
    thread: int
    found: list[Diagnostic]


@contextmanager
def warnings_of(path: str, file: str, namespace: Namespace, found: list[Diagnostic]) -> Iterator[None]:
    """Add to `found` what Python warns of while the block compiles code of `file`, or runs it in `namespace`.

    `path` is the file that people edit. The same warning of one line counts once.
    """
    collector = _Collector(path, file, namespace, threading.get_ident(), found)
    with _lock:
        _collecting.append(collector)
        # Each time: a test runner, or `logging.captureWarnings`, may have put its own in the place since.
        if not isinstance(warnings.showwarning, _Showing):
            warnings.showwarning = _Showing(warnings.showwarning)
    try:
        with _escapes_shown(file):
            yield
    finally:
        with _lock:
            _collecting.remove(collector)
            shown = warnings.showwarning
            if not _collecting and isinstance(shown, _Showing):
                warnings.showwarning = shown.before


def parse_again(unit: Unit, file: str, found: list[Diagnostic]) -> None:
    r"""Have the parser warn of a text like "\d" in a unit: in `warnings_of`, which notes it in `found`.

    It parses those parts alone that may have something to warn of, and the same part once only if it has nothing.
    """
    if SUSPICIOUS.search(unit.text) is None:
        return
    for part in parts_of(unit.tree, unit.text):
        if SUSPICIOUS.search(part.text) is None or _harmless.get(part.text, lambda: False):
            continue
        before = len(found)
        parse_module("\n" * (part.line - 1) + part.text, file)
        _harmless.put(part.text, len(found) == before)


@contextmanager
def _escapes_shown(file: str) -> Iterator[None]:
    """Let the compiler's DeprecationWarning of `file` through: before 3.12, that of an unknown escape is one."""
    are_shown = sys.version_info >= (3, 12)
    for action, _, category, *_ in warnings.filters:
        are_shown = are_shown or (action == "error" and issubclass(DeprecationWarning, category))
    if are_shown:
        yield
        return
    # As `warnings.filterwarnings` does it, but that no pattern is compiled, and that what was shown once is not again.
    filters: Any = warnings.filters  # a list, which typeshed does not say
    added = ("default", None, DeprecationWarning, _ModuleOf(file), 0)
    with _lock:
        filters.insert(0, added)
    try:
        yield
    finally:
        with _lock:
            if added in filters:
                filters.remove(added)


class _ModuleOf:
    """A pattern for the module of a file, as the compiler calls it, and for nothing else."""

    def __init__(self, file: str) -> None:
        self._module = file.removesuffix(".py")

    def match(self, module: str) -> bool:
        """Say whether it is that module."""
        return module == self._module


class _Showing:
    """The `warnings.showwarning` while loads run: it notes a warning that belongs to one, and shows it as before."""

    def __init__(self, before: Callable[..., Any]) -> None:
        self.before = before

    def __call__(
        self, message: Warning | str, category: type[Warning], filename: str, lineno: int, *rest: Any, **named: Any
    ) -> None:
        for collector in list(_collecting):
            line = _line_in(collector, filename, lineno)
            if line is not None:
                text = f"{category.__name__}: {message}"
                new = Diagnostic(collector.path, line, 0, line, 0, "warning", text, PYTHON)
                if new not in collector.found:
                    collector.found.append(new)
        self.before(message, category, filename, lineno, *rest, **named)


def _line_in(collector: _Collector, filename: str, lineno: int) -> int | None:
    """Return the line of the version's text that a warning is about; None if it is not about that text.

    One that a library gives at a line of its own belongs to the line of the body that called it.
    """
    if filename in (collector.file, collector.path):
        return lineno
    for frame in callers_of(sys._getframe(2)):
        if frame.f_globals is collector.namespace and frame.f_code.co_name == "<module>":
            return frame.f_lineno
    return None
