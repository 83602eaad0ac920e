"""A project folder for each test, whose modules are forgotten after it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.stage import Stage
from helpers.versions import Project, modules_of
from midflight.code import hooks, modules
from midflight.testing import TestRuntime


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Give an empty project folder. What was loaded from it is gone after the test, as in a new interpreter."""
    found = Project(tmp_path)
    path, known, values = list(sys.path), dict(modules._modules), dict(hooks._values)
    yield found
    for name in modules_of(found, dict(sys.modules)):
        del sys.modules[name]
    sys.path[:] = path
    modules._modules.clear()
    modules._modules.update(known)
    hooks._values.clear()
    hooks._values.update(values)


@pytest.fixture
def stage(project: Project, runtime: TestRuntime) -> Iterator[Stage]:
    """Give a stage, with the module `thing` to load and processes to start in it; they end with the test."""
    found = Stage(project, runtime)
    yield found
    found.end()
