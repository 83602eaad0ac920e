"""What every command does alike: help, wrong arguments, errors as JSON, no server, two servers, a closed pipe."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.server_process import DEADLINE_SECONDS, MIDFLIGHT, Program, environment
from midflight.cli import main
from midflight.cli.parser import LOCAL, parser

ARGUMENTS = {
    "call": ("nobody", "1"),
    "cancel": ("t1",),
    "check": ("page.py",),
    "diff": ("page", "1", "2"),
    "exit": ("nobody",),
    "forward": ("page",),
    "kill": ("nobody",),
    "load": ("page.py",),
    "move": ("page",),
    "purge": ("page",),
    "recover": ("page", "x"),
    "rollback": ("page",),
    "send": ("nobody", "1"),
    "state": ("nobody",),
    "top": ("--once", "--interval", "0.01"),
    "trace": ("--all", "--count", "1"),
    "upgrade": ("page.py",),
    "versions": ("page",),
    "where": ("t1",),
}
"""The arguments of the commands that need some."""

SHELL = ("shell",)  # it starts a server where none runs
ALONE = ("shell", "log", "completion")  # they do something without one
SERVED = """\
import threading
import midflight

print(midflight.serve_in_background(name=NAME).name, flush=True)
threading.Event().wait()
"""


def commands() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each command, by name."""
    (action,) = (each for each in parser()._actions if isinstance(each, argparse._SubParsersAction))
    return dict(action.choices)


ALL = sorted(commands())
ASKING = [each for each in ALL if each not in LOCAL]
WITH_JSON = [name for name in ASKING if "--json" in commands()[name].format_help() and name not in SHELL]


def of(name: str) -> tuple[str, ...]:
    """Return a command with arguments that it takes."""
    return (name, *ARGUMENTS.get(name, ()))


@pytest.fixture
def page(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module in the project, which is the current folder."""
    path = project / "page.py"
    path.write_text("x = 1\n")
    monkeypatch.chdir(project)
    return path


@pytest.fixture
def two_servers(page: Path, runtime_dir: Path) -> Iterator[None]:
    """Two servers of the project, and none of them main."""
    programs = []
    for name in ("one", "two"):
        path = page.parent / f"{name}.py"
        path.write_text(SERVED.replace("NAME", repr(name)))
        command = (MIDFLIGHT[0], str(path))
        programs.append(Program(runtime=runtime_dir, cwd=page.parent, command=command))
        assert programs[-1].line() == name
    yield
    for program in programs:
        with program:
            pass


@pytest.mark.parametrize("name", ALL)
def test_help_says_how_to_call_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """On stdout, exit code 0."""
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])

    assert end.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: midflight {name} ")


@pytest.mark.parametrize("name", ALL)
def test_an_option_that_is_not_there_is_a_wrong_argument(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and how to call it."""
    with pytest.raises(SystemExit) as end:
        main([*of(name), "--nonsense"])

    assert end.value.code == 2
    assert "usage: midflight" in capsys.readouterr().err


@pytest.mark.parametrize("name", [each for each in ASKING if each not in ALONE])
def test_without_a_server_it_says_how_to_start_one(run: Shell, page: Path, name: str) -> None:
    """Exit code 5: what happened, what is unchanged, what to do."""
    assert run(*of(name), code=5) == ""

    root = page.parent
    start = f"Start one with: midflight serve --root {root}"
    assert run.error == f"midflight: No server runs for {root}; nothing was done. {start}\n"


@pytest.mark.parametrize("name", WITH_JSON)
def test_errors_are_json_of_one_shape(run: Shell, page: Path, name: str) -> None:
    """With --json, on stdout."""
    error = run.json(*of(name), code=5)["error"]

    assert (error["kind"], error["code"]) == ("no-server", 5)
    assert error["text"].startswith("No server runs for ")


def test_of_two_servers_one_must_be_named(run: Shell, two_servers: None) -> None:
    """Exit code 5 of every command, the shell among them, and what to say."""
    for name in (each for each in ASKING if each != "completion"):  # that one asks a server only while somebody types
        run(*of(name), code=5)
        assert "There are one, two: name one, as in --server one" in run.error, name


def test_with_its_name_one_of_two_servers_is_asked(run: Shell, two_servers: None) -> None:
    """By the commands that show something, as JSON."""
    for arguments in (("ps",), ("load", "page.py"), ("versions", "page"), of("top")):
        assert "error" not in run.json(*arguments, "--server", "two"), arguments


def test_a_closed_pipe_ends_any_command(start: Callable[..., Program], page: Path, runtime_dir: Path) -> None:
    """No command has a traceback to show for it."""
    start("serve").port()
    reading, writing = os.pipe()
    os.close(reading)
    try:
        running = [
            subprocess.Popen(
                [*MIDFLIGHT, *of(name)],
                cwd=page.parent,
                env=environment(runtime_dir),
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=subprocess.PIPE,
                text=True,
            )
            for name in ASKING
            if name not in ("stop", "restart", "trace", "watch")
        ]
        said = {str(each.args): each.communicate(timeout=DEADLINE_SECONDS)[1] for each in running}
    finally:
        os.close(writing)

    assert {name: text for name, text in said.items() if "Traceback" in text or "BrokenPipe" in text} == {}


def test_the_exit_code_tells_what_went_wrong(run: Shell, start: Callable[..., Program], page: Path) -> None:
    """Refused, not found and the rest; a report that was refused has its error, too."""
    start("serve").port()
    page.write_text("def f(): return nowhere\n")

    assert run.json("load", "page.py", code=3)["error"]["kind"] == "refused"
    assert run.json("load", "other.py", code=4)["error"]["kind"] == "not-found"
    assert run.json("versions", "page", code=4)["error"]["kind"] == "not-found"
    assert json.loads(run("trace", "nobody", "--json", code=4))["error"]["code"] == 4
