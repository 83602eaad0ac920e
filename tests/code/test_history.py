"""Texts, differences, rollback, and the newest version of what is held as a value."""

from __future__ import annotations

import functools
import gc
import os
import sys

import pytest

from helpers.versions import text_of
from midflight import code
from midflight.code import UnknownVersionError
from midflight.code.version.modules import KEPT


def test_the_text_of_every_version_is_kept(project):
    """Though nobody runs it, and the file is another."""
    for version in ("thing_v1", "thing_v2"):
        project.load(version)
    project.write("thing.py", "not loaded\n")

    assert code.source("thing", 1) == text_of("thing_v1")
    assert code.source("thing", 2) == code.source("thing") == text_of("thing_v2")


def test_a_text_of_another_encoding_comes_back_whole(project):
    """As it was loaded, from its file as well."""
    text = "# -*- coding: latin-1 -*-\nname = 'é'\n"

    code.load(project.path("thing.py"), text)
    project.load("thing_v2")

    assert code.source("thing", 1) == text


def test_a_version_that_never_was_is_an_error(project):
    """With those that are kept."""
    project.load("thing_v1")

    with pytest.raises(UnknownVersionError, match=r"no version 7.*kept: 1"):
        code.source("thing", 7)
    with pytest.raises(UnknownVersionError):
        code.rollback("thing", 7)


def test_the_last_hundred_texts_are_kept(project):
    """Older ones go with their files."""
    path = project.write("thing.py", "")
    code.load(path, "number = 1\n")
    first = sys.modules["thing"].__loader__.version.snapshot.file
    for number in range(2, KEPT + 1):
        code.load(path, f"number = {number}\n")
    gc.collect()  # the text of a version that is still in memory is kept too
    code.load(path, f"number = {KEPT + 1}\n")

    assert not os.path.exists(first)
    assert code.source("thing", 2) == "number = 2\n"
    with pytest.raises(UnknownVersionError):
        code.source("thing", 1)


def test_a_text_that_somebody_took_away_is_said(project):
    """A cleaner of temporary folders; the current one is in memory."""
    project.load("thing_v1")
    file = sys.modules["thing"].which.__code__.co_filename
    project.load("thing_v2")
    gc.collect()
    os.unlink(file)

    with pytest.raises(UnknownVersionError):
        code.source("thing", 1)
    assert code.source("thing") == text_of("thing_v2")
    assert project.load("thing_v1").version == 3


def test_diff_shows_lines_and_definitions(project):
    """Of any two versions; the second is the current one if none is given."""
    for version in ("thing_v1", "thing_v2"):
        project.load(version)

    diff = code.diff("thing", 1)

    assert diff == code.diff("thing", 1, 2)
    assert str(diff) == diff.text
    assert diff.text.startswith(
        f"--- {project.path('thing.py')} (version 1)\n+++ {project.path('thing.py')} (version 2)"
    )
    assert "-    return 1\n+    return 2\n" in diff.text
    assert (diff.added, diff.removed) == (("only_in_2",), ("only_in_1",))
    assert code.diff("thing", 2, 1).added == ("only_in_1",)


def test_rollback_loads_the_version_before_as_a_new_one(project):
    """Twice is back again: the one before is then the one that was left."""
    for version in ("thing_v1", "thing_v2"):
        project.load(version)

    report = code.rollback("thing")

    assert (report.version, sys.modules["thing"].which()) == (3, 1)
    assert code.source("thing", 3) == text_of("thing_v1")
    assert (code.rollback("thing").version, sys.modules["thing"].which()) == (4, 2)


def test_rollback_to_a_version(project):
    """Any that is kept; the file is left alone."""
    for version in ("thing_v1", "thing_v2", "thing_v2"):
        project.load(version)

    assert code.rollback("thing", 1).version == 4

    assert sys.modules["thing"].which() == 1
    assert code.modified_modules() == ("thing",)


def test_rollback_of_a_first_version_is_an_error(project):
    """There is none before it."""
    project.load("thing_v1")

    with pytest.raises(UnknownVersionError):
        code.rollback("thing")

    assert sys.modules["thing"].which() == 1


def test_rollback_after_delete_takes_the_last_version(project):
    """That was the one before none."""
    project.load("thing_v1")
    code.delete("thing")

    assert code.rollback("thing").version == 2
    assert sys.modules["thing"].which() == 1


def test_rollback_is_checked_like_any_load(project, runtime):
    """Code of the version that is left may need what the old text lacks."""
    project.load_text("thing", "x = 1\n")
    project.load_text(
        "thing",
        "from midflight import receive\nimport thing\n"
        "async def f():\n    await receive()\n    thing.g()\ndef g(): pass\n",
    )
    pid = runtime.spawn(sys.modules["thing"].f)
    runtime.run_until_idle()

    with pytest.raises(code.LoadError, match=r"thing\.g"):
        code.rollback("thing")

    pid << "go on"
    runtime.run_until_idle()


def test_current_is_the_newest_version_of_what_is_held(project):
    """Functions, classes, methods of classes and of objects, partials."""
    project.load("thing_v1")
    thing = sys.modules["thing"]
    which, cls, method, bound = thing.which, thing.Thing, thing.Thing.which, thing.Thing().which
    partial = functools.partial(which)
    project.load("thing_v2")

    assert code.current(which) is thing.which
    assert code.current(cls) is thing.Thing
    assert code.current(method) is thing.Thing.which
    assert code.current(bound)() == 2
    assert code.current(bound).__self__ is bound.__self__
    assert code.current(partial)() == 2
    assert code.current(len) is len


def test_current_of_what_is_gone_is_a_lookup_error(project):
    """Also of what never could be looked up."""
    project.load("thing_v1")
    thing = sys.modules["thing"]
    gone, closure = thing.only_in_1, thing.make_closure()
    project.load("thing_v2")

    for function in (gone, closure, lambda: None, object()):
        with pytest.raises(LookupError):
            code.current(function)
    del sys.modules["thing"]
    with pytest.raises(LookupError):
        code.current(gone)


def test_versions_tell_number_name_and_which_is_current(project, runtime):
    """Oldest first; only those that are there."""
    project.load("counter_v1")
    pid = runtime.spawn(sys.modules["counter"].start)
    runtime.run_until_idle()
    project.load("counter_v2")
    project.load_text("counter", text_of("counter_v2") + "__vsn__ = 'third'\n")

    first, third = code.versions("counter")

    assert (first.version, first.is_current) == (1, False)
    assert (third.version, third.vsn, third.is_current) == (3, "third", True)
    pid << "stop"
    runtime.run_until_idle()


def test_is_loaded_is_the_file(project):
    """H33: None for a module that is not there, or was only imported."""
    sys.path.append(str(project.root))
    path = project.put("thing_v1")
    __import__("thing")
    assert code.is_loaded("thing") is None

    code.load(path)

    assert code.is_loaded("thing") == path
