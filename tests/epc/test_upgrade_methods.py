"""Upgrades over the wire: by code/upgrade, and by code/load when the new version brings a code_change."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.epc_peer import DEADLINE_SECONDS
from helpers.ledgers import TO_A_DICT, ledger
from helpers.versions import project_in
from midflight.epc import Client
from midflight.errors import RemoteError

FAILS = "raise ValueError(self.total)"


class Editor:
    """A connection with a shell, and the file that it edits."""

    def __init__(self, client: Client, path: Path) -> None:
        self.client = client
        self.path = path
        self.session = client.call("shell/open")["session"]

    def load(self, text: str) -> dict[str, Any]:
        """Load a text of the file, as C-c C-k does."""
        return self.ask("code/load", str(self.path), text, None)

    def upgrade(self, text: str | None, **options: Any) -> dict[str, Any]:
        """Upgrade the module to a text."""
        return self.ask("code/upgrade", "ledger", text, options or None)

    def ask(self, method: str, *arguments: Any) -> dict[str, Any]:
        """Call a method that answers a report."""
        answer = self.client.call(method, *arguments, timeout_seconds=DEADLINE_SECONDS)
        assert isinstance(answer, dict)
        return answer

    def value(self, expression: str) -> str:
        """Evaluate in the shell; return the repr."""
        result = self.client.call("shell/eval", self.session, expression, timeout_seconds=DEADLINE_SECONDS)
        assert result["status"] == "ok", result
        return str(result["value"])


@pytest.fixture
def editor(node: Any, tmp_path: Path) -> Iterator[Editor]:
    """An editor of ledger.py, with version 1 loaded and two servers of it, `a` and `b`."""
    with project_in(tmp_path):
        editor = Editor(node.connect(), tmp_path / "ledger.py")
        editor.load(ledger(1))
        editor.value("a, b = await ledger.Ledger.start(1), await ledger.Ledger.start(2)")
        yield editor
        editor.value("[exit(pid, 'kill') for pid in (a, b)]")


def test_load_upgrades_live_servers(editor: Editor) -> None:
    """When the new version brings a code_change; the answer names them."""
    report = editor.load(ledger(2, TO_A_DICT))

    assert report["status"] == "loaded"
    assert "; 2 servers upgraded by code_change (" in report["summary"]
    assert [each.pop("pid") for each in report["upgraded"]] == [editor.value("a"), editor.value("b")]
    assert report["upgraded"][0] == {
        "name": None,
        "class": "Ledger",
        "old_version": 1,
        "old_vsn": "1",
        "down": False,
        "code_change": True,
        "before": "total=1, entries=[[1]]",
        "after": "total={'sum': 1}, entries=[[1]]",
        "error": None,
    }
    assert editor.value("await call(a, 'get')") == "(2, {'sum': 1})"


def test_load_only_loads_what_brings_none(editor: Editor) -> None:
    """The servers take the new class at their next message."""
    report = editor.load(ledger(2))

    assert (report["status"], report["upgraded"]) == ("loaded", [])
    assert editor.value("await call(a, 'get')") == "(2, 1)"


def test_a_code_change_that_fails_is_a_failed_load(editor: Editor) -> None:
    """With the line as a diagnostic, so that editors show it where it is."""
    report = editor.load(ledger(2, FAILS))

    (problem,) = report["diagnostics"]
    assert report["status"] == "failed"
    assert (problem["line"], problem["code"]) == (20, "code-change")
    assert "raised ValueError: 1, the first one; the first one's state is total=1" in report["summary"]
    assert "Traceback (most recent call last):" in report["text"]
    assert editor.value("await call(b, 'get')") == "(1, 2)"


def test_a_dry_run_is_told_to_nobody_else(editor: Editor, node: Any) -> None:
    """It has loaded nothing."""
    heard: queue.Queue[dict[str, Any]] = queue.Queue()
    node.connect({"code/loaded": heard.put})

    rehearsed = editor.upgrade(ledger(2, TO_A_DICT), dry_run=True)
    editor.load(ledger(3))

    assert (rehearsed["status"], rehearsed["version"]) == ("dry-run", 2)
    assert rehearsed["upgraded"][1]["after"] == "total={'sum': 2}, entries=[[2]]"
    assert heard.get(timeout=DEADLINE_SECONDS)["summary"].startswith("ledger v2 loaded: ")


def test_extra_is_evaluated_as_in_a_shell(editor: Editor) -> None:
    """So that it may name loaded modules and Midflight's functions."""
    editor.upgrade(ledger(2, "self.total = extra"), extra="{'here': ledger.__name__}")

    assert editor.value("await call(a, 'get')") == "(2, {'here': 'ledger'})"


def test_an_extra_that_raises_upgrades_nobody(editor: Editor) -> None:
    """The request was wrong."""
    with pytest.raises(RemoteError, match=r"(?s):extra could not be evaluated; nothing was done\..*ZeroDivisionError"):
        editor.upgrade(ledger(2, TO_A_DICT), extra="1 // 0")

    assert editor.value("await call(a, 'get')") == "(1, 1)"


def test_a_downgrade_says_so(editor: Editor) -> None:
    """`old_vsn` is the vsn that it goes down to."""
    editor.upgrade(ledger(2, "self.total = old_vsn"))

    report = editor.upgrade(None, to=1)

    assert [(each["old_vsn"], each["down"]) for each in report["upgraded"]] == [("1", True)] * 2
    assert editor.value("await call(a, 'get')") == "(1, ('down', 1))"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("x.py/y.py", None, None), "MODULE must be an absolute path"),
        (("ledger", "x = 1", {"to": 1}), "SOURCE and :to exclude each other"),
        (("ledger", None, {"to": "1"}), ":to must be an integer"),
        (("ledger", None, {"extra": 1}), ":extra must be a string"),
        (("ledger", None, {"move": True}), "property list of :force :dry-run :extra :to :timeout"),
    ],
)
def test_misuse_is_refused_in_words(editor: Editor, arguments: tuple[Any, ...], expected: str) -> None:
    """What was wrong, and that nothing was done."""
    with pytest.raises(RemoteError, match=f"{expected}.*nothing was done"):
        editor.ask("code/upgrade", *arguments)


def test_the_shells_c_decides_as_editors_do(editor: Editor) -> None:
    """One word for one act."""
    editor.path.write_text(ledger(2, TO_A_DICT))

    editor.value("c('ledger')")

    assert editor.value("await call(a, 'get')") == "(2, {'sum': 1})"
