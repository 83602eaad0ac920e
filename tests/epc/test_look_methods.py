"""The methods about live names and values, over the wire."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.epc_peer import DEADLINE_SECONDS
from helpers.versions import forget_modules_in
from midflight.epc import RemoteServer
from midflight.errors import RemoteError

SOURCE = '''from midflight import receive


class Box:
    """A box."""

    def put(self, thing, count=1):
        self.thing = thing


async def loop(total, box: Box):
    await receive()
    return loop(total, box)
'''


class Editor:
    """A connection with an open shell and a loaded module."""

    def __init__(self, node: Any, path: Path) -> None:
        self.client: RemoteServer = node.connect({"shell/output": lambda *_: None})
        self.path = str(path)
        self.session = self.client.call("shell/open")["session"]
        path.write_text(SOURCE)
        self.client.call("code/load", self.path, None, None, timeout_seconds=DEADLINE_SECONDS)
        self.module = path.stem

    def call(self, method: str, *arguments: object) -> Any:
        """Send a request and return the answer."""
        return self.client.call(method, *arguments, timeout_seconds=DEADLINE_SECONDS)

    def eval(self, text: str) -> Any:
        """Evaluate `text`, which must go well."""
        answer = self.call("shell/eval", self.session, text)
        assert answer["status"] == "ok", answer
        return answer["value"]


@pytest.fixture
def editor(node: Any, tmp_path: Path) -> Iterator[Editor]:
    """An editor at work."""
    before = list(sys.path)
    editor = Editor(node, tmp_path / "boxes_of_editor.py")
    yield editor
    sys.path[:] = before
    forget_modules_in(tmp_path)


def test_complete_answers_rows(editor: Editor) -> None:
    """What was written, whether that is all, and a row a candidate."""
    assert editor.call("look/complete", editor.session, f"await {editor.module}.lo") == {
        "written": "lo",
        "whole": True,
        "candidates": [["loop", "async function", "(total, box: Box)", 1]],
    }
    rows = editor.call("look/complete", editor.path, "box.", "loop")["candidates"]
    assert [row[0] for row in rows] == ["put"]
    assert editor.call("look/complete", None, "boxes_of_ed")["candidates"][0][:2] == ["boxes_of_editor", "module"]


def test_signature_answers_the_call_that_is_written(editor: Editor) -> None:
    """And which argument is next."""
    assert editor.call("look/signature", editor.path, "self.put(1, ", "Box.put") == {
        "name": "self.put",
        "parameters": ["thing", "count=1"],
        "returns": "",
        "active": 1,
        "kind": "method",
        "version": 1,
    }
    assert editor.call("look/signature", editor.session, "x = 1") is None


def test_doc_has_the_place_too(editor: Editor) -> None:
    """For the button in a help buffer."""
    doc = editor.call("look/doc", editor.session, f"{editor.module}.Box")

    assert (doc["kind"], doc["text"], doc["signature"]) == ("class", "A box.", "()")
    assert (doc["definition"]["path"], doc["definition"]["line"]) == (editor.path, 4)
    assert editor.call("look/doc", editor.session, "nothing_there") is None


def test_definition_and_references_answer_places(editor: Editor) -> None:
    """Lines of the text that runs."""
    definition = editor.call("look/definition", editor.path, "Box.put", "loop")
    found = editor.call("look/references", editor.path, "loop")

    assert (definition["line"], definition["column"], definition["text"]) == (
        7,
        8,
        "    def put(self, thing, count=1):",
    )
    assert (found["module"], found["name"]) == (editor.module, "loop")
    assert [(each["line"], each["inside"]) for each in found["references"]] == [(13, "loop")]


def test_they_overtake_an_evaluation(editor: Editor) -> None:
    """An input that never ends holds none of them up; a look into a value needs the runtime."""
    future = editor.client.submit("shell/eval", editor.session, "await receive()")

    assert editor.call("look/complete", editor.session, "spawn_l")["candidates"][0][0] == "spawn_link"
    assert editor.call("inspect/open", editor.session, "1 + 1")["text"] == "2"

    while not editor.call("interrupt", editor.session):
        pass
    assert future.result(DEADLINE_SECONDS)["status"] == "interrupted"


@pytest.mark.parametrize(
    ("where", "reason"), [("relative.py", "absolute path"), (99, "no shell 99"), (["x"], "must be an integer")]
)
def test_a_wrong_place_is_refused(editor: Editor, where: object, reason: str) -> None:
    """With what was received."""
    with pytest.raises(RemoteError, match=reason):
        editor.call("look/complete", where, "x")


def test_a_value_is_inspected_part_by_part(editor: Editor) -> None:
    """Into it, back by its number, bound to a name, forgotten."""
    editor.eval(f"box = {editor.module}.Box(); box.put([1, 2, 3])")

    page = editor.call("inspect/open", editor.session, "box")
    inner = editor.call("inspect/part", page["value"], 0)

    assert (page["type"], page["module"], page["version"]) == ("Box", editor.module, 1)
    assert [(part["label"], part["text"]) for part in page["parts"]] == [
        ("thing", "[1, 2, 3]"),
        ("put", "(thing, count=1)"),
    ]
    assert (inner["type"], inner["length"]) == ("list", 3)
    assert editor.call("inspect/page", page["value"])["text"] == page["text"]
    assert editor.call("inspect/bind", inner["value"], editor.session, "items") is True
    assert editor.eval("items") == "[1, 2, 3]"
    assert editor.call("inspect/definition", page["value"])["line"] == 4
    assert editor.call("inspect/close", [page["value"], inner["value"]]) is True
    with pytest.raises(RemoteError, match="not inspected any more"):
        editor.call("inspect/page", page["value"])


def test_an_earlier_result_is_inspected(editor: Editor) -> None:
    """v(N) needs no evaluation; a job that is gone is an error that says so."""
    editor.eval("{'a': 1}")

    assert editor.call("inspect/open", editor.session, "v(1)")["parts"][0]["label"] == "'a'"
    with pytest.raises(RemoteError, match=r"UnknownJob|no job"):
        editor.call("inspect/open", editor.session, "v(77)")


@pytest.mark.parametrize("name", ["1x", "class", "", "a b"])
def test_a_name_that_is_none_is_refused(editor: Editor, name: str) -> None:
    """Nothing is bound."""
    value = editor.call("inspect/open", editor.session, "1")["value"]

    with pytest.raises(RemoteError, match="no name in Python; nothing was bound"):
        editor.call("inspect/bind", value, editor.session, name)


def test_an_input_is_evaluated_in_the_module_of_a_file(editor: Editor) -> None:
    """With its names, and its value broken into lines; `own` names are those of the shell."""
    inside = editor.call(
        "shell/eval", editor.session, "Box.__name__, Box.put.__name__", {"file": editor.path, "columns": 8}
    )

    assert inside["value"] == "('Box',\n 'put')"
    assert editor.call("shell/eval", editor.session, "Box", {"own": True})["status"] == "error"
    with pytest.raises(RemoteError, match="is not loaded; nothing was evaluated"):
        editor.call("shell/eval", editor.session, "1", {"file": editor.path + "x"})


def test_a_shell_goes_into_a_module(editor: Editor) -> None:
    """And out again; another client that takes the shell up is told."""
    assert editor.module in editor.call("look/modules")
    assert editor.call("shell/in", editor.session, editor.module) == editor.module
    assert editor.eval("Box.__name__") == "'Box'"
    assert editor.call("shell/in", editor.session, None) is None
    with pytest.raises(RemoteError, match="nowhere is not loaded; the shell stays where it was"):
        editor.call("shell/in", editor.session, "nowhere")


def test_the_expression_at_the_end_of_a_text(editor: Editor) -> None:
    """Nil if none ends there."""
    assert editor.call("look/expression", "x = f(1) + 2") == "f(1) + 2"
    assert editor.call("look/expression", "x =") is None


def test_the_names_of_a_module(editor: Editor) -> None:
    """Its own, with the members of its classes; what it imports is not among them."""
    editor.eval(f"import {editor.module}; {editor.module}.LIMIT = [1, 2]")

    found = {each["name"]: each for each in editor.call("look/names", editor.path)}

    assert list(found) == ["Box", "Box.put", "loop", "LIMIT"]
    assert found["Box.put"]["value"] == "(self, thing, count=1)"
    assert (found["loop"]["kind"], found["loop"]["version"]) == ("async function", 1)
    assert found["Box"]["definition"]["line"] == 4
    assert (found["LIMIT"]["kind"], found["LIMIT"]["value"], found["LIMIT"]["definition"]) == (
        "list",
        "list of 2",
        None,
    )
    with pytest.raises(RemoteError, match="is not loaded, so it has no names yet"):
        editor.call("look/names", "nowhere")


def test_apropos_finds_each_word(editor: Editor) -> None:
    """In the name with that of its module; the module's alone is not enough."""
    names = [each["name"] for each in editor.call("look/apropos", "boxes PUT")]

    assert names == ["Box.put"]
    assert editor.call("look/apropos", "of_editor") is None
