"""The state of a live server as text, and what was edited put into it: all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from helpers.epc_peer import DEADLINE_SECONDS
from helpers.ledgers import TO_A_DICT, ledger
from helpers.versions import project_in
from midflight.epc import RemoteServer
from midflight.errors import RemoteError
from midflight.observer import replacing

TILL = """
import threading
from midflight import GenServer, receive, send

class Till(GenServer):
    CURRENCY = "EUR"
    def init(self, total=5):
        self.total = total
        self.log = [[1], [2]]
        self.alias = self.log
        self.lock = threading.Lock()
        self.names = {}
    @property
    def count(self):
        return len(self.log)
    async def handle_call(self, request, client):
        if request == "wait":
            send("top", "waits")
            await receive("go on")
        return getattr(self, request, None) if isinstance(request, str) else request(self)

def rate():
    return 2
"""


class Editor:
    """A connection with a shell."""

    def __init__(self, client: RemoteServer, root: Path) -> None:
        self.client = client
        self.session = client.call("shell/open")["session"]
        self.load(root / "till.py", TILL)
        self.value("till = __import__('till'); pid_ = await till.Till.start(name='till')")

    def load(self, path: Path, text: str) -> Any:
        """Load `text` as the module of `path`."""
        return self.client.call("code/load", str(path), text, None, timeout_seconds=DEADLINE_SECONDS)

    def value(self, expression: str) -> str:
        """Evaluate in the shell; return the repr."""
        result = self.client.call("shell/eval", self.session, expression, timeout_seconds=DEADLINE_SECONDS)
        assert result["status"] == "ok", result
        return str(result["value"])

    def keep_busy(self) -> Future[Any]:
        """Call `till` from another shell, which waits until `till` gets "go on"; return when it is at it."""
        self.value("register('top', self())")
        asking = self.client.submit(
            "shell/eval", self.client.call("shell/open")["session"], "await call('till', 'wait', timeout=None)"
        )
        self.value("await receive('waits')")
        return asking

    def wait_until_asked(self, pid: str) -> None:
        """Return when a system message waits for a server."""
        there = f"[m for m in process_info(whereis({pid!r}))['messages'] if type(m).__name__ == 'System']"
        self.value(f"while not {there}:\n    await sleep(0)\n")

    def text(self, pid: str = "till") -> str:
        """Return the state of a server as text."""
        return str(self.client.call("process/state", pid)["text"])

    def put(self, text: str, pid: str = "till", **options: object) -> Any:
        """Put an edited state into a server."""
        return self.client.call("process/replace-state", pid, text, options or None, timeout_seconds=DEADLINE_SECONDS)


@pytest.fixture
def editor(node: Any, tmp_path: Path) -> Iterator[Editor]:
    """An editor of a node where a server `till` runs."""
    with project_in(tmp_path):
        editor = Editor(node.connect(), tmp_path)
        yield editor
        editor.value("[exit(whereis(each), 'kill') for each in registered() if each != 'top']")


def test_a_state_is_text_to_edit(editor: Editor) -> None:
    """A line for each attribute; what no expression makes stands for itself, and a comment says what it is."""
    found = editor.client.call("process/state", "till")
    lines = found["text"].splitlines()

    assert (found["name"], found["module"], found["class"], found["kept"]) == ("till", "till", "Till", ["lock"])
    assert found["pid"] == editor.value("whereis('till')")
    assert lines[0] == "total = 5"
    assert lines[1:3] == ["log = [[1], [2]]", "alias = [[1], [2]]"]
    assert lines[3].startswith("lock = lock  # kept as it is: <unlocked _thread.lock object at ")
    assert lines[4] == "names = {}"


def test_a_long_value_takes_several_lines(editor: Editor) -> None:
    """And they are Python still."""
    editor.value("await call('till', lambda self: self.names.update({n: 'x' * 20 for n in range(9)}))")
    text = editor.text()

    assert "\n         1: 'xxxxxxxxxxxxxxxxxxxx'" in text or "\n 1: 'xxxxxxxxxxxxxxxxxxxx'" in text
    assert editor.put(text, base=text)["changed"] == []


def test_an_edit_is_put_in(editor: Editor) -> None:
    """Into the same object, under the same pid; the server goes on with it."""
    before = editor.value("whereis('till'), id(await call('till', lambda self: self))")
    base = editor.text()

    answer = editor.put(base.replace("total = 5", "total = {'EUR': 5}"), base=base)

    assert answer["changed"] == ["total"]
    assert ["total", "{'EUR': 5}"] in answer["attributes"]
    assert editor.value("await call('till', 'total')") == "{'EUR': 5}"
    assert editor.value("whereis('till'), id(await call('till', lambda self: self))") == before


def test_an_expression_knows_the_attributes_the_module_and_the_shell(editor: Editor) -> None:
    """The attributes above it as they were edited, those below it as they are."""
    answer = editor.put("total = total * rate()\nnames = {'all': total + len(log), 'me': pid('0.1.0'), 't': Till}\n")

    assert answer["changed"] == ["total", "names"]
    assert editor.value("await call('till', 'total')") == "10"
    assert editor.value("(await call('till', 'names'))['all']") == "12"
    assert editor.value("(await call('till', 'names'))['me']") == "<0.1.0>"


def test_what_was_not_edited_is_left_alone(editor: Editor) -> None:
    """Though the server has changed it since, and though it cannot be written: the very objects stay."""
    base = editor.text()
    editor.value("log = await call('till', 'log'); log.append(3)")

    editor.put(base.replace("total = 5", "total = 6"), base=base)

    assert editor.value("await call('till', lambda self: (self.log is self.alias is log, self.log))") == (
        "(True, [[1], [2], 3])"
    )
    assert editor.value("await call('till', lambda self: self.lock.acquire(False))") == "True"


def test_a_name_stands_for_the_very_object(editor: Editor) -> None:
    """`names = log` makes no copy of it."""
    editor.put("names = log\n")

    assert editor.value("await call('till', lambda self: self.names is self.log)") == "True"


def test_attributes_come_and_go(editor: Editor) -> None:
    """A new name is a new attribute, `del` removes one."""
    answer = editor.put("limit: int = 3\ndel names, alias\n")

    assert (answer["changed"], answer["removed"]) == (["limit"], ["names", "alias"])
    assert editor.value("await call('till', lambda self: sorted(vars(self)))") == "['limit', 'lock', 'log', 'total']"


def unchanged(editor: Editor, text: str, match: str, pid: str = "till", **options: object) -> str:
    """Put `text` in; assert that it is refused, with nothing changed; return why."""
    state = editor.value("await call('till', lambda self: sorted(vars(self).items()))")

    with pytest.raises(RemoteError, match=match) as caught:
        editor.put(text, pid, **options)

    assert editor.value("await call('till', lambda self: sorted(vars(self).items()))") == state
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("total = 1\nnames = 1 / 0\n", r"not changed: line 2, names: ZeroDivisionError: division by zero\."),
        ("total = 1\nlog = log.append(9) or nothing\n", r"line 2, log: NameError: name 'nothing' is not defined"),
        ("total = 1\nlog = exit_()\n".replace("exit_", "__import__('sys').exit"), r"line 2, log: SystemExit"),
        ("total = 1\nnames = (\n", r"line 2 of the text is no Python: '\(' was never closed"),
        ("total = 1\nprint(total)\n", r"line 2 of the text is neither `name = expression` nor `del name`"),
        ("total = 1\na = b = 2\n", r"line 2 of the text is neither"),
        ("self.total = 1\n", r"line 1 of the text is neither"),
        ("total = 1\ntotal = 2\n", r"line 2 of the text has total once more"),
        ("total = 1\ndel missing\n", r"line 2: there is no missing to remove"),
    ],
)
def test_an_edit_that_fails_changes_nothing(editor: Editor, text: str, match: str) -> None:
    """The error names the line and the attribute; the server goes on as it was."""
    unchanged(editor, text, match)


def test_a_class_can_refuse_an_attribute(editor: Editor) -> None:
    """Here by a property of that name. Nothing of the edit is made then."""
    unchanged(editor, "total = 6\ncount = 1\n", "Till cannot have these attributes: .*count")


def test_what_changed_meanwhile_is_not_overwritten(editor: Editor) -> None:
    """Nor is what is gone, or there by now; unless it is forced."""
    base = editor.text()
    editor.value("await call('till', lambda self: setattr(self, 'total', 9))")
    edited = base.replace("total = 5", "total = 6")

    unchanged(editor, edited, "total is 9 by now: it has changed since its text was made", base=base)
    assert editor.put(edited, base=base, force=True)["changed"] == ["total"]
    assert editor.value("await call('till', 'total')") == "6"

    editor.value("await call('till', lambda self: delattr(self, 'total') or setattr(self, 'limit', 3))")
    unchanged(editor, edited, "total is gone", base=base)
    unchanged(editor, f"{base}limit = 1\n", "limit is 3 by now", base=base)


def test_a_text_that_says_nothing_new_does_nothing(editor: Editor) -> None:
    """Layout and comments are no edit. The server is not even asked."""
    base = editor.text()
    editor.value("await call('till', lambda self: setattr(self, 'total', 9))")

    answer = editor.put(f"# mine\n{base.replace('total = 5', 'total = (5)')}", base=base)

    assert (answer["changed"], answer["removed"]) == ([], [])
    assert ["total", "9"] in answer["attributes"]


def test_a_busy_server_is_left_alone(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time limit, with where it is; nothing is done later either, and it goes on."""
    monkeypatch.setattr(replacing, "BUSY_SECONDS", 0.05)
    waiting = editor.keep_busy()

    with pytest.raises(RemoteError, match=r"is busy in till\.Till\.handle_call:\d+ and did not come to its next"):
        editor.put("total = 1\n")

    editor.value("whereis('till') << 'go on'")
    assert waiting.result(DEADLINE_SECONDS)["status"] == "ok"
    assert editor.value("await call('till', 'total')") == "5"


