"""The methods about crashes: what is remembered, and starting such a process again with its state."""

from __future__ import annotations

import gc
import queue
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from helpers.epc_peer import DEADLINE_SECONDS
from helpers.gates import wait_for
from helpers.servers_of_nodes import forget_module, load
from midflight import code
from midflight.code.version import modules
from midflight.epc import RemoteServer
from midflight.errors import RemoteError
from midflight.kernel import CrashReport, Pid
from midflight.observer import Crashes

TALLY = """
from midflight import receive, link
async def start(log):
    return loop(0, log)
async def loop(total, log):
    match await receive():
        case ("add", n):
            log.append(n)
            return loop(total + DIVIDEND / n, log)
        case ("get", pid):
            pid << ("total", total, list(log))
            return loop(total, log)
        case ("link", pid):
            link(pid)
            return loop(total, log)
DIVIDEND = 12
"""

MENDED = TALLY.replace("DIVIDEND / n", "(DIVIDEND / n if n else 0)")

BANK = """
from midflight import GenServer
class Account(GenServer):
    def init(self, total):
        self.total, self.seen = total, []
    def handle_call(self, request, client):
        self.seen.append(request)
        self.total += 1 / request
        return self.total
"""


class Editor:
    """A client that hears of crashes and has a shell."""

    def __init__(self, node: Any) -> None:
        self.node = node
        self.crashed: queue.Queue[dict[str, Any]] = queue.Queue()
        self.client: RemoteServer = node.connect({"process/crashed": self.crashed.put})
        self.session = self.client.call("shell/open")["session"]

    def __call__(self, text: str) -> Any:
        """Evaluate `text` and return the repr of its value."""
        answer = self.client.call("shell/eval", self.session, text, timeout_seconds=DEADLINE_SECONDS)
        assert answer["status"] == "ok", answer["error"]
        return answer["value"]

    def crash(self, text: str) -> dict[str, Any]:
        """Evaluate `text`, which makes a process crash, and return what is remembered of that."""
        self(text)
        told = self.crashed.get(timeout=DEADLINE_SECONDS)
        return dict(self.client.call("crash/info", told["crash"]))

    def restart(self, crash: dict[str, Any], **options: object) -> dict[str, Any]:
        """Start the process of `crash` again."""
        return dict(self.client.call("crash/restart", crash["crash"], options or None))

    def load(self, name: str, source: str) -> None:
        """Load a module."""
        load(self.client, self.node.root, name, source)


@pytest.fixture
def editor(node: Any) -> Iterator[Editor]:
    """An editor at the node; the modules that it loads go with it."""
    yield Editor(node)
    for name in ("tally", "bank"):
        forget_module(name)


def test_crash_is_remembered_with_frames_state_and_ties(editor: Editor) -> None:
    """The frames have the lines of the version that ran; the push names the number to ask by."""
    editor.load("tally", TALLY)
    editor("spawn(tally.start, [], name='tally')")
    editor("async def friend(): await receive('never')\n")
    editor("whereis('tally') << ('link', spawn(friend, name='friend'))")
    editor("whereis('tally') << ('add', 3)")

    crash = editor.crash("(whereis('tally') << ('add', 0)) and (whereis('tally') << 'behind it') and None")

    (frame,) = crash["frames"]
    assert (frame["function"], frame["version"], frame["line"]) == ("loop", 1, 9)
    assert frame["text"] == "return loop(total + DIVIDEND / n, log)"
    assert dict(frame["locals"])["n"] == "0"
    assert crash["state"] == [["total", "4.0"], ["log", "[3, 0]"]]
    assert crash["last_message"] == "('add', 0)"
    assert crash["reason"] == "ZeroDivisionError: division by zero"
    assert [name for _, name in crash["links"]] == ["friend"]
    assert (crash["messages"], crash["message_count"]) == (["'behind it'"], 1)
    assert [each["crash"] for each in editor.client.call("crash/list")] == [crash["crash"]]


