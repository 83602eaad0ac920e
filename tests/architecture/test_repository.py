"""Files of the checkout: where they may point, how long they are, how they begin, and who sends requests."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from architecture.repository import foreign_private_names, machine_paths, senders, too_long, without_purpose
from architecture.sources import ROOT, files, text_of


def texts(suffix: str = "", *, under: str = "") -> list[tuple[str, str]]:
    """The name (from the root) and the text of each file with that suffix in that folder."""
    chosen = [path for path in files() if path.name.endswith(suffix)]
    found = [(path.relative_to(ROOT).as_posix(), text_of(path)) for path in chosen]
    return [(name, text) for name, text in found if text is not None and name.startswith(under)]


def test_the_checkout_is_seen() -> None:
    """The rules below look at all of it; an empty look would always pass."""
    names = {name for name, _ in texts()}

    assert {"Makefile", ".ci/run", "elisp/midflight-connection.el", "server/midflight/cli/__init__.py"} <= names


def test_no_file_names_a_path_of_one_machine() -> None:
    """Nor the host of a package registry: which one serves is the user's to configure."""
    assert [broken for name, text in texts() for broken in machine_paths(name, text)] == []


def test_no_source_file_is_too_long() -> None:
    """At 400 lines a file has a second concept in it."""
    assert [broken for name, text in texts() for broken in too_long(name, text)] == []


def test_no_private_name_of_elisp_crosses_a_file() -> None:
    """A border between two files is where one concept ends; what is private stays on its side."""
    found = [(name, text) for name, text in texts(".el") if name.startswith("elisp/")]

    assert len(found) > 30
    assert [broken for name, text in found for broken in foreign_private_names(name, text)] == []


def test_every_python_file_says_its_purpose() -> None:
    """The first thing in it is a docstring."""
    # A module that is loaded as a version in a test may be broken on purpose.
    found = [(name, text) for name, text in texts(".py") if not name.startswith("tests/modules/")]

    assert [broken for name, text in found for broken in without_purpose(name, text)] == []


def test_every_check_runs_in_the_emacs_that_is_chosen() -> None:
    """EMACS names it, be it the oldest or the newest; no target goes past the script that obeys it."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    run = [ROOT / "scripts/emacs-batch", "-l", "some.el"]
    variables = os.environ | {"EMACS": "echo"}
    said = subprocess.run(run, env=variables, capture_output=True, text=True, check=True, timeout=60)

    assert said.stdout == "-Q --batch -l some.el\n"
    assert re.findall(r"^\t@?emacs .*", makefile, re.MULTILINE) == []


def test_only_the_connection_sends_requests() -> None:
    """All other elisp asks midflight-connection.el, so that time limits and C-g hold everywhere."""
    assert [broken for name, text in texts(".el", under="elisp/") for broken in senders(name, text)] == []


def test_the_connection_does_send_requests() -> None:
    """Else the rule above would watch a name that nobody uses any more."""
    text = (ROOT / "elisp/midflight-connection.el").read_text(encoding="utf-8")

    assert list(senders("elisp/midflight-other.el", text)) != []


def test_the_changelog_has_a_place_for_the_next_change() -> None:
    """What a user can notice gets a line there."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert re.search(r"^## \[?Unreleased\]?$", changelog, re.MULTILINE)


def test_no_test_folder_is_a_package() -> None:
    """`tests` is on the path while tests run: a package tests/code would hide the standard `code`."""
    assert [name for name, _ in texts("__init__.py", under="tests/") if name.count("/") == 2] == []


@pytest.mark.parametrize(
    "line",
    [
        "cd /ro" + "ot/project",
        "see file:///ho" + "me/somebody/notes",
        'PATH = "/wo' + 'rk/main"',
        "#!/Us" + "ers/somebody/bin/python",
        "pip install --index-url https://py" + "pi.org/simple",
    ],
)
def test_a_path_of_one_machine_is_found(line: str) -> None:
    """In any file, in any sentence."""
    assert len(list(machine_paths("README.md", f"first\n{line}\n"))) == 1


@pytest.mark.parametrize("line", ["~/work/x", "docs/work/x", "$PWD/work/x", "/tmp/midflight-1000", "root/x"])
def test_other_paths_are_allowed(line: str) -> None:
    """Relative ones, and those that mean the same everywhere."""
    assert list(machine_paths("README.md", line)) == []


def test_a_long_file_is_found() -> None:
    """One line over the limit is over it."""
    assert list(too_long("a.py", "x\n" * 400)) == []
    assert len(list(too_long("a.py", "x\n" * 401))) == 1


@pytest.mark.parametrize(
    ("line", "count"),
    [("(midflight-a--b)", 0), ("(midflight-c--b)", 1), ("(midflight-a-c--b)", 1), ("(midflight-c-b)", 0)],
)
def test_a_private_name_of_another_file_is_found(line: str, count: int) -> None:
    """By its file's name before the two dashes."""
    assert len(list(foreign_private_names("elisp/midflight-a.el", line))) == count


def test_a_file_without_purpose_is_found() -> None:
    """A comment is no docstring."""
    assert list(without_purpose("a.py", '"""Do it."""\n')) == []
    assert len(list(without_purpose("a.py", "# Do it.\nimport os\n"))) == 1


@pytest.mark.parametrize(
    ("line", "name", "count"),
    [
        ("(midflight-epc-call wire 'ping nil)", "elisp/midflight-code.el", 1),
        ("(apply #'midflight-epc-call-sync args)", "elisp/midflight-code.el", 1),
        ("(process-send-string process text)", "elisp/midflight-shell.el", 1),
        ("(process-send-string process text)", "elisp/midflight-connection.el", 1),
        ("(midflight-epc-call wire 'ping nil)", "elisp/midflight-connection.el", 0),
        ("(process-send-string process text)", "elisp/midflight-epc.el", 0),
        (";; `midflight-epc-call' does (midflight-epc-call wire)", "elisp/midflight-code.el", 0),
        ("(midflight-connection-call 'ping nil #'ignore)", "elisp/midflight-code.el", 0),
    ],
)
def test_a_second_sender_is_found(line: str, name: str, count: int) -> None:
    """A call or a function value, but not a comment; the wire itself writes, the connection sends."""
    assert len(list(senders(name, line))) == count
