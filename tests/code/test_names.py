"""Which module a path means, which file a name means, and which modules may have no versions."""

from __future__ import annotations

import json
import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from typing import NamedTuple

import pytest

from helpers.versions import Project
from midflight.code.report.load_report import Diagnostic
from midflight.code.source.find_module import ModulePlace, locate


class OneModule(NamedTuple):
    """The loaded modules of a program that has loaded one."""

    name: str
    path: str

    def file_of(self, name: str) -> str | None:
        """Return its file, for its name."""
        return self.path if name == self.name else None

    def files_called(self, base: str) -> list[tuple[str, str]]:
        """Return its name and file, for the last part of that."""
        return [(self.name, self.path)] if os.path.basename(self.path) == base else []


def place(project: Project, relative: str, text: str = "") -> ModulePlace | Diagnostic:
    """Write a file, if it has a text, and locate it."""
    return locate(project.write(relative, text) if text else project.path(relative))


@pytest.fixture(autouse=True)
def roots(project: Project) -> Project:
    """Keep a pyproject.toml of the folders above out of it."""
    project.write("pyproject.toml", "")
    return project


def test_a_file_outside_packages_is_a_top_level_module(project):
    """Its folder is the one that must be on sys.path."""
    assert place(project, "counter.py") == ModulePlace("counter", project.path("counter.py"), str(project.root))


def test_a_file_in_a_package_has_the_package_in_its_name(project):
    """The chain of __init__.py ends at the first folder without one."""
    project.write("lib/shop/__init__.py", "")
    project.write("lib/shop/parts/__init__.py", "")

    found = place(project, "lib/shop/parts/cart.py")

    assert found == ModulePlace("shop.parts.cart", project.path("lib/shop/parts/cart.py"), project.path("lib"))


def test_the_init_of_a_package_is_the_package(project):
    """Not a module `__init__` in it."""
    found = place(project, "shop/__init__.py", "x = 1")

    assert isinstance(found, ModulePlace)
    assert (found.name, found.root) == ("shop", str(project.root))


@pytest.mark.parametrize("roots", ['["src"]', '["src", "src/deep"]', '["./src/"]'])
def test_source_roots_of_pyproject_come_first(project, roots):
    """The longest one that holds the file is what its name starts from; packages need no __init__.py there."""
    project.write("pyproject.toml", f"[tool.midflight]\nsource-roots = {roots}\n")

    found = place(project, "src/deep/shop/cart.py")

    assert isinstance(found, ModulePlace)
    assert found.name == ("shop.cart" if "deep" in roots else "deep.shop.cart")


def test_a_file_in_no_source_root_goes_by_its_packages(project):
    """A script beside the sources."""
    project.write("pyproject.toml", '[tool.midflight]\nsource-roots = ["src"]\n')

    assert place(project, "script.py") == ModulePlace("script", project.path("script.py"), str(project.root))


@pytest.mark.parametrize("text", ["[tool.midflight]\nsource-roots = 'src'\n", "[tool", "tool = 1\nx = ["])
def test_a_wrong_pyproject_is_said(project, text):
    """With the file that has to be mended."""
    project.write("pyproject.toml", text)

    found = place(project, "counter.py")

    assert isinstance(found, Diagnostic)
    assert found.path == project.path("pyproject.toml")


def test_a_module_that_was_imported_from_the_file_keeps_its_name(project):
    """Whatever the folders would say."""
    path = project.write("deep/counter.py", "")
    sys.path.append(str(project.root))
    __import__("deep.counter")

    assert locate(path) == ModulePlace("deep.counter", path)


def test_of_several_names_of_a_file_the_code_servers_is_taken(project):
    """Then the one that the folders give."""
    path = project.write("deep/counter.py", "")
    sys.path += [str(project.root), project.path("deep")]
    __import__("deep.counter")
    __import__("counter")

    assert locate(path) == ModulePlace("counter", path)
    assert locate(path, OneModule("deep.other", path)) == ModulePlace("deep.other", path)


@pytest.mark.parametrize("name", ["my-script.py", "class.py", "deep/my-lib/cart.py", "2nd.py"])
def test_a_file_that_nobody_could_import_is_refused(project, name):
    """No program could reach its current version."""
    if "/" in name:
        project.write("deep/my-lib/__init__.py", "")

    found = place(project, name)

    assert isinstance(found, Diagnostic)
    assert found.code == "name"
    assert "rename" in found.message


@pytest.mark.parametrize("name", ["notes.txt", "counter", "counter.pyc"])
def test_a_path_that_is_no_python_source_is_refused(project, name):
    """The name must end in .py."""
    found = place(project, name)

    assert isinstance(found, Diagnostic)
    assert "does not end in .py" in found.message


@pytest.mark.parametrize("given", ["json", json.__file__, "sys", "asyncio.events", "math"])
def test_the_standard_library_is_refused(given):
    """Midflight runs on it."""
    found = locate(given)

    assert isinstance(found, Diagnostic)
    assert "standard library" in found.message


@pytest.mark.parametrize("given", ["midflight", "midflight.code.load.load", sys.modules["midflight"].__file__])
def test_midflight_itself_is_refused(given):
    """It would saw off the branch that it sits on."""
    found = locate(given)

    assert isinstance(found, Diagnostic)
    assert "Midflight" in found.message


def test_a_file_with_the_name_of_a_standard_module_is_refused(project):
    """It would take that one's place for everybody."""
    found = place(project, "queue.py")

    assert isinstance(found, Diagnostic)
    assert "rename queue.py" in found.message


def test_a_c_extension_is_refused(project):
    """Python cannot load it twice."""
    found = place(project, f"fast{EXTENSION_SUFFIXES[0]}")

    assert isinstance(found, Diagnostic)
    assert "C extension" in found.message


def test_the_program_itself_is_refused():
    """__main__ is nobody's import."""
    found = locate("__main__")

    assert isinstance(found, Diagnostic)
    assert "__main__" in found.message


def test_a_name_that_is_on_the_path_is_found_without_importing_it(project):
    """As `import` would find it."""
    path = project.write("counter.py", "raise RuntimeError")
    sys.path.append(str(project.root))

    assert locate("counter") == ModulePlace("counter", path)
    assert "counter" not in sys.modules


@pytest.mark.parametrize("name", ["nonesuch_module", "nonesuch_package.module"])
def test_a_name_that_is_nowhere_is_said(name):
    """It is no exception."""
    found = locate(name)

    assert isinstance(found, Diagnostic)
    assert found.code == "not-found"
    assert name in found.message


def test_a_package_whose_body_raises_is_said(project):
    """To find a module in it, it must be imported."""
    project.write("shop/__init__.py", "1 / 0")
    sys.path.append(str(project.root))

    found = locate("shop.cart")

    assert isinstance(found, Diagnostic)
    assert "ZeroDivisionError" in found.message