def test_expression_is_evaluated_in_a_frame(editor: Editor) -> None:
    """With its local names, and those of the module in the version that ran, though another is current."""
    editor.load("tally", TALLY)
    editor("spawn(tally.start, [], name='tally'); keeper = tally.loop")
    crash = editor.crash("whereis('tally') << ('add', 0)")
    editor.load("tally", TALLY.replace("DIVIDEND = 12", "DIVIDEND = 20"))

    def evaluate(expression: str, frame: int = 0) -> dict[str, Any]:
        return dict(editor.client.call("crash/eval", crash["crash"], frame, expression))

    assert evaluate("(DIVIDEND, n, total, log)")["value"] == "(12, 0, 0, [0])"
    assert evaluate("[n + each for each in log]") == {"value": "[0]", "type": "list", "version": 1, "output": ""}
    assert evaluate("await sleep(0) or log")["type"] == "list"
    with pytest.raises(RemoteError, match="ZeroDivisionError"):
        evaluate("DIVIDEND / n")
    with pytest.raises(RemoteError, match="nothing was evaluated"):
        evaluate("n = 3")
    with pytest.raises(RemoteError, match=r"has 1 frames, from 0, and no frame 1\."):
        evaluate("n", frame=1)


def test_names_of_a_frame_are_of_the_current_version_if_the_old_one_is_gone(editor: Editor) -> None:
    """The answer says which: the crash itself keeps no version."""
    editor.load("tally", TALLY)
    editor("spawn(tally.start, [], name='tally')")
    crash = editor.crash("whereis('tally') << ('add', 0)")
    editor.load("tally", TALLY.replace("DIVIDEND = 12", "DIVIDEND = 20"))
    wait_for(lambda: gc.collect() is not None and modules.module_of("tally").versions[1].namespace is None)

    answer = editor.client.call("crash/eval", crash["crash"], 0, "DIVIDEND, n")
    assert (answer["value"], answer["version"]) == ("(20, 0)", 2)


def test_names_that_would_keep_something_alive_are_shown_and_not_kept(editor: Editor) -> None:
    """What has a `close` is freed when the process has crashed, as ever."""
    editor("import weakref; opened = []")
    editor("class Opened:\n    def close(self): pass\n")
    editor(
        "async def opens():\n    line = Opened()\n    opened.append(weakref.ref(line))\n    size = 1\n"
        "    handler = lambda: size\n    1 / 0\n"
    )
    crash = editor.crash("spawn(opens) and None")
    wait_for(lambda: gc.collect() is not None and editor("opened[0]()") is None)

    def evaluate(expression: str) -> str:
        frame = len(crash["frames"]) - 1
        return str(editor.client.call("crash/eval", crash["crash"], frame, expression)["value"])

    assert evaluate("size") == "1"
    with pytest.raises(RemoteError, match="line is an object that would keep a version or a connection alive"):
        evaluate("line.close()")
    with pytest.raises(RemoteError, match="handler is an object"):
        evaluate("handler()")


def test_names_of_the_last_crashes_are_kept(editor: Editor) -> None:
    """Of older ones, what was printed; and of a dismissed one nothing."""
    editor("async def dies(n): 1 / 0\n")
    crashes = [editor.crash(f"spawn(dies, {n}) and None")["crash"] for n in range(6)]

    with pytest.raises(RemoteError, match="They are for the last 5 crashes"):
        editor.client.call("crash/eval", crashes[0], 0, "n")
    assert editor.client.call("crash/eval", crashes[1], 0, "n")["value"] == "1"
    editor.client.call("crash/dismiss", crashes[1])
    with pytest.raises(RemoteError, match="is not remembered"):
        editor.client.call("crash/eval", crashes[1], 0, "n")


