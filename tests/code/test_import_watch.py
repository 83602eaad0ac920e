"""The text of every module of the project is known from its import on, whatever becomes of its file."""

from __future__ import annotations

import importlib
import os
import pickle
import py_compile
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from textwrap import dedent

import pytest

from helpers.versions import Project
from midflight import code
from midflight.code.lowlevel import running_at, watch_imports
from midflight.code.version import import_watch, interpreter_age

SHOP = """
from enum import Enum


class Colour(Enum):
    RED = 1


class Price:
    def vat(self):
        return 19


def vat():
    return 19
"""


@pytest.fixture(params=["no byte code", "byte code", "byte code of another"])
def shop(project, watched, monkeypatch, request):
    """Import `shop` as a program does, then edit its method; its byte code may be that of the edited file by now."""
    monkeypatch.setattr(sys, "dont_write_bytecode", request.param == "no byte code")
    project.write("shop.py", SHOP)
    sys.path.append(str(project.root))
    module = importlib.import_module("shop")
    path = project.write("shop.py", SHOP.replace("return 19", "return 25", 1))
    if request.param == "byte code of another":
        py_compile.compile(path)
    return module


def test_an_edited_method_of_an_imported_module_is_a_change(project, shop):
    """The report names it, and the new method runs."""
    report = code.load(project.path("shop.py"))

    assert report.changed == ("Price.vat",)
    assert shop.Price().vat() == 25
    assert code.source("shop", 1) == SHOP


def test_a_module_that_was_edited_after_its_import_is_modified(project, shop):
    """So `load_modified` loads it, and an editor does not mark the buffer as running."""
    assert "shop" in code.modified_modules()
    assert running_at(project.path("shop.py")).text == SHOP


def test_unchanged_classes_of_an_imported_module_are_kept(project, shop):
    """An enum's member equals itself, and its pickle comes back as the member."""
    red = shop.Colour.RED

    report = code.load(project.path("shop.py"))

    assert report.kept == ("Colour",)
    assert red == shop.Colour.RED
    assert pickle.loads(pickle.dumps(red)) is shop.Colour.RED


def test_an_imported_module_is_rolled_back_to_version_1(project, shop):
    """That is the text that was imported."""
    code.load(project.path("shop.py"))

    assert code.rollback("shop").version == 3
    assert shop.Price().vat() == 19


def test_old_byte_code_that_python_takes_for_new_is_not_taken_for_the_text(project, watched, monkeypatch):
    """Same size, same second: Python runs the old code. Then the text on disk is another one."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = project.write("shop.py", SHOP)
    py_compile.compile(path)
    before = os.stat(path)
    project.write("shop.py", SHOP.replace("return 19", "return 25"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    sys.path.append(str(project.root))

    shop = importlib.import_module("shop")

    assert shop.vat() == 19
    assert "shop" in code.modified_modules()
    assert code.load(path).warnings[0].code == "unknown-text"
    assert shop.vat() == 25


def test_asking_a_loader_for_code_does_not_pass_for_an_import(project, watched):
    """Tools do so, of files that were edited since."""
    path = project.write("shop.py", SHOP)
    sys.path.append(str(project.root))
    shop = importlib.import_module("shop")
    project.write("shop.py", SHOP.replace("return 19", "return 25"))

    SourceFileLoader("shop", path).get_code("shop")

    assert import_watch.imported_text(shop) == SHOP


def test_a_traceback_of_a_failing_import_shows_no_frame_of_ours(project, watched):
    """As Python's own import system leaves itself out of it."""
    project.write("broken.py", "1 / 0\n")
    main = project.write(
        "main.py",
        """
        from midflight.code.lowlevel import watch_imports
        watch_imports()
        import broken
        """,
    )

    said = subprocess.run([sys.executable, main], capture_output=True, text=True, check=False).stderr

    assert said.count("File ") == 2
    assert "ZeroDivisionError" in said


@pytest.mark.parametrize("text", ["1 / 0\n", "def f(:\n"])
def test_an_import_that_fails_is_forgotten(project, watched, text):
    """And the next one is an import like any other."""
    project.write("shop.py", text)
    sys.path.append(str(project.root))
    with pytest.raises((ZeroDivisionError, SyntaxError)):
        importlib.import_module("shop")
    project.write("shop.py", SHOP)

    assert import_watch.imported_text(importlib.import_module("shop")) == SHOP


def test_a_loader_that_makes_other_code_of_the_text_is_asked_itself(project, watched):
    """As those of type checkers that instrument code: the text is the file's all the same."""

    class Instrumenting(SourceFileLoader):
        def get_code(self, fullname):
            return self.source_to_code(self.get_data(self.path), self.path)

        def source_to_code(self, data, path, *, _optimize=-1):
            return super().source_to_code(bytes(data).replace(b"return 19", b"return 19 + 1"), path)

    path = project.write("shop.py", SHOP)
    spec = importlib.util.spec_from_file_location("shop", path, loader=Instrumenting("shop", path))
    sys.modules["shop"] = shop = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shop)

    assert shop.vat() == 20
    assert import_watch.imported_text(shop) == SHOP