def test_an_expression_that_takes_too_long_changes_nothing(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server waits for it no longer than the limit."""
    monkeypatch.setattr(replacing, "HELD_SECONDS", 0.05)

    unchanged(editor, "total = await sleep(60)\n", r"its expressions took longer than 0\.05 s")


def test_a_dead_server_has_no_state(editor: Editor) -> None:
    """Nor has a plain process, nor one in its init."""
    pid = editor.value("whereis('till')")
    editor.value("exit(pid_, 'kill'); await sleep(0)")

    for method, *arguments in (["process/state"], ["process/replace-state", "total = 1\n", None], ["inspect/state"]):
        with pytest.raises(RemoteError, match=r"is dead; nothing was done"):
            editor.client.call(method, pid, *arguments)
        with pytest.raises(RemoteError, match="is no server: a plain process has its state in its arguments"):
            editor.client.call(method, editor.value("self()"), *arguments)


def test_a_server_that_dies_meanwhile(editor: Editor) -> None:
    """While its state is edited, between the look and the message."""
    waiting = editor.keep_busy()
    put = editor.client.submit("process/replace-state", "till", "total = 1\n", None)
    editor.wait_until_asked("till")

    editor.value("exit(pid_, 'enough')")

    with pytest.raises(RemoteError, match=r"has died meanwhile \('enough'\)"):
        put.result(DEADLINE_SECONDS)
    assert waiting.result(DEADLINE_SECONDS)["status"] == "error"


def test_a_suspended_server_stays_suspended(editor: Editor) -> None:
    """OTP's sys:replace_state works on one, and lets it be."""
    editor.value("sys_ = __import__('midflight').otp.sys; await sys_.suspend('till')")

    editor.put("total = 8\n")

    assert editor.value("pid_.process.behaviour.is_suspended") == "True"
    editor.value("await sys_.resume('till')")
    assert editor.value("await call('till', 'total')") == "8"


def test_an_upgrade_sees_an_edit_that_comes_in_between(node: Any, editor: Editor, tmp_path: Path) -> None:
    """It does not put a state made of the older one in its place: it is given up."""
    other = node.connect()
    editor.load(tmp_path / "ledger.py", ledger(1))
    editor.value("ledger = await __import__('ledger').Ledger.start(1, name='ledger')")
    code_change = f"send('top', 'changing')\nawait receive('go on')\n{TO_A_DICT}"
    editor.value("register('top', self())")
    upgrade = other.submit("code/load", str(tmp_path / "ledger.py"), ledger(2, code_change), None)
    editor.value("await receive('changing')")
    put = editor.client.submit("process/replace-state", "ledger", "total = 7\n", None)
    editor.wait_until_asked("ledger")
    editor.value("ledger << 'go on'")

    put.result(DEADLINE_SECONDS)
    report = upgrade.result(DEADLINE_SECONDS)

    assert report["status"] == "failed"
    assert editor.value("await call('ledger', 'get')") == "(1, 7)"


def test_a_failed_upgrade_is_mended_by_an_edit(editor: Editor, tmp_path: Path) -> None:
    """The story: code_change raises for one state; that is edited; the same load again upgrades all."""
    editor.load(tmp_path / "ledger.py", ledger(1))
    editor.value("a = await __import__('ledger').Ledger.start('seven', name='a')")
    to_int = "self.total = int(self.total)"

    report = editor.load(tmp_path / "ledger.py", ledger(2, to_int))
    assert report["status"] == "failed"
    (failed,) = [each["pid"] for each in report["upgraded"] if each["error"]]
    editor.put("total = '7'\n", failed)
    again = editor.load(tmp_path / "ledger.py", ledger(2, to_int))

    assert again["status"] == "loaded"
    assert editor.value("await call('a', 'get')") == "(2, 7)"


def test_a_state_is_inspected(editor: Editor) -> None:
    """As a page that leads into its attributes; without a message to the server, which may be busy."""
    page = editor.client.call("inspect/state", "till")

    assert page["type"] == "Till"
    labels = [part["label"] for part in page["parts"]]
    assert labels[:5] == ["total", "log", "alias", "lock", "names"]
    part = editor.client.call("inspect/part", page["value"], 1)
    assert part["text"] == "[[1], [2]]"
