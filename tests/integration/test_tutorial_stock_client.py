"""The tutorial, headless: a real server, and the stock client of the `epc` package with no code of ours in it."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from epc.client import EPCClient

from helpers.epc_peer import hang_up
from helpers.server_process import DEADLINE_SECONDS, Program

COUNTER = '''\
"""A process whose only job is to keep a counter."""
from midflight import receive
import counter                      # a dotted call through the module is a fully qualified call

async def start():
    return loop(0)

async def loop(total):
    match await receive():
        case ("increment", count):
            return loop(total + count)
        case ("print",):
            print(f"Sum is {total}")
            return loop(total)
        case ("counter", pid):
            pid << ("counter", total)
            return loop(total)
        case "code_switch":
            return counter.codeswitch(total)
        case message:
            print(f"Unhandled message {message!r}")
            return loop(total)

async def codeswitch(total):
    return loop(total)
'''
WITH_RESET = COUNTER.replace(
    """        case ("print",):\n""",
    """        case ("reset",):\n            return loop(0)\n        case ("print",):\n""",
)
LAST_LINE = COUNTER.count("\n")


def plist(value: list[Any]) -> dict[str, Any]:
    """Return a property list, as the stock client gives it, as a dict; nil is an empty list to that client."""
    return {str(key): item for key, item in zip(value[::2], value[1::2], strict=True)}


class Editor:
    """What an editor does, over the stock client: load the buffer's text, evaluate in the shell, show output."""

    def __init__(self, port: int, cookie: str) -> None:
        self.output: queue.Queue[str] = queue.Queue()
        self.client = EPCClient(("127.0.0.1", port))
        self.client.register_function(self._show, name="shell/output")
        self.info = plist(self.call("authenticate", cookie))
        self.session = plist(self.call("shell/open"))[":session"]

    def _show(self, session: int, text: str) -> None:
        assert session == self.session
        self.output.put(text)

    def call(self, method: str, *arguments: object) -> Any:
        """Call and wait for the answer, at most for the deadline."""
        return self.client.call_sync(method, list(arguments), timeout=DEADLINE_SECONDS)

    def load(self, path: Path, text: str) -> dict[str, Any]:
        """Load the text of a buffer that visits `path`."""
        return plist(self.call("code/load", str(path), text, []))

    def value(self, text: str) -> str:
        """Evaluate an input of the shell, which must go well; return its value as printed."""
        answer = plist(self.call("shell/eval", self.session, text))
        assert answer[":status"] == "ok", answer
        return str(answer[":value"])

    def printed(self) -> str:
        """Return the next piece of output."""
        return self.output.get(timeout=DEADLINE_SECONDS)

    def close(self) -> None:
        """Hang up, and wait until the client's thread has read the end."""
        hang_up(self.client)


@pytest.fixture
def editor(start: Callable[..., Program], project: Path, runtime_dir: Path) -> Iterator[Editor]:
    """An editor attached to the server of the project, as one finds it: by the files in the runtime folder."""
    port = start("serve").port()
    (cookie,) = runtime_dir.glob("*/cookie")
    editor = Editor(port, cookie.read_text())
    yield editor
    editor.close()


@pytest.fixture
def counter(editor: Editor, project: Path) -> Path:
    """counter.py, saved, loaded, and one process of it with the sum 3 under the name `pid` in the shell."""
    path = project / "counter.py"
    path.write_text(COUNTER)
    report = editor.load(path, COUNTER)
    assert (report[":status"], report[":module"], report[":version"]) == ("loaded", "counter", 1)
    assert editor.value("pid = spawn(counter.start)").startswith("<0.")
    editor.value('pid << ("increment", 3)')
    return path


def test_the_editor_learns_who_answers(editor: Editor, project: Path) -> None:
    """The answer to authenticate names protocol, project and process."""
    assert editor.info[":protocol"] == 1
    assert editor.info[":root"] == str(project)
    assert editor.info[":pid"] > 0


def test_tutorial(editor: Editor, counter: Path) -> None:
    """The process keeps its sum, runs the old code until it is told, and then knows the new message."""
    assert editor.value("pid").startswith("<0.")
    assert editor.value('pid << ("print",)') == "('print',)"
    assert editor.printed() == "Sum is 3\n"

    report = editor.load(counter, WITH_RESET)
    assert (report[":version"], report[":changed"]) == (2, ["loop"])
    (lingering,) = map(plist, report[":lingering"])
    assert (lingering[":pid"], lingering[":version"], lingering[":function"]) == (editor.value("pid"), 1, "loop")

    editor.value('pid << ("reset",)')
    assert editor.printed() == "Unhandled message ('reset',)\n"

    editor.value('pid << "code_switch"')
    editor.value('pid << ("print",)')
    assert editor.printed() == "Sum is 3\n"
    editor.value('pid << ("reset",)')
    editor.value('pid << ("print",)')
    assert editor.printed() == "Sum is 0\n"


@pytest.mark.parametrize(
    ("text", "line", "code", "said"),
    [
        (COUNTER.replace("case message:", "case message"), COUNTER[: COUNTER.index("case message:")].count("\n") + 1,
         "syntax", "expected ':'"),
        (COUNTER + "limit = 1 / 0\n", LAST_LINE + 1, "body", "division by zero"),
        (COUNTER + "\nimport no_such_module\n", LAST_LINE + 2, "import", "no_such_module"),
    ],
    ids=["a syntax error", "an exception in the body", "a missing import"],
)  # fmt: skip
def test_load_that_fails_changes_nothing(
    editor: Editor, counter: Path, text: str, line: int, code: str, said: str
) -> None:
    """A diagnostic at its line; the version before stays current; the process keeps its state and its code."""
    report = editor.load(counter, text)

    assert (report[":status"], report[":version"]) == ("failed", [])
    assert f"line {line}" in report[":summary"]
    assert "Version 1 stays current" in report[":summary"]
    (diagnostic,) = map(plist, report[":diagnostics"])
    assert said in diagnostic[":message"]
    assert (diagnostic[":line"], diagnostic[":severity"], diagnostic[":code"]) == (line, "error", code)
    assert diagnostic[":path"] == str(counter)
    (version,) = map(plist, plist(editor.call("code/history", "counter"))[":versions"])
    assert (version[":version"], version[":current"], version[":processes"]) == (1, True, 1)
    editor.value('pid << ("print",)')
    assert editor.printed() == "Sum is 3\n"
    assert editor.load(counter, WITH_RESET)[":version"] == 2


def test_two_editors_see_each_other(editor: Editor, counter: Path, runtime_dir: Path) -> None:
    """A load by one is told to the other, and both talk to the same process."""
    loaded: queue.Queue[dict[str, Any]] = queue.Queue()
    (cookie,) = runtime_dir.glob("*/cookie")
    other = Editor(editor.client.socket.getpeername()[1], cookie.read_text())
    try:
        other.client.register_function(lambda report: loaded.put(plist(report)), name="code/loaded")

        editor.load(counter, WITH_RESET)

        report = loaded.get(timeout=DEADLINE_SECONDS)
        assert (report[":module"], report[":version"], report[":by"]) == ("counter", 2, "connection 1")
        other.value(f"pid({editor.value('pid')!r}) << 'code_switch'")
        editor.value('pid << ("print",)')
        assert editor.printed() == "Sum is 3\n"
    finally:
        other.close()
