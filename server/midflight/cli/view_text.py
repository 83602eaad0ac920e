"""The text of one process: its place, what it holds, and the messages that wait for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from midflight.cli.processes import frame_lines
from midflight.cli.top_look import memory_words

__all__ = ["view_lines"]


def view_lines(view: dict[str, Any], memory: dict[str, Any] | None) -> Iterator[str]:
    """Yield the lines on a process, from the answers of process/view and process/memory."""
    version = "" if view["version"] is None else f" v{view['version']}"
    name = f" {view['name']}" if view["name"] else ""
    waits = f", waits for {view['waiting_for']}" if view["waiting_for"] else ""
    yield f"{view['pid']}{name}: {view['status']}{waits}, {view['reductions']:,} reductions"
    yield f"{view['module']}{version} {view['function']}:{view['line']}, started as {view['initial_call']}"
    if memory is not None:
        more = "at least " if memory["more"] else ""
        yield f"holds {more}{memory_words(memory['bytes'])} in {memory['objects']:,} objects"
    for kind in ("parents", "links", "monitors", "monitored_by"):
        if view[kind]:
            yield f"{kind.replace('_', ' ')}: {', '.join(' '.join(filter(None, each)) for each in view[kind])}"
    yield ""
    if view["state"] is not None:
        yield f"State of {view['state']['class']}:"
        yield from (f"  {name} = {value}" for name, value in view["state"]["attributes"] or ())
    else:
        yield from frame_lines(view)
    yield ""
    yield f"{view['counts']['messages']} messages wait"
    yield from (f"  {each}" for each in view["messages"] or ())
