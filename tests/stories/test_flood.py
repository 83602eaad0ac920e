"""A process that prints as fast as it can, as somebody sees it who works on meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable

from helpers.emacs import Emacs, Workplace
from helpers.stories import SHELL, load_first

LINES = 100_000
FLOOD = f"""
from midflight import receive, sleep

async def start():
    lines = 0
    is_asked = False
    while not is_asked or lines < {LINES}:
        for lines in range(lines + 1, lines + 101):
            print(f"line {{lines}} of the flood, which is about as long as the line of a log")
        await sleep(0)
        is_asked = is_asked or await receive("stop", timeout=0, default=None) is not None
    print(f"after {{lines}} lines the flood is over")
"""
KEPT = 100_000


def test_a_flood_of_output(place: Workplace, open_emacs: Callable[..., Emacs]) -> None:
    """Keys are answered and inputs evaluated while it lasts; at its end the last lines are there, in bounds.

    The process prints 100,000 lines, and goes on until it is told to stop: so it has not ended before.
    """
    place.write("flood.py", FLOOD)
    emacs = open_emacs("flood.py", "--eval", f"(setq midflight-shell-maximum-size {KEPT})")
    load_first(emacs, "flood")
    emacs.press("C-c", "C-z")
    emacs.type('_ = spawn(flood.start, name="flood")')
    emacs.press("Enter")
    emacs.wait_line(SHELL, r"line \d+ of the flood, .*")

    emacs.type("6 * 7")
    emacs.wait_line(SHELL, r"2> 6 \* 7")
    emacs.press("Enter")
    emacs.wait_line(SHELL, r"3>")

    emacs.type('send("flood", "stop")')
    emacs.press("Enter")
    (count,) = emacs.wait_line(SHELL, r"after (\d+) lines the flood is over").groups()
    assert int(count) >= LINES
    emacs.wait_line(SHELL, "4>")
    shown = emacs.window(SHELL)
    end = shown.index(f"after {count} lines the flood is over")
    numbers = [int(found[1]) for line in shown[:end] if (found := re.match(r"line (\d+) of the flood", line))]
    assert numbers == list(range(int(count) - len(numbers) + 1, int(count) + 1))
    assert len(numbers) > 3
    emacs.press("M-:")
    emacs.type("(buffer-size)")
    emacs.press("Enter")
    size = int(emacs.wait_echo(r"\A(\d+) \(")[1])
    assert KEPT // 2 < size <= 2 * KEPT + 40_000  # trimmed at twice its size; then another push of 32 K comes