# --- Modules that were there before anybody watched -------------------------------------------------------------


def import_unwatched(project: Project, text: str):
    project.write("shop.py", text)
    sys.path.append(str(project.root))
    return importlib.import_module("shop")


def test_a_module_that_was_there_before_is_compared_code_object_by_code_object(project, unwatched):
    """All of it can be seen, so its text is known."""
    text = dedent("""
        import os
        from typing import Any
        LIMIT = 3
        class Price:
            "Prices."
            amount = 1
            def vat(self, rate=19) -> int:
                return rate
        def vat(a: Any, *, b=2):
            return a
        """)
    shop = import_unwatched(project, text)

    assert import_watch.imported_text(shop) == text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return rate", "return 25"),
        ("rate=19", "rate=25"),
        ("LIMIT = 3", "LIMIT = 4"),
        ("import os", "import re as os"),
        ("amount = 1", "amount = 2"),
        ("class Price:", "class Price(Exception):"),
        ("-> int:", "-> str:"),
        ("LIMIT = 3", "def limit(): pass"),
    ],
)
def test_an_edit_before_anybody_watched_is_not_missed(project, unwatched, old, new):
    """A function's code, its defaults, a constant, an import, a class: the text on disk is not the one that runs."""
    text = dedent("""
        import os
        LIMIT = 3
        class Price:
            amount = 1
            def vat(self, rate=19) -> int:
                return rate
        """)
    shop = import_unwatched(project, text)
    project.write("shop.py", text.replace(old, new))

    watch_imports()

    assert import_watch.imported_text(shop) is None
    report = code.load(project.path("shop.py"))
    assert [each.code for each in report.warnings] == ["unknown-text"]
    assert "no definition changed" not in code.text(report)


@pytest.mark.parametrize(
    "statement",
    [
        "print()",
        "@staticmethod\ndef f(): pass",
        "x = [3]",
        "for x in (): pass",
        "class A(metaclass=type): pass",
        "class A(dict[str, int]): pass",
    ],
)
def test_a_statement_that_leaves_no_trace_leaves_the_text_unknown(project, unwatched, statement):
    """It may have been another one when the module was imported."""
    shop = import_unwatched(project, statement + "\n")

    assert import_watch.imported_text(shop) is None


def test_a_generator_that_types_coroutine_has_marked_is_no_change(project, unwatched):
    """That gives the function another code object than the compiler's."""
    shop = import_unwatched(project, "import types\n@types.coroutine\ndef pause():\n    yield\n")

    assert not import_watch.is_changed_on_disk(shop)


def test_a_file_older_than_the_interpreter_is_the_one_that_was_imported(project, unwatched, monkeypatch):
    """Nothing can have changed in it since, whatever its statements leave to see."""
    shop = import_unwatched(project, "print()\n")
    monkeypatch.setattr(import_watch, "is_older_than_interpreter", lambda _: True)

    assert import_watch.imported_text(shop) == "print()\n"


def test_the_age_of_a_file_counts_from_its_last_change_of_any_kind(project):
    """An old date that somebody has set proves nothing."""
    path = project.write("shop.py", SHOP)
    os.utime(path, (0, 0))

    assert not interpreter_age.is_older_than_interpreter(path)
    assert interpreter_age.is_older_than_interpreter(os.__file__)


BEGINS = """
import os, sys
path = sys.argv[1]
open(path, "w").close()
while os.stat(path).st_ctime + 0.2 > __import__("time").time():
    pass
LOOK = "import sys; from midflight.code.version.interpreter_age import *; print(is_older_than_interpreter(sys.argv[1]))"
import subprocess
subprocess.run([sys.executable, "-c", LOOK, path], check=True)
from midflight.code.version.interpreter_age import is_older_than_interpreter
sys.stdout.flush()
if os.fork() == 0:
    print(is_older_than_interpreter(path), flush=True)
    os._exit(0)
os.wait()
"""


def test_a_program_that_another_python_started_counts_for_itself_and_a_fork_does_not(tmp_path):
    """A fork has the modules of its parent, which may be older than the file."""
    done = subprocess.run(
        [sys.executable, "-c", BEGINS, str(tmp_path / "shop.py")], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["True", "False"]


def test_the_report_of_an_unknown_text_says_what_follows(project, unwatched):
    """All classes are new then, and it never says that nothing changed."""
    shop = import_unwatched(project, "print()\n" + SHOP)
    red = shop.Colour.RED

    report = code.load(project.path("shop.py"))

    assert "all 2 classes are new" in report.warnings[0].message
    assert [each.name for each in report.superseded] == ["Colour", "Price"]
    assert "no definition changed" not in code.summary(report)
    assert pickle.loads(pickle.dumps(red)) is shop.Colour.RED
