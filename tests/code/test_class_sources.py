"""The text of the version that made a class, and what debuggers show of an old version."""

from __future__ import annotations

import gc
import inspect
import subprocess
import sys
import warnings
import weakref

import pytest

from midflight import code
from midflight.code import lowlevel

V1 = """\
import enum


class Shape:
    old = True

    class Inner:
        x = 1

    def area(self):
        raise ValueError("old")


class Bare:
    size = 1


class Same:
    def f(self):
        return 1


class Colour(enum.Enum):
    RED = 1


def make():
    class Local:
        made_in = 1

        def f(self):
            pass

    return Local


def warn():
    import warnings

    warnings.warn("deprecated")  # the old line
"""
V2 = "# moved\n# down\n\n\n" + V1.replace("old", "new").replace("= 1", "= 2").replace(
    "return 1", "return 1  # as it was"
)
NAMES = ("Shape", "Shape.Inner", "Bare", "Colour")


def found(name: str) -> type:
    """Return a class of thing, of whatever version is current."""
    value = sys.modules["thing"]
    for part in name.split("."):
        value = getattr(value, part)
    return value


def source(name: str, text: str) -> str:
    """Return the lines of a class statement in `text`."""
    lines = text.splitlines(keepends=True)
    start = next(index for index, line in enumerate(lines) if line.strip().startswith(f"class {name.split('.')[-1]}"))
    return "".join(inspect.getblock(lines[start:]))


@pytest.mark.parametrize("name", NAMES)
def test_a_class_shows_the_text_that_made_it(project, name):
    """Of each version, with the line where it was there; also one that holds no function."""
    project.load_text("thing", V1)
    old = found(name)
    project.load_text("thing", V2)
    new = found(name)

    for cls, text in ((old, V1), (new, V2)):
        lines, start = inspect.getsourcelines(cls)
        assert "".join(lines) == source(name, text)
        assert text.splitlines(keepends=True)[start - 1] == lines[0]
    assert inspect.getsourcefile(new) == project.path("thing.py")
    assert lowlevel.real_path(inspect.getsourcefile(old)) == (project.path("thing.py"), 1)


@pytest.mark.parametrize("name", NAMES)
def test_a_class_of_a_module_that_was_imported_too(project, name):
    """Python compiled it under the real path; as long as that can run, the path stands for its text."""
    path = project.write("thing.py", V1)
    sys.path.append(str(project.root))
    __import__("thing")
    old = found(name)

    code.load(path, V2)

    assert inspect.getsource(old) == source(name, V1)
    assert inspect.getsource(found(name)) == source(name, V2)


def test_a_kept_class_shows_the_newest_text(project):
    """It has moved there: a comment is all that differs."""
    project.load_text("thing", V1)
    same = found("Same")
    project.load_text("thing", V2)

    assert found("Same") is same
    assert inspect.getsource(same) == source("Same", V2)


def test_a_class_that_a_function_made_goes_by_its_methods(project):
    """Nobody else knows it."""
    project.load_text("thing", V1)
    old = sys.modules["thing"].make()
    project.load_text("thing", V2)

    assert "made_in = 1" in inspect.getsource(old)
    assert "made_in = 2" in inspect.getsource(sys.modules["thing"].make())


def test_a_load_that_fails_leaves_it_to_the_version_before(project):
    """The class that the failed version has made is nobody's."""
    project.load_text("thing", V1)
    with pytest.raises(code.LoadError):
        project.load_text("thing", V2 + "\n1 / 0\n")

    assert inspect.getsource(found("Shape")) == source("Shape", V1)


def test_the_books_keep_no_class(project):
    """And so no version."""
    project.load_text("thing", V1)
    gone = weakref.ref(found("Bare"))

    project.load_text("thing", V2)
    gc.collect()

    assert gone() is None


def test_other_classes_are_pythons_own_business(project):
    """The answer, and the error."""
    project.load_text("thing", V1)

    assert inspect.getfile(weakref.WeakSet).endswith("_weakrefset.py")
    assert inspect.getsource(test_the_books_keep_no_class).startswith("def test_the_books")
    with pytest.raises(TypeError):
        inspect.getfile(int)
    with pytest.raises(TypeError):
        inspect.getfile(3)  # type: ignore[arg-type]


def test_a_warning_shows_the_old_line(project):
    """With the version in the file's name."""
    project.load_text("thing", V1)
    warn = sys.modules["thing"].warn
    project.load_text("thing", V2)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn()

    shown = warnings.formatwarning(caught[0].message, caught[0].category, caught[0].filename, caught[0].lineno)
    assert "thing@1.py:40: UserWarning" in shown
    assert "# the old line" in shown


PROGRAM = """\
import pdb, sys
from midflight import code
code.load({path!r})
import thing
old, new = thing.f, "\\n\\n\\ndef f():\\n    pass\\n"
code.load({path!r}, new)
pdb.runcall(old)
"""


def test_pdb_lists_the_old_version(project):
    """And steps in it: its lines are those that run."""
    path = project.write("thing.py", "def f():\n    total = 1  # old\n    return total\n")
    program = project.write("program.py", PROGRAM.format(path=path))

    run = subprocess.run(
        [sys.executable, program],
        input="list\nnext\nwhere\nprint(total + 40)\nsource f\nquit\n",
        capture_output=True,
        text=True,
        check=False,
    )

    assert "total = 1  # old" in run.stdout
    assert "thing@1.py(3)f()" in run.stdout
    assert "41\n" in run.stdout
    assert "NameError" not in run.stdout.replace("NameError: name 'f'", "")


def test_breakpoints_by_function_are_of_the_version_that_is_named(project):
    """By the real file and line they are not: that is none's that runs."""
    path = project.write("thing.py", "def f():\n    return 'one'\n")
    program = project.write(
        "program.py", PROGRAM.format(path=path).replace("pdb.runcall(old)", "pdb.set_trace()\nthing.f()\n")
    )

    run = subprocess.run(
        [sys.executable, program],
        input="break thing.f\ncontinue\nwhere\nquit\n",
        capture_output=True,
        text=True,
        check=False,
    )

    assert "thing@2.py(5)f()" in run.stdout
