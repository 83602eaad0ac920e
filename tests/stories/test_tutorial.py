"""The tutorial, as somebody sees it who plays it in a terminal."""

from __future__ import annotations

import re
from collections.abc import Callable

from helpers.emacs import Emacs, Workplace
from helpers.stories import RESET, SHELL, ask, insert_above, load_again, load_first


def test_the_tutorial(place: Workplace, open_emacs: Callable[..., Emacs]) -> None:
    """Load, spawn, count; teach it to reset; it goes on in version 1 until it is told to switch, and keeps its sum."""
    place.copy_counter()
    emacs = open_emacs("counter.py")
    assert "Midflight[tutorial:off]" in emacs.mode_line("counter.py")

    load_first(emacs, "counter")

    assert re.fullmatch(r"Midflight [\d.]+, Python 3[\d.]+, .*", emacs.window(SHELL)[0])
    emacs.wait(
        "no request under way", lambda emacs: re.search(r"Midflight\[tutorial[^]:]*\]", emacs.mode_line("counter.py"))
    )
    assert "(Midflight-Shell" in emacs.mode_line(SHELL)

    emacs.press("C-c", "C-z")
    (pid,) = ask(emacs, "pid = spawn(counter.start)", 1, r"<0\.\d+\.0>")
    ask(emacs, 'pid << ("increment", 3)', 2, r"\('increment', 3\)")
    ask(emacs, 'pid << ("print",)', 3, "Sum is 3", r"\('print',\)")

    emacs.press("C-c", "C-z")
    insert_above(emacs, "case message", RESET)
    emacs.wait("the mark of an edit", lambda emacs: " stale " in emacs.mode_line("counter.py"))
    assert [line for line in emacs.window("counter.py") if line.endswith(RESET)]
    where = r"loop:\d+"
    load_again(emacs, rf"\Acounter v2 loaded: loop changed; 1 process still runs v1: {pid} at {where} \([\d.]+ ms\)")

    emacs.wait("no mark of an edit", lambda emacs: " stale " not in emacs.mode_line("counter.py"))

    emacs.press("C-c", "C-z")
    ask(emacs, 'pid << ("reset",)', 4, r"Unhandled message \('reset',\)", r"\('reset',\)")
    ask(emacs, 'pid << "code_switch"', 5, "'code_switch'")
    ask(emacs, 'pid << ("print",)', 6, "Sum is 3", r"\('print',\)")
    ask(emacs, 'pid << ("reset",)', 7, r"\('reset',\)")
    ask(emacs, 'pid << ("print",)', 8, "Sum is 0", r"\('print',\)")


def test_a_mistake_is_shown_where_it_is(place: Workplace, open_emacs: Callable[..., Emacs]) -> None:
    """The echo area says what is wrong and what stays; the report opens; the next good load closes it."""
    place.copy_counter()
    emacs = open_emacs("counter.py")
    load_first(emacs, "counter")

    insert_above(emacs, "case message", RESET.replace("):", ")"))
    load_again(emacs, r"\Acounter not loaded: line 20, .*Version 1 stays current")

    emacs.wait("the report", lambda emacs: "counter not loaded: line 20" in "".join(emacs.window("*midflight-report*")))
    emacs.command("next-error")
    emacs.wait("the cursor at the mistake", lambda emacs: '("reset",)' in emacs.lines()[emacs.cursor()[1]])

    insert_above(emacs, "case message", RESET)
    emacs.press("C-p", "C-p", "C-k", "C-d")  # the line with the mistake, which is above
    load_again(emacs, r"\Acounter v2 loaded: loop changed \(", is_asked=False)
    emacs.wait("the report gone", lambda emacs: emacs.window("*midflight-report*") == [])


def test_two_editors_see_each_other(place: Workplace, open_emacs: Callable[..., Emacs]) -> None:
    """Two are attached to one server: each says what the other has loaded, and who did it."""
    place.copy_counter()
    first = open_emacs("counter.py")
    load_first(first, "counter")
    second = open_emacs("counter.py")

    second.press("C-c", "C-k")  # there is a server, so nothing is asked
    second.wait_echo(r"\Acounter v2 loaded: no definition changed \(.* ms\)\Z")
    first.wait_echo(r"\Acounter v2 loaded: .*\(by Emacs \d")

    first.press("C-c", "C-k")
    first.wait_echo(r"\Acounter v3 loaded: no definition changed \(.* ms\)\Z")
    second.wait_echo(r"\Acounter v3 loaded: .*\(by Emacs \d")
