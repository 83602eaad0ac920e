"""A module that a program imported itself: it becomes version 1 where it stands."""

from __future__ import annotations

import gc
import inspect
import sys

import pytest

from helpers.versions import text_of
from midflight import code
from midflight.code.source.look import OwnReference


@pytest.fixture(params=["cached", "not cached"])
def imported(project, monkeypatch, request):
    """Import thing from the project, as a program does: with cached byte code, which tells its age, or without."""
    monkeypatch.setattr(sys, "dont_write_bytecode", request.param == "not cached")
    sys.path.append(str(project.root))
    project.put("thing_v1")
    return __import__("thing")


def test_what_was_imported_is_version_1(project, imported):
    """The module object stays; those who hold it reach version 2 through it."""
    old = imported.local

    report = project.load("thing_v2")

    assert report.version == 2
    assert sys.modules["thing"] is imported
    assert (imported.which(), old()) == (2, 1)
    assert old.__globals__["__midflight_version__"] == 1


def test_its_namespace_goes_like_that_of_any_old_version(project, imported):
    """The module object does not hold what it was imported with."""
    gone = OwnReference(imported.which)  # a plain weak reference would make it a listener, which is kept

    project.load("thing_v2")
    gc.collect()

    assert gone() is None


def test_its_processes_are_in_version_1(project, imported, runtime):
    """By the identity of their globals."""
    future = runtime.loop.create_future()
    pid = runtime.spawn(imported.wait_for, future)
    runtime.run_until_idle()

    report = project.load("thing_v2")

    assert [(each.pid, each.version) for each in report.lingering] == [(pid, 1)]
    assert code.processes("thing", 1) == (pid,)
    future.set_result(None)
    runtime.run_until_idle()


def test_its_text_is_known_while_the_file_is_what_was_imported(project, imported):
    """An editor sends the new text before it saves it."""
    report = code.load(project.path("thing.py"), text_of("thing_v2"))

    assert report.removed == ("only_in_1",)
    assert code.source("thing", 1) == text_of("thing_v1")
    assert code.rollback("thing").version == 3
    assert imported.which() == 1


def test_its_text_is_not_known_once_the_file_has_changed(project, unwatched, imported):
    """Then the report names what came and went by the namespaces, and says so."""
    report = project.load_text("thing", text_of("thing_v2") + "# longer\n")

    assert (report.added, report.changed, report.removed) == (("only_in_2",), (), ("only_in_1",))
    assert [(note.code, note.severity) for note in report.warnings] == [("unknown-text", "note")]
    with pytest.raises(code.UnknownVersionError):
        code.source("thing", 1)


def test_whether_its_file_has_changed_is_known(project, imported):
    """With cached byte code and without."""
    assert imported.which() == 1
    assert code.modified_modules() == ()
    project.write("thing.py", text_of("thing_v2") + "# longer\n")

    assert code.modified_modules() == ("thing",)


def test_what_another_module_binds_anew_is_no_change_of_those_who_read_it(project, unwatched, monkeypatch):
    """As a program does that keeps the function which it puts another one in the place of."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    sys.path.append(str(project.root))
    project.write("library.py", "def f(): pass\nclass Base: pass\n")
    project.write(
        "patches.py",
        "import library\nKEPT = library.f\ndef g(call=library.f): pass\nclass Own(library.Base): pass\n",
    )
    __import__("patches")

    sys.modules["library"].f = print
    sys.modules["library"].Base = object

    assert code.modified_modules() == ()


def test_annotations_and_type_parameters_are_no_change(project, monkeypatch):
    """Both make code of their own in the module's, some of one name."""
    text = "limit: int = 1\n\n\ndef f(a: str) -> int:\n    return 1\n\n\ndef g(b: float): pass\n"
    if sys.version_info >= (3, 12):
        text += "def h[T](a: T) -> T: return a\n"
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    sys.path.append(str(project.root))
    project.write("thing.py", text)
    __import__("thing")

    assert code.modified_modules() == ()
    project.write("thing.py", text.replace("return 1", "return 2"))
    assert code.modified_modules() == ("thing",)


def test_a_problem_that_it_had_already_is_a_warning(project):
    """The program lives with it."""
    sys.path.append(str(project.root))
    project.write("thing.py", "def f():\n    return nonesuch\n")
    __import__("thing")

    report = code.load("thing", "def f():\n    return nonesuch\nx = 1\n")

    assert [(each.code, each.severity) for each in report.warnings] == [("undefined-name", "warning")]


def test_of_a_text_that_is_not_known_every_problem_may_be_old(project, unwatched):
    """So it is not refused."""
    sys.path.append(str(project.root))
    project.write("thing.py", "def f():\n    return nonesuch\n")
    __import__("thing")

    report = project.load_text("thing", "def f():\n    return 'changed', nonesuch\n")

    assert "undefined-name" in [each.code for each in report.warnings]


def test_tracebacks_of_version_1_show_its_lines_while_it_can_run(project, imported):
    """Python itself compiled it under the real path."""
    fail = imported.qualified
    code.load(project.path("thing.py"), "\n\n\n" + text_of("thing_v2"))
    project.write("thing.py", "x = 1\n")

    assert "return thing.which()" in inspect.getsource(fail)


def test_a_module_that_was_replaced_in_sys_modules_goes_on_with_its_numbers(project, imported):
    """Tests do so: the module that is there now is the next version."""
    project.load("thing_v2")
    del sys.modules["thing"]
    path = project.put("thing_v1")
    again = __import__("thing")
    assert again is not imported

    report = code.load(path, text_of("thing_v2"))

    assert report.version == 4
    assert (again.which(), imported.which()) == (2, 2)
    assert code.source("thing", 3) == text_of("thing_v1")


def test_what_is_no_module_cannot_be_loaded(project):
    """Some put an object of their own into sys.modules."""
    path = project.put("thing_v1")
    sys.modules["thing"] = object()

    with pytest.raises(code.LoadError, match="no module"):
        code.load(path)

    del sys.modules["thing"]
