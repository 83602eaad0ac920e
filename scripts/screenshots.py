"""Plays sessions in a real Emacs in a terminal, and writes what is then on its screen to docs/images, as SVG.

    make screenshots

The folder is the same each time, so that a picture changes where the screen does, and where it shows a time.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from helpers.emacs import ROOT, Emacs, Workplace  # its folder had to be on the path first
from helpers.stories import RESET, ask, insert_above, load_again, load_first, switch_to

IMAGES = ROOT / "docs" / "images"
FOLDER = Path("/tmp/midflight-pictures")
CRASH = "*midflight-crash for tutorial*"
TILL = '''"""A till that adds up what it is told was sold."""
from midflight import receive

async def start():
    return loop([])

async def loop(sold):
    match await receive():
        case ("sell", price):
            return loop([*sold, int(price)])
        case message:
            print(f"Unhandled message {message!r}")
            return loop(sold)
'''
COLUMNS, LINES = 110, 34
DARK = "(progn (setq frame-background-mode 'dark) (mapc #'frame-set-background-mode (frame-list)))"
THEME = TerminalTheme(
    (30, 32, 40),
    (214, 216, 222),
    [(30, 32, 40), (224, 108, 117), (152, 195, 121), (209, 154, 102),
     (97, 175, 239), (198, 120, 221), (86, 182, 194), (171, 178, 191)],
    [(92, 99, 112), (240, 130, 140), (170, 215, 140), (229, 192, 123),
     (120, 190, 250), (215, 145, 235), (110, 205, 215), (230, 232, 238)],
)  # fmt: skip

# No font is fetched from anywhere: who shows it has one of fixed width; textLength keeps the columns.
FORMAT = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: {char_height}px; }}
.{unique_id}-title {{ font-family: sans-serif; font-size: 16px; font-weight: bold; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""


def picture(emacs: Emacs, name: str, title: str) -> None:
    """Write what is on the screen, with the cursor, to `name`.svg."""
    screen = Text.from_ansi(emacs.coloured().rstrip("\n"), no_wrap=True)
    column, line = emacs.cursor()
    lines = screen.split("\n", allow_blank=True)
    lines[line].pad_right(max(0, column + 1 - len(lines[line])))
    lines[line].stylize("reverse", column, column + 1)
    console = Console(width=COLUMNS, record=True, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text("\n").join(lines), crop=False, overflow="ignore", no_wrap=True)
    svg = console.export_svg(title=title, theme=THEME, code_format=FORMAT, font_aspect_ratio=0.602, unique_id=name)
    IMAGES.mkdir(exist_ok=True)
    # A line a piece of text, so that a difference can be read.
    (IMAGES / f"{name}.svg").write_text(
        re.sub(r"(?<=>)(?=<(?:text|rect)\b)", "\n", svg).rstrip() + "\n", encoding="utf-8"
    )
    print(f"docs/images/{name}.svg")


def start(place: Workplace, file: str) -> Emacs:
    """Open a file of the project in an Emacs with light text on a dark ground."""
    return Emacs(place, file, "--eval", DARK, columns=COLUMNS, lines=LINES)


def tutorial(place: Workplace) -> None:
    """The counter after the switch: old code, new code, and the state that it took along."""
    place.copy_counter()
    with start(place, "counter.py") as emacs:
        load_first(emacs, "counter")
        emacs.press("C-c", "C-z")
        ask(emacs, "pid = spawn(counter.start)", 1, ".*")
        ask(emacs, 'pid << ("increment", 3)', 2, ".*")
        emacs.press("C-c", "C-z")
        insert_above(emacs, "case message", RESET)
        load_again(emacs, "v2 loaded")
        emacs.press("C-c", "C-z")
        ask(emacs, 'pid << ("reset",)', 3, ".*", ".*")
        ask(emacs, 'pid << "code_switch"', 4, ".*")
        ask(emacs, 'pid << ("print",)', 5, "Sum is 3", ".*")
        ask(emacs, 'pid << ("reset",)', 6, ".*")
        ask(emacs, 'pid << ("print",)', 7, "Sum is 0", ".*")
        picture(emacs, "tutorial", "A counter learns to reset while it runs")


def processes(place: Workplace) -> None:
    """The list of processes: who runs which version, and the preview of a load."""
    place.copy_counter()
    with start(place, "counter.py") as emacs:
        load_first(emacs, "counter")
        emacs.press("C-c", "C-z")
        make = '[spawn(counter.start, name=name) for name in ("till", "door", "roof", "yard")]'
        ask(emacs, make, 1, ".*")
        ask(emacs, 'send("till", ("increment", 3))', 2, ".*")
        emacs.press("C-c", "C-z")
        insert_above(emacs, "case message", RESET)
        load_again(emacs, "v2 loaded")
        emacs.press("C-c", "C-z")
        ask(emacs, 'send("door", "code_switch")', 3, ".*")
        emacs.press("C-c", "C-x", "p")
        emacs.wait("the processes", lambda emacs: "roof" in "".join(emacs.window("*midflight-processes")))
        picture(emacs, "processes", "C-c C-x p: who runs which version, and where")


def preview(place: Workplace) -> None:
    """What a load would do, before it does it, and what differs from what runs."""
    place.copy_counter()
    with start(place, "counter.py") as emacs:
        load_first(emacs, "counter")
        emacs.press("C-c", "C-z")
        ask(emacs, '[spawn(counter.start, name=name) for name in ("till", "door")]', 1, ".*")
        emacs.press("C-c", "C-z")
        insert_above(emacs, "case message", RESET)
        emacs.press("C-x", "C-s", "C-x", "1", "C-u", "C-c", "C-k")
        emacs.wait("the preview", lambda emacs: emacs.window("*midflight-preview"))
        emacs.wait("the marks of the edit", lambda emacs: " stale " in emacs.mode_line("counter.py"))
        picture(emacs, "preview", "C-u C-c C-k: what a load would do")


def crash(place: Workplace) -> None:
    """A crash: where, with which state and message, and what to do."""
    place.write("till.py", TILL)
    with start(place, "till.py") as emacs:
        load_first(emacs, "till")
        emacs.press("C-c", "C-z")
        ask(emacs, 'pid = spawn(till.start, name="till")', 1, ".*")
        ask(emacs, 'pid << ("sell", "3")', 2, ".*")
        ask(emacs, 'pid << ("sell", "4")', 3, ".*")
        emacs.type('pid << ("sell", "2.50")')
        emacs.press("Enter")
        emacs.wait_line(CRASH, r"Process .*")
        switch_to(emacs, CRASH)
        emacs.press("C-x", "1")
        emacs.wait_echo(r"\A\Z")
        picture(emacs, "crash", "A crash: the frames, the state, and r to go on with it after the fix")


def main() -> None:
    """Make all pictures."""
    stories: list[Callable[[Workplace], None]] = [tutorial, processes, preview, crash]
    for story in stories:
        FOLDER.mkdir(mode=0o700)  # an error if it is there: whose it is, is not known
        try:
            place = Workplace(FOLDER)
            os.environ.update(place.variables)
            try:
                story(place)
            finally:
                place.stop()
        finally:
            shutil.rmtree(FOLDER)


if __name__ == "__main__":
    main()
