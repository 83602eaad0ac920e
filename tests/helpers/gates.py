"""Bodies of modules that a test holds open, and threads that load: for loads side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from midflight import code

SECONDS = 10.0  # to fail instead of to hang; no test waits for it


class Gate:
    """Holds the body of a module open: `wait` in the body, `reached` and `opened` in the test."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def wait(self) -> None:
        """Stop here until the test opens the gate."""
        self.reached.set()
        assert self.opened.wait(SECONDS)


class Gates(dict[str, Gate]):
    """The gates by name, each made when somebody first asks for it. Bodies know them as GATES."""

    def __missing__(self, name: str) -> Gate:
        return self.setdefault(name, Gate())


class Loader(threading.Thread):
    """A thread that loads one module, or calls a function that loads."""

    def __init__(self, load: str | Callable[[], Any], name: str | None = None) -> None:
        super().__init__(name=name, daemon=True)
        self._load = load
        self.result: Any = None
        self.start()

    def run(self) -> None:
        """Load."""
        try:
            self.result = code.load(self._load) if isinstance(self._load, str) else self._load()
        except BaseException as error:
            self.result = error

    def outcome(self) -> Any:
        """Return what came of it when the thread has ended: the report, or the exception."""
        self.join(SECONDS)
        assert not self.is_alive(), "the load has not ended"
        return self.result

    def report(self) -> code.LoadReport:
        """Return the report when the thread has ended."""
        found = self.outcome()
        assert isinstance(found, code.LoadReport), found
        return found


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until `condition` holds: for a thread that is on its way to where nothing of ours tells that it has come."""
    deadline = threading.Event()
    for _ in range(int(SECONDS / 0.005)):
        if condition():
            return
        deadline.wait(0.005)
    raise AssertionError("it has not come to that")
