"""`midflight top` on Textual: the list of processes, which can be sorted, filtered, shown as a tree, and acted upon."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DataTable, Footer, Input, Static

from midflight.cli.choices import ORDERS
from midflight.cli.top_feed import Feed
from midflight.cli.top_look import Look, about, matching, ordered, summary
from midflight.cli.top_views import Confirm, Details, Events
from midflight.errors import ConnectionLost, MidflightError

__all__ = ["TopApp", "watch"]

SHOWN = 500
"""The rows that are shown at most: nobody scrolls through more, and a filter finds the others."""

WIDE = 100
"""The columns of a terminal from which on all columns of the list fit."""

HEADINGS = ("PID", "NAME", "WAIT", "GROW/S", "REDS/S", "STATUS", "AT")
NARROW_HEADINGS = ("PID", "NAME", "WAIT", "GROW/S", "REDS/S", "AT")
NAME_COLUMNS = 24
NARROW_NAME_COLUMNS = 12


def watch(options: argparse.Namespace) -> int:
    """Show the processes until somebody leaves; return the exit code.

    Raises: NoServer, and ConnectionLost when the server ends meanwhile.
    """
    with Feed(options) as feed:
        app = TopApp(feed, options.sort, options.interval)
        code = app.run()
        if app.is_lost:
            raise ConnectionLost("The server has gone, and top ended with it. See midflight doctor.")
        return code or 0


class Lost(Message):
    """The server has gone."""


class Traced(Message):
    """Further lines of a trace."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self.lines = lines


