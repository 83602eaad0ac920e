"""Which modules keep what an older version had."""

from __future__ import annotations

import sys
from contextlib import suppress
from random import Random
from types import ModuleType

import pytest

from helpers.faults import Fault
from helpers.walking import stale_by_walking
from midflight import code
from midflight.code.checks import importer, importers
from midflight.code.checks.importer import Importer
from midflight.code.checks.stale_imports import _Comparison

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

    assert sorted(stale(project)) == ["user.Kind", "user.LIMIT", "user.f"]
    assert sorted(stale(project, THING.format(3))) == ["user.Kind", "user.LIMIT", "user.f"]


@pytest.mark.parametrize("more", ["", "TABLE['f'] = f\n"])
def test_state_that_is_kept_is_not_stale(project, more):
    """The importer has the object that the new version has; unless that is new."""
    project.load_text("thing", THING.format(1) + more)
    project.load_text("user", "from thing import TABLE as table\n")
    sys.modules["thing"].TABLE["a"] = 1

    assert stale(project, THING.format(2) + more) == []
    assert sys.modules["user"].table is sys.modules["thing"].TABLE
    assert stale(project, THING.format(2).replace("{}", "dict()") + more) == ["user.table"]


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


# --- Stars ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_loaded", [True, False])
def test_a_star_takes_constants_too(project, is_loaded):
    """Nothing else would tell that the importer computes with the old one."""
    text = "from thing import *\n"
    if is_loaded:
        project.load_text("user", text)
    else:
        project.write("user.py", text)
        __import__("user")

    assert sorted(stale(project)) == ["user.K", "user.LIMIT", "user.f"]


@pytest.mark.parametrize(
    "text",
    [
        "from thing import *\nLIMIT = 7\nTABLE = {}\n",
        "from thing import *\nfrom other import *\n",
        "import thing\ndef g():\n    global LIMIT\n    LIMIT = 7\nfrom thing import *\nTABLE = {}\ng()\n",
    ],
)
def test_a_star_does_not_give_what_something_else_gives_as_well(project, text):
    """Nobody can tell then whose it is."""
    project.write("other.py", "LIMIT = 1\nTABLE = {}\n")
    project.load_text("user", text)

    assert sorted(stale(project)) == ["user.K", "user.f"]


def test_a_star_gives_what_all_names(project):
    """And no private name without it; what is gone from it is stale as well."""
    project.load_text("thing", "__all__ = ['_LIMIT', 'GONE']\n_LIMIT = 1\nGONE = 1\nLIMIT = 1\n")
    project.load_text("user", "from thing import *\nLIMIT = 5\n")

    assert sorted(stale(project, "__all__ = ['_LIMIT']\n_LIMIT = 2\nLIMIT = 2\n")) == ["user.GONE", "user._LIMIT"]


# --- What is remembered --------------------------------------------------------------------------------------


@pytest.fixture
def looked_at(monkeypatch) -> list[str]:
    """Note the modules whose values are looked at, one by one."""
    found: list[str] = []
    look = importer.origins_of

    def note(name, held):
        found.append(name)
        return look(name, held)

    for each in (importer, importers):
        monkeypatch.setattr(each, "origins_of", note)
    return found


def test_a_module_that_has_not_changed_is_not_looked_at_again(project, looked_at):
    """A program has thousands of them, and a load takes as long as what has changed."""
    for number in range(20):
        project.write(f"user_{number}.py", "from thing import LIMIT, f\n")
        __import__(f"user_{number}")
    assert len(stale(project)) == 40
    looked_at.clear()

    assert len(stale(project, THING.format(3))) == 40

    assert looked_at == []


