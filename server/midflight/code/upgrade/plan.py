"""The plan of an upgrade for the servers of each class, decided from the classes alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from operator import attrgetter
from typing import Any

from midflight.code.load.new_version import NewVersion
from midflight.code.report.load_report import SHOWN, Diagnostic
from midflight.code.upgrade.callbacks import (
    age_of,
    class_in,
    has_code_change,
    has_renewal,
    is_news,
    newest_version_with,
)
from midflight.code.upgrade.suspended import Plan
from midflight.kernel import Pid, Process, Scheduler, schedulers

__all__ = ["Planner", "Terms", "serving", "stragglers"]

_behaviour = attrgetter("behaviour")


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of an upgrade, as its caller gave them.

    `back_to` is the age of the text that is loaded, as age_of says, if that is an older version's: objects of younger
    ones then go down to it. `only_news` leaves servers alone whose class has no `code_change` that is news to them;
    to a supervisor with an init of its own any other text of the module is news.
    `timeout` is in seconds, None for no limit. `caller` is the process that asks, if it is one.
    """

    extra: object = None
    timeout: float | None = None
    only_news: bool = False
    back_to: int | None = None
    caller: Process | None = None


class Planner:
    """Plans for the servers of the modules in `new`, by their class. Asked anywhere, answers the same.

    A class is its own module's to plan for, whatever it is made of: so each server has one plan at most.
    """

    def __init__(self, new: Sequence[NewVersion], terms: Terms) -> None:
        self._made = {each.unit.name: each for each in new}
        self._versions = {each.unit.name: each.version for each in new}
        self._terms = terms
        self._plans: dict[type[Any], Plan | None] = {}

    def read_ahead(self) -> None:
        """Parse the texts, which is slow the first time, in the thread that prepares."""
        for _, server in servers_now():
            self(type(server))

    def __call__(self, cls: type[Any]) -> Plan | None:
        """Return the plan for the servers of the class `cls`; None to leave them alone."""
        if cls not in self._plans:
            self._plans[cls] = self._plan(cls)
        return self._plans[cls]

    def _plan(self, cls: type[Any]) -> Plan | None:
        made, terms = self._made.get(cls.__module__), self._terms
        if made is None:
            return None
        new = class_in(made.namespace, cls.__qualname__)
        is_due = new is not None and is_news(new, self._versions, cls)
        if new is None:
            return None
        name = made.unit.name
        version = newest_version_with(cls)
        renews = has_renewal(new, cls)
        is_other_text = version is None or version.digest != made.version.digest
        if terms.only_news and not is_due and not (renews and is_other_text):
            return None
        steps = 0 if terms.back_to is None or version is None else age_of(version) - terms.back_to
        old_vsn: object
        if steps > 0:
            # The younger class knows both kinds of state, as in OTP, where code_change runs before the older code is
            # loaded: the older one was written when there was one.
            changer, old_vsn = cls, ("down", made.version.vsn)
            is_due = is_due or not has_code_change(new)
        else:
            changer, old_vsn = new, version and version.vsn
        is_same = terms.back_to is not None and version is not None and steps == 0
        if is_same or not is_due or not has_code_change(changer):
            return Plan(name, new, None, version, None, None, renews)
        return Plan(name, new, changer, version, old_vsn, terms.extra, renews)


def stragglers(new: Sequence[NewVersion]) -> Iterator[tuple[NewVersion, Diagnostic]]:
    """Yield, as warnings, which servers stay behind: their class is gone, or is made of one that is not the newest.

    Each with the module that it is to be told of. On the runtime's thread.
    """
    found: dict[type[Any], list[Pid]] = {}
    for pid, server in servers_now():
        found.setdefault(type(server), []).append(pid)
    group = {each.unit.name: each for each in new}
    for cls, pids in found.items():
        for each, why in _whys(cls, group):
            more = f" and {len(pids) - SHOWN} more" if len(pids) > SHOWN else ""
            who = ", ".join(map(repr, pids[:SHOWN]))
            yield each, replace(each.problem(f"{who}{more}: {why}", "server"), severity="warning")


def _whys(cls: type[Any], group: Mapping[str, NewVersion]) -> Iterator[tuple[NewVersion, str]]:
    own = group.get(cls.__module__)
    new = cls if own is None else class_in(own.namespace, cls.__qualname__)
    if own is not None and new is None:
        yield own, f"the class {cls.__qualname__} is gone, so its server goes on with the old one"
    told = {cls.__module__}
    for base in () if new is None else new.__mro__:
        made = group.get(base.__module__)
        if made is None or base.__module__ in told:
            continue
        if class_in(made.namespace, base.__qualname__) not in (None, base):
            told.add(base.__module__)
            what = f"{cls.__module__}.{cls.__qualname__} is made of an older {base.__qualname__}"
            if own is None:
                yield made, f"{what}, until {cls.__module__} is loaded too"
            else:  # its text does not say that it imports the other one
                yield made, f"{what}; load {cls.__module__} once more"


def servers_now() -> Iterator[tuple[Pid, Any]]:
    """Yield the pid and the object of every server there is."""
    for scheduler in schedulers():
        for process in serving(scheduler):
            if process.behaviour.server is not None:
                yield process.pid, process.behaviour.server


def serving(scheduler: Scheduler) -> Iterator[Process]:
    """Yield the processes that handle system messages. Quick, as there may be very many others."""
    processes = list(scheduler.processes.values())
    return compress(processes, map(_behaviour, processes))
