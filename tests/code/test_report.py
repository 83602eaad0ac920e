"""The words for what a load did: one line for the echo area, and the whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from midflight.code import Diagnostic, Lingering, LoadReport, MoveReport, NotMoved, StaleImport, summary, text
from midflight.kernel import Pid

PATH = "/project/counter.py"
LOADED = LoadReport("counter", 2, PATH, changed=("loop",), prepare_ms=2.9, commit_ms=0.2, current=2)
FAILED = LoadReport(
    "counter", None, PATH, refusals=(Diagnostic(PATH, 12, 4, 12, 5, "error", "expected ':'", "syntax"),), current=3
)


def lingering(count: int, version: int = 1) -> tuple[Lingering, ...]:
    return tuple(Lingering(Pid(37 + number), None, version, "loop", 9) for number in range(count))


def warning(message: str) -> Diagnostic:
    return Diagnostic(PATH, 3, 0, 3, 1, "warning", message, "undefined-name")


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (LoadReport("counter", 1, PATH, prepare_ms=4.0, commit_ms=0.2), "counter v1 loaded (4.2 ms)"),
        (LOADED, "counter v2 loaded: loop changed (3.1 ms)"),
        (
            replace(LOADED, lingering=lingering(1)),
            "counter v2 loaded: loop changed; 1 process still runs v1: <0.37.0> at loop:9 (3.1 ms)",
        ),
        (
            replace(LOADED, lingering=(*lingering(4), *lingering(1, 3))),
            "counter v2 loaded: loop changed; 5 processes still run v1 and v3: "
            "<0.37.0> at loop:9, <0.38.0> at loop:9, <0.39.0> at loop:9 and 2 more (3.1 ms)",
        ),
        (replace(LOADED, changed=()), "counter v2 loaded: no definition changed (3.1 ms)"),
        (
            replace(LOADED, added=("a", "b", "c", "d"), removed=("e",)),
            "counter v2 loaded: loop changed, 4 definitions added, e removed (3.1 ms)",
        ),
        (
            replace(LOADED, warnings=(warning("x"), warning("y")), stale_imports=(StaleImport("m", "f"),)),
            "counter v2 loaded: loop changed; 2 warnings; 1 stale import (3.1 ms)",
        ),
        (
            replace(FAILED, lingering=lingering(4, 3)),
            "counter not loaded: line 12, expected ':'. Version 3 stays current; 4 processes keep running it. "
            "Fix the line, load again.",
        ),
        (
            replace(FAILED, lingering=(*lingering(1, 3), *lingering(2, 1))),
            "counter not loaded: line 12, expected ':'. Version 3 stays current; 1 process keeps running it; "
            "2 processes run older versions. Fix the line, load again.",
        ),
        (
            replace(FAILED, current=None),
            "counter not loaded: line 12, expected ':'. It was not loaded before either. Fix the line, load again.",
        ),
        (
            replace(FAILED, refusals=FAILED.refusals * 3),
            "counter not loaded: line 12, expected ':' (and 2 more). Version 3 stays current. "
            "Fix the line, load again.",
        ),
        (
            replace(FAILED, refusals=(Diagnostic("/p/shop.py", 2, 0, 2, 0, "error", "invalid syntax", "syntax"),)),
            "counter not loaded: shop.py line 2, invalid syntax. Version 3 stays current. Fix the line, load again.",
        ),
    ],
)
def test_the_line_for_the_echo_area(report, line):
    """What happened, what is unchanged, what to do."""
    assert summary(report) == line


MOVED = tuple(map(Pid, (41, 42, 43)))
LINGERING = lingering(2)


def stayed(reason: str) -> NotMoved:
    return NotMoved(LINGERING[0].pid, "shop", 1, "loop", 9, reason)


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (
            replace(LOADED, moved=MOVED, not_moved=(stayed("a live local: total"),), lingering=LINGERING[:1]),
            "counter v2 loaded: loop changed; 3 processes moved, 1 still runs v1: "
            "<0.37.0> at loop:9 (a live local: total) (3.1 ms)",
        ),
        (
            replace(LOADED, moved=MOVED[:1], lingering=LINGERING),
            "counter v2 loaded: loop changed; 1 process moved, 2 still run v1: "
            "<0.37.0> at loop:9, <0.38.0> at loop:9 (3.1 ms)",
        ),
        (replace(LOADED, moved=MOVED), "counter v2 loaded: loop changed; 3 processes moved (3.1 ms)"),
        (
            replace(LOADED, not_moved=(stayed("it is running"),), lingering=LINGERING[:1]),
            "counter v2 loaded: loop changed; 1 process still runs v1: <0.37.0> at loop:9 (it is running) (3.1 ms)",
        ),
        (
            MoveReport("counter", 2, MOVED, (stayed("it is running"),)),
            "counter: 3 processes moved to v2, 1 still runs v1: <0.37.0> at loop:9 (it is running)",
        ),
        (MoveReport("counter", 2, MOVED[:1]), "counter: 1 process moved to v2"),
        (
            MoveReport("counter", 2, (), (stayed("it is running"),)),
            "counter: 1 process still runs v1: <0.37.0> at loop:9 (it is running)",
        ),
        (MoveReport("counter", 2), "counter: no process runs an older version"),
    ],
)
def test_the_line_says_who_was_moved(report, line):
    """And of the others why they were not."""
    assert summary(report) == line


def test_the_whole_report_of_a_move_has_everyone():
    """Those that moved, and the reason of each that did not."""
    report = MoveReport("counter", 2, MOVED, (stayed("a live local: total"),))

    assert text(report) == (
        f"{summary(report)}\n"
        "  moved:   <0.41.0>, <0.42.0>, <0.43.0>\n"
        "\n"
        "Processes in older versions\n"
        "  <0.37.0> (shop)  v1  at loop:9, not moved: a live local: total\n"
        "  Each goes on there until it calls a function of the module by its full name: `return counter.f(...)`\n"
        "  moves it, with the state that it passes on. Which message makes it do so is up to the program.\n"
        "  purge('counter') ends them.\n"
    )


def test_the_whole_report_of_a_load_has_who_was_moved():
    """Where it has the definitions, and with the others the reason."""
    report = replace(LOADED, moved=MOVED[:2], not_moved=(stayed("it is running"),), lingering=LINGERING)

    assert "processes held for 0.2 ms\n  moved:   <0.41.0>, <0.42.0>\n\nProcesses" in text(report)
    assert "  <0.37.0>  v1  at loop:9, not moved: it is running\n  <0.38.0>  v1  at loop:9\n" in text(report)


def test_the_whole_report_says_how_processes_move():
    """At their next call by the full name; and what ends them."""
    report = replace(
        LOADED,
        added=("Cart.total",),
        lingering=(*lingering(1), Lingering(Pid(50), "shop", 1, "Cart.run", 30)),
        warnings=(warning("undefined name 'x'"),),
        stale_imports=(StaleImport("shop", "loop"),),
    )

    assert text(report) == (
        f"{summary(report)}\n"
        "  changed: loop\n"
        "  added:   Cart.total\n"
        f"  file:    {PATH}\n"
        "  time:    prepared in 2.9 ms, processes held for 0.2 ms\n"
        "\n"
        "Warnings\n"
        f"  {PATH}:3:0: undefined name 'x'\n"
        "\n"
        "Names that other modules imported, and keep from an older version\n"
        "  loop in shop\n"
        "  Call them as counter.NAME, or load those modules too, to have the current ones:\n"
        "  load_many(['counter', 'shop'])\n"
        "\n"
        "Processes in older versions\n"
        "  <0.37.0>  v1  at loop:9\n"
        "  <0.50.0> (shop)  v1  at Cart.run:30\n"
        "  Each goes on there until it calls a function of the module by its full name: `return counter.f(...)`\n"
        "  moves it, with the state that it passes on. Which message makes it do so is up to the program.\n"
        "  move('counter') moves those that only wait for a message; purge('counter') ends them.\n"
    )


def test_the_whole_report_of_a_refusal_has_every_place():
    """As path:line:column, which editors can jump to."""
    report = replace(FAILED, warnings=(warning("more"),), lingering=lingering(1, 3))

    assert text(report) == (
        f"{summary(report)}\n"
        "\n"
        "Refused because\n"
        f"  {PATH}:12:4: expected ':'\n"
        "\n"
        "Warnings\n"
        f"  {PATH}:3:0: more\n"
        "\n"
        "Processes that run it, and go on as they were\n"
        "  <0.37.0>  v3  at loop:9\n"
    )


def test_the_whole_report_is_bounded():
    """Of 100,000 processes it names fifty and says how many more there are; the one line says how many in all."""
    still = tuple(Lingering(Pid(number), None, 1, "loop", 9) for number in range(100_000))
    moved = tuple(Pid(number) for number in range(100_000))
    report = LoadReport("shop", 2, "/project/shop.py", current=2, lingering=still, moved=moved)

    whole = text(report)

    assert "100000 processes moved, 100000 still run v1: <0.0.0> at loop:9" in summary(report)
    assert "  <0.49.0>  v1  at loop:9\n  and 99950 more\n" in whole
    assert ", <0.49.0> and 99950 more\n" in whole
    assert "<0.50.0>" not in whole
