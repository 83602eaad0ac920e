"""Comments by which a text tells checkers to be silent about a line: `# noqa: F821`, `# type: ignore[name-defined]`."""

from __future__ import annotations

import re
from functools import cached_property

__all__ = ["SilencingComments"]

NOQA = re.compile(r"#\s*noqa(?:\s*:\s*(?P<codes>[A-Z]+[0-9]+(?:[\s,]+[A-Z]+[0-9]+)*))?(?![\w:])", re.IGNORECASE)
WHOLE_FILE = re.compile(
    r"^\s*#\s*(?:flake8|ruff)\s*:\s*noqa(?:\s*:\s*(?P<codes>[A-Z0-9,\s]+))?\s*$", re.IGNORECASE | re.MULTILINE
)
TYPES = re.compile(r"#\s*(?:type|pyright)\s*:\s*ignore(?:\[(?P<codes>[^\]]*)\])?")

# The words of pyright for those of mypy.
PYRIGHT = {"name-defined": "reportUndefinedVariable", "attr-defined": "reportAttributeAccessIssue"}


class SilencingComments:
    """The comments of a text that are about one kind of fault: `code` is its name for linters, `kind` that for mypy.

    A comment without codes is about all kinds.
    """

    def __init__(self, text: str, code: str, kind: str) -> None:
        self._text = text
        self._wanted = {code.upper(), kind.upper(), PYRIGHT[kind].upper()}

    def are_silent(self, line: int) -> bool:
        """Say whether such a comment stands on that line, or is for the whole file."""
        text = self._lines[line - 1]
        return self._is_silent_file or any(
            self._is_meant(found) for each in (NOQA, TYPES) for found in each.finditer(text)
        )

    @cached_property
    def _lines(self) -> list[str]:
        return self._text.split("\n")

    @cached_property
    def _is_silent_file(self) -> bool:
        return any(map(self._is_meant, WHOLE_FILE.finditer(self._text)))

    def _is_meant(self, found: re.Match[str]) -> bool:
        codes = found["codes"]
        return codes is None or not self._wanted.isdisjoint(re.split(r"[\s,]+", codes.strip().upper()))
