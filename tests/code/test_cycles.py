"""Modules that import each other are loaded as they are imported: in that order, each with the same half-made view."""

from __future__ import annotations

import importlib
import sys

import pytest

from midflight import code

DATABASE = {
    "db/__init__.py": """
        from .queries import Query
        from .storages import Storage, JSON
        from .database import Database
        from .version import VERSION
    """,
    "db/queries.py": "class Query: pass\n",
    "db/storages.py": "class Storage: pass\nclass JSON(Storage): pass\n",
    "db/database.py": """
        from . import JSON
        from .storages import Storage
        from .version import VERSION

        class Database:
            default = JSON
            number = VERSION
    """,
    "db/version.py": "VERSION = 1\n",
}
CURRIED = {
    "tool/__init__.py": "from .one import *\nfrom . import curried\nfrom .two import two\n",
    "tool/one.py": """
        __all__ = ["one", "signature"]
        def one(): return 1
        def helper(): return one
        from . import signatures
        def signature(): return signatures.of_one
    """,
    "tool/signatures.py": "from .one import helper, one\nof_one = one\n",
    "tool/two.py": "from tool import one\ndef two(): return one\n",
    "tool/curried.py": "import tool\nfrom .two import two\nfrom tool import one\ncurried = [one, tool.one, two]\n",
}
PLAIN = {
    "left.py": "FIRST = object()\nimport right\nSECOND = right.SEEN\n",
    "right.py": "import left\nfrom left import FIRST\nSEEN = FIRST, left.FIRST, hasattr(left, 'SECOND')\n",
}
INNER = {
    "fun/__init__.py": """
        import sys
        from .deco import *
        from .more import *
        __all__ = sys.modules["fun.deco"].__all__
    """,
    "fun/deco.py": "def unwrap(): return 1\nfrom .colls import omit\n__all__ = ['omit', 'unwrap']\n",
    "fun/colls.py": "from .inner import inner\ndef omit(): return inner\n",
    "fun/inner.py": "from .deco import unwrap\ndef inner(): return unwrap\n",
    "fun/more.py": "from .deco import omit, unwrap\ndef more(): return omit\n",
}
PROGRAMS = {"database": DATABASE, "curried": CURRIED, "plain": PLAIN, "inner": INNER}


def names_of(texts):
    """The names of modules, by their files."""
    return [path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in texts]


def written(project, texts, edit=str):
    """Write a program; return the names of its modules."""
    for path, text in texts.items():
        project.write(path, text)
    if str(project.root) not in sys.path:
        sys.path.append(str(project.root))
    return names_of(texts)


def mixed(names):
    """The functions and classes that are not those that the module that made them has now."""
    return [
        f"{name}.{key}"
        for name in names
        for key, value in vars(sys.modules[name]).items()
        if getattr(value, "__module__", None) in names
        and getattr(sys.modules[value.__module__], value.__name__, value) is not value
    ]


@pytest.fixture(params=PROGRAMS)
def texts(request):
    """Give the texts of a program whose modules import each other."""
    return PROGRAMS[request.param]


@pytest.mark.parametrize("backwards", [False, True])
def test_no_name_is_left_mixed(project, texts, backwards):
    """Whatever the order in which they are given, and more than once."""
    names = written(project, texts)
    for name in names:
        importlib.import_module(name)

    for _ in range(3):
        reports = code.load_many(names[::-1] if backwards else names)

        assert mixed(names) == []
        assert [each.stale_imports for each in reports] == [()] * len(names)


def test_so_it_is_at_their_first_load(project, texts):
    """Which is an import."""
    names = written(project, texts)

    code.load_many([project.path(path) for path in texts])

    assert mixed(names) == []


@pytest.mark.parametrize("first", ["left", "right"])
def test_the_one_that_was_imported_first_begins(project, first):
    """So each finds of the other one what it found at the import."""
    text = "import {other}\nSEEN = hasattr({other}, 'SEEN')\n"
    texts = {"left.py": text.format(other="right"), "right.py": text.format(other="left"), "leaf.py": ""}
    names = written(project, texts)
    importlib.import_module(first)
    importlib.import_module("leaf")
    seen = [sys.modules[name].SEEN for name in ("left", "right")]

    for _ in range(2):
        code.load_many(names)

        assert [sys.modules[name].SEEN for name in ("left", "right")] == seen


def test_what_a_body_finds_half_made_is_what_an_import_finds(project):
    """The names that were bound so far are new, and the others are not there."""
    names = written(project, {**PLAIN, "left.py": PLAIN["left.py"].replace("object()", "1")})
    importlib.import_module("left")
    assert sys.modules["right"].SEEN == (1, 1, False)

    project.write("left.py", PLAIN["left.py"].replace("object()", "2"))
    code.load_many(names)

    assert sys.modules["right"].SEEN == (2, 2, False)
    assert sys.modules["left"].SECOND is sys.modules["right"].SEEN


def test_a_name_that_is_bound_too_late_refuses_the_load_as_it_would_the_import(project):
    """And not the value of the version before: at the next start it would not be there."""
    names = written(project, PLAIN)
    importlib.import_module("left")

    project.write("right.py", "from left import SECOND\nSEEN = 1\n")
    with pytest.raises(code.LoadError, match="cannot import name 'SECOND'"):
        code.load_many(names)


def test_a_class_that_is_read_half_made_is_the_new_one(project):
    """A subclass in the other module is made from it."""
    names = written(project, DATABASE)
    importlib.import_module("db")

    project.write("db/storages.py", "class Storage: pass\nclass JSON(Storage):\n    x = 1\n")
    project.write("db/version.py", "VERSION = 2\n")
    code.load_many(names)

    db = sys.modules["db"]
    assert db.Database.default is db.JSON
    assert db.JSON.x == 1
    assert db.Database.number == 2


def test_a_new_module_takes_part_in_a_cycle(project):
    """It is imported where its first import stands, and finds the others as they are being made."""
    written(project, {"left.py": "FIRST = object()\n"})
    importlib.import_module("left")

    project.write("left.py", PLAIN["left.py"])
    project.write("right.py", PLAIN["right.py"])
    code.load_many([project.path("left.py"), project.path("right.py")])

    assert sys.modules["right"].FIRST is sys.modules["left"].FIRST


@pytest.mark.parametrize("caught", [False, True])
def test_none_is_loaded_if_one_fails_in_the_midst_of_another(project, caught):
    """Though the body of that one catches it."""
    names = written(project, PLAIN)
    importlib.import_module("left")
    before = dict(vars(sys.modules["left"]))
    if caught:
        project.write("left.py", "FIRST = 1\ntry:\n    import right\nexcept Exception: pass\nSECOND = 2\n")
    project.write("right.py", "from left import FIRST\n1 / 0\n")

    with pytest.raises(code.LoadError, match=r"right not loaded: line 2, ZeroDivisionError"):
        code.load_many(names)

    assert {key: vars(sys.modules["left"])[key] for key in ("FIRST", "SECOND")} == {
        key: before[key] for key in ("FIRST", "SECOND")
    }


def test_the_namespace_has_nothing_of_the_load_in_it(project):
    """The question at the imports is gone."""
    names = written(project, PLAIN)
    importlib.import_module("left")

    code.load_many(names)

    assert [key for key in vars(sys.modules["left"]) if "make" in key] == []
