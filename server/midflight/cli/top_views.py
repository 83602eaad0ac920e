"""The screens that `top` puts over its list: one process, its trace, and a question before a process is ended."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer, Log, Static

from midflight.cli.top_feed import Feed
from midflight.errors import MidflightError

__all__ = ["Confirm", "Details", "Events"]


class Details(Screen[None]):
    """All that can be seen of one process, as it was when it was asked for; space looks again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "Back", key_display="esc"),
        Binding("space", "look", "Look again"),
    ]

    def __init__(self, feed: Feed, pid: str) -> None:
        super().__init__()
        self._feed = feed
        self._pid = pid

    def compose(self) -> ComposeResult:
        """Show the text, which can be scrolled."""
        with VerticalScroll():
            yield Static("", id="details", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Ask for the text."""
        self.action_look()

    def action_look(self) -> None:
        """Ask for the text again."""
        self.run_worker(self._look(), exclusive=True)

    async def _look(self) -> None:
        try:
            lines = await asyncio.to_thread(self._feed.view, self._pid)
        except (MidflightError, TimeoutError) as error:
            lines = [str(error)]
        self.query_one("#details", Static).update("\n".join(lines))


class Events(Screen[None]):
    """The events of one process while they happen, the last 1000 of them."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss", "Back", key_display="esc")]

    def __init__(self, feed: Feed, pid: str) -> None:
        super().__init__()
        self._feed = feed
        self._pid = pid

    def compose(self) -> ComposeResult:
        """Show the lines, the newest last."""
        yield Static(f"Trace of {self._pid}", markup=False)
        yield Log(max_lines=1000)
        yield Footer()

    def on_mount(self) -> None:
        """Begin the trace."""
        self.run_worker(self._begin())

    def on_unmount(self) -> None:
        """End the trace."""
        self._feed.end_trace()

    def add(self, lines: list[str]) -> None:
        """Show further lines."""
        self.query_one(Log).write_lines(lines)

    async def _begin(self) -> None:
        try:
            await asyncio.to_thread(self._feed.begin_trace, self._pid)
        except (MidflightError, TimeoutError) as error:
            self.add([str(error)])


class Confirm(ModalScreen[bool]):
    """A question that `y` answers with yes, and any other of its keys with no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "Yes"),
        Binding("n,escape,q,enter", "dismiss(False)", "No"),
    ]
    CSS = """
    Confirm { align: center middle; }
    Confirm Static { width: auto; max-width: 56; border: round $error; padding: 1 2; background: $surface; }
    """

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """Show the question."""
        yield Static(f"{self._question}\n\ny: yes   n: no", id="question", markup=False)
