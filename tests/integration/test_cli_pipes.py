"""Commands whose output is not taken: nobody reads it, or there is no room for it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.server_process import DEADLINE_SECONDS, MIDFLIGHT, Program, environment

OUTPUTS = [
    ("ps",),
    ("ps", "--json"),
    ("top", "--once", "--interval", "0.01"),
    ("servers",),
    ("doctor",),
    ("versions", "page"),
]


@pytest.fixture
def page(start: Callable[..., Program], project: Path) -> Path:
    """A project with a server and a module `page`."""
    start("serve").port()
    path = project / "page.py"
    path.write_text("x = 1\n")
    return path


def into(stdout: int, project: Path, runtime_dir: Path, *arguments: str, given: str = "") -> tuple[int, str]:
    """Run a command with that output; return its exit code and what it says on stderr."""
    ran = subprocess.run(
        [*MIDFLIGHT, *arguments],
        cwd=project,
        env=environment(runtime_dir),
        input=given,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=DEADLINE_SECONDS,
    )
    return ran.returncode, ran.stderr


@pytest.fixture
def closed_pipe() -> Iterator[Callable[[], int]]:
    """Give a function that returns the writing end of a pipe that nobody reads."""

    made: list[int] = []

    def make() -> int:
        reading, writing = os.pipe()
        os.close(reading)
        made.append(writing)
        return writing

    yield make
    for writing in made:
        os.close(writing)


@pytest.mark.parametrize("arguments", OUTPUTS, ids=" ".join)
def test_a_pipe_that_nobody_reads_ends_a_command_quietly(
    page: Path, runtime_dir: Path, closed_pipe: Callable[[], int], arguments: tuple[str, ...]
) -> None:
    """As `| head` does it: exit code 141, no traceback, no word."""
    into(subprocess.DEVNULL, page.parent, runtime_dir, "load", str(page))

    code, said = into(closed_pipe(), page.parent, runtime_dir, *arguments)

    assert (code, said) == (141, "")


def test_a_shell_whose_output_nobody_reads_ends_quietly(
    page: Path, runtime_dir: Path, closed_pipe: Callable[[], int]
) -> None:
    """Values and output of processes alike."""
    code, said = into(closed_pipe(), page.parent, runtime_dir, "shell", given="print('a')\n1\n2\n")

    assert (code, said) == (141, "")


def test_output_without_room_is_told(page: Path, runtime_dir: Path) -> None:
    """Exit code 1, with the reason."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no device that is always full")

    with full.open("w") as stream:
        code, said = into(stream.fileno(), page.parent, runtime_dir, "servers")

    assert code == 1
    assert said.startswith("midflight: No space left on device; ")
