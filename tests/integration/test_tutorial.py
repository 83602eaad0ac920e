"""The session of docs/tutorial.md, played: what it prints is what the page shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.sessions import blocks, shell, steady

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
CLASS = re.compile(r"^class Till.*?(?=^async def start)", re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(project: Path, runtime_dir: Path) -> Iterator[Path]:
    """An empty project; its server is ended after the test."""
    yield project
    if list(runtime_dir.glob("*/server.json")):
        assert shell("midflight stop", project, runtime_dir) == ""


def test_the_example_is_the_module_of_the_page() -> None:
    """To the letter: the first block of Python is the whole file."""
    assert blocks(PAGE, "python")[0] == (ROOT / "examples/till.py").read_text(encoding="utf-8")


def test_the_session_prints_what_the_page_shows(folder: Path, runtime_dir: Path) -> None:
    """Block after block: each file and each edit is made, each command is run."""
    till = folder / "till.py"
    played = 0

    for language, body in re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        if language == "toml":
            (folder / "pyproject.toml").write_text(body, encoding="utf-8")
        elif language == "python" and not till.exists():
            till.write_text(body, encoding="utf-8")
        elif language == "python":
            text, count = CLASS.subn(lambda _, body=body: f"{body}\n\n", till.read_text(encoding="utf-8"))
            assert count == 1
            till.write_text(text, encoding="utf-8")
        else:
            for step in body.removeprefix("$ ").split("\n$ "):
                command, _, shown = step.partition("\n")
                assert steady(shell(command, folder, runtime_dir)).rstrip() == steady(shown).rstrip(), command
                played += 1

    assert played == 18
