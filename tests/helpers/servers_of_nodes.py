"""What tests of the methods share: loading a module on a node, and a list of processes as an editor keeps it."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

from helpers.epc_peer import DEADLINE_SECONDS
from midflight.code.version import modules
from midflight.epc import RemoteServer

QUIET_LOOKS = 100


def load(client: RemoteServer, root: Path, name: str, source: str) -> dict[str, Any]:
    """Load `source` as module `name` of the project at `root`; fail if it was not loaded."""
    path = root / f"{name}.py"
    path.write_text(source)
    report = client.call("code/load", str(path), source, None, timeout_seconds=DEADLINE_SECONDS)
    assert report["status"] == "loaded", report["text"]
    return dict(report)


def forget_module(name: str) -> None:
    """Let nothing of a module stay that a test has loaded."""
    sys.modules.pop(name, None)
    with contextlib.suppress(KeyError):
        del modules._modules[name]


class Told:
    """What an editor knows of the processes: `rows` by pid, and the current versions of modules."""

    def __init__(self, client: RemoteServer) -> None:
        self._client = client
        self._known: dict[str, object] | None = None
        self.rows: dict[str, list[Any]] = {}
        self.current: dict[str, int | None] = {}

    @property
    def watch(self) -> object:
        """The number of the list on the server."""
        return (self._known or {}).get("watch")

    def ask(self) -> dict[str, Any]:
        """Ask what has changed, take it in, and return the answer."""
        answer = dict(self._client.call("process/changes", self._known, timeout_seconds=DEADLINE_SECONDS))
        self._known = {"watch": answer["watch"], "stamp": answer["stamp"]}
        if answer.get("unchanged"):
            return answer
        if answer["all"]:
            self.rows.clear()
            self.current.clear()
        for pid in answer["gone"] or ():
            self.rows.pop(pid, None)
        self.rows.update({row[0]: row for row in answer["rows"] or ()})
        self.current.update(dict(answer["current"] or ()))
        return answer

    def ask_until_unchanged(self) -> None:
        """Ask until the server says that nothing has changed; fail if it never does."""
        for _ in range(QUIET_LOOKS):
            if self.ask().get("unchanged"):
                return
        raise AssertionError("the list was never unchanged")
