"""The sessions of README.md, played: what they print is what the page shows."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.emacs import PROGRAM
from helpers.sessions import blocks, shell, steady

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def tutorial(project: Path, runtime_dir: Path) -> Iterator[Path]:
    """A project with the tutorial's module in it; its server is ended after the test."""
    shutil.copy(ROOT / "examples/counter.py", project)
    yield project
    if list(runtime_dir.glob("*/server.json")):
        assert shell("midflight stop", project, runtime_dir) == ""


def test_the_command_lines_print_what_the_page_shows(tutorial: Path, runtime_dir: Path) -> None:
    """Both sessions, with the edit between them."""
    first, second = blocks(README, "console")
    counter = tutorial / "counter.py"

    for session in (first, second):
        for step in session.split("$ ")[1:]:
            command, _, shown = step.partition("\n")
            assert steady(shell(command, tutorial, runtime_dir)) == steady(shown), command
        counter.write_text(with_reset(counter.read_text(encoding="utf-8")), encoding="utf-8")


def with_reset(text: str) -> str:
    """The counter after the edit that the page asks for."""
    place = '        case "code_switch":\n'
    assert place in text
    return text.replace(place, '        case ("reset",): return loop(0)\n' + place)


def test_a_refused_load_says_what_the_page_shows(tutorial: Path, runtime_dir: Path) -> None:
    """The colon left out, two versions and one process later."""
    counter = tutorial / "counter.py"
    (shown,) = (block for block in blocks(README, "") if block.startswith("counter not loaded"))
    spawned = "echo 'pid = spawn(counter.start)' | midflight shell"
    shell(
        f"midflight serve --detach; midflight load counter.py; midflight load counter.py; {spawned}",
        tutorial,
        runtime_dir,
    )

    counter.write_text(with_reset(counter.read_text(encoding="utf-8")).replace('"code_switch":', '"code_switch"'))
    said = shell("midflight load counter.py", tutorial, runtime_dir)

    assert said.splitlines()[0] == shown.strip()


@pytest.mark.skipif(shutil.which(PROGRAM) is None, reason="no Emacs on PATH")
def test_the_session_in_emacs_is_the_one_that_the_page_shows() -> None:
    """Each line of it, in its order, is what the demo sees in a real Emacs."""
    demo = [str(ROOT / "scripts/emacs-batch"), "-l", str(ROOT / "scripts/demo.el")]
    run = subprocess.run(demo, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    seen = iter([re.sub(r"^ *(?:\| |echo area: )", "", line) for line in steady(run.stdout).splitlines()])
    shown = [block for block in blocks(README, "") if re.match(r"[0-9]> |counter v2", block)]

    assert run.returncode == 0, run.stderr
    assert len(shown) == 3
    for line in steady("".join(shown)).splitlines():
        assert line in seen, line
