"""The server as Neovim meets it: started when none runs, found when one does, gone all of a sudden."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from helpers.neovim import DEADLINE_SECONDS, Neovim, Project
from midflight.epc import ProjectFiles

LOAD = "MidflightLoad"


@pytest.fixture
def make_neovim(project: Project) -> Iterator[Callable[[str], Neovim]]:
    """A function that starts a Neovim with another policy; all are ended."""
    made: list[Neovim] = []

    def make(auto_start: str) -> Neovim:
        made.append(Neovim(project.root, sys.executable, auto_start=auto_start))
        made[-1].edit("counter.py")
        return made[-1]

    yield make
    for neovim in made:
        neovim.close()


def test_a_server_that_is_killed_is_told_and_another_one_started(neovim: Neovim, project: Project) -> None:
    """Clearly, once, with what to do; the next load works."""
    neovim.edit("counter.py")
    neovim.nvim.command(LOAD)
    neovim.wait_message("counter v1 loaded")
    neovim.ask("1", "2> ")

    project.kill()

    told = f"Midflight: the server of {project.root} has ended, and its processes. :MidflightLoad starts another"
    assert neovim.wait_message(told).count("has ended") == 1
    neovim.wait_prompt("")
    assert "The server has ended" in neovim.shell()[-2]
    neovim.nvim.command("messages clear")
    neovim.nvim.command(LOAD)
    neovim.wait_message("counter v1 loaded")
    assert neovim.ask("1 + 1", "2> ")[-1] == "2"


def test_an_evaluation_under_way_ends_with_its_server(neovim: Neovim, project: Project) -> None:
    """Nobody waits for ever."""
    neovim.ask("1", "2> ")
    neovim.nvim.command("MidflightShell print('it waits'); await receive()")
    neovim.wait_shell("it waits")

    project.kill()

    neovim.wait_message("has ended, and its processes")
    neovim.wait_shell("The server has ended, and its processes with their state. The next input starts another.")


def test_with_never_no_server_is_started(make_neovim: Callable[[str], Neovim], project: Project) -> None:
    """And the message says how to start one."""
    neovim = make_neovim("never")
    neovim.nvim.command(LOAD)

    neovim.wait_message(f"midflight serve --root {project.root}")
    assert ProjectFiles(project.root).running() is None


def wait_question(neovim: Neovim, *, is_there: bool) -> None:
    """Wait until a confirm() waits for its key, or none does."""
    until = time.monotonic() + DEADLINE_SECONDS
    while (neovim.nvim.api.get_mode()["mode"] == "r?") is not is_there:
        assert time.monotonic() < until, f"waited for the question to {'come' if is_there else 'go'}"


@pytest.mark.parametrize(("key", "message"), [("y", "counter v1 loaded"), ("n", "nothing was done")])
def test_with_ask_the_user_decides(make_neovim: Callable[[str], Neovim], key: str, message: str) -> None:
    """One key."""
    neovim = make_neovim("ask")
    neovim.nvim.ui_attach(500, 40)  # so wide that no message asks for ENTER
    neovim.nvim.command(LOAD)
    wait_question(neovim, is_there=True)

    neovim.nvim.input(key)
    wait_question(neovim, is_there=False)  # what is asked for meanwhile, Neovim 0.12 does before it takes the key

    neovim.wait_message(message)


def test_with_ask_and_nobody_to_ask_none_is_started(make_neovim: Callable[[str], Neovim], project: Project) -> None:
    """A script without a screen has said nothing."""
    neovim = make_neovim("ask")
    neovim.nvim.command(LOAD)

    neovim.wait_message("nothing was done")
    assert ProjectFiles(project.root).running() is None


def test_a_running_server_is_used_by_all(
    make_neovim: Callable[[str], Neovim], project: Project, neovim: Neovim
) -> None:
    """A second Neovim of the project finds it, and nobody is asked."""
    neovim.edit("counter.py")
    neovim.nvim.command(LOAD)
    neovim.wait_message("counter v1 loaded")
    other = make_neovim("never")

    other.nvim.command(LOAD)

    other.wait_message("counter v2 loaded")
    neovim.wait_message("counter v2 loaded")


def test_a_server_that_does_not_start_says_why(neovim: Neovim, project: Project) -> None:
    """In the words of the command, which is the project's own if it has one."""
    command = project.root / ".venv" / "bin" / "midflight"
    command.parent.mkdir(parents=True)
    command.write_text("#!/bin/sh\necho the reason >&2\nexit 1\n")
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    neovim.edit("counter.py")

    neovim.nvim.command(LOAD)

    assert "No server could be started" in neovim.wait_message("says: the reason")


