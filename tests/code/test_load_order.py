"""The modules of one load are made in the order in which Python would finish their imports."""

from __future__ import annotations

import importlib
import itertools
import sys

import pytest

from midflight import code
from midflight.code.load.load_order import in_order
from midflight.code.source.find_module import ModulePlace
from midflight.code.source.unit import unit_at

PACKAGE = {
    "pkg/__init__.py": "from .core import core\nfrom . import util\nVERSION = '1'\n",
    "pkg/core.py": "from .util import helper\nfrom . import util\ndef core():\n    from .late import late\n",
    "pkg/util.py": "def helper(): pass\n",
    "pkg/late.py": "from .core import core\nfrom pkg import util as u\n\n\ndef late(): pass\n",
}
NAMES = ["pkg", "pkg.core", "pkg.util", "pkg.late"]


def units_of(texts):
    """The units of these texts, by the names of modules."""
    places = {name: f"/nowhere/{name.replace('.', '/')}.py" for name in texts}
    return [unit_at(ModulePlace(name, places[name]), text) for name, text in texts.items()]


def order_of(texts):
    return [unit.name for unit in in_order(units_of(texts)).units]


@pytest.mark.parametrize("names", [*itertools.permutations(NAMES)])
def test_a_package_in_any_order_leaves_no_name_of_an_older_version(project, names):
    """Though its `__init__` imports from its modules, and these import it."""
    for path, text in PACKAGE.items():
        project.write(path, text)
    sys.path.append(str(project.root))
    for name in NAMES:
        importlib.import_module(name)

    reports = code.load_many(names, force=True)

    assert [report.stale_imports for report in reports] == [()] * 4
    loaded = {name: sys.modules[name] for name in NAMES}
    assert loaded["pkg"].core is loaded["pkg.core"].core
    assert loaded["pkg.core"].helper is loaded["pkg.util"].helper
    assert loaded["pkg.late"].core is loaded["pkg.core"].core


@pytest.mark.parametrize("names", [*itertools.permutations(NAMES)])
def test_a_package_that_nobody_imported_is_loaded_in_any_order(project, names):
    """Then the loads are imports themselves."""
    for path, text in PACKAGE.items():
        project.write(path, text)

    code.load_many([project.path(f"{name.replace('.', '/')}.py") for name in names if name != "pkg"])

    assert sys.modules["pkg"].core is sys.modules["pkg.core"].core


def test_an_import_in_a_function_counts_for_nothing():
    """It runs when the function does."""
    assert order_of({"a": "def f():\n    import b\n", "b": "from a import f\n"}) == ["a", "b"]


def test_an_import_for_type_checkers_counts_for_nothing():
    """It never runs; what stands under `else` does."""
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import b\nelse:\n    import c\n"

    assert order_of({"a": text, "b": "import a\n", "c": ""}) == ["c", "a", "b"]


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    import b\nexcept ImportError: pass\n",
        "class K:\n    import b\n",
        "with x:\n    from b import f\n",
        "if x:\n    import b as c\n",
    ],
)
def test_an_import_that_the_body_runs_counts_wherever_it_stands(text):
    """In a block, and in a class."""
    assert order_of({"a": text, "b": ""}) == ["b", "a"]


def test_of_modules_that_import_each_other_the_one_imported_first_begins():
    """The others are made where a body comes to their import, and all that is imported meanwhile."""
    texts = {
        "z": "",
        "a": "import z\nimport b\nimport c\n",
        "b": "import a\n",
        "c": "import d\n",
        "d": "",
        "e": "import a",
    }

    order = in_order(units_of(texts))

    assert [unit.name for unit in order.units] == ["z", "a", "b", "d", "c", "e"]
    assert order.asking == {"a", "b", "c", "d"}


def test_a_package_is_not_found_half_made_by_those_that_import_each_other_through_it():
    """They read nothing of it."""
    texts = {"pkg": "from .a import f\n", "pkg.a": "from pkg.b import g\n", "pkg.b": ""}

    assert in_order(units_of(texts)).asking == frozenset()


def test_a_long_chain_of_imports_is_no_deep_recursion():
    """Each module imports the next one."""
    length = sys.getrecursionlimit() * 2
    texts = {f"m{index}": f"import m{index + 1}\n" for index in range(length)}

    assert order_of(texts) == list(reversed(texts))
