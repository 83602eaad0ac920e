"""Which version each kind of call reaches, and which processes move when: observed, and as the tables of a page.

What is asked is in tests/modules: `calls_v1.py`, `caller.py`. Each column of a table is an experiment of its own, in a
new project with new processes.
"""

from __future__ import annotations

import functools
import importlib
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from helpers.versions import Project, project_in, text_of
from midflight import Pid, code
from midflight.kernel import ManualClock
from midflight.testing import TestRuntime

__all__ = ["HELD", "PAGE", "PARKED", "STEPS", "WAITS", "Cells", "held", "page", "parked", "waits"]

PAGE = Path(__file__).parents[2] / "docs" / "versions.md"
HEAD = Path(__file__).parent / "version_matrix.md"  # PARKED, HELD and WAITS in it are the tables

Cells = dict[str, str]
Row = tuple[str, list[str]]  # what it begins with, and its cells
OWN, CURRENT = "own", "current"

# What a process in version 1 calls, and what that reaches: the version of the caller, or the current one.
PARKED = {
    "which()": OWN,
    "decorated()": OWN,
    "Thing().which()": OWN,
    "Thing().inherited()": OWN,
    "Thing.made()": OWN,
    "await inner()": OWN,
    "async with Guard()": OWN,
    "async for _ in items()": OWN,
    "calls.which()": CURRENT,
    "getattr(sys.modules['calls'], 'which')()": CURRENT,
    "code.current(which)()": CURRENT,
    "calls.decorated()": CURRENT,
    "calls.Thing().which()": CURRENT,
    "calls.Thing.made()": CURRENT,
    "await calls.inner()": CURRENT,
    "async with calls.Guard()": CURRENT,
    "async for _ in calls.items()": CURRENT,
}

# What a process of another module calls, whose values were made in version 1, and what that reaches.
HELD = {
    "held.function()": OWN,
    "held.decorated()": OWN,
    "held.method()": OWN,
    "held.class_method()": OWN,
    "held.partial()": OWN,
    "held.local_closure()": OWN,
    "next(held.generator)": OWN,
    "await anext(held.items)": OWN,
    "which()": OWN,
    "Thing().which()": OWN,
    "held.qualified_closure()": CURRENT,
    "calls.which()": CURRENT,
    "code.current(held.function)()": CURRENT,
    "code.current(held.method)()": CURRENT,
}

SAYS = {
    "getattr(sys.modules['calls'], 'which')()": "by name, `getattr(sys.modules['calls'], 'which')()`",
    "decorated()": "`decorated()`, wrapped by a decorator",
    "Thing().which()": "`Thing().which()`, a method",
    "Thing().inherited()": "`Thing().inherited()`, through `super()`",
    "Thing.made()": "`Thing.made()`, a class method",
    "held.function()": "a function that is held",
    "held.decorated()": "a held function that a decorator has wrapped",
    "held.method()": "a bound method that is held",
    "held.class_method()": "a held class method",
    "held.partial()": "a held `functools.partial`",
    "held.local_closure()": "a held closure that calls `which()`",
    "held.qualified_closure()": "a held closure that calls `calls.which()`",
    "next(held.generator)": "a generator in flight",
    "await anext(held.items)": "an async generator in flight",
}
SAYS_HELD = {
    "which()": "`which()`, after `from calls import which`",
    "Thing().which()": "`Thing().which()`, after `from calls import Thing`",
}

# How a process waits for its next message, as docs/versions.md says it.
WAITS = {
    "while_true": "`while True:`, no qualified call",
    "local_tail": "`return loop()`",
    "qualified_tail": "`return calls.loop()`",
    "awaited": "`return await calls.loop()`",
    "nested": "`async for` over an async generator of its own, inside `async with`",
    "handler": "`while True:`, and `calls.handle(message)` for each message",
    "served": "a `GenServer` of the module",
}

COLUMNS = ("it is in", "1st message by", "2nd message by", "it is in then", "after `move` in", "after `purge` in")


def edition(letter: str) -> str:
    """Return the text of `calls` with another letter: a version that differs in nothing else."""
    return text_of("calls_v1").replace('EDITION = "a"', f'EDITION = "{letter}"')


def _load(project: Project, letter: str) -> None:
    project.load_text("calls", edition(letter))


def _load_twice(project: Project) -> None:
    _load(project, "b")
    _load(project, "c")


def _load_twice_and_fail(project: Project) -> None:
    _load_twice(project)
    try:
        project.load_text("calls", edition("d") + "\n1 / 0\n")
    except code.LoadError:
        return
    raise AssertionError("a body that raises was loaded")


def _load_twice_and_roll_back(project: Project) -> None:
    _load_twice(project)
    code.rollback("calls", to=1)


def _load_twice_and_soft_purge(project: Project) -> None:
    _load_twice(project)
    code.soft_purge("calls")


