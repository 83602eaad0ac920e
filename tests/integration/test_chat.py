"""The chat of examples/chat goes through five versions by the command line, while people talk in it."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from helpers.command_line import Shell
from helpers.server_process import DEADLINE_SECONDS, Program

EXAMPLE = Path(__file__).parents[2] / "examples" / "chat"

FIRST = (EXAMPLE / "chat.py").read_text(encoding="utf-8")
HUB = '            ChildSpec("hub", PubSub, ("hub",)),\n'
LOG = '            ChildSpec("log", Agent, (list,), name="log"),\n'
KEEP = '\n                Agent.cast("log", lambda lines: [*lines[-99:], text])'
SECOND = (
    FIRST.replace(HUB, HUB + LOG)
    .replace("self.said += 1", "self.said += 1" + KEEP)
    .replace("from midflight import (\n", "from midflight import (\n    Agent,\n")
)
THIRD = (
    SECOND.replace("self.said = 0", 'self.said = {"lobby": 0}')
    .replace("self.said += 1", 'self.said["lobby"] += 1')
    .replace(
        "    def asking",
        "    def code_change(self, old_vsn, extra):\n        self.said = {extra: self.said}\n\n    def asking",
    )
)
FOURTH = THIRD.replace(LOG, "").replace(KEEP, "").replace("    Agent,\n", "")
FIFTH = FOURTH.replace(HUB, HUB + '            ChildSpec("bridge", bridge),\n') + (
    "\n\ndef bridge():\n    raise ConnectionError('no such network')\n"
)


class Person:
    """Somebody who is connected: says lines, and keeps those that come."""

    def __init__(self, port: int, name: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_SECONDS)
        self.file = self.socket.makefile("rw", encoding="utf-8", newline="\n")
        assert self.file.readline() == "Your name?\n"
        self.say(name)
        assert self.file.readline() == f"Welcome, {name}.\n"

    def say(self, line: str) -> None:
        self.file.write(f"{line}\n")
        self.file.flush()

    def line(self) -> str:
        return self.file.readline().rstrip("\n")

    def talk(self, until: threading.Event, said: list[str]) -> None:
        """Say one line after another, each when the one before has come back."""
        while not until.is_set():
            said.append(f"line {len(said)}")
            self.say(said[-1])
            assert self.line().endswith(said[-1])

    def close(self) -> None:
        self.file.close()
        self.socket.close()


def test_a_chat_goes_through_five_versions_and_loses_nothing(
    start: Callable[..., Program], project: Path, run: Shell
) -> None:
    """One adds a child, one changes the shape of a state, one removes a child, one fails; each is rehearsed first."""
    shutil.copytree(EXAMPLE, project, dirs_exist_ok=True)
    configured = project / "pyproject.toml"
    configured.write_text(configured.read_text().replace("7000", "0"))
    server = start("serve")
    server.port()
    port = int(server.line_with("The chat is open at port").rpartition(" ")[2])
    ada, bob = Person(port, "ada"), Person(port, "bob")
    said: list[str] = []
    is_over = threading.Event()
    talking = threading.Thread(target=ada.talk, args=(is_over, said))
    talking.start()
    shown, done = [], []

    for text in (SECOND, THIRD, FOURTH, FIFTH):
        (project / "chat.py").write_text(text)
        shown.append(run("upgrade", "chat", "--dry-run", "--extra", "'lobby'"))
        done.append(run("upgrade", "chat", "--extra", "'lobby'", code=3 if text is FIFTH else 0) or run.error)
    is_over.set()
    talking.join(DEADLINE_SECONDS)
    heard = [bob.line() for _ in said]
    applications = run.json("applications")["applications"]
    bob.say("still here")

    assert "starts 'log'" in shown[0]
    assert "said={'lobby': " in shown[1]
    assert "stops 'log'" in shown[2]
    assert "starts 'bridge'" in shown[3]
    assert [text.split(":")[0] for text in done[:3]] == ["chat v2 loaded", "chat v3 loaded", "chat v4 loaded"]
    assert "no such network" in done[3]
    assert not talking.is_alive()
    assert len(said) > 10
    assert heard == [f"ada: {line}" for line in said]
    assert [(each["name"], each["status"]) for each in applications] == [("chat", "running")]
    assert (ada.line(), bob.line()) == ("bob: still here", "bob: still here")
    assert run.json("versions", "chat")[-1]["version"] == 4
    for person in (ada, bob):
        person.close()
