"""A project folder for each test, whose modules are forgotten after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.versions import Project, project_in


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Give an empty project folder."""
    with project_in(tmp_path) as found:
        yield found
