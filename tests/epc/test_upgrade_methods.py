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
from midflight.epc import RemoteServer
from midflight.errors import RemoteError

FAILS = "raise ValueError(self.total)"


class Editor:
    """A connection with a shell, and the file that it edits."""

    def __init__(self, client: RemoteServer, path: Path) -> None:
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


# --- Several modules ------------------------------------------------------------------------------------------


@pytest.fixture
def shelf(editor: Editor) -> Iterator[Path]:
    """Another module of the editor's, with a server `c` of it."""
    path = editor.path.with_name("shelf.py")
    path.write_text(ledger(1))
    editor.path.write_text(ledger(1))
    editor.ask("code/load", str(path), None, None)
    editor.value("c = await shelf.Ledger.start(3)")
    yield path
    editor.value("exit(c, 'kill')")


def test_load_many_upgrades_live_servers(editor: Editor, shelf: Path, node: Any) -> None:
    """Those of all modules that bring a code_change; each module is told to the other editors with its servers."""
    heard: queue.Queue[dict[str, Any]] = queue.Queue()
    node.connect({"code/loaded": heard.put})

    found = editor.ask("code/load-many", [[str(editor.path), ledger(2, TO_A_DICT)], [str(shelf), ledger(2, TO_A_DICT)]])

    assert found["status"] == "loaded"
    assert found["summary"] == "2 modules loaded: ledger v2, shelf v2; 3 servers upgraded by code_change"
    assert [len(each["upgraded"]) for each in found["reports"]] == [2, 1]
    assert "    total=3, entries=[[3]]\n    -> total={'sum': 3}, entries=[[3]]\n" in found["text"]
    assert [len(heard.get(timeout=DEADLINE_SECONDS)["upgraded"]) for _ in range(2)] == [2, 1]
    assert editor.value("[await call(pid, 'get') for pid in (a, c)]") == "[(2, {'sum': 1}), (2, {'sum': 3})]"


def test_load_modified_upgrades_live_servers(editor: Editor, shelf: Path) -> None:
    """It leaves no server in the old shape under new code; one module's news do not touch the other's servers."""
    shelf.write_text(ledger(2, TO_A_DICT))
    editor.path.write_text(ledger(2))

    found = editor.ask("code/load-modified")

    assert [(each["module"], len(each["upgraded"])) for each in found["reports"]] == [("ledger", 0), ("shelf", 1)]
    assert found["summary"].endswith("; 1 server upgraded by code_change")
    assert editor.value("[await call(pid, 'get') for pid in (a, c)]") == "[(2, 1), (2, {'sum': 3})]"


def test_a_code_change_that_fails_loads_none_of_them(editor: Editor, shelf: Path) -> None:
    """The report is of the module at fault, with its line."""
    shelf.write_text(ledger(2, FAILS))
    editor.path.write_text(ledger(2, TO_A_DICT))

    found = editor.ask("code/load-modified")

    (report,) = found["reports"]
    (problem,) = report["diagnostics"]
    assert (found["status"], report["module"]) == ("failed", "shelf")
    assert (problem["path"], problem["line"], problem["code"]) == (str(shelf), 20, "code-change")
    assert found["summary"].startswith("shelf not upgraded: line 20, code_change of <0.")
    assert found["summary"].endswith(" With it none of the modules was loaded.")
    assert "Traceback (most recent call last):" in found["text"]
    assert editor.value("[await call(pid, 'get') for pid in (a, c)]") == "[(1, 1), (1, 3)]"


def test_several_are_upgraded_by_name_path_or_text(editor: Editor, shelf: Path, node: Any) -> None:
    """With one extra for all; first only to see it, which is told to nobody."""
    heard: queue.Queue[dict[str, Any]] = queue.Queue()
    node.connect({"code/loaded": heard.put})
    shelf.write_text(ledger(2, "self.total = extra"))
    modules = [str(shelf), [str(editor.path), ledger(2, "self.total = extra")]]

    shown = editor.ask("code/upgrade-many", modules, {"extra": "shelf.__name__", "dry_run": True})
    done = editor.ask("code/upgrade-many", modules, {"extra": "shelf.__name__"})

    assert (shown["status"], [each["status"] for each in shown["reports"]]) == ("dry-run", ["dry-run"] * 2)
    assert shown["summary"].startswith("2 modules would load: shelf v2, ledger v2; 3 servers would be upgraded")
    assert [each["module"] for each in done["reports"]] == ["shelf", "ledger"]
    assert editor.value("[await call(pid, 'get') for pid in (a, c)]") == "[(2, 'shelf'), (2, 'shelf')]"
    assert heard.get(timeout=DEADLINE_SECONDS)["summary"].startswith("shelf v2 loaded: ")


def test_a_dry_run_of_several_that_would_fail_says_so_of_all(editor: Editor, shelf: Path) -> None:
    """Nothing has changed."""
    modules = [[str(shelf), ledger(2, TO_A_DICT)], [str(editor.path), ledger(2, FAILS)]]

    shown = editor.ask("code/upgrade-many", modules, {"dry_run": True})

    assert (shown["status"], [each["status"] for each in shown["reports"]]) == ("failed", ["failed"] * 2)
    assert shown["summary"].startswith("ledger would not be upgraded: line 20, code_change of <0.")
    assert "\nshelf would not be upgraded: it goes together with ledger" in shown["text"]
    assert editor.value("await call(c, 'get')") == "(1, 3)"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((None,), "MODULES must be a list of modules"),
        (("ledger",), "MODULES must be a list of modules"),
        ((["ledger", 3],), "A module must be a name, a path, or a list"),
        ((["ledger"], {"to": 1}), "property list of :force :dry-run :extra :timeout"),
        ((["ledger"], {"timeout": "1"}), ":timeout must be an integer"),
    ],
)
def test_misuse_with_several_is_refused_in_words(editor: Editor, arguments: tuple[Any, ...], expected: str) -> None:
    """What was wrong, and that nothing was done."""
    with pytest.raises(RemoteError, match=f"{expected}.*nothing was done"):
        editor.ask("code/upgrade-many", *arguments)


def test_the_shells_lm_decides_as_editors_do(editor: Editor, shelf: Path) -> None:
    """For all modules whose file has changed; of a failure it says that none was loaded."""
    shelf.write_text(ledger(2, TO_A_DICT))
    editor.path.write_text(ledger(2, FAILS))

    editor.value("lm()")
    before = editor.value("[await call(pid, 'get') for pid in (a, c)]")
    editor.path.write_text(ledger(2, TO_A_DICT))
    editor.value("lm()")

    assert before == "[(1, 1), (1, 3)]"
    assert editor.value("[await call(pid, 'get') for pid in (a, c)]") == "[(2, {'sum': 1}), (2, {'sum': 3})]"
