"""docs/tour.md names only files and functions that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from architecture.sources import ROOT

TOUR = (ROOT / "docs/tour.md").read_text(encoding="utf-8")
FILE = re.compile(r"`([a-z_]+(?:/[\w-]+)*\.(?:py|el|md))`")
ROW = re.compile(r"^\| `([\w/-]+\.(?:py|el))` \| ([^|]+) \|", re.MULTILINE)


def named(file: str) -> Path:
    """The file of that name: below the root, or below the package."""
    return ROOT / file if (ROOT / file).exists() else ROOT / "server/midflight" / file


def missing(file: str, names: str) -> Iterator[str]:
    """The names in backticks that the file does not define."""
    text = named(file).read_text(encoding="utf-8")
    for name in re.findall(r"`([\w.-]+)`", names):
        last = re.escape(name.rpartition(".")[2])
        if not re.search(rf"^\s*(?:async def|def|class) {last}\b|^\((?:cl-)?def[a-z]+ {last}[ \n]", text, re.MULTILINE):
            yield f"{file}: {name}"


def test_every_file_is_there() -> None:
    """Those with a folder in their names; a bare name is one of a folder that was named just before."""
    files = {file for file in FILE.findall(TOUR) if "/" in file}

    assert len(files) > 30
    assert [file for file in sorted(files) if not named(file).exists()] == []


def test_every_folder_of_tests_is_there() -> None:
    """Of the table of places."""
    folders = set(re.findall(r"`(tests/[a-z/]+)`", TOUR))

    assert len(folders) > 8
    assert [folder for folder in sorted(folders) if not (ROOT / folder).is_dir()] == []


def test_every_function_is_in_its_file() -> None:
    """Of the paths of a message and of a load."""
    rows = ROW.findall(TOUR)

    assert len(rows) > 25
    assert [broken for file, names in rows for broken in missing(file, names)] == []


@pytest.mark.parametrize(("names", "count"), [("`Core.turn`, `receive`", 0), ("`receive_all`", 1)])
def test_a_function_that_is_elsewhere_is_found(names: str, count: int) -> None:
    """By its last name, in the file."""
    assert len(list(missing("kernel/pure_core.py", names))) == count
