"""The account of suspended servers: each as data, their errors as diagnostics, the whole upgrade. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace
from types import TracebackType
from typing import Any

from midflight.code.identity.fields import fields_of
from midflight.code.identity.server_state import shown
from midflight.code.load.new_version import NewVersion
from midflight.code.report.body_problems import body_problems
from midflight.code.report.load_report import SHOWN, Diagnostic, LoadReport
from midflight.code.report.upgrade_report import MOST, ServerChange, UpgradeReport
from midflight.code.upgrade.suspended import SuspendedServer
from midflight.code.version.snapshots import readable
from midflight.text import exception_said, exception_text

__all__ = ["changes_of", "problems_of", "servers_of", "state_of", "with_servers"]


def with_servers(report: LoadReport, servers: tuple[ServerChange, ...] = (), held_ms: float = 0.0) -> UpgradeReport:
    """Return the report of a load as an UpgradeReport."""
    known = {field.name: getattr(report, field.name) for field in fields(LoadReport)}
    return UpgradeReport(**known, servers=servers, held_ms=held_ms)


def changes_of(servers: Sequence[SuspendedServer], *, is_whole: bool) -> tuple[ServerChange, ...]:
    """Return the outcome for each server, while they are suspended: afterwards their states go on.

    With the texts of all their states if `is_whole`, else of the first ones, and of those whose code_change raised.
    """
    told = 0
    found = []
    for index, each in enumerate(servers):
        told += each.error is not None
        found.append(_change(each, is_whole or index < MOST or (each.error is not None and told <= MOST)))
    return tuple(found)


def _change(suspended: SuspendedServer, has_text: bool) -> ServerChange:
    plan, error = suspended.plan, suspended.error
    assert plan is not None
    after = _state_in(suspended.new, fields_of(suspended.new)) if has_text and error is None else ""
    trace = readable(exception_text(error)) if has_text and error is not None else None
    return ServerChange(
        pid=suspended.pid,
        name=suspended.name,
        class_name=plan.cls.__qualname__,
        old_version=None if plan.old_version is None else plan.old_version.number,
        old_vsn=plan.old_vsn,
        is_changed=plan.changer is not None,
        before=state_of(suspended) if has_text else "",
        after=None if error is not None else after,
        error=None if error is None else exception_said(error),
        traceback=trace,
        is_renewed=plan.renews,
    )


def servers_of(new: NewVersion, servers: Iterable[SuspendedServer]) -> list[SuspendedServer]:
    """Return the servers of the module `new`, among `servers`."""
    return [each for each in servers if each.plan is not None and each.plan.module == new.unit.name]


def state_of(suspended: SuspendedServer) -> str:
    """Return the state that a server had when it was suspended, as text; "" if it has none, or was not suspended."""
    return _state_in(suspended.old, suspended.attributes)


def _state_in(server: Any, attributes: dict[str, Any]) -> str:
    """Return the state of a server as text, as it says itself if it has a way to."""
    said = getattr(type(server), "shown_state", None)
    return shown(attributes) if said is None else str(said(server))


def problems_of(
    failed: Sequence[SuspendedServer], new: NewVersion, group: Sequence[NewVersion]
) -> Iterator[Diagnostic]:
    """Yield the errors in servers of the module `new`, once for all of the same kind at one place.

    The place is in the text of `new`; else in one of the `group`, where the callback is that is inherited.
    """
    groups: dict[tuple[object, ...], list[SuspendedServer]] = {}
    for each in failed:
        assert each.error is not None
        groups.setdefault((type(each.error), *_place(each.error.__traceback__)), []).append(each)
    for servers in groups.values():
        first = servers[0]
        assert first.error is not None
        more = f" and {len(servers) - SHOWN} more" if len(servers) > SHOWN else ""
        who = ", ".join(map(repr, servers[:SHOWN])) + more
        raised = exception_said(first.error)
        whose = "its state" if len(servers) == 1 else "the first one's state"
        if any(each.error is not None and exception_said(each.error) != raised for each in servers):
            raised += ", the first one"
        message = f"{first.callback} of {who} raised {raised}; {whose} is {state_of(first) or 'empty'}"
        places = [_problem_in(each, first.error) for each in (new, *group)]
        problem = next((each for each in places if each.code == "code-change"), places[0])
        yield replace(problem, message=message)


def _problem_in(new: NewVersion, error: BaseException) -> Diagnostic:
    """Say where in the text of `new` it came from; the code is "state" if it did not, but from an older one, say."""
    assert new.version.snapshot is not None
    problem = next(body_problems(error, new.unit.path, new.unit.text, new.version.snapshot.file))
    return replace(problem, code="state" if (problem.line, problem.end_column) == (1, 0) else "code-change")


def _place(trace: TracebackType | None) -> tuple[Any, ...]:
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return () if trace is None else (trace.tb_frame.f_code, trace.tb_lasti)
