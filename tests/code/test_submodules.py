"""A package may name a module of its own that it has imported something from: the import binds the module's name."""

from __future__ import annotations

import sys

import pytest

from midflight import code

PACKAGE = "from .sub import x\ny = sub.x\n\n\ndef f():\n    return sub.x\n"


@pytest.fixture
def package(project):
    """Write a package; return the path of its `__init__`."""
    project.write("pkg/sub.py", "x = 1\n")
    return project.write("pkg/__init__.py", PACKAGE)


def test_the_first_load_binds_it(package):
    """As the import does that it is."""
    code.load(package)

    assert sys.modules["pkg"].f() == 1


@pytest.mark.parametrize("first", [code.preview, lambda path: code.load(path, PACKAGE + "1 / 0\n")])
def test_so_does_one_after_a_load_that_was_refused(package, first):
    """The submodule has stayed, so Python finds it imported and binds nothing."""
    try:
        first(package)
    except code.LoadError:
        pass

    code.load(package)

    assert sys.modules["pkg"].f() == 1


def test_a_look_at_the_text_alone_knows_it(package):
    """Before anything of the package is imported."""
    assert code.check(package).problems == ()


def test_a_name_of_no_module_is_undefined(package):
    """Neither a statement nor a file makes it."""
    found = code.check(package, PACKAGE + "\n\ndef g():\n    return other.x\n")

    assert [(each.line, each.code) for each in found.problems] == [(10, "undefined-name")]
