"""Crash, fix, restart with state: as somebody sees it whose program must not start from nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from helpers.emacs import Emacs, Workplace
from helpers.stories import SHELL, ask, find, load_again, load_first, switch_to

PROCESS = '''
"""A till that adds up what it is told was sold."""
from midflight import receive

async def start():
    return loop([])

async def loop(sold):
    match await receive():
        case ("sell", price):
            return loop([*sold, int(price)])
        case "total":
            print(f"{len(sold)} sold for {sum(sold)}")
            return loop(sold)
        case _:
            return loop(sold)
'''
SERVER = '''
"""A till that adds up what it is told was sold."""
from midflight import GenServer

class Till(GenServer):
    def init(self):
        self.sold = []

    def handle_info(self, message):
        match message:
            case ("sell", price):
                self.sold.append(int(price))
            case "total":
                print(f"{len(self.sold)} sold for {sum(self.sold)}")
'''
CRASH = "*midflight-crash for tutorial*"


@pytest.mark.parametrize(
    ("text", "start", "where"),
    [
        (PROCESS, 'spawn(till.start, name="till")', "loop:11  till v1"),
        (SERVER, 'await till.Till.start(name="till")', "Till.handle_info:12  till v1"),
    ],
    ids=["process", "server"],
)
def test_crash_fix_restart(
    place: Workplace, open_emacs: Callable[..., Emacs], text: str, start: str, where: str
) -> None:
    """The crash shows itself with line and state; the line is mended and loaded; the process goes on with its state."""
    place.write("till.py", text)
    emacs = open_emacs("till.py")
    load_first(emacs, "till")
    emacs.press("C-c", "C-z")
    (pid,) = ask(emacs, start, 1, r"<0\.\d+\.0>")
    ask(emacs, 'send("till", ("sell", "3"))', 2, ".*")
    ask(emacs, 'send("till", ("sell", "4"))', 3, ".*")

    emacs.type('send("till", ("sell", "2.50"))')
    emacs.press("Enter")

    emacs.wait_line(CRASH, r"ValueError: invalid literal for int\(\) with base 10: '2\.50'")
    emacs.wait_echo(r"runtime process till crashed: ValueError")
    assert emacs.wait_line(CRASH, rf"Process +({pid}) \(till\)")
    emacs.wait_line(SHELL, r"5>")  # whoever types in the shell goes on typing there

    switch_to(emacs, CRASH)
    find(emacs, "sold = [")
    emacs.wait_line(CRASH, r"  sold = \[3, 4\]")
    emacs.press("M-<")
    find(emacs, where)
    emacs.press("Enter")
    emacs.wait("the cursor at the mistake", lambda emacs: "int(price)" in emacs.line())

    assert emacs.mode_line("till.py")
    find(emacs, "int(")
    emacs.press("C-b", "M-BSpace")
    emacs.type("float")
    emacs.wait("the mended line", lambda emacs: "float(price)" in emacs.line())
    load_again(emacs, r"\Atill v2 loaded: ")

    switch_to(emacs, CRASH)
    emacs.press("r")
    (new,) = emacs.wait_echo(r"started again as (<0\.\d+\.0>) \(till\) in version 2").groups()
    assert new != pid

    switch_to(emacs, SHELL + " tutorial*")
    ask(emacs, 'send("till", "total")', 5, "2 sold for 7", "'total'")
    ask(emacs, 'send("till", ("sell", "2.50"))', 6, ".*")
    ask(emacs, 'send("till", "total")', 7, r"3 sold for 9\.5", "'total'")
