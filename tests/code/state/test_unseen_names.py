"""Names that are state though no assignment of their own in the text binds them: by their values they are kept, too."""

from __future__ import annotations

import sys

import pytest

from midflight import code
from midflight.code.lowlevel import watch_imports

from .conftest import kept, told

F = "def f(): return 1\n"


@pytest.mark.parametrize(
    "text",
    [
        "globals()['X'] = {}\nglobals()['hits'] = 0\n",
        "globals().update(X={}, hits=0)\n",
        "vars().setdefault('X', {})\nlocals()['hits'] = 0\n",
        "exec('X = {}; hits = 0')\n",
        "import sys\nsetattr(sys.modules[__name__], 'X', {})\nsetattr(sys.modules[__name__], 'hits', 0)\n",
        "for name, value in [('X', {}), ('hits', 0)]:\n    globals()[name] = value\n",
    ],
)
@pytest.mark.parametrize("is_imported", [False, True])
def test_what_the_body_binds_by_other_means_than_a_statement_is_kept(thing, project, text, is_imported):
    """The container is the same object, the number is the running one."""
    if is_imported:
        watch_imports()
        project.write("thing.py", text + F)
        sys.path.insert(0, str(project.root))
        __import__("thing")
    else:
        thing.load(text + F)
    x = thing.module.X
    x["a"] = 1
    thing.module.hits += 3

    report = thing.load(text + F.replace("1", "2"))

    assert thing.module.X is x
    assert x == {"a": 1}
    assert thing.module.hits == 3
    assert sorted(kept(report)) == ["X (1)", "hits"]


def test_it_is_kept_over_many_loads_and_merged_with_what_the_text_makes_otherwise(thing):
    """By base, now and new, as for any other container."""
    thing.load("globals()['X'] = {'limit': 1}\n")
    x = thing.module.X
    x["late"] = 1

    thing.edit("'limit': 1", "'limit': 2")
    x["later"] = 2
    thing.edit("'limit': 2", "'limit': 3")

    assert thing.module.X is x
    assert x == {"limit": 3, "late": 1, "later": 2}


def test_a_constant_bound_so_that_nobody_changed_is_the_new_text_s(thing):
    """And nothing is said of it."""
    thing.load("globals()['LIMIT'] = 1\n")

    report = thing.edit("= 1", "= 2")

    assert thing.module.LIMIT == 2
    assert report.state == ()


def test_an_object_bound_so_is_left_behind_and_comes_back(thing):
    """Nobody can say whether it would be made as before."""
    thing.load("import threading\nglobals()['LOCK'] = threading.Lock()\n" + F)
    lock = thing.module.LOCK

    report = thing.edit("return 1", "return 2")

    assert thing.module.LOCK is not lock
    ((outcome, why),) = told(report, "LOCK")
    assert outcome == "left"
    assert "no assignment of its own in the text says how" in why
    assert code.recover("thing", "LOCK") is lock


def test_such_a_name_can_be_asked_to_be_fresh(thing):
    """What goes is left behind."""
    thing.load("globals()['X'] = {}\n" + F)
    thing.module.X["a"] = 1

    thing.edit("return 1", "return 2", fresh=["X"])

    assert thing.module.X == {}
    assert code.recover("thing", "X") == {"a": 1}


def test_a_name_that_an_import_or_an_assignment_binds_is_state(thing):
    """`except ImportError: CACHE = {}` is the usual way to say so."""
    thing.load("try:\n    from nowhere_at_all import CACHE\nexcept ImportError:\n    CACHE = {}\n" + F)
    cache = thing.module.CACHE
    cache["a"] = 1

    report = thing.edit("return 1", "return 2")

    assert thing.module.CACHE is cache
    assert kept(report) == ["CACHE (1)"]


@pytest.mark.parametrize("line", ["from string import digits", "from string import *"])
def test_what_somebody_bound_to_an_imported_name_is_left_behind(thing, line):
    """The import stands; it is another module's."""
    thing.load(f"{line}\n" + F)
    thing.module.digits = 7

    report = thing.edit("return 1", "return 2")

    assert thing.module.digits == "0123456789"
    assert "the import stands" in told(report, "digits")[0][1]
    assert code.recover("thing", "digits") == 7


def test_an_import_whose_module_has_another_value_by_now_is_no_loss(thing, project):
    """Nobody bound it to anything else."""
    project.load_text("config", "LIMIT = 1\nTABLE = {}\n")
    thing.load("from config import LIMIT, TABLE\nfrom config import *\n" + F)
    project.load_text("config", "LIMIT = 2\nTABLE = dict(a=1)\n")

    report = thing.edit("return 1", "return 2")

    assert thing.module.LIMIT == 2
    assert report.state == ()


def test_an_object_that_has_taken_the_name_of_its_class_is_left_behind(thing):
    """`Config = Config()`."""
    thing.load("class Config:\n    def __init__(self): self.x = {}\nConfig = Config()\n" + F)
    config = thing.module.Config
    config.x["a"] = 1

    report = thing.edit("return 1", "return 2")

    assert [outcome for outcome, _ in told(report, "Config")] == ["left"]
    assert code.recover("thing", "Config") is config