def _load_twice_and_purge(project: Project) -> None:
    _load_twice(project)
    code.purge("calls")


# What is done while the process waits in version 1; and the version that is current then.
STEPS: dict[str, tuple[Callable[[Project], None], int]] = {
    "before": (lambda project: None, 1),
    "load": (lambda project: _load(project, "b"), 2),
    "second load": (_load_twice, 3),
    "failed load": (_load_twice_and_fail, 3),
    "rollback to 1": (_load_twice_and_roll_back, 4),
    "soft purge": (_load_twice_and_soft_purge, 3),
    "purge": (_load_twice_and_purge, 3),
}


class Asking:
    """A process that answers what it is asked; `function` is module and name, as `calls.park`."""

    def __init__(self, runtime: TestRuntime, function: str, *args: Any) -> None:
        self.runtime = runtime
        self.sink: list[Any] = []
        module, _, name = function.partition(".")
        self.pid: Pid = runtime.spawn(getattr(sys.modules[module], name), *args, self.sink)
        runtime.run_until_idle()
        if self.sink:  # it has started the process that is meant
            self.pid = self.sink.pop()

    def ask(self, message: object) -> str:
        """Send a message and return what comes of it; "ended" if the process is gone."""
        self.pid << message
        self.runtime.run_until_idle()
        return str(self.sink.pop()) if self.sink else "ended"

    def frames(self) -> str:
        """Return the versions of `calls` that the process has a frame of, "none", or "ended"."""
        self.runtime.run_until_idle()
        if self.pid.process is None:
            return "ended"
        there = [each.version for each in code.versions("calls")]
        found = [str(number) for number in there if self.pid in code.processes("calls", number)]
        return " and ".join(found) or "none"


@contextmanager
def _stage() -> Iterator[tuple[Project, TestRuntime]]:
    """Give a project with version 1 of `calls` and with `caller`, and a runtime; all of it is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder, project_in(Path(folder).resolve()) as project:
        runtime = TestRuntime(ManualClock())
        try:
            _load(project, "a")
            project.put("caller")
            importlib.import_module("caller")
            yield project, runtime
        finally:
            runtime.close()


@functools.cache
def parked(step: str) -> Cells:
    """Return what each call of a process reaches that was in version 1 while `step` was done."""
    with _stage() as (project, runtime):
        process = Asking(runtime, "calls.park", [])
        STEPS[step][0](project)
        return {call: process.ask(call) for call in PARKED}


@functools.cache
def held(step: str) -> Cells:
    """Return what each call of a process of another module reaches, with what was made in version 1 before `step`."""
    with _stage() as (project, runtime):
        things: list[Any] = []
        Asking(runtime, "calls.park", things)
        process = Asking(runtime, "caller.hold", things)
        STEPS[step][0](project)
        return {call: process.ask(call) for call in HELD}


@functools.cache
def waits(function: str) -> Cells:
    """Return when a process that waits in that way moves, a cell for each of COLUMNS; it was in version 1."""
    with _stage() as (project, runtime):
        asked, moved = (Asking(runtime, f"calls.{function}") for _ in range(2))
        _load(project, "b")
        cells = [asked.frames(), asked.ask("first"), asked.ask("second"), asked.frames()]
        code.move("calls")
        cells.append(moved.frames())
    with _stage() as (project, runtime):
        purged = Asking(runtime, f"calls.{function}")
        _load(project, "b")
        code.purge("calls")
        return dict(zip(COLUMNS, [*cells, purged.frames()], strict=True))


def page() -> str:
    """Return the text of docs/versions.md, from what is observed now."""
    text = HEAD.read_text(encoding="utf-8")
    steps = [f"{step} (current: {current})" for step, (_, current) in STEPS.items()]
    calls = [{step: parked(step) for step in STEPS}, {step: held(step) for step in STEPS}]
    tables = {
        "PARKED": _table("A process in version 1 calls", steps, _rows(PARKED, calls[0], SAYS)),
        "HELD": _table("A process of another module calls", steps, _rows(HELD, calls[1], SAYS | SAYS_HELD)),
        "WAITS": _table("It waits in", COLUMNS, [(says, list(waits(name).values())) for name, says in WAITS.items()]),
    }
    for word, table in tables.items():
        text = text.replace(f"{word}\n", table)
    return text


def _rows(calls: Iterable[str], observed: Mapping[str, Cells], says: Mapping[str, str]) -> list[Row]:
    return [(says.get(call, f"`{call}`"), [cells[call] for cells in observed.values()]) for call in calls]


def _table(first: str, columns: Iterable[str], rows: Iterable[Row]) -> str:
    heads = [first, *columns]
    lines = [heads, ["---"] * len(heads), *([says, *cells] for says, cells in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
