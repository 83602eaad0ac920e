"""The lines that processes ask Neovim for, and the answers.

shell/read  ->  the event `question`  ->  vim.fn.input  ->  the notification `answer`  ->  shell/answer
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from midflight.epc import RemoteServer

__all__ = ["Questions"]


class Editor(Protocol):
    """The part of Neovim that shows a question."""

    def show(self, event: str, **values: object) -> None:
        """Show `event`."""


class Questions:
    """The questions to one project's connections; `client` gives the one of a kind, "code" or "shell".

    Each is an event `question`: `id`, `prompt`, `secret`, and `kind` and `session`, which go back with the answer.
    """

    def __init__(self, editor: Editor, client: Callable[[str], RemoteServer]) -> None:
        self._editor = editor
        self._client = client

    def handlers(self, kind: str) -> dict[str, Callable[..., object]]:
        """Return what takes the server's pushes on the connection for `kind`."""
        # What is asked cannot be taken back: Neovim hears nothing until it has the line. The server drops that.
        return {"shell/read": partial(self._show, kind), "shell/unread": lambda *_: None}

    def requests(self) -> dict[str, Callable[..., None]]:
        """Return what Neovim asks, by name."""
        return {"answer": self._answer}

    def _answer(self, kind: str, session: int, id: int, line: str | None = None, broken_off: bool = False) -> None:
        """Answer question `id` with `line`, None for the end of the input, or break off the wait for it."""
        if broken_off:
            self._client(kind).call("interrupt", session)
        else:
            self._client(kind).call("shell/answer", session, id, line)

    def _show(self, kind: str, session: int, question: dict[str, Any]) -> None:
        values = {"id": question["id"], "kind": kind, "session": session, "secret": bool(question["secret"])}
        self._editor.show("question", prompt=question["prompt"] or "", **values)