def test_restart_goes_on_with_the_state_in_the_current_version(editor: Editor) -> None:
    """The function is looked up by name, the name is taken again."""
    editor.load("tally", TALLY)
    editor("spawn(tally.start, [], name='tally')")
    editor("whereis('tally') << ('add', 3)")
    crash = editor.crash("whereis('tally') << ('add', 0)")
    editor.load("tally", MENDED)

    again = editor.restart(crash)

    assert (again["name"], again["version"], again["resent"]) == ("tally", 2, None)
    assert editor("(whereis('tally') << ('get', self())) and await receive()") == "('total', 4.0, [3, 0])"


def test_restart_can_resend_the_last_message(editor: Editor) -> None:
    """It is the first that the new process takes."""
    editor.load("tally", TALLY)
    editor("spawn(tally.start, [], name='tally')")
    crash = editor.crash("whereis('tally') << ('add', 0)")
    editor.load("tally", MENDED)

    assert editor.restart(crash, resend=True)["resent"] is True

    assert editor("(whereis('tally') << ('get', self())) and await receive()") == "('total', 0, [0, 0])"


def test_each_restart_begins_with_the_same_state(editor: Editor) -> None:
    """What the first restarted process does to its list is not in the second."""
    editor.load("tally", TALLY)
    crash = editor.crash("spawn(tally.loop, 7, [1]) << ('add', 0)")
    editor.load("tally", MENDED)

    for _ in range(2):
        pid = editor.restart(crash, resend=True)["pid"]
        assert editor(f"(pid('{pid}') << ('get', self())) and await receive()") == "('total', 7, [1, 0, 0])"


def test_restart_with_edited_arguments(editor: Editor) -> None:
    """An expression that makes a dict; the old values are there by name."""
    editor.load("tally", TALLY)
    crash = editor.crash("spawn(tally.loop, 7, [1, object])  << ('add', 0)")
    assert crash["edit"] == "dict(total=7, log=log)"

    pid = editor.restart(crash, arguments="dict(total=total * 6, log=[])")["pid"]

    assert editor(f"(pid('{pid}') << ('get', self())) and await receive()") == "('total', 42, [])"


@pytest.mark.parametrize(
    ("source", "options", "reason"),
    [
        (MENDED.replace("loop(total, log)", "loop(total)"), {}, "does not take total, log"),
        (MENDED.replace("loop(", "ring("), {}, "no such name in the current version"),
        (MENDED, {"arguments": "[1]"}, "must make a dict"),
        (MENDED, {"arguments": "dict(total=nobody)"}, "NameError"),
        (MENDED, {"arguments": "dict(total=1"}, "could not be evaluated"),
    ],
)
def test_restart_is_refused_with_the_reason(editor: Editor, source: str, options: Any, reason: str) -> None:
    """Nothing runs then, and the record stays."""
    editor.load("tally", TALLY)
    crash = editor.crash("spawn(tally.loop, 7, []) << ('add', 0)")
    load_forced(editor, source)

    with pytest.raises(RemoteError) as caught:
        editor.restart(crash, **options)

    assert reason in str(caught.value)
    assert "Nothing was changed." in str(caught.value)
    assert code.processes("tally") == ()
    assert editor.client.call("crash/info", crash["crash"])["crash"] == crash["crash"]


def load_forced(editor: Editor, source: str) -> None:
    """Load a tally though the checks may refuse it."""
    path = editor.node.root / "tally.py"
    report = editor.client.call("code/load", str(path), source, {"force": True}, timeout_seconds=DEADLINE_SECONDS)
    assert report["status"] == "loaded", report["text"]


def test_name_that_another_has_is_not_taken(editor: Editor) -> None:
    """The process runs without it, and the answer says so."""
    editor.load("tally", TALLY)
    editor("spawn(tally.start, [], name='tally')")
    crash = editor.crash("whereis('tally') << ('add', 0)")
    holder = editor("spawn(tally.start, [], name='tally')")

    assert editor.restart(crash)["name"] is None

    assert editor("whereis('tally')") == holder


