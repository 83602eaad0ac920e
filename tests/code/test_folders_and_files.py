"""A folder as the modules that run of it, and modules whose file is gone."""

from __future__ import annotations

import importlib
import sys

import pytest

from midflight import code


@pytest.fixture
def package(project):
    """Write a package of which one module is imported, and one is not."""
    project.write("pkg/__init__.py", "from .core import f\n")
    project.write("pkg/core.py", "def f():\n    return 1\n")
    project.write("pkg/script.py", "raise SystemExit\n")
    sys.path.append(str(project.root))
    return project


def test_a_folder_is_those_of_its_modules_that_the_program_has(package):
    """What nobody imported is not run."""
    importlib.import_module("pkg")
    package.write("pkg/core.py", "def f():\n    return 2\n")

    reports = code.load_many([package.path("pkg")])

    assert [report.module for report in reports] == ["pkg", "pkg.core"]
    assert sys.modules["pkg"].f() == 2


def test_a_package_that_nobody_imported_is_imported(package):
    """By its `__init__`, which brings what it needs."""
    assert [report.module for report in code.load_many([package.path("pkg") + "/"])] == ["pkg"]
    assert sys.modules["pkg"].f() == 1


@pytest.mark.parametrize("load", [code.load, lambda path: code.load_many([path])])
def test_a_folder_of_which_nothing_runs_is_refused(project, load):
    """With what to give instead."""
    project.write("scripts/tool.py", "x = 1\n")

    with pytest.raises(code.LoadError, match="is a folder, and the program has imported no module of it"):
        load(project.path("scripts"))


def test_one_load_of_a_package_names_the_one_for_several(package):
    """`load` returns one report."""
    with pytest.raises(code.LoadError, match="is a package: load_many"):
        code.load(package.path("pkg"))


@pytest.mark.parametrize("has_loaded", [True, False])
def test_a_module_whose_file_is_gone_is_told(project, watched, has_loaded):
    """It goes on running, and is not among those whose file was modified."""
    path = project.write("desk.py", "x = 1\n")
    sys.path.append(str(project.root))
    importlib.import_module("desk")
    if has_loaded:
        code.load(path)
    (project.root / "desk.py").unlink()

    (found,) = [each for each in code.missing_modules() if each.module == "desk"]

    assert found == code.MissingModule("desk", path, None)
    assert "code.delete('desk') lets go of it" in str(found)
    assert "desk" not in code.modified_modules()


@pytest.mark.parametrize("has_loaded", [True, False])
def test_a_renamed_file_is_told_by_its_new_name(project, watched, has_loaded):
    """The file in the same folder that has the text."""
    path = project.write("desk.py", "x = 1\n")
    project.write("other.py", "y = 1\n")
    sys.path.append(str(project.root))
    importlib.import_module("desk")
    if has_loaded:
        code.load(path)
    (project.root / "desk.py").rename(project.root / "till.py")

    (found,) = [each for each in code.missing_modules() if each.module == "desk"]

    assert found.renamed_to == project.path("till.py")


def test_a_module_that_was_deleted_is_missed_by_nobody(project):
    """Its file may go."""
    path = project.write("desk.py", "x = 1\n")
    code.load(path)
    code.delete("desk")
    (project.root / "desk.py").unlink()

    assert [each for each in code.missing_modules() if each.module == "desk"] == []
