"""@on_load, @on_unload, once and __persist__: what a module says about its own loads."""

from __future__ import annotations

import sys

import pytest

from midflight import code
from midflight.code import LoadError


@pytest.fixture
def log(project):
    """Give the list in a module `hook_log` that the hooked modules write to."""
    sys.path.append(str(project.root))
    project.write("hook_log.py", "LOG = []\n")
    return __import__("hook_log").LOG


def test_unload_hooks_run_before_the_swap_and_load_hooks_after_it(project, log):
    """So each finds its own version behind the module."""
    project.load("hooked_v1")
    assert log == [("load 1", 1)]

    project.load("hooked_v2")

    assert log == [("load 1", 1), ("unload 1", 1), ("load 2", 2)]


def test_no_hook_runs_for_a_load_that_fails(project, log):
    """Nothing has changed."""
    project.load("hooked_v1")

    with pytest.raises(LoadError):
        project.load_text("hooked", "from midflight.code import on_load\non_load(print)\n1 / 0\n")

    assert log == [("load 1", 1)]


def test_hooks_of_a_group_run_around_the_swap_of_all(project, log):
    """All unload hooks, all swaps, all load hooks."""
    text = (
        "from midflight.code import on_load, on_unload\nfrom hook_log import LOG\nimport a, b\nN = {0}\n"
        "on_load(lambda: LOG.append(('load', __name__, a.N, b.N)))\n"
        "on_unload(lambda: LOG.append(('unload', __name__, a.N, b.N)))\n"
    )
    for number in (1, 2):
        del log[:]
        code.load_many([project.write(f"{name}.py", text.format(number)) for name in "ab"])

    # Each imports the other; the body of b is over first, as in a real import of a.
    assert log[:2] == [("unload", "b", 1, 1), ("unload", "a", 1, 1)]
    assert log[2:] == [("load", "b", 2, 2), ("load", "a", 2, 2)]


@pytest.mark.parametrize("kind", ["load", "unload"])
@pytest.mark.parametrize("error", ["ValueError('why')", "SystemExit('why')"])
def test_what_a_hook_raises_is_a_warning(project, kind, error):
    """The others run, and the version is current."""
    text = (
        f"from midflight.code import on_{kind}\nDONE = []\n@on_{kind}\ndef fail():\n    raise {error}\n"
        f"on_{kind}(lambda: DONE.append(1))\n"
    )
    report = project.load_text("hooked", text)
    done = sys.modules["hooked"].DONE
    if kind == "unload":
        report = project.load_text("hooked", "")

    (warning,) = report.warnings
    assert (warning.code, warning.line) == ("hook", 3)
    assert f"@on_{kind} fail raised {error.partition('(')[0]}: why" in warning.message
    assert done == [1]


def test_delete_runs_the_unload_hooks(project, log):
    """The version goes, and has no successor."""
    project.load("hooked_v1")

    code.delete("hooked")

    assert log == [("load 1", 1), ("unload 1", 1)]


def test_what_a_hook_raises_in_a_delete_is_a_python_warning(project):
    """A delete has no report."""
    project.load_text("hooked", "from midflight.code import on_unload\non_unload(lambda: 1 / 0)\n")

    with pytest.warns(RuntimeWarning, match="ZeroDivisionError"):
        assert code.delete("hooked")


def test_a_load_hook_of_a_module_that_is_only_imported_runs_at_once(project, log):
    """A program that nobody loads registers its things all the same."""
    project.put("hooked_v1")

    __import__("hooked")

    assert log == [("load 1", 1)]
    project.load("hooked_v2")
    assert log == [("load 1", 1), ("unload 1", 1), ("load 2", 2)]


@pytest.mark.parametrize("decorator", [code.on_load, code.on_unload])
def test_an_async_hook_is_refused(decorator):
    """Nobody would wait for it."""

    async def hook():
        pass

    with pytest.raises(TypeError, match="Spawn a process"):
        decorator(hook)


def test_once_makes_a_value_the_first_time_only(project):
    """The next version has the same one, and so have functions of either that ask."""
    project.load("connected_v1")
    connected = sys.modules["connected"]
    first = connected.conn

    project.load("connected_v2")

    assert connected.conn is first
    assert connected.fresh == ["made by 2"]


def test_persist_keeps_a_value_without_running_its_statement(project):
    """Copying it afterwards would have made it twice."""
    project.load("connected_v1")
    connected = sys.modules["connected"]
    connected.cache.append("and by others")

    project.load("connected_v2")

    assert connected.cache == ["filled by 1", "and by others"]


@pytest.mark.parametrize("statement", ["kept = made()", "kept: list = made()", "kept = other = made()"])
def test_persist_knows_each_form_of_assignment(project, statement):
    """Of names alone."""
    names = "('kept', 'other')" if "other" in statement else "('kept', )"
    text = f"__persist__ = {names}\nCALLS = []\ndef made():\n    CALLS.append(1)\n    return [1]\n{statement}\n"
    project.load_text("thing", text)
    kept = sys.modules["thing"].kept

    project.load_text("thing", text)

    assert sys.modules["thing"].kept is kept
    assert sys.modules["thing"].CALLS == []


def test_what_the_version_before_lacks_is_made(project):
    """A name that is new in __persist__."""
    project.load_text("thing", "x = 1\n")

    project.load_text("thing", "__persist__ = ['y']\ny = 2\n")

    assert sys.modules["thing"].y == 2


def test_what_a_failed_load_made_is_dropped(project):
    """The next load makes it again."""
    text = "from midflight.code import once\nvalue = once('value', list)\n{0}\n"
    with pytest.raises(LoadError):
        project.load_text("thing", text.format("1 / 0"))
    project.load_text("thing", text.format(""))
    first = sys.modules["thing"].value

    with pytest.raises(LoadError):
        project.load_text("thing", text.format("other = once('other', list); 1 / 0"))
    project.load_text("thing", text.format("other = once('other', dict)"))

    assert sys.modules["thing"].value is first
    assert sys.modules["thing"].other == {}


def test_once_in_a_function_is_kept_as_well(project):
    """From when it is called; a factory may ask for another value."""
    text = "from midflight.code import once\ndef value():\n    return once('outer', lambda: [once('inner', list)])\n"
    project.load_text("thing", text)
    first = sys.modules["thing"].value()

    project.load_text("thing", text)

    assert sys.modules["thing"].value() is first
    assert first == [[]]


def test_modules_do_not_share_what_they_keep(project):
    """The name counts within a module."""
    for name in "ab":
        project.load_text(name, "from midflight.code import once\nvalue = once('value', list)\n")

    assert sys.modules["a"].value is not sys.modules["b"].value


def test_once_in_a_module_that_is_only_imported_is_kept_when_it_is_loaded(project):
    """It is the same module."""
    sys.path.append(str(project.root))
    project.put("connected_v1")
    first = __import__("connected").conn

    project.load("connected_v2")

    assert sys.modules["connected"].conn is first
