"""README.md names only what is there: commands, keys, functions of Emacs, targets, files."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from architecture.sources import ROOT, files, text_of

README = (ROOT / "README.md").read_text(encoding="utf-8")
NOT_YET = README[README.index("It does not have yet:") :]
THERE = README.removesuffix(NOT_YET)


def sources(suffix: str) -> str:
    """All files with that suffix, outside the tests, as one text."""
    paths = [path for path in files() if path.name.endswith(suffix) and "tests" not in path.parts]
    return "\n".join(text_of(path) or "" for path in paths)


def test_every_command_is_there() -> None:
    """`midflight X` in the text and in the sessions; and every command there is, is in the text."""
    run = [sys.executable, "-m", "midflight.cli", "--help"]
    said = subprocess.run(run, capture_output=True, text=True, check=True, timeout=60).stdout
    commands = set(re.findall(r"^    ([a-z]+)(?: |$)", said, re.MULTILINE))
    named = set(re.findall(r"(?:`|\$ |\| )midflight ([a-z]+)", THERE))

    assert named == commands


def test_every_target_of_make_is_there() -> None:
    """And those that check something are all named."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z-]+)", README))

    assert named <= targets
    assert {target for target in targets if target.startswith("test")} <= named


def test_every_emacs_command_and_key_is_there() -> None:
    """Each row of the table is a binding of the mode's map, or a command."""
    elisp = sources(".el")
    rows = re.findall(r"^\| (?:`(C-[cx] [^`]+)`)? ?\| (`midflight[^|]*) \|", README, re.MULTILINE)

    for key, cell in rows:
        for command in re.findall(r"`([^`]+)`", cell):
            assert f"(defun {command} (" in elisp
            assert not key or f"""(kbd "{key}") #'{command})""" in elisp
    bound = re.findall(
        r"""^    \(define-key map \(kbd "[^"]+"\) #'([^)]+)\)""",
        text_of(ROOT / "elisp/midflight.el") or "",
        re.MULTILINE,
    )
    in_text = ("midflight-next-note", "midflight-previous-note", "midflight-clear-notes")
    assert set(bound) - set(in_text) == {cell.strip("`") for key, cell in rows if key}


def test_every_neovim_command_is_there() -> None:
    """The plugin defines it."""
    lua = sources(".lua")
    named = set(re.findall(r"`:(Midflight\w+)", README))

    assert named
    assert [name for name in named if not re.search(rf'["\']{name}["\']', lua)] == []


def test_the_counter_is_the_example() -> None:
    """The module on the first screen is the file, to the letter."""
    block = re.search(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)

    assert block is not None
    assert block[1] == (ROOT / "examples/counter.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "page",
    ["README.md", "CONTRIBUTING.md", *sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "docs").rglob("*.md"))],
)
def test_every_link_leads_somewhere(page: str) -> None:
    """Relative ones; the folders of the map, too."""
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    folders = re.findall(r"^\| `([a-z/]+/)` \|", text, re.MULTILINE) if page == "README.md" else []

    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []
    assert [folder for folder in folders if not (ROOT / folder).is_dir()] == []


def test_the_table_of_rivals_is_what_the_benchmark_wrote() -> None:
    """Each row of the extract stands in the whole table."""
    whole = (ROOT / "docs" / "rivals.md").read_text(encoding="utf-8").splitlines()
    start = README.index("| Edit | importlib.reload |")
    rows = README[start : README.index("\n\n", start)].splitlines()

    assert len(rows) > 8
    assert set(rows) <= set(whole)


@pytest.mark.parametrize("index", sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "docs").rglob("README.md")))
def test_every_page_is_linked_from_the_index_of_its_folder(index: str) -> None:
    """A page that no index names is on no reader's way, and Sphinx gives it no place in the site."""
    folder = (ROOT / index).parent
    text = (ROOT / index).read_text(encoding="utf-8")
    pages = [path.name for path in folder.glob("*.md") if path.name != "README.md"]
    below = [f"{path.parent.name}/README.md" for path in folder.glob("*/README.md")]

    assert [page for page in sorted(pages + below) if f"]({page})" not in text] == []


def test_the_tutorial_of_the_manual_is_that_of_the_readme() -> None:
    """The same module, and the same session, which tests play; so neither can go stale alone."""
    page = (ROOT / "docs/manual/tutorial.md").read_text(encoding="utf-8")
    found = re.findall(r"^```(?:python)?\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)

    assert len(found) == 3
    assert [block for block in found if f"\n{block}```" not in README] == []
