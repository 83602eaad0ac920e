"""The view of one process: its place, the messages that wait for it, the values it holds, and its links and monitors.

Every list is bounded and says how long it was; every value is printed, bounded too. What is read is read between two
turns of the runtime; to print the values of one frame, or some messages, is a part of its own.
"""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Any, NamedTuple

from midflight.code import current_version
from midflight.code.lowlevel import fields_of, real_path
from midflight.kernel import (
    Pid,
    Process,
    Scheduler,
    describe,
    is_kernel_frame,
    locals_of,
    messages_of,
    server_of,
    version_of,
)
from midflight.observer.looking import look_at
from midflight.observer.printing import ITEMS, Printed, printed, printed_items
from midflight.observer.process_rows import ProcessLocation, place_of

__all__ = ["MESSAGES", "FrameView", "Kin", "ProcessView", "State", "frame_view", "is_ours", "messages_from", "view_of"]

MESSAGES = 100
FRAMES = 100
MESSAGES_A_LOOK = 20

_OURS = __name__.partition(".")[0] + "."


class Kin(NamedTuple):
    """A process that another one is tied to: its pid and name."""

    pid: Pid
    name: str | None


@dataclass(frozen=True, slots=True)
class FrameView:
    """A frame: its function and line in the file that people edit, the version that runs, and the line's text in that.

    `is_current` says whether that version is the current one; True for a module without versions. `is_ours`: it is
    Midflight's own. `locals` are names and printed values, those of a function's frame only.
    """

    path: str
    line: int
    function: str
    module: str
    version: int | None
    is_current: bool
    is_ours: bool
    text: str
    locals: tuple[tuple[str, Printed], ...]


@dataclass(frozen=True, slots=True)
class State:
    """The object of a server: its class, the class's version, and the version that it takes at its next message."""

    class_name: str
    module: str
    version: int | None
    current: int | None
    attributes: tuple[tuple[str, Printed], ...]


@dataclass(frozen=True, slots=True)
class ProcessView:
    """One process at one moment. `counts` has the true lengths of what is cut, by name."""

    info: dict[str, Any]
    place: ProcessLocation
    name: str | None
    parents: tuple[Kin, ...]
    links: tuple[Kin, ...]
    monitors: tuple[Kin, ...]
    monitored_by: tuple[Kin, ...]
    frames: tuple[FrameView, ...]
    state: State | None
    dictionary: tuple[tuple[str, Printed], ...]
    messages: tuple[Printed, ...]
    counts: dict[str, int]


def view_of(scheduler: Scheduler, process: Process) -> ProcessView | None:
    """Return the view of a process; None if it dies meanwhile. Not to be called on the runtime's thread."""
    found: dict[str, Any] = {}

    def read() -> None:
        if process.pid.process is None:
            return
        found["info"] = info = describe(scheduler, process)
        found["place"] = place_of(scheduler, process)
        found["frames"] = [frame for frame in scheduler.frames(process) if not is_kernel_frame(frame)]
        found["counts"] = {name: len(info[name]) for name in ("links", "monitors", "monitored_by", "dictionary")}
        found["counts"] |= {"messages": info["message_queue_len"], "frames": len(found["frames"])}
        for name in ("links", "monitors", "monitored_by"):
            found[name] = tuple(map(_kin, info.pop(name)[:ITEMS]))
        found["parents"] = tuple(_parents(scheduler, process))
        found["server"] = server_of(process)
        del info["messages"]

    for _ in look_at(scheduler, [read]):
        pass
    if not found:
        return None
    frames, server, info = found.pop("frames"), found.pop("server"), found.pop("info")
    dictionary = info.pop("dictionary")
    leader = info.pop("group_leader")
    looks: list[Any] = [partial(frame_view, frame, frame.f_lineno) for frame in frames[-FRAMES:]]
    del frames
    frame_views: list[FrameView] = []
    while looks:  # each frame is let go of when it has been looked at
        frame_views += look_at(scheduler, [looks.pop(0)])
    (state,) = look_at(scheduler, [lambda: None if server is None else _state_of(server)])
    (shown,) = look_at(scheduler, [lambda: (tuple(printed_items(dictionary)), printed(leader, 200))])
    info["group_leader"] = shown[1]
    messages, _ = messages_from(scheduler, process, 0)
    return ProcessView(
        info=info,
        name=process.name,
        frames=tuple(frame_views),
        state=state,
        dictionary=shown[0],
        messages=messages,
        **{key: found[key] for key in ("place", "parents", "links", "monitors", "monitored_by", "counts")},
    )


def messages_from(scheduler: Scheduler, process: Process, start: int) -> tuple[tuple[Printed, ...], int]:
    """Return up to 100 of the messages that wait for a process, from number `start` on, and how many wait in all.

    Not to be called on the runtime's thread. What it takes meanwhile is missing.
    """
    shown: list[Printed] = []
    total = 0

    def read(first: int, last: int) -> tuple[list[Printed], int]:
        waiting = messages_of(scheduler, process)
        return [printed(message) for message in waiting[first:last]], len(waiting)

    firsts = range(start, start + MESSAGES, MESSAGES_A_LOOK)
    for some, count in look_at(scheduler, [partial(read, first, first + MESSAGES_A_LOOK) for first in firsts]):
        shown, total = shown + some, count
        if len(some) < MESSAGES_A_LOOK:
            break
    return tuple(shown), total


def frame_view(frame: FrameType, line: int) -> FrameView:
    """Return the view of a frame that is at `line`."""
    code = frame.f_code
    module = str(frame.f_globals.get("__name__", "?"))
    path, number = real_path(code.co_filename)
    version = version_of(frame.f_globals) if number is None else number
    hidden = {"__class__"}
    values = {} if code.co_name == "<module>" else locals_of(frame)
    return FrameView(
        path=path,
        line=line,
        function=code.co_qualname,
        module=module,
        version=version,
        is_current=version is None or current_version(module) == version,
        is_ours=is_ours(module),
        text=linecache.getline(code.co_filename, line).strip(),
        locals=tuple(printed_items({name: value for name, value in values.items() if name not in hidden})),
    )


def is_ours(module: str) -> bool:
    """Say whether a module is Midflight's own."""
    return module.startswith(_OURS)


def _state_of(server: object) -> State:
    cls = type(server)
    versions = (version_of(value.__globals__) for value in list(vars(cls).values()) if hasattr(value, "__globals__"))
    return State(
        class_name=cls.__qualname__,
        module=cls.__module__,
        version=next((number for number in versions if number is not None), None),
        current=current_version(cls.__module__),
        attributes=tuple(printed_items(fields_of(server))),
    )


def _kin(pid: Pid) -> Kin:
    process = pid.process
    return Kin(pid, None if process is None else process.name)


def _parents(scheduler: Scheduler, process: Process) -> Iterator[Kin]:
    """Yield the parent of `process`, its parent, and so on, as far as they live."""
    seen: set[int] = set()
    parent = process.parent
    while parent is not None and parent.number not in seen and len(seen) < ITEMS:
        seen.add(parent.number)
        yield _kin(parent)
        above = scheduler.processes.get(parent.number)
        parent = None if above is None else above.parent
