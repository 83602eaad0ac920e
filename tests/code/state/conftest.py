"""The fixtures of tests/code, and a module `thing` that is loaded again and again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest

from helpers.versions import Project, project_in
from midflight import code


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Give an empty project folder. What was loaded from it is gone after the test, as in a new interpreter."""
    with project_in(tmp_path) as found:
        yield found


class Thing:
    """The module `thing` of a project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._text = ""

    def load(self, text: str, **options: Any) -> code.LoadReport:
        """Load a text as its next version."""
        self._text = dedent(text)
        return self._project.load_text("thing", self._text, **options)

    def edit(self, old: str, new: str, **options: Any) -> code.LoadReport:
        """Load its text with a part of it replaced; the part must be there."""
        assert old in self._text
        return self.load(self._text.replace(old, new), **options)

    def again(self, **options: Any) -> code.LoadReport:
        """Load its text as it is, with a comment more."""
        return self.load(self._text + "# more\n", **options)

    @property
    def module(self) -> ModuleType:
        """The module."""
        return sys.modules["thing"]


@pytest.fixture
def thing(project: Project) -> Thing:
    """Give the module `thing`, which is not loaded yet."""
    return Thing(project)


def told(report: code.LoadReport, name: str) -> list[tuple[str, str]]:
    """Return outcome and words for a name of state."""
    return [(each.outcome, each.why) for each in report.state if each.name == name]


def kept(report: code.LoadReport) -> list[str]:
    """Return the names that were kept, as the one line shows them."""
    return [each.sized() for each in report.state if each.outcome == "kept"]
