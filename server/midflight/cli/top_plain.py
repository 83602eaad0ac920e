"""`midflight top` without Textual: a page that is drawn after each interval, and a few keys."""

from __future__ import annotations

import select
import shutil
import signal
import sys
import termios
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from midflight.cli.choices import ORDERS
from midflight.cli.show import table
from midflight.cli.top_look import Look, about, look, ordered, summary
from midflight.epc import RemoteServer
from midflight.text import cut

__all__ = ["page", "watch"]

HEADING = ("PID", "NAME", "STATUS", "MESSAGES", "GROWTH/S", "REDS/S", "MODULE", "VERSION", "AT")
HELP = "sort: r reductions, m messages, g growth, n name, p pid; space now, q quit"

OTHER_SCREEN, OWN_SCREEN = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"


def watch(client: RemoteServer, before: Look, order: str, interval: float, more: str) -> int:
    """Draw a page after each interval, and obey the keys. `more` says what else there could be."""
    rows, now = before.since(Look(before.at - interval, ())), before
    with _keys() as keys:
        while True:
            _draw(ordered(rows, order), about(now), more)
            key = keys(interval)
            if key in ("q", "\x03", "\x04"):
                return 0
            if key in ORDERS:
                order = ORDERS[key]
            if key in ("", " "):
                before, now = now, look(client)
                rows = now.since(before)


def page(rows: Sequence[dict[str, Any]], most: int) -> str:
    """Return the first `most` rows as a table."""
    cells = [
        (
            row["pid"],
            row["name"],
            row["status"],
            row["messages"],
            f"{row['growth']:+,.0f}",
            f"{row['rate']:,.0f}",
            row["module"],
            row["version"],
            f"{row['function']}:{row['line']}",
        )
        for row in rows[:most]
    ]
    return table(HEADING, cells)


def _draw(rows: Sequence[dict[str, Any]], said: str, more: str) -> None:
    width, height = shutil.get_terminal_size()
    head = [f"{summary(rows)}, {said}", HELP, *([more] if more else []), ""]
    lines = [*head, *page(rows, max(height - len(head) - 2, 1)).split("\n")]
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
