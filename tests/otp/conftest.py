"""A project folder for tests that load modules; they are forgotten after it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.versions import Project, modules_of
from midflight.code.version import modules


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Give an empty project folder. What was loaded from it is gone after the test, as in a new interpreter."""
    found = Project(tmp_path)
    path, known = list(sys.path), dict(modules._modules)
    yield found
    for name in modules_of(found, dict(sys.modules)):
        del sys.modules[name]
    sys.path[:] = path
    modules._modules.clear()
    modules._modules.update(known)