def test_quit_leaves_the_server_running(neovim: Neovim, project: Project) -> None:
    """Its processes go on; the next command connects again."""
    neovim.edit("counter.py")
    neovim.nvim.command(LOAD)
    neovim.wait_message("counter v1 loaded")

    neovim.nvim.command("MidflightQuit")

    neovim.wait_message(f"disconnected from {project.root}")
    assert ProjectFiles(project.root).running() is not None
    neovim.nvim.command(LOAD)
    neovim.wait_message("counter v2 loaded")


def test_quit_does_not_wait_for_a_load_that_hangs(neovim: Neovim, project: Project) -> None:
    """Nor for an evaluation: what takes its time is left behind."""
    neovim.edit("counter.py")
    neovim.replace("import threading\nprint('it hangs')\nthreading.Event().wait()\n")
    neovim.nvim.command(LOAD)
    neovim.wait_shell("it hangs")

    neovim.nvim.command("MidflightQuit")

    neovim.wait_message(f"disconnected from {project.root}")
    project.kill()  # it would not end by itself


def test_quit_with_bang_ends_the_server(neovim: Neovim, project: Project) -> None:
    """As asked, so it is no accident to be told of."""
    neovim.edit("counter.py")
    neovim.nvim.command(LOAD)
    neovim.wait_message("counter v1 loaded")
    pid = ProjectFiles(project.root).running()
    assert pid is not None

    neovim.nvim.command("MidflightQuit!")

    assert "has ended, and its" not in neovim.wait_message(f"the server of {project.root} ends")
    until = time.monotonic() + DEADLINE_SECONDS
    while ProjectFiles(project.root).running() is not None:
        assert time.monotonic() < until, "waited for the server's end"


def test_without_a_python_that_has_it_the_user_is_told(neovim: Neovim) -> None:
    """What was tried, and what to set."""
    neovim.edit("counter.py")
    neovim.nvim.command("unlet g:midflight_python | let $VIRTUAL_ENV = '' | let $PATH = '/nowhere'")

    neovim.nvim.command(LOAD)

    assert "or set g:midflight_python (tried: " in neovim.wait_message("no Python has it")


@pytest.mark.parametrize(("python", "message"), [("/nowhere/python", "cannot be run"), ("false", "has ended")])
def test_a_chosen_python_that_is_none_is_told(neovim: Neovim, python: str, message: str) -> None:
    """The choice is taken as it is, so the fault is named."""
    neovim.edit("counter.py")
    neovim.nvim.vars["midflight_python"] = python

    neovim.nvim.command(LOAD)

    neovim.wait_message(message)


def test_the_python_of_the_projects_own_environment_is_found(neovim: Neovim, project: Project) -> None:
    """Before the one on PATH; above the buffer's file, wherever that is."""
    folder = project.root / ".venv" / "bin"
    folder.mkdir(parents=True)
    os.symlink(sys.executable, folder / "python")
    neovim.nvim.command("unlet g:midflight_python")
    neovim.edit("counter.py")

    found = neovim.nvim.exec_lua('return require("midflight.bridge").candidates()')

    assert found[0] == str(folder / "python")


def test_neovims_end_is_the_bridges_end(neovim: Neovim) -> None:
    """Nothing is left behind, though the shell waits."""
    neovim.ask("1", "2> ")
    channels = neovim.nvim.api.list_chans()
    (bridge,) = [each["id"] for each in channels if "midflight" in " ".join(each.get("argv", []))]
    pid = neovim.nvim.funcs.jobpid(bridge)
    neovim.nvim.command("MidflightShell await receive()")
    neovim.wait_prompt("")

    neovim.close()

    until = time.monotonic() + DEADLINE_SECONDS
    while os.path.exists(f"/proc/{pid}"):
        assert time.monotonic() < until, "waited for the bridge's end"
