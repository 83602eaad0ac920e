"""The methods for who edits a file: preview, definition, check, comparison, several modules, who is at which line."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.epc_peer import DEADLINE_SECONDS
from helpers.ledgers import TO_A_DICT, ledger
from helpers.versions import project_in
from midflight.epc import RemoteServer
from midflight.errors import RemoteError

TALLY = """\
from midflight import receive


async def loop(total):
    while True:
        match await receive():
            case ("add", n):
                total += n


async def stay(total):
    held = total
    await receive()
    return held


def helper():
    return 1
"""


class Editor:
    """A connection with a shell, and the files of a project."""

    def __init__(self, client: RemoteServer, root: Path) -> None:
        self.client = client
        self.root = root
        self.path = str(root / "tally.py")
        self.pids: list[str] = []
        self.session = client.call("shell/open")["session"]

    def ask(self, method: str, *arguments: Any) -> Any:
        """Call a method."""
        return self.client.call(method, *arguments, timeout_seconds=4 * DEADLINE_SECONDS)

    def load(self, text: str = TALLY, name: str = "tally.py") -> dict[str, Any]:
        """Write a text to a file of the project and load it, as C-c C-k does."""
        (self.root / name).write_text(text)
        answer = self.ask("code/load", str(self.root / name), text, None)
        assert isinstance(answer, dict)
        assert answer["status"] == "loaded", answer["text"]
        return answer

    def value(self, expression: str) -> str:
        """Evaluate in the shell; return the repr."""
        result = self.ask("shell/eval", self.session, expression)
        assert result["status"] == "ok", result
        return str(result["value"])

    def spawn(self, call: str) -> str:
        """Start a process and return its pid when it waits."""
        self.pids.append(self.value(f"spawn({call})"))
        self.value("await sleep(0)")
        return self.pids[-1]

    def start(self, call: str) -> None:
        """Start a server."""
        self.pids.append(self.value(f"await {call}"))

    def end(self) -> None:
        """End the processes."""
        for pid in self.pids:
            self.ask("process/exit", pid, "kill")


@pytest.fixture
def editor(node: Any, tmp_path: Path) -> Iterator[Editor]:
    """An editor of tally.py, which is not loaded yet; its processes end with the test."""
    with project_in(tmp_path):
        editor = Editor(node.connect(), tmp_path)
        yield editor
        editor.end()


def line_of(text: str, part: str) -> int:
    """Return the line of `part` in `text`."""
    return text[: text.index(part)].count("\n") + 1


# --- Preview -----------------------------------------------------------------------------------------------------


def test_preview_says_what_a_load_would_do(editor: Editor) -> None:
    """Definitions with their lines, the diff, who would go on and who of them could be moved."""
    editor.load()
    loop, stay = editor.spawn("tally.loop, 0"), editor.spawn("tally.stay, 0")
    new = TALLY.replace("total += n", "total += 2 * n").replace("def helper():\n    return 1\n", "def other(): pass\n")

    found = editor.ask("code/preview", editor.path, new)

    assert found["status"] == "dry-run"
    assert found["summary"].startswith(
        "tally v2 would be loaded: loop changed, other added, helper removed; "
        "2 processes would go on in v1, 1 of them can be moved ("
    )
    assert found["changes"] == [
        {"name": "loop", "status": "changed", "line": 4},
        {"name": "other", "status": "added", "line": line_of(new, "def other")},
        {"name": "helper", "status": "removed", "line": None},
    ]
    assert "-                total += n\n+                total += 2 * n\n" in found["diff"]
    assert found["running"] == 1
    assert [each["pid"] for each in found["lingering"]] == [loop, stay]
    assert found["moved"] == [loop]
    why = "stay does not begin with a receive"
    assert [(each["pid"], each["reason"]) for each in found["not_moved"]] == [(stay, why)]
    assert f"{stay}  v1  at stay:13, cannot be moved: {why}" in found["text"]


def test_preview_of_a_crowd_judges_the_first_ones(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    """All are counted; nobody is held up for long by it."""
    monkeypatch.setattr("midflight.code.editing.preview.JUDGED", 3)
    monkeypatch.setattr("midflight.code.editing.preview.AT_ONCE", 2)
    editor.load()
    pids = [editor.spawn("tally.loop, 0") for _ in range(4)]

    found = editor.ask("code/preview", editor.path, TALLY + "x = 1\n")

    assert "4 processes would go on in v1, 3 of the first 3 can be moved" in found["summary"]
    assert [each["pid"] for each in found["lingering"]] == pids
    assert found["moved"] == pids[:3]


def test_preview_changes_nothing(editor: Editor) -> None:
    """The version, its text and the number of the next one are as before; its body has run aside."""
    editor.load()
    pid = editor.spawn("tally.loop, 7")
    editor.ask("code/preview", editor.path, TALLY + "\nx = 1\n")

    assert editor.value("hasattr(tally, 'x')") == "False"
    assert [each["version"] for each in editor.ask("code/history", "tally")["versions"]] == [1]
    assert editor.load(TALLY + "y = 2\n")["version"] == 2
    assert editor.ask("process/view", pid)["version"] == 1


def test_preview_of_a_first_load_leaves_no_module(editor: Editor) -> None:
    """All of it is new; afterwards it is not there."""
    found = editor.ask("code/preview", editor.path, TALLY)

    assert found["summary"].startswith("tally v1 would be loaded (")
    assert [each["name"] for each in found["changes"]] == ["receive", "loop", "stay", "helper"]
    assert (found["diff"], found["running"]) == ("", None)
    assert editor.value("__import__('sys').modules.get('tally')") == "None"
    assert editor.load()["version"] == 1


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ("def helper():", "def helper(:", "syntax", "not loaded: line 17"),
        ("return 1", "return nobody", "undefined-name", "not loaded: line 18, undefined name 'nobody'"),
    ],
)
def test_preview_of_what_would_be_refused_says_why(editor: Editor, old: str, new: str, code: str, said: str) -> None:
    """As a load of it would."""
    editor.load()

    found = editor.ask("code/preview", editor.path, TALLY.replace(old, new))

    assert found["status"] == "failed"
    assert [each["code"] for each in found["diagnostics"]] == [code]
    assert said in found["summary"]


def test_preview_names_the_processes_that_would_die(editor: Editor) -> None:
    """A qualified call of live code that the new version lacks."""
    text = (
        "import tally\nfrom midflight import receive\nasync def loop():\n    await receive()\n    await tally.gone()\n"
    )
    gone = "\nasync def gone(): pass\n"
    editor.load(text + gone)
    pid = editor.spawn("tally.loop")

    found = editor.ask("code/preview", editor.path, text.replace("await tally.gone()", "pass"))

    assert found["status"] == "failed"
    assert found["summary"].startswith("tally would not be loaded: tally version 1, loop:5, uses tally.gone")
    assert f"{pid} would end there" in found["text"]
    assert [each["pid"] for each in found["lingering"]] == [pid]


def test_preview_says_what_would_become_of_servers(editor: Editor) -> None:
    """Their code_change runs on copies."""
    editor.load(ledger(1), "ledger.py")
    editor.start("ledger.Ledger.start(1)")

    found = editor.ask("code/preview", str(editor.root / "ledger.py"), ledger(2, TO_A_DICT))

    assert found["status"] == "dry-run"
    assert "1 server would be upgraded by code_change" in found["summary"]
    (server,) = found["upgraded"]
    assert server["after"] != server["before"]
    assert [each["version"] for each in editor.ask("code/history", "ledger")["versions"]] == [1]


# --- One definition ----------------------------------------------------------------------------------------------


def test_definition_alone_is_loaded(editor: Editor) -> None:
    """What else was edited stays out, and is named; the others hear of the load."""
    editor.load()
    edited = TALLY.replace("return 1", "return 2").replace("total += n", "total += n + 1") + "\n\ndef new(): pass\n"

    found = editor.ask("code/define", editor.path, edited, line_of(edited, "return 2"), None)

    assert found["status"] == "loaded"
    assert found["summary"].startswith("tally v2 loaded: helper changed (")
    assert found["summary"].endswith("; helper only, other edits stay out: loop, new")
    assert (found["definition"], found["left_out"]) == ("helper", ["loop", "new"])
    assert editor.ask("code/source", "tally", 2) == TALLY.replace("return 1", "return 2")
    assert editor.value("tally.helper()") == "2"
    assert found["path"] == editor.path


def test_an_assignment_alone_makes_its_name_new(editor: Editor) -> None:
    """Who sends it wants its value; a load of the whole text keeps what runs."""
    text = TALLY + "\n\nCACHE = {}\nOTHER = {}\n"
    editor.load(text)
    editor.value("(tally.CACHE.update(a=1), tally.OTHER.update(a=1))")

    editor.load(text + "# more\n")
    assert editor.value("tally.CACHE") == "{'a': 1}"
    editor.ask("code/define", editor.path, text, line_of(text, "CACHE = {}"), None)

    assert editor.value("tally.CACHE, tally.OTHER") == "({}, {'a': 1})"
    assert editor.ask("code/source", "tally", 3) == text + "# more\n"


def test_a_conditional_assignment_makes_its_names_new(editor: Editor) -> None:
    """As one that stands by itself."""
    text = "if True:\n    CACHE = {}\nelse:\n    CACHE = None\nOTHER = {}\n"
    editor.load(text)
    editor.value("(tally.CACHE.update(a=1), tally.OTHER.update(a=1))")

    found = editor.ask("code/define", editor.path, text, 2, None)

    assert found["definition"] == "CACHE"
    assert editor.value("tally.CACHE, tally.OTHER") == "({}, {'a': 1})"


def test_an_attribute_of_a_class_alone_is_loaded(editor: Editor) -> None:
    """And is new; the rest of its class stays as it runs."""
    text = "class C:\n    seen = []\n    rate = 1\n    def m(self): return self.rate\n"
    editor.load(text)
    editor.value("tally.C.seen.append(1)")
    edited = text.replace("seen = []", "seen = [0]").replace("rate = 1", "rate = 5")

    editor.ask("code/define", editor.path, edited, 3, True)
    assert editor.value("tally.C.seen, tally.C().m()") == "([1], 5)"
    editor.ask("code/define", editor.path, edited, 2, True)
    assert editor.value("tally.C.seen") == "[0]"


def test_the_definitions_of_a_region_are_loaded_together(editor: Editor) -> None:
    """As one version; the rest of the region comes back."""
    editor.load()
    edited = "import math\n\n\ndef new():\n    return math.pi\n\n\nnew()\n" + TALLY.replace("return 1", "return 2")

    found = editor.ask("code/define-region", editor.path, edited, 1, edited.count("\n"))

    assert found["summary"].startswith("tally v2 loaded")
    assert {"math", "new", "helper"} <= set(found["definition"].split(", "))
    assert "new()" in found["rest"].split("\n")
    assert editor.value("tally.helper(), tally.new() > 3") == "(2, True)"
    assert editor.ask("code/define-region", editor.path, edited, 8, 8) == {"rest": "new()"}


def test_definition_is_loaded_though_another_is_half_written(editor: Editor) -> None:
    """Only that one must be whole."""
    editor.load()
    edited = TALLY.replace("return 1", "return 3") + "\n\ndef half(:\n"

    found = editor.ask("code/define", editor.path, edited, line_of(edited, "return 3"), None)

    assert found["summary"].endswith("; helper only, the rest of the text is no whole module")
    assert editor.value("tally.helper()") == "3"


def test_others_hear_of_a_definition(node: Any, editor: Editor) -> None:
    """As of any load; of a refused one nobody hears."""
    heard: queue.Queue[dict[str, Any]] = queue.Queue()
    editor.load()
    node.connect({"code/loaded": heard.put})

    editor.ask("code/define", editor.path, TALLY.replace("return 1", "return nobody"), 18, None)
    editor.ask("code/define", editor.path, TALLY, 18, None)

    assert heard.get(timeout=DEADLINE_SECONDS)["summary"].startswith("tally v2 loaded")


@pytest.mark.parametrize(
    ("bad", "code", "column"), [("return nobody", "undefined-name", 11), ("return (", "syntax", 11), ("1 / 0", None, 0)]
)
def test_problems_of_a_definition_are_at_its_lines_in_the_editor(
    editor: Editor, bad: str, code: str | None, column: int
) -> None:
    """The text that is loaded has it at another line."""
    editor.load()
    edited = "# one line\n# and another\n" + TALLY.replace("return 1", bad)

    found = editor.ask("code/define", editor.path, edited, line_of(edited, bad), None)

    if code is None:
        assert found["status"] == "loaded"
        return
    (diagnostic,) = found["diagnostics"]
    assert (diagnostic["line"], diagnostic["column"], diagnostic["code"]) == (line_of(edited, bad), column, code)
    assert [each["version"] for each in editor.ask("code/history", "tally")["versions"]] == [1]


def test_method_alone_is_loaded(editor: Editor) -> None:
    """The rest of its class stays as it runs."""
    text = "class C:\n    y = 1\n    def m(self): return 1\n    def n(self): return self.y\n"
    editor.load(text)
    edited = text.replace("y = 1", "y = 2").replace("return 1", "return 5")

    found = editor.ask("code/define", editor.path, edited, 3, True)

    assert found["definition"] == "C.m"
    assert editor.value("tally.C().m(), tally.C().n()") == "(5, 1)"
    assert found["left_out"] == ["C"]


def test_definition_upgrades_servers_as_a_load_does(editor: Editor) -> None:
    """If it brings a code_change for them."""
    path = str(editor.root / "ledger.py")
    editor.load(ledger(1), "ledger.py")
    editor.start("ledger.Ledger.start(1)")
    edited = ledger(2, TO_A_DICT)

    found = editor.ask("code/define", path, edited, line_of(edited, "def code_change"), None)

    assert len(found["upgraded"]) == 1


@pytest.mark.parametrize(
    ("is_loaded", "line", "said"),
    [
        (False, 18, "is not loaded, so there is nothing to put helper into; load the file first"),
        (True, 1, "Point is in no"),
    ],
)
def test_definition_without_a_place_is_refused(editor: Editor, is_loaded: bool, line: int, said: str) -> None:
    """With nothing loaded."""
    if is_loaded:
        editor.load()

    with pytest.raises(RemoteError, match=said) as caught:
        editor.ask("code/define", editor.path, TALLY.replace("from midflight", "# from midflight", 1), line, None)

    assert "nothing was loaded" in str(caught.value)


# --- Check only --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "status", "codes"),
    [
        (("return 1", "return 2"), "ok", []),
        (("def helper():", "def helper(:"), "failed", ["syntax"]),
        (("return 1", "return nobody"), "failed", ["undefined-name"]),
        (("    held = total\n", "    loop(total)\n    held = total\n"), "failed", ["not-awaited"]),
        (("    held = total\n", "    held = await loop(total)\n"), "ok", ["awaited-loop"]),
        (("return 1", "return nobody\nfrom os import *"), "ok", []),
        (("return 1", "return 1 / 0\n1 / 0"), "ok", []),
        (("return 1", "return 1\nreturn 2"), "failed", ["syntax"]),
    ],
)
def test_check_finds_what_a_load_would_without_running_it(
    editor: Editor, change: tuple[str, str], status: str, codes: list[str]
) -> None:
    """Names, calls that nothing runs, whatever the compiler says."""
    found = editor.ask("code/check", editor.path, TALLY.replace(*change))

    assert (found["status"], [each["code"] for each in found["diagnostics"]]) == (status, codes)
    assert "Nothing was run or loaded" in found["summary"]
    assert editor.value("__import__('sys').modules.get('tally')") == "None"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there are no type parameters")
def test_check_knows_functions_with_annotations_and_type_parameters(editor: Editor) -> None:
    """The compiler makes code of both, at the line of the function."""
    text = """\