def test_server_goes_on_with_its_attributes_in_the_newest_class(editor: Editor) -> None:
    """Without an init: its loop begins with what the old one had."""
    editor.load("bank", BANK)
    editor("pid = await bank.Account.start(10, name='account')")
    editor("await call('account', 2)")
    crash = editor.crash("try: await call('account', 0)\nexcept CallError: pass\n")
    assert (crash["server"], crash["state"]) == ("bank.Account", [["total", "10.5"], ["seen", "[2, 0]"]])
    editor.load("bank", BANK.replace("1 / request", "100"))

    again = editor.restart(crash)

    assert again["name"] == "account"
    assert editor("await call('account', 0)") == "110.5"
    assert editor("await call('account', 1)") == "210.5"


def test_restart_of_a_server_whose_class_is_gone_is_refused(editor: Editor) -> None:
    """The reason names the class."""
    editor.load("bank", BANK)
    editor("pid = await bank.Account.start(10)")
    crash = editor.crash("try: await call(pid, 0)\nexcept CallError: pass\n")
    editor.load("bank", "Account = 3\n")

    with pytest.raises(RemoteError, match=r"bank\.Account cannot be looked up"):
        editor.restart(crash)


def test_local_function_cannot_be_started_again(editor: Editor) -> None:
    """Nobody can look it up by name."""
    editor("def make():\n    async def inner(x): return x / 0\n    return inner\n")
    crash = editor.crash("spawn(make(), 1)")

    with pytest.raises(RemoteError, match="local to a function"):
        editor.restart(crash)


def test_dismissed_crash_is_forgotten(editor: Editor) -> None:
    """One, or all of them."""
    editor.load("tally", TALLY)
    crashes = [editor.crash(f"spawn(tally.loop, {n}, []) << ('add', 0)") for n in range(3)]

    assert editor.client.call("crash/dismiss", crashes[1]["crash"]) == 1
    assert editor.client.call("crash/dismiss", crashes[1]["crash"]) == 0
    with pytest.raises(RemoteError, match="is not remembered; nothing was done"):
        editor.restart(crashes[1])
    assert editor.client.call("crash/dismiss", None) == 2
    assert editor.client.call("crash/list") is None


def test_memory_is_bounded_by_count(editor: Editor) -> None:
    """The oldest go first."""
    editor.load("tally", TALLY)
    editor("for n in range(60): spawn(tally.loop, n, []) << ('add', 0)\n")
    last = [editor.crashed.get(timeout=DEADLINE_SECONDS)["crash"] for _ in range(60)][-1]

    kept = [each["crash"] for each in editor.client.call("crash/list")]

    assert kept == list(range(last - 49, last + 1))


def test_record_keeps_no_version_alive(editor: Editor) -> None:
    """It holds neither frames nor functions of the version that crashed."""
    editor.load("tally", TALLY)
    editor.crash("spawn(tally.loop, 1, []) << ('add', 0)")
    old = modules.module_of("tally").versions[1]
    editor.load("tally", MENDED)
    editor.client.call("shell/close", editor.session)

    def is_gone() -> bool:
        gc.collect()  # the search for those who hold its functions may look at it for a moment
        return old.namespace is None

    wait_for(is_gone)
    assert old.namespace is None


def test_records_go_with_age(node: Any) -> None:
    """An hour after the crash nothing is left, though no other crash came."""
    deadlines: list[float] = []

    class Timers:
        def set(self, deadline: float, action: Any) -> None:
            deadlines.append(deadline)
            action()

    class Still:
        clock = node.scheduler.clock
        timers = Timers()
        on_crash: ClassVar[list[Any]] = []

    memory = Crashes(Still(), dict)  # type: ignore[arg-type]
    before = node.scheduler.clock.now()
    memory.note(_a_report())

    assert deadlines[0] - before == pytest.approx(3600, abs=60)
    assert memory.all() == []


def _a_report() -> Any:
    return CrashReport(Pid(1), None, "m.f", "m", None, "f", 1, ValueError("x"), "ValueError: x\n", None)
