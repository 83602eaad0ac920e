"""`midflight attach`: what is refused everywhere, and the real thing where Python is 3.14 or later."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.server_process import Program
from midflight.cli.attach import script_for

has_remote_exec = pytest.mark.skipif(not hasattr(sys, "remote_exec"), reason="sys.remote_exec is of Python 3.14")

APP = """import asyncio
print("runs", flush=True)
asyncio.run(asyncio.Event().wait())
"""
THREADS = """import time
print("runs", flush=True)
while True:
    time.sleep(0.01)
"""


def test_a_number_that_no_process_has_is_not_found(run: Shell) -> None:
    """Nor is one that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()

    run("attach", str(ended.pid), code=4)

    assert "No process has the id" in run.error


def test_the_command_itself_is_refused(run: Shell) -> None:
    """As an error of one shape with --json."""
    assert run.json("attach", str(os.getpid()), code=3)["error"]["kind"] == "refused"


@pytest.mark.skipif(hasattr(sys, "remote_exec"), reason="this Python can")
def test_an_older_python_says_what_to_do_instead(run: Shell) -> None:
    """It names its version and the line for the program."""
    run("attach", str(os.getppid()), code=3)

    assert "only 3.14 or later" in run.error
    assert "midflight.serve_in_background()" in run.error


def test_the_script_says_what_went_wrong(tmp_path: Path) -> None:
    """It is run by itself here, where the project's folder cannot be: the traceback is in its file."""
    place = tmp_path / "said.json"
    done = subprocess.run(
        [sys.executable, "-c", script_for(place, str(tmp_path)).replace("serve_in_background", "no_such_name")],
        check=False,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "no_such_name" in json.loads(place.read_text())["error"]


@has_remote_exec
@pytest.mark.parametrize("text", [APP, THREADS])
def test_a_program_that_runs_gets_a_server(
    run: Shell, start: Callable[..., Program], project: Path, runtime_dir: Path, text: str
) -> None:
    """In its idle event loop, or beside its own threads; a second time it is the same server."""
    (project / "app.py").write_text(text)
    with Program("app.py", runtime=runtime_dir, cwd=project, command=[sys.executable]) as program:
        program.line_with("runs")
        said = json.loads(run("attach", str(program.process.pid), "--json"))
        again = json.loads(run("attach", str(program.process.pid), "--json"))
        shown = run("shell", "-c", "__import__('os').getpid()")

    assert said == again == {"name": "main", "root": str(project), "pid": program.process.pid}
    assert shown == f"{program.process.pid}\n"


@has_remote_exec
def test_one_that_does_not_want_it_is_refused(run: Shell, project: Path, runtime_dir: Path) -> None:
    """The reason is Python's, and what it takes; the program goes on."""
    (project / "app.py").write_text(APP)
    command = [sys.executable, "-X", "disable-remote-debug"]
    with Program("app.py", runtime=runtime_dir, cwd=project, command=command) as program:
        program.line_with("runs")
        run("attach", str(program.process.pid), code=3)

        assert "-X disable-remote-debug" in run.error
        assert program.process.poll() is None