class ProcessList(DataTable):
    """The list, whose keys say what Enter shows."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select_cursor", "State", key_display="⏎")]


class TopApp(App[int]):
    """The list, refreshed after each `interval` seconds. It ends with an exit code."""

    TITLE = "midflight top"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "leave", "Quit"),
        Binding("s", "sort", "Sort"),
        # Before all others, so that keys typed right behind it go into the filter.
        Binding("slash", "filter", "Filter", key_display="/", priority=True),
        Binding("t", "tree", "Tree"),
        Binding("e", "trace", "Trace"),
        Binding("k", "end('kill')", "Kill"),
        Binding("x", "end('shutdown')", "Shutdown", show=False),
        Binding("i", "reverse", "Reverse", show=False),
        Binding("space", "look", "Now", show=False),
        Binding("escape", "no_filter", "All", show=False),
        *(Binding(key, f"order('{name}')", f"By {name}", show=False) for key, name in ORDERS.items()),
    ]
    CSS = """
    #summary, #about { height: 1; padding: 0 1; }
    #about { color: $text-muted; }
    #filter { height: 1; border: none; padding: 0 1; }
    #filter:focus { border: none; background: $primary-muted; }
    DataTable { height: 1fr; }
    """

    def __init__(self, feed: Feed, order: str = "reductions", interval: float = 1.0) -> None:
        super().__init__()
        self.is_lost = False
        self.feed = feed
        self._order = order
        self._is_reversed = False
        self._is_tree = False
        self._words = ""
        self._interval = interval
        self._before: Look | None = None
        self._now: Look | None = None
        self._depths: list[tuple[str, int]] = []
        self._pids: list[str] = []

    # --- What is on the screen ------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Two lines about all, the filter, the list, and the keys."""
        yield Static("", id="summary", markup=False)
        yield Static("", id="about", markup=False)
        yield Input(placeholder="/ filters: words of a pid, name, status, module, function", id="filter")
        yield ProcessList(cursor_type="row", zebra_stripes=True, cell_padding=1)
        yield Footer()

    def on_mount(self) -> None:
        """Look, and look again after each interval. SIGTERM and SIGHUP give the screen back, too."""
        self.feed.on_lines = lambda lines: self.post_message(Traced(lines))
        self.feed.on_lost = lambda: self.post_message(Lost())
        if not self.is_headless:
            for number in (signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, partial(self.exit, 128 + number))
        self.query_one(DataTable).focus()
        self.set_interval(self._interval, self.action_look)
        self.action_look()

    def on_resize(self) -> None:
        """Choose the columns that fit."""
        self._draw()

    def on_lost(self) -> None:
        """End with the server."""
        self.is_lost = True
        self.exit()

    def on_traced(self, message: Traced) -> None:
        """Show the lines, if their screen is there still."""
        if isinstance(self.screen, Events):
            self.screen.add(message.lines)

    def _draw(self) -> None:
        if self._now is None or self.query_one("#summary", Static) is None:
            return
        before = self._before or Look(self._now.at - self._interval, self._now.rows)
        everyone = self._now.since(before)
        found = matching(everyone, self._words)
        rows, depths = self._arranged(found)
        arranged = "as a tree" if self._is_tree else f"by {self._order}{', reversed' if self._is_reversed else ''}"
        chosen = f"; {len(found)} with {self._words!r}" if self._words else ""
        self.query_one("#summary", Static).update(summary(everyone))
        self.query_one("#about", Static).update(f"{arranged}{chosen}; {about(self._now)}")
        self._fill(rows[:SHOWN], depths, len(rows) - SHOWN)

    def _arranged(self, found: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, int]]:
        """Return the rows in their order, and how deep each is in the tree; those that it has not yet are its last."""
        if not self._is_tree:
            return ordered(found, self._order, is_reversed=self._is_reversed), {}
        depths = dict(self._depths)
        places = {pid: place for place, pid in enumerate(depths)}
        return sorted(found, key=lambda row: places.get(row["pid"], len(places))), depths

    def _fill(self, rows: list[dict[str, Any]], depths: dict[str, int], left: int) -> None:
        """Show these rows; the cursor stays at its process, and the list where it was scrolled to."""
        table = self.query_one(DataTable)
        chosen, scrolled = self._chosen(), table.scroll_y
        is_wide = self.size.width >= WIDE
        table.clear(columns=True)
        for heading in HEADINGS if is_wide else NARROW_HEADINGS:
            table.add_column(heading)
        for row in rows:
            table.add_row(*_cells(row, depths.get(row["pid"], 0), is_wide=is_wide))
        if left > 0:
            table.add_row("", Text(f"and {left:,} more"))
        self._pids = [row["pid"] for row in rows]
        if chosen in self._pids:
            table.move_cursor(row=self._pids.index(chosen), scroll=False)
        table.scroll_to(y=scrolled, animate=False)

    def _chosen(self) -> str | None:
        """Return the pid at the cursor."""
        row = self.query_one(DataTable).cursor_row
        return self._pids[row] if 0 <= row < len(self._pids) else None

    # --- What the keys do -----------------------------------------------------------------------------------

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        """Let the keys of the list alone while another screen is over it, and a slash in the filter be one."""
        if len(self.screen_stack) > 1:
            return action not in _ACTIONS
        return action != "filter" or not isinstance(self.focused, Input)

    def action_leave(self) -> None:
        """End with exit code 0."""
        self.exit(0)

    def action_look(self) -> None:
        """Look at the processes; a look that is still under way goes on."""
        if not any(worker.group == "look" and worker.is_running for worker in self.workers):
            self.run_worker(self._look(), group="look")

    async def _look(self) -> None:
        await self._ask(self.feed.look, self._seen)
        if self._is_tree:
            await self._ask(self.feed.depths, self._tree_seen)

    def _seen(self, now: Look) -> None:
        self._before, self._now = self._now, now
        self._draw()

    def _tree_seen(self, depths: list[tuple[str, int]]) -> None:
        self._depths = depths
        self._draw()

    async def _ask(self, question: Callable[[], Any], use: Callable[[Any], object]) -> None:
        """Ask in a thread, and use the answer; what went wrong is shown for a while."""
        try:
            answer = await asyncio.to_thread(question)
        except ConnectionLost:
            return  # on_lost says so
        except (MidflightError, TimeoutError) as error:
            self.notify(str(error) or "The server has not answered.", severity="warning", markup=False)
        else:
            use(answer)

    def action_order(self, name: str) -> None:
        """Sort by that column."""
        self._order, self._is_tree = name, False
        self._draw()

    def action_sort(self) -> None:
        """Sort by the next column."""
        names = list(ORDERS.values())
        self.action_order(names[(names.index(self._order) + 1) % len(names)])

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._is_reversed = not self._is_reversed
        self._draw()

    def action_tree(self) -> None:
        """Show the processes as a tree, or as a list again."""
        self._is_tree = not self._is_tree
        self._draw()
        self.action_look()

    def action_filter(self) -> None:
        """Let words be typed that the rows must have."""
        self.screen.set_focus(self.query_one("#filter", Input))

    def action_no_filter(self) -> None:
        """Show all rows again."""
        self.query_one("#filter", Input).value = ""
        self.screen.set_focus(self.query_one(DataTable))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while somebody types."""
        self._words = event.value
        self._draw()

    def on_input_submitted(self) -> None:
        """Go back to the list."""
        self.screen.set_focus(self.query_one(DataTable))

    def on_data_table_row_selected(self) -> None:
        """Enter, or a click on the row at the cursor."""
        self.action_details()

    def action_details(self) -> None:
        """Show the state of the process at the cursor."""
        if (pid := self._chosen()) is not None:
            self.push_screen(Details(self.feed, pid))

    def action_trace(self) -> None:
        """Show what the process at the cursor does."""
        if (pid := self._chosen()) is not None:
            self.push_screen(Events(self.feed, pid))

    def action_end(self, reason: str) -> None:
        """Send the process at the cursor an exit signal, if somebody says yes."""
        pid = self._chosen()
        row = next((row for row in self._now.rows if row["pid"] == pid), None) if self._now is not None else None
        if pid is None or row is None:
            return
        name = f" {row['name']}" if row["name"] else ""

        def answered(is_yes: bool | None) -> None:
            if is_yes:
                self.run_worker(self._ask(partial(self.feed.end, pid, reason), self._ended))

        self.push_screen(Confirm(f"Send {pid}{name} the exit signal {reason}?"), answered)

    def _ended(self, said: str) -> None:
        self.notify(said, markup=False)
        self.action_look()


_ACTIONS = frozenset(binding.action.partition("(")[0] for binding in TopApp.BINDINGS if isinstance(binding, Binding))


def _cells(row: dict[str, Any], depth: int, *, is_wide: bool) -> list[Text]:
    name = "  " * depth + (row["name"] or "-")
    version = "" if row["version"] is None else f" v{row['version']}"
    place = Text(f"{row['module']}{version} {row['function']}:{row['line']}", no_wrap=True)
    growth = Text(
        f"{row['growth']:+,.0f}" if row["growth"] else "0", "bold red" if row["growth"] > 0 else "", justify="right"
    )
    numbers = [Text(f"{row['messages']:,}", justify="right"), growth, Text(f"{row['rate']:,.0f}", justify="right")]
    most = NAME_COLUMNS if is_wide else NARROW_NAME_COLUMNS
    named = Text(name[: most - 1] + "…" if len(name) > most else name)
    return [Text(row["pid"]), named, *numbers, *([Text(row["status"])] if is_wide else []), place]
