"""The record of every version: when, by whom, what it changed, who runs it."""

from __future__ import annotations

import asyncio
import gc
import inspect
import sys
import time

import pytest

from helpers.stage import V1, V2
from midflight import code
from midflight.code import UnknownModuleError
from midflight.code.lowlevel import loader_var
from midflight.code.version.modules import KEPT


def test_a_version_says_what_it_changed(stage):
    """Against the one that it replaced; the first changed nothing."""
    stage.load("def f(): return 1\ndef g(): return 1\n")
    stage.load("def f(): return 2\ndef h(): return 1\n")

    first, second = code.version_history("thing")

    assert (first.added, first.changed, first.removed) == ((), (), ())
    assert (second.added, second.changed, second.removed) == (("h",), ("f",), ("g",))


def test_a_version_says_when_it_came_and_by_whom(stage):
    """The context of the load has the name of who asked for it."""
    before = time.time()
    token = loader_var.set("Emacs 28.2, connection 1")
    stage.load(V1)
    loader_var.reset(token)
    stage.load(V2)

    first, second = code.version_history("thing")

    assert before <= first.loaded_at <= second.loaded_at <= time.time()
    assert (first.loaded_by, second.loaded_by) == ("Emacs 28.2, connection 1", "")


def test_a_process_hands_on_who_it_is_to_what_it_spawns(stage):
    """What a shell starts loads in the name of the shell."""
    path = stage.write(V1)

    async def load():
        await asyncio.sleep(0)
        code.load(path)

    token = loader_var.set("shell 1")
    stage.begin_in(load)
    loader_var.reset(token)

    assert [each.loaded_by for each in code.version_history("thing")] == ["shell 1"]


def test_processes_are_counted_by_version(stage):
    """Each version that is run is alive, and so is the current one; what nobody holds is gone, its text is not."""
    stage.load(V1)
    stage.begin()
    stage.begin()
    stage.load(V2)
    stage.load(V2)
    gc.collect()

    rows = [(each.version, each.is_current, each.is_alive, each.processes) for each in code.version_history("thing")]

    assert rows == [(1, False, True, 2), (2, False, False, 0), (3, True, True, 0)]
    assert all(each.has_text for each in code.version_history("thing"))


def test_a_module_that_was_imported_says_so(stage):
    """Nobody loaded its first version."""
    stage.import_(V1)
    stage.load(V2)

    assert [each.is_imported for each in code.version_history("thing")] == [True, False]


@pytest.mark.parametrize(
    "ask",
    [
        lambda: [each.version for each in code.versions("thing")],
        lambda: [each.version for each in code.version_history("thing")],
        lambda: [1] if code.source("thing", 1) == inspect.getsource(sys.modules["thing"]) else [],
        lambda: [each for each in (1,) if code.why_alive("thing", each)],
    ],
)
def test_a_module_that_was_only_imported_has_version_1(stage, ask):
    """Nobody need load it before anything is asked about it."""
    stage.import_(V1)

    assert ask() == [1]


@pytest.mark.parametrize("name", ["json", "nonesuch"])
def test_a_module_that_is_not_the_projects_has_none(name):
    """Of the standard library, and one that nobody has imported."""
    with pytest.raises(UnknownModuleError):
        code.versions(name)


def test_a_path_means_the_module_loaded_from_it(stage):
    """As an editor knows it; one that was never loaded is an error."""
    stage.load(V1)

    assert code.version_history(stage.project.path("thing.py")) == code.version_history("thing")
    with pytest.raises(UnknownModuleError):
        code.version_history(stage.project.path("other.py"))


def test_the_history_is_as_long_as_the_texts_are_kept(project):
    """Version 1 is forgotten when version 101 comes."""
    path = project.write("thing.py", "")
    for number in range(1, KEPT + 2):
        if number > KEPT:
            gc.collect()  # what is in memory is not forgotten, though nobody holds it
        code.load(path, f"number = {number}\n")

    assert [each.version for each in code.version_history("thing")] == [*range(2, KEPT + 2)]


def test_lingering_are_those_whom_a_purge_would_end(stage):
    """With where they are in the text of their version."""
    stage.load(V1)
    pid = stage.begin(name="old")
    stage.load(V2)
    stage.begin()

    (found,) = code.lingering("thing")

    assert (found.pid, found.name, found.version, found.function) == (pid, "old", 1, "f")
    assert code.purge("thing") == (pid,)
