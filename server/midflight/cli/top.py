"""`midflight top`: the busiest processes, refreshed every second, until `q`."""

from __future__ import annotations

import argparse
import select
import shutil
import signal
import sys
import termios
import time
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from midflight.cli.choices import ORDERS
from midflight.cli.show import root_of, show, table
from midflight.cli.tasks import lag_words
from midflight.epc import RemoteServer
from midflight.text import cut

__all__ = ["top"]

HEADING = ("PID", "NAME", "STATUS", "MESSAGES", "REDS/S", "MODULE", "VERSION", "AT")
HELP = "r by reductions, m by messages, p by pid, space now, q quit"

OTHER_SCREEN, OWN_SCREEN = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"


@dataclass(frozen=True, slots=True)
class Look:
    """The processes at one time. `at` is in seconds of a clock that never goes back."""

    at: float
    rows: Sequence[dict[str, Any]]

    def since(self, before: Look) -> list[dict[str, Any]]:
        """Return the rows, each with its reductions a second since then; a new one's since it was spawned."""
        spent = {row["pid"]: row["reductions"] for row in before.rows}
        seconds = max(self.at - before.at, 1e-6)
        return [row | {"rate": (row["reductions"] - spent.get(row["pid"], 0)) / seconds} for row in self.rows]


def top(options: argparse.Namespace) -> int:
    """Show them on the terminal; once, if there is none, or JSON is asked for."""
    with RemoteServer.attach(root_of(options), name="midflight top", server=options.server) as client:
        before = _look(client)
        if options.json or options.once or not (sys.stdin.isatty() and sys.stdout.isatty()):
            time.sleep(options.interval)
            rows = _ordered(_look(client).since(before), options.sort)
            about = _about(client)
            return show(options, rows, lambda: f"{_summary(rows)}, {about}\n\n{_page(rows, len(rows))}")
        return _watch(client, before, options.sort, options.interval)


def _watch(client: RemoteServer, before: Look, order: str, interval: float) -> int:
    """Draw a page after each interval, and obey the keys."""
    rows = before.since(Look(before.at - interval, ()))
    with _keys() as keys:
        while True:
            _draw(_ordered(rows, order), _about(client))
            key = keys(interval)
            if key in ("q", "\x03", "\x04"):
                return 0
            if key in ORDERS:
                order = ORDERS[key]
            if key in ("", " "):
                now = _look(client)
                rows, before = now.since(before), now


def _look(client: RemoteServer) -> Look:
    return Look(time.monotonic(), client.call("process/list") or [])


def _about(client: RemoteServer) -> str:
    found = client.call("task/list")
    return f"{len(found['tasks'] or [])} asyncio tasks, {lag_words(found['loops'])}"


def _ordered(rows: Sequence[dict[str, Any]], order: str) -> list[dict[str, Any]]:
    """Return the rows, the busiest process first; of equals, and by pid, the oldest."""
    if order == "pid":
        return list(rows)
    field = "rate" if order == "reductions" else "messages"
    return sorted(rows, key=lambda row: -row[field])


def _summary(rows: Sequence[dict[str, Any]]) -> str:
    messages, rate = sum(row["messages"] for row in rows), sum(row["rate"] for row in rows)
    return f"{len(rows)} processes, {messages} messages wait, {rate:,.0f} reductions/s"


def _page(rows: Sequence[dict[str, Any]], most: int) -> str:
    cells = [
        (
            row["pid"],
            row["name"],
            row["status"],
            row["messages"],
            f"{row['rate']:,.0f}",
            row["module"],
            row["version"],
            f"{row['function']}:{row['line']}",
        )
        for row in rows[:most]
    ]
    return table(HEADING, cells)


def _draw(rows: Sequence[dict[str, Any]], about: str) -> None:
    width, height = shutil.get_terminal_size()
    lines = [f"{_summary(rows)}, {about}", HELP, "", *_page(rows, max(height - 5, 1)).split("\n")]
    sys.stdout.write(HOME + "\r\n".join(cut(line, width - 1) + CLEAR_LINE for line in lines) + CLEAR_BELOW)
    sys.stdout.flush()


@contextmanager
def _keys() -> Iterator[Any]:
    """Take the whole screen, and give a function that waits so many seconds for a key; "" if none comes."""
    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)

    def key(seconds: float) -> str:
        is_there, _, _ = select.select([number], [], [], seconds)
        return sys.stdin.read(1) if is_there else ""

    def end(signal_number: int, _frame: object) -> NoReturn:
        raise SystemExit(128 + signal_number)  # through the end of the block, which gives the screen back

    handlers = [(each, signal.signal(each, end)) for each in (signal.SIGTERM, signal.SIGHUP)]
    sys.stdout.write(OTHER_SCREEN)
    tty.setraw(number)
    try:
        yield key
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)
        sys.stdout.write(OWN_SCREEN)
        sys.stdout.flush()
        for each, handler in handlers:
            signal.signal(each, handler)
