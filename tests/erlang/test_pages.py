"""The pages for newcomers hold code that runs: each block is executed, in order, and prints what the page says.

A block ```python runs; ```python NAME.py is written to that file first, for others to import or load; a block ```text
is what the ```python block before it prints. Other blocks are for reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.versions import forget_modules_in

DOCS = Path(__file__).parents[2] / "docs"
PAGES = (
    *("applications.md", "chat.md", "coming-from-erlang.md", "coming-from-asyncio.md", "moving.md", "upgrade.md"),
    *("held.md", "state.md"),
)
BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the folder that the page's files are in, first on the path; what was imported from it goes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MIDFLIGHT_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    forget_modules_in(tmp_path)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_what_its_code_does(page: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All blocks of a page share one namespace, as if typed one after the other."""
    namespace: dict[str, Any] = {"__name__": "__page__"}
    text = (DOCS / page).read_text(encoding="utf-8")
    printed = None

    for block in BLOCK.finditer(text):
        language, name, body = block.groups()
        if language == "python" and name:
            (folder / name).write_text(body, encoding="utf-8")
        elif language == "python":
            assert not printed, f"{page} does not show what a block prints: {printed!r}"
            line = text.count("\n", 0, block.start(3))
            exec(compile("\n" * line + body, DOCS / page, "exec"), namespace)
            printed = capsys.readouterr().out
        elif language == "text":
            assert printed == body
            printed = None

    assert not printed, f"{page} does not show what its last block prints: {printed!r}"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_code(page: str) -> None:
    """Else the test above would pass without looking."""
    blocks = [match[1] for match in BLOCK.finditer((DOCS / page).read_text(encoding="utf-8"))]

    assert blocks.count("text") >= 2
