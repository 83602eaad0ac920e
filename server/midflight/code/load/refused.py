"""`Refused`: modules that could not be made, or must not become current; and the `LoadError` that callers get."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from midflight.code.census.census import take_census
from midflight.code.report.load_report import Diagnostic, LoadReport, summary
from midflight.code.source.unit import Unit
from midflight.code.version.modules import known
from midflight.errors import LoadError, LoadInterrupted, NotPurged

__all__ = ["Failure", "Refused", "load_error", "module_problem", "refused"]

KINDS = {"not-purged": NotPurged, "broken-off": LoadInterrupted}  # by the code of the problem


class Failure(NamedTuple):
    """The reason why one module is not loaded."""

    name: str
    path: str
    problems: tuple[Diagnostic, ...]


class Refused(Exception):
    """A load that ends with nothing changed: its failures, one for each module at fault."""

    def __init__(self, failures: Iterable[Failure]) -> None:
        self.failures = tuple(failures)
        super().__init__(self.failures[0].problems[0].message)


def module_problem(path: str, message: str, code: str) -> Diagnostic:
    """Return an error that is about a module, not about a line of it."""
    return Diagnostic(path, 1, 0, 1, 0, "error", message, code)


def refused(unit: Unit, problems: Iterable[Diagnostic]) -> Refused:
    """Return the exception that says why the module of `unit` is not loaded."""
    return Refused([Failure(unit.name, unit.path, tuple(problems))])


def load_error(failures: Sequence[Failure]) -> LoadError:
    """Return the exception for the caller of a load, with a report for each module at fault."""
    census = take_census()
    reports = [
        LoadReport(
            module=name,
            version=None,
            path=path,
            refusals=problems,
            lingering=census.in_module(name),
            current=_current_number(name),
        )
        for name, path, problems in failures
    ]
    codes = {each.code for each in reports[0].refusals}
    kind = next((kind for code, kind in KINDS.items() if code in codes), LoadError)
    return kind(summary(reports[0]), *reports)


def _current_number(name: str) -> int | None:
    record = known(name)
    return record.current.number if record is not None and record.current is not None else None
