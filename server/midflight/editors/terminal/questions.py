"""The questions of processes that a shell in the terminal is to put to the person, and their answers.

    asked, in a thread of the connection -> `ask_all`, in the main thread, which alone reads -> shell/answer

Ctrl-C breaks off the wait of the process, Ctrl-D is the end of its input.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from midflight.epc import RemoteServer
from midflight.errors import RemoteError

__all__ = ["NoLongerWanted", "Questions"]


class NoLongerWanted(Exception):
    """Raised where a line is read: something else is to be read first, or nobody waits for the line any more."""


class Lines(Protocol):
    """The reader of lines. `wanted` and `unwanted` may be called from any thread."""

    def read_line(self, prompt: str, *, is_secret: bool) -> str:
        """Return a line. Raises: EOFError, KeyboardInterrupt; NoLongerWanted."""

    def wanted(self) -> None:
        """Leave the input that is being typed, by NoLongerWanted; what was typed is kept for its next time."""

    def unwanted(self) -> None:
        """Leave the line that is being read, by NoLongerWanted."""


class Questions:
    """The questions to one shell. `client` is asked for when there is one; `wake` has the main thread look."""

    def __init__(self, lines: Lines, client: Callable[[], RemoteServer], wake: Callable[[], object]) -> None:
        self._lines = lines
        self._client = client
        self._wake = wake
        self._waiting: deque[tuple[int, dict[str, Any]]] = deque()
        self._current: int | None = None

    def __bool__(self) -> bool:
        return bool(self._waiting)

    # --- From the server, in a thread of the connection ---------------------------------------------------------------

    def take(self, session: int, question: dict[str, Any]) -> None:
        """Take a question in; the main thread asks it."""
        self._waiting.append((session, question))
        self._lines.wanted()
        self._wake()

    def drop(self, _session: int, number: int) -> None:
        """Forget a question that nobody waits for any more."""
        for each in [each for each in self._waiting if each[1]["id"] == number]:
            self._waiting.remove(each)
        if self._current == number:
            self._lines.unwanted()

    # --- In the main thread -------------------------------------------------------------------------------------------

    def ask_all(self) -> None:
        """Put the waiting questions to the person and send the answers."""
        while self._waiting:
            session, question = self._waiting.popleft()
            self._current = question["id"]
            try:
                line: str | None = self._lines.read_line(question["prompt"] or "", is_secret=bool(question["secret"]))
            except NoLongerWanted:
                continue
            except EOFError:
                line = None
            except KeyboardInterrupt:
                self._client().call("interrupt", session)
                continue
            finally:
                self._current = None
            try:
                self._client().call("shell/answer", session, question["id"], line)
            except RemoteError:
                pass  # the shell was closed meanwhile: nobody waits