def test_a_load_compares_as_much_however_many_modules_import_the_same(project, monkeypatch):
    """Those that have the same objects by the same names are one group, and what a report says of it is made once."""
    compared: list[object] = []
    looked: list[str] = []
    older, taken = _Comparison._is_older, Importer.taken_from
    monkeypatch.setattr(_Comparison, "_is_older", lambda self, *args: compared.append(args) or older(self, *args))
    monkeypatch.setattr(Importer, "taken_from", lambda self, *args: looked.append(self.name) or taken(self, *args))
    counts = []
    for number in (3, 30):
        name = f"thing_{number}"
        project.load_text(name, THING.format(1))
        for each in range(number):
            project.write(f"user_{number}_{each}.py", f"from {name} import LIMIT, f\nMINE = {each}\n")
            __import__(f"user_{number}_{each}")
        project.load_text(name, THING.format(2))
        compared.clear()
        looked.clear()
        assert len(project.load_text(name, THING.format(3)).stale_imports) == 2 * number
        counts.append((len(compared), looked.count(name), len(looked)))

    assert counts[0] == counts[1]


def test_stale_imports_are_in_the_order_of_the_modules(project):
    """Whatever group each is in."""
    for name, names in (("one", "f"), ("two", "LIMIT"), ("three", "f"), ("four", "f, LIMIT")):
        project.load_text(name, f"from thing import {names}\n")

    assert stale(project) == ["one.f", "two.LIMIT", "three.f", "four.f", "four.LIMIT"]


def test_a_module_that_is_loaded_with_it_and_imports_it_in_a_circle_is_not(project):
    """It is known by its new text, not by the one that runs until the commit, and gets the name that is made later."""
    user = project.write("user.py", "import thing\n")
    code.load(user)
    text = "import user\n" + THING.format(2)

    reports = code.load_many([(project.path("thing.py"), text), (user, "from thing import LIMIT as limit\n")])

    assert [report.stale_imports for report in reports] == [(), ()]
    assert sys.modules["user"].limit == 2


def test_a_module_that_has_changed_is_looked_at_again(project, looked_at):
    """It was loaded, a name in it was bound to something else, or it is another module by that name."""
    for name in ("loaded", "bound", "replaced"):
        project.load_text(name, "from thing import LIMIT, f\n")
    assert len(stale(project)) == 6
    looked_at.clear()

    project.load_text("loaded", "from thing import f as g\n")
    sys.modules["bound"].f = sys.modules["bound"].LIMIT = None
    sys.modules["replaced"] = ModuleType("replaced")

    assert sorted(stale(project, THING.format(3))) == ["bound.LIMIT", "bound.f", "loaded.g"]
    assert sorted({each for each in looked_at if each != "thing"}) == ["bound", "loaded", "replaced"]


def test_a_library_that_was_given_a_function_is_found(project, looked_at, monkeypatch):
    """What is of no project is looked at when it is new, and when it has got a name."""
    monkeypatch.setattr(importers, "is_project_file", lambda path: not path.endswith("library.py"))
    project.write("library.py", "")
    library = __import__("library")
    assert stale(project) == []
    looked_at.clear()

    library.hook = sys.modules["thing"].f

    assert stale(project, THING.format(3)) == ["library.hook"]
    assert set(looked_at) == {"library"}
    looked_at.clear()
    assert stale(project, THING.format(4)) == ["library.hook"]
    assert looked_at == []


def test_what_is_loaded_of_a_library_is_found_in_libraries(project, monkeypatch):
    """They import from each other, and nobody's project need be in it."""
    monkeypatch.setattr(importers, "is_project_file", lambda path: False)
    monkeypatch.setattr(importers, "_program", importers._Program())
    project.write("user.py", "from thing import LIMIT, f\n")
    __import__("user")

    assert sorted(stale(project)) == ["user.LIMIT", "user.f"]


