"""The sessions of README.md, played: what they print is what the page shows."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.emacs import PROGRAM
from helpers.server_process import environment

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The code blocks of that language, in order; "" for those that name none."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [body for its_language, body in found if its_language == language]


def steady(text: str) -> str:
    """`text` without what differs from run to run: times, ports, digests, folders."""
    text = re.sub(r"[0-9]+\.[0-9] ms", "N ms", text)
    text = re.sub(r"^[0-9]{4,5}$", "PORT", text, flags=re.MULTILINE)
    text = re.sub(r"\b[0-9a-f]{16}\b", "VSN", text)
    return re.sub(r"/\S+/(?=counter\.py)", "/tutorial/", text)


@pytest.fixture
def tutorial(project: Path, runtime_dir: Path) -> Iterator[Path]:
    """A project with the tutorial's module in it; its server is ended after the test."""
    shutil.copy(ROOT / "examples/counter.py", project)
    yield project
    if list(runtime_dir.glob("*/server.json")):
        assert shell("midflight stop", project, runtime_dir) == ""


def shell(command: str, folder: Path, runtime: Path) -> str:
    """What a command line prints on both channels; `midflight` is this Python's."""
    program = f'midflight() {{ "{sys.executable}" -P -m midflight.cli "$@"; }}\n{command}'
    run = subprocess.run(
        ["bash", "-c", program],
        cwd=folder,
        env=environment(runtime),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    return run.stdout


def test_the_command_lines_print_what_the_page_shows(tutorial: Path, runtime_dir: Path) -> None:
    """Both sessions, with the edit between them."""
    first, second = blocks("console")
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
    (shown,) = (block for block in blocks("") if block.startswith("counter not loaded"))
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
    shown = [block for block in blocks("") if re.match(r"[0-9]> |counter v2", block)]

    assert run.returncode == 0, run.stderr
    assert len(shown) == 3
    for line in steady("".join(shown)).splitlines():
        assert line in seen, line
