"""Which modules keep what an older version had."""

from __future__ import annotations

import sys

import pytest

from midflight import code

THING = "LIMIT = {0}\nNAME = 'same'\nTABLE = {{}}\ndef f(): return {0}\nclass K:\n    v = {0}\n"


@pytest.fixture(autouse=True)
def thing(project):
    """Load the module that others import from."""
    sys.path.append(str(project.root))
    project.load_text("thing", THING.format(1))


def stale(project, text: str = THING.format(2)) -> list[str]:
    """Load thing anew; return the stale imports."""
    report = code.load(project.path("thing.py"), text)
    return [f"{each.module}.{each.name}" for each in report.stale_imports]


@pytest.mark.parametrize("is_loaded", [True, False])
def test_functions_classes_constants_and_state(project, is_loaded):
    """Whatever the importer is: loaded, or only imported. What is the same in both versions is not stale."""
    text = "from thing import LIMIT, NAME, TABLE, f, K as Kind\n"
    if is_loaded:
        project.load_text("user", text)
    else:
        project.write("user.py", text)
        __import__("user")

    assert sorted(stale(project)) == ["user.Kind", "user.LIMIT", "user.TABLE", "user.f"]
    assert sorted(stale(project, THING.format(3))) == ["user.Kind", "user.LIMIT", "user.TABLE", "user.f"]


def test_what_is_gone_is_stale(project):
    """The importer has what nobody else has any more."""
    project.load_text("user", "from thing import LIMIT\n")

    assert stale(project, "x = 1\n") == ["user.LIMIT"]


@pytest.mark.parametrize(
    "text",
    [
        "import thing\ndef g(): return thing.LIMIT\n",
        "def g():\n    from thing import LIMIT\n    return LIMIT\n",
        "from thing import LIMIT\nLIMIT = 7\n",
        "from other import LIMIT\n",
        "LIMIT = 1\ntext = 'from thing import LIMIT'\n",
        "from thing import LIMIT\ndel LIMIT\n",
    ],
)
def test_what_takes_the_current_one_or_its_own_is_not(project, text):
    """At each call; or another name by that name."""
    project.write("other.py", "LIMIT = 1\n")
    project.load_text("user", text)

    assert stale(project) == []


def test_a_module_that_is_loaded_with_it_is_not(project):
    """It imports the new one."""
    path = project.write("user.py", "from thing import LIMIT, f\n")
    code.load(path)

    reports = code.load_many([(project.path("thing.py"), THING.format(2)), path])

    assert [report.stale_imports for report in reports] == [(), ()]


def test_relative_imports_in_a_package(project):
    """By any number of dots."""
    project.write("shop/__init__.py", "from .prices import VAT\n")
    project.write("shop/deep/__init__.py", "from ..prices import VAT as V\n")
    project.write("shop/cart.py", "from . import prices\nfrom .prices import VAT\n")
    path = project.write("shop/prices.py", "VAT = 19\n")
    code.load(path)
    for name in ("shop.deep", "shop.cart"):
        __import__(name)

    report = code.load(path, "VAT = 7\n")

    assert {(each.module, each.name) for each in report.stale_imports} == {
        ("shop", "VAT"),
        ("shop.deep", "V"),
        ("shop.cart", "VAT"),
    }


def test_a_file_that_does_not_parse_any_more_is_no_error(project):
    """It is being edited."""
    path = project.write("user.py", "from thing import LIMIT\n")
    __import__("user")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write("from thing import LIMIT\ndef (\n")

    assert stale(project) == []


def test_the_report_says_how_to_load_them_together(project):
    """Ready to be used."""
    project.load_text("user", "from thing import LIMIT, f\n")

    report = code.load(project.path("thing.py"), THING.format(2))

    assert "  load_many(['thing', 'user'])\n" in code.text(report)