def test_ctrl_c_at_any_moment_leaves_what_is_remembered_right(project):
    """What was being looked at is looked at again by the next load, in which nothing else has changed."""
    for number in range(4):
        project.load_text(f"user_{number}", "from thing import LIMIT, f\n")
    assert len(stale(project)) == 8

    def change(number: int) -> None:
        """Have modules that are new, gone, loaded anew and changed by hand."""
        project.load_text(f"user_{number % 4}", f"from thing import {['f', 'LIMIT', 'K'][number % 3]}\n", force=True)
        other = vars(sys.modules[f"user_{(number + 1) % 4}"])
        other["by_hand"] = other.get("f") if number % 2 else None
        sys.modules.pop(f"new_{number - 1}", None)
        project.write(f"new_{number}.py", "from thing import f, LIMIT as limit\n")
        __import__(f"new_{number}")

    with Fault() as found:
        change(0)
        stale(project, THING.format(100))
    steps = [step for step in found.steps if step.startswith(("checks/import", "checks/watched", "checks/stale"))]
    assert len(steps) > 10
    for number, step in enumerate(steps, 1):
        change(number)
        with Fault(step, KeyboardInterrupt) as fault, suppress(KeyboardInterrupt):
            code.load(project.path("thing.py"), THING.format(100 + number))
        assert step in fault.steps

        assert sorted(stale(project, THING.format(1000 + number))) == sorted(
            f"{module}.{key}"
            for module, key in stale_by_walking("thing", vars(sys.modules["thing"]))
            if vars(sys.modules[module])[key] is not sys.modules["thing"].TABLE
        )


def test_a_walk_through_every_value_of_every_module_finds_the_same(project):
    """Whatever the modules are, in whatever order they are imported, loaded, changed by hand and forgotten."""
    random = Random(11)
    lines = [
        "from thing import LIMIT",
        "from thing import f as g, K",
        "import thing",
        "from thing import TABLE as LIMIT",
    ]
    lines += ["try:\n    from thing import NAME\nexcept ImportError:\n    pass", "def f(): pass", "LIMIT = 1"]
    for number in range(2, 40):
        for _ in range(3):
            name = f"user_{random.randrange(8)}"
            text = "\n".join(random.sample(lines, 3)) + "\n"
            match random.randrange(5):
                case 0 | 1:
                    project.load_text(name, text, force=True)
                case 2 if name not in sys.modules:
                    project.write(f"{name}.py", text)
                    __import__(name)
                case 3 if name in sys.modules:
                    setattr(sys.modules[name], random.choice("fgK"), random.choice([None, sys.modules["thing"].f]))
                case 4:
                    sys.modules.pop(name, None)
        found = stale(project, THING.format(number // 2))

        thing = vars(sys.modules["thing"])
        expected = [
            f"{module}.{key}"
            for module, key in stale_by_walking("thing", thing)
            if vars(sys.modules[module])[key] is not thing["TABLE"]  # state, imported under another's name too
        ]
        assert sorted(found) == sorted(expected)


@pytest.mark.parametrize("name", ["Price", "vat"])
def test_a_name_that_a_module_makes_when_it_is_asked_for_is_not_stale(project, name):
    """Its `__getattr__` is not asked: whether what another module has of it is older, the name's own module tells."""
    project.write("shop/prices.py", "class Price:\n    pass\ndef vat():\n    return 1\n")
    lazy = (
        "import importlib\ndef __getattr__(name):\n    if name not in ('Price', 'vat'):\n        raise AttributeError\n"
    )
    again = "    value = getattr(importlib.import_module('shop.prices'), name)\n    globals()[name] = value\n"
    patch = "    value.__module__ = 'shop'\n    return value\n"
    project.write("shop/__init__.py", lazy + again + patch)
    project.write("till.py", f"from shop import {name}\n")
    code.load_many([project.path("shop/__init__.py"), project.path("shop/prices.py"), project.path("till.py")])

    report = code.load(project.path("shop/__init__.py"))

    assert report.stale_imports == ()


def test_a_name_that_is_gone_from_a_module_with_getattr_is_stale(project):
    """The body bound it before: it is not made on demand."""
    lazy = "def __getattr__(name):\n    raise AttributeError(name)\n"
    project.load_text("shop", f"{lazy}def vat():\n    return 1\n")
    project.load_text("till", "from shop import vat\n")

    report = project.load_text("shop", lazy)

    assert [(each.module, each.name) for each in report.stale_imports] == [("till", "vat")]
