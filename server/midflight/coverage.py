"""A plugin for coverage.py: lines that a loaded version runs count for the file that people edit.

    [tool.coverage.run]
    plugins = ["midflight.coverage"]

Each version runs under a file name of its own, in a temporary folder, which coverage takes for another program's. A
line counts where the file has the same line still; one that was changed since, or taken out, counts nowhere.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from types import FrameType
from typing import Any

from coverage import CoveragePlugin, FileTracer
from coverage.exceptions import ConfigError
from coverage.types import TConfigurable

from midflight.code.lowlevel import real_path

__all__ = ["coverage_init"]


class _Version(FileTracer):
    """One version's file."""

    def __init__(self, path: str, lines: dict[int, int]) -> None:
        self._path = path
        self._lines = lines

    def source_filename(self) -> str:
        """Return the file that people edit."""
        return self._path

    def line_number_range(self, frame: FrameType) -> tuple[int, int]:
        """Return the line that runs, in that file; (-1, -1) if it is not there."""
        line = self._lines.get(frame.f_lineno, -1)
        return line, line


class _Versions(CoveragePlugin):
    def configure(self, config: TConfigurable) -> None:
        """Choose the tracer that asks plugins, unless somebody has chosen: since 3.14 another is the default."""
        try:
            if config.get_option("run:core") is None:
                config.set_option("run:core", "ctrace")
        except ConfigError:  # of a coverage.py that has no such option, and no other default
            pass

    def file_tracer(self, filename: str) -> _Version | None:
        """Return the tracer of the lines of a version's file; None for any other."""
        path, version = real_path(filename)
        return None if version is None else _Version(path, _same_lines(_lines_of(filename), _lines_of(path)))

    def file_reporter(self, filename: str) -> str:  # noqa: ARG002  # coverage passes it
        """Say that the file is to be reported as any Python file."""
        return "python"


def _lines_of(path: str) -> list[str]:
    try:
        with open(path, "rb") as stream:
            return stream.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []


def _same_lines(old: list[str], new: list[str]) -> dict[int, int]:
    """Return where the lines of `old` are in `new`, both counted from 1."""
    found = {}
    for a, b, size in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        found.update({a + index + 1: b + index + 1 for index in range(size)})
    return found


def coverage_init(registry: Any, options: object) -> None:  # noqa: ARG001  # coverage passes it
    """Take part in a measurement. Coverage calls this."""
    plugin = _Versions()
    registry.add_configurer(plugin)
    registry.add_file_tracer(plugin)
