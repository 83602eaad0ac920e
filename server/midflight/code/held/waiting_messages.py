"""Messages that wait in mailboxes and are objects of superseded classes: new code matches none of them.

A process that goes on in the new version finds `case Order():` to mean the new class, so such a message falls through
to another case, or waits on in a selective receive. They are counted when the version becomes current.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from midflight.code.report.load_report import SHOWN
from midflight.code.report.state_report import StateChange
from midflight.kernel import schedulers

__all__ = ["waiting_messages"]

MOST = 10_000  # messages that are looked at
DEPTH = 3  # tuples, lists and dicts in one another: a call to a server is a tuple around its request


def waiting_messages(classes: Mapping[type, str]) -> Iterator[StateChange]:
    """Yield a line for each of these superseded classes of which messages wait. On the runtime's thread."""
    found: dict[type, Counter[Any]] = {}  # by class: how many wait for each process
    looked_at, is_whole = 0, True
    for scheduler in schedulers():
        for process in list(scheduler.processes.values()):
            mailbox = process.mailbox
            if not mailbox or not is_whole:
                continue
            for message in list(mailbox):
                looked_at += 1
                for cls in _classes_in(message, DEPTH) & classes.keys():
                    found.setdefault(cls, Counter())[process.pid] += 1
                if looked_at >= MOST:
                    is_whole = False
                    break
    for cls, pids in found.items():
        yield StateChange(classes[cls], "note", _said(pids, is_whole=is_whole), size=pids.total())


def _classes_in(value: Any, depth: int) -> set[type]:
    kind: Any = type(value)
    if depth and (kind is list or kind is dict or issubclass(kind, tuple)):
        inner = [*value, *value.values()] if kind is dict else list(value)
        return {kind}.union(*(_classes_in(each, depth - 1) for each in inner))
    return {kind}


def _said(pids: Counter[Any], *, is_whole: bool) -> str:
    count = pids.total()
    shown = ", ".join(repr(pid) for pid, _ in pids.most_common(SHOWN))
    more = f" and {len(pids) - SHOWN} more" if len(pids) > SHOWN else ""
    messages = f"{'' if is_whole else 'at least '}{count} message{'' if count == 1 else 's'}"
    waits, it = ("waits", "it") if count == 1 else ("wait", "them")
    return (
        f"{messages} of the old class {waits} for {shown}{more}: new code does not take {it} for the new class; "
        f"`code.migrate(message)` makes {it} of it"
    )
