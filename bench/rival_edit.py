"""What an edit is that rivals are compared by: two texts, and what is looked at before and after.

A text is that of module `m`, or a dictionary from files to texts, if the edit is one of several modules at once.

`before(m, kept)` runs in the old version and keeps what a program would keep. `after(m, kept)` says in a few words what
became of it. Both are coroutines, so that tasks can run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

Look = Callable[[Any, SimpleNamespace], Awaitable[Any]]
Text = str | dict[str, str]


class Edit(NamedTuple):
    """A change of module `m`, or of files that it uses, and what is looked at."""

    title: str
    old: Text
    new: Text
    before: Look
    after: Look


EDITS: dict[str, Edit] = {}


def edit(title: str, old: Text, new: Text) -> Callable[[type], type]:
    """Make an Edit of a class with `before` and `after`; its name is the edit's."""

    def enter(looks: type) -> type:
        EDITS[looks.__name__] = Edit(title, old, new, looks.__dict__["before"], looks.__dict__["after"])
        return looks

    return enter


def age(answer: object) -> str:
    """Return "old" or "new" for what version 1 or 2 answers."""
    return {1: "old", 2: "new"}.get(answer, repr(answer))  # type: ignore[call-overload]


def tried(function: Callable[[], object]) -> str:
    """Return what `function()` answers, as an age, or the name of what it raised."""
    try:
        return age(function())
    except Exception as error:
        return type(error).__name__


async def until(is_done: Callable[[], object]) -> None:
    """Let tasks run until `is_done()` is true."""
    while not is_done():
        await asyncio.sleep(0)