async def loop[T](total: T, *, kind: type[T]) -> list[T]:
    held: list[T] = [kind(total)]
    return held


async def main(total: int) -> None:
    print(not loop(total, kind=int))
"""

    found = editor.ask("code/check", editor.path, text)

    assert [(each["code"], each["line"]) for each in found["diagnostics"]] == [("not-awaited", 7)]


def test_check_knows_what_the_running_version_is_used_to(editor: Editor) -> None:
    """Names that its body made by other means, and problems that it has already."""
    editor.load("globals()['made'] = 1\ndef f(): return made\n")

    assert editor.ask("code/check", editor.path, "globals()['made'] = 1\ndef f(): return made + 1\n")["status"] == "ok"
    assert editor.ask("code/check", editor.path, "def f(): return helper_that_was_never_there\n")["status"] == "failed"


# --- What differs, and who is where ------------------------------------------------------------------------------


def test_a_load_and_what_an_editor_asks_by_itself_do_not_wait_for_each_other(editor: Editor, monkeypatch: Any) -> None:
    """Who waits where, and what differs, is answered while the body of a new version runs."""
    editor.load()
    gate = threading.Event()
    monkeypatch.setattr(sys, "gate", gate, raising=False)

    load = editor.client.submit(
        "code/load", editor.path, f"import sys\nsys.gate.wait({DEADLINE_SECONDS})\n{TALLY}", None
    )
    try:
        assert editor.ask("code/compare", editor.path, TALLY)["status"] == "same"
        editor.ask("code/waiting", editor.path, TALLY)
        assert not load.done()
    finally:
        gate.set()

    assert load.result(DEADLINE_SECONDS)["version"] == 2


def test_compare_says_what_differs_from_what_runs(editor: Editor) -> None:
    """Whatever the file says: it was edited since, and that edit was loaded or not."""
    assert editor.ask("code/compare", editor.path, TALLY)["status"] == "not-loaded"
    editor.load()
    assert editor.ask("code/compare", editor.path, TALLY + "# a comment\n")["status"] == "same"
    assert editor.ask("code/compare", editor.path, TALLY + "def f(:\n")["status"] == "unknown"

    found = editor.ask("code/compare", editor.path, TALLY.replace("return 1", "return 2").replace("stay", "rest"))

    assert found == {
        "status": "differs",
        "module": "tally",
        "version": 1,
        "differences": [
            {"name": "rest", "status": "new", "line": 11, "end_line": 14},
            {"name": "helper", "status": "changed", "line": 17, "end_line": 18},
        ],
        "gone": [{"name": "stay", "line": 17}],
    }


def test_waiting_finds_processes_of_all_versions_in_the_edited_text(editor: Editor) -> None:
    """A line of version 1 is where the edited text has it."""
    assert editor.ask("code/waiting", editor.path, TALLY) is None
    editor.load()
    first, second = editor.spawn("tally.loop, 0"), editor.spawn("tally.loop, 0")
    new = TALLY.replace("async def loop", "def early():\n    pass\n\n\nasync def loop")
    editor.load(new)
    third = editor.spawn("tally.loop, 0")

    found = editor.ask("code/waiting", editor.path, "# edited\n" + new)

    assert found == [
        {
            "line": line_of(new, "match await") + 1,
            "count": 3,
            "pids": [first, second, third],
            "versions": [{"version": 1, "count": 2, "current": False}, {"version": 2, "count": 1, "current": True}],
        }
    ]


def test_who_is_at_a_line_of_the_edited_text(editor: Editor) -> None:
    """With a row each, as in the list of processes, oldest first; nobody at a line is no error."""
    editor.load()
    first, second = editor.spawn("tally.loop, 0"), editor.spawn("tally.loop, 0, name='second'")
    line = line_of(TALLY, "match await") + 2

    found = editor.ask("process/at", editor.path, "# edited\n# twice\n" + TALLY, line)

    assert found["count"] == 2
    assert [row[:5] for row in found["rows"]] == [
        [first, None, "tally", 1, "loop"],
        [second, "second", "tally", 1, "loop"],
    ]
    assert editor.ask("process/at", editor.path, TALLY, 1) == {"count": 0, "rows": None}


# --- Several modules ---------------------------------------------------------------------------------------------


def test_many_are_loaded_together_or_not_at_all(editor: Editor) -> None:
    """With their stale from-imports; each is told to the others."""
    editor.load()
    editor.load("from tally import helper\n", "shop.py")
    edited = TALLY.replace("return 1", "return 2")
    assert editor.ask("code/load", editor.path, edited, None)["stale_imports"] == [{"module": "shop", "name": "helper"}]

    found = editor.ask("code/load-many", [[editor.path, edited], "shop"])

    assert found["status"] == "loaded"
    assert found["summary"] == "2 modules loaded: tally v3, shop v2"
    assert [(each["module"], each["stale_imports"]) for each in found["reports"]] == [("tally", []), ("shop", [])]
    assert editor.value("shop.helper()") == "2"

    failed = editor.ask("code/load-many", [[editor.path, "x = 1\n"], [str(editor.root / "shop.py"), "1 / 0\n"]])

    assert failed["status"] == "failed"
    assert failed["summary"].startswith("shop not loaded: line 1, ZeroDivisionError")
    assert failed["summary"].endswith(" With it none of the modules was loaded.")
    assert [each["version"] for each in editor.ask("code/history", "tally")["versions"] if each["current"]] == [3]


def test_all_that_are_refused_are_counted(editor: Editor) -> None:
    """The first is said in the one line; the text has each."""
    pairs = [[str(editor.root / name), "x = (\n"] for name in ("one.py", "two.py")]

    failed = editor.ask("code/load-many", pairs)

    assert [each["module"] for each in failed["reports"]] == ["one", "two"]
    assert failed["summary"].startswith("one not loaded: line 1")
    assert failed["summary"].endswith(" With it and 1 more refused, none of the modules was loaded.")
    assert "\ntwo not loaded: line 1" in failed["text"]


def test_modified_modules_are_loaded_together(editor: Editor) -> None:
    """Those whose file is not what runs."""
    editor.load()
    editor.load("y = 1\n", "shop.py")
    assert editor.ask("code/load-modified")["summary"] == "No loaded module differs from its file; nothing was loaded"
    (editor.root / "shop.py").write_text("y = 2\n")

    found = editor.ask("code/load-modified")

    assert (found["status"], [each["module"] for each in found["reports"]]) == ("loaded", ["shop"])
    assert found["text"].startswith("shop v2 loaded: y changed")
    assert editor.value("shop.y") == "2"


def test_several_modules_can_be_forced_and_moved_to(editor: Editor) -> None:
    """The switches of a load."""
    editor.load()
    faulty = [[str(editor.root / "shop.py"), "def f(): return nonesuch\n"]]

    assert editor.ask("code/load-many", faulty)["status"] == "failed"
    assert editor.ask("code/load-many", faulty, {"force": True, "move": True})["status"] == "loaded"
    (editor.root / "shop.py").write_text("def f(): return nonesuch, other\n")
    assert editor.ask("code/load-modified", {"move": True})["status"] == "failed"
    assert editor.ask("code/load-modified", {"force": True})["status"] == "loaded"
    with pytest.raises(RemoteError, match="property list of :force :two-versions :move"):
        editor.ask("code/load-many", faulty, {"fast": True})


@pytest.mark.parametrize("modules", [None, "tally", [3], [["relative.py", "x = 1\n"]]])
def test_what_is_no_list_of_modules_is_refused(editor: Editor, modules: Any) -> None:
    """In words."""
    with pytest.raises(RemoteError, match="nothing was done"):
        editor.ask("code/load-many", modules)
