"""docs/security.md names tests that there are, for every claim in its tables but those it admits."""

from __future__ import annotations

import re

from architecture.sources import ROOT

PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")


def test_every_test_that_the_page_names_is_there() -> None:
    """By its file and name, and those of Emacs by their name."""
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    emacs = re.findall(r"`(midflight-(?:rendezvous|handshake)-[\w-]+)`", PAGE)
    lisp = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests/elisp").glob("*-tests.el"))

    assert [name for file, name in named if f"\ndef {name}(" not in (ROOT / file).read_text("utf-8")] == []
    assert [name for name in emacs if f"(ert-deftest {name} ()" not in lisp] == []
    assert len(named) > 20
    assert len(emacs) > 3


def test_every_claim_has_its_test() -> None:
    """A row without one says in bold what is not prevented."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| They", "| It"))]

    assert [row for row in rows if "`" not in row.split("|")[3] and "the same" not in row and "**" not in row] == []
    assert len(rows) > 20
