"""The API reference has every public name, and the first sentence of each docstring as it is now."""

from __future__ import annotations

import importlib

import pytest

from architecture.sources import ROOT
from helpers.reference_pages import FOLDER, PAGES, ROW, brought_up_to_date


@pytest.mark.parametrize("module", PAGES)
def test_every_public_name_is_in_the_reference(module: str) -> None:
    """Once, and none besides; scripts/reference-table adds what is missing."""
    rows = ROW.findall((FOLDER / PAGES[module]).read_text(encoding="utf-8"))

    assert sorted(rows) == sorted(importlib.import_module(module).__all__)


@pytest.mark.parametrize("module", PAGES)
def test_the_reference_is_what_the_docstrings_say(module: str) -> None:
    """Run scripts/reference-table after a change of a public docstring."""
    text = (FOLDER / PAGES[module]).read_text(encoding="utf-8")

    assert brought_up_to_date(module, text) == text, "run scripts/reference-table"


def test_every_page_of_the_reference_is_linked() -> None:
    """From the first page of its folder, and that one from the index of all pages."""
    index = (FOLDER / "README.md").read_text(encoding="utf-8")

    assert [name for name in PAGES.values() if f"]({name})" not in index] == []
    assert {path.name for path in FOLDER.glob("*.md")} == {"README.md", *PAGES.values()}
    assert "](reference/README.md)" in (ROOT / "docs/README.md").read_text(encoding="utf-8")


def test_a_name_that_comes_or_goes_changes_the_page() -> None:
    """A new one is put at the end, one that is gone is taken out, the others stay in their sections."""
    text = (FOLDER / "sys.md").read_text(encoding="utf-8")
    without = text.replace("| `suspend` |", "| `no_such_name` |")

    found = brought_up_to_date("midflight.otp.sys", without)

    assert "no_such_name" not in found
    assert ROW.findall(found) == [name for name in ROW.findall(text) if name != "suspend"] + ["suspend"]
    assert "\n## More\n" in found
