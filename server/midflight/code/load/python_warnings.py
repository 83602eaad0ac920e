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
from types import FrameType
from typing import Any, NamedTuple

from midflight.code.report.load_report import Diagnostic
from midflight.code.version.facade import Namespace

__all__ = ["warnings_of"]

PYTHON = "python-warning"

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


@contextmanager
def _escapes_shown(file: str) -> Iterator[None]:
    """Let the compiler's DeprecationWarning of `file` through: before 3.12, that of an unknown escape is one."""
    if sys.version_info >= (3, 12) or any(
        action == "error" and issubclass(DeprecationWarning, category) for action, _, category, *_ in warnings.filters
    ):
        yield
        return
    module = re.escape(file.removesuffix(".py")) + r"\Z"  # so the compiler calls the module of a file
    with _lock:
        warnings.filterwarnings("default", category=DeprecationWarning, module=module)
        added = warnings.filters[0]
    try:
        yield
    finally:
        with _lock:
            if added in warnings.filters:
                warnings.filters.remove(added)  # type: ignore[attr-defined]  # a list, which typeshed does not say


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
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_globals is collector.namespace and frame.f_code.co_name == "<module>":
            return frame.f_lineno
        frame = frame.f_back
    return None
