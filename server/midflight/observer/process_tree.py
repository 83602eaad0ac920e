"""All processes as a tree: supervisors over their children, all others under their parent or under a linked process.

A process stands under its supervisor; else under who spawned it, if that lives and is linked to it; else under the
oldest process that it is linked to, if that is older; else at the top. So every process stands once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from midflight.kernel import Pid, Process, Scheduler, server_of
from midflight.observer.looking import look_at, parts_of
from midflight.observer.printing import printed
from midflight.observer.process_rows import Row, row_of
from midflight.otp import Supervisor

__all__ = ["Node", "tree"]

ROWS_A_LOOK = 100


class Child(NamedTuple):
    """A child as its supervisor knows it. `state` is "running", "restarting" or "stopped"."""

    id: str | None
    pid: Pid | None
    restart: str
    type: str
    state: str


@dataclass(frozen=True, slots=True)
class Node:
    """A line of the tree, at `depth`. `row` is None for a child that does not run; `child` is its supervisor's record.

    `strategy` is a supervisor's.
    """

    depth: int
    row: Row | None
    child: Child | None
    strategy: str | None


class _Seen(NamedTuple):
    row: Row
    above: int | None
    strategy: str | None
    children: tuple[Child, ...]


def tree(scheduler: Scheduler, most: int) -> tuple[list[Node], int]:
    """Return at most so many lines of the tree, each parent before its children, and how many more there are.

    Not to be called on the runtime's thread.
    """
    everyone = list(scheduler.processes.values())
    looks = [partial(_look, scheduler, part) for part in parts_of(everyone, ROWS_A_LOOK)]
    seen = {each.row.number: each for some in look_at(scheduler, looks) for each in some}
    supervised = {
        child.pid.number for each in seen.values() for child in each.children if child.pid and child.pid.number in seen
    }
    below: dict[int | None, list[int]] = {}
    for number, each in seen.items():
        if number not in supervised:
            below.setdefault(each.above if each.above in seen else None, []).append(number)
    nodes: list[Node] = []
    total = 0
    for node in _lines(seen, below):
        total += 1
        if total <= most:
            nodes.append(node)
    return nodes, max(0, total - most)


def _lines(seen: dict[int, _Seen], below: dict[int | None, list[int]]) -> Iterator[Node]:
    done: set[int] = set()
    # By iteration: a chain of processes, each linked to the next, must not recurse deep.
    tops = [*below.get(None, ()), *seen]  # at last those that stand under one another in a ring
    for top in tops:
        stack: list[tuple[int, int | None, Child | None]] = [(0, top, None)]
        while stack:
            depth, number, child = stack.pop()
            if number is None:
                yield Node(depth, None, child, None)
                continue
            if number in done:
                continue
            done.add(number)
            each = seen[number]
            yield Node(depth, each.row, child, each.strategy)
            under: list[tuple[int, int | None, Child | None]] = [
                (depth + 1, one.pid.number if one.pid and one.pid.number in seen else None, one)
                for one in each.children
            ]
            under += [(depth + 1, one, None) for one in below.get(number, ())]
            stack += reversed(under)


def _look(scheduler: Scheduler, some: Iterable[Process]) -> list[_Seen]:
    return [
        _Seen(row_of(scheduler, each), _above(each), *_supervision(server_of(each)))
        for each in some
        if each.pid.process is not None
    ]


def _above(process: Process) -> int | None:
    links = process.links or {}
    parent = None if process.parent is None else process.parent.process
    if parent is not None and parent in links:
        return parent.pid.number
    older = [other.pid.number for other in links if other.pid.number < process.pid.number]
    return min(older, default=None)


def _supervision(server: Any) -> tuple[str | None, tuple[Child, ...]]:
    """Return the strategy and the children of a supervisor, None and nothing of anybody else."""
    if not isinstance(server, Supervisor):
        return None, ()
    children = tuple(
        Child(
            None if server.is_dynamic else child.key if isinstance(child.key, str) else printed(child.key, 100),
            child.running,
            child.spec.restart,
            child.spec.type,
            "restarting" if child.is_restarting else "stopped" if child.pid is None else "running",
        )
        for child in server.children.values()
    )
    return server.flags.strategy, children
