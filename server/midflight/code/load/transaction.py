"""`transaction`: the surroundings of every load: its modules are its own, all or nothing, and an error says which.

`load_units` is the plain load made of the two halves: prepare, commit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import ModuleType

from midflight.code.census.left_behind import left_behind
from midflight.code.load.after_commit import after_commit
from midflight.code.load.attempt import Attempt, Options
from midflight.code.load.commit import Committed, commit
from midflight.code.load.outcome import report_of
from midflight.code.load.prepare import prepare
from midflight.code.load.refused import Failure, Refused, load_error, module_problem
from midflight.code.load.supervisors import supervisors_behind
from midflight.code.loading import half_made
from midflight.code.loading.lock import NestedLoad, load_lock
from midflight.code.loading.under_way import BrokenOff
from midflight.code.report.load_report import LEFT_BEHIND, TAKEN_BACK, LoadReport
from midflight.code.source.unit import Rejection, Unit, unit_of
from midflight.code.version.import_hook import finder
from midflight.code.version.modules import LOADED

TRACES = "the body of {name} had run: {where} hold what it made, and nothing takes that back"
TAKEN = "the body of {names} had run, and this was taken back: {what}"
UNSURE = "while the body of {names} ran, this changed, and was left as it is: {what}"

__all__ = ["load_units", "note_supervisors", "transaction", "units_in"]

NESTED = (
    "a load was asked for in the body of a module or in an on_unload, and the load that runs it is not done; "
    "import the other module there, load both with load_many, or load it in an on_load"
)


def load_units(found: Sequence[Unit | Rejection], options: Options) -> tuple[LoadReport, ...]:
    """Load these units, together or not at all. Raises: LoadError, ValueError."""
    units = units_in(found)
    if not units:
        return ()
    with transaction(units, options) as load:
        prepare(load)
        while commit(load) is Committed.BEHIND:
            prepare(load)
        if load.commit is not None and load.commit.supervisors:
            note_supervisors(load, are_asked=False)
    return load.reports


def note_supervisors(load: Attempt, *, are_asked: bool) -> None:
    """Note which supervisors keep the children of the version before, as supervisors_behind says it."""
    commit = load.commit
    if commit is None:
        return
    supervisors = [each for each in commit.supervisors if each[0].process is not None]
    try:
        for new, note in supervisors_behind(commit.new, supervisors, are_asked=are_asked):
            commit.warn(new, [note])
    except Exception as error:
        commit.note_failure("which supervisors have children of the version before is not known", error)


def units_in(found: Sequence[Unit | Rejection]) -> list[Unit]:
    """Return the units to load. Raises: LoadError for one without a text, ValueError for one given twice."""
    failures = [Failure(each.name, each.path, (each.problem,)) for each in found if isinstance(each, Rejection)]
    if failures:
        raise load_error(failures)
    units = [each for each in found if isinstance(each, Unit)]
    names = [unit.name for unit in units]
    if len(set(names)) < len(names):
        raise ValueError(f"a module is given twice: {sorted(names)}; nothing was loaded. Give each once")
    return units


@contextmanager
def transaction(units: Sequence[Unit], options: Options) -> Iterator[Attempt]:
    """Have the modules of `units` while the block prepares and commits them; put all back if it has not committed.

    When the block is left, the work after the commit is done and `reports` are there. What goes wrong after the commit
    is a warning in them. Raises: LoadError instead of what stops the block before that.
    """
    finder.install(_reload, half_made.refusal_of)
    attempt = Attempt(units, options)
    load = attempt.load
    load.undo, load.refusal = attempt.give_up, attempt.broken_off
    try:
        with load_lock.held([unit.name for unit in units], load):
            try:
                try:
                    yield attempt
                finally:  # after Ctrl-C in the commit too: that is raised when all is done
                    after_commit(attempt)
            finally:
                attempt.close()
    except NestedLoad as nested:
        raise load_error([_nested(units[0], nested)]) from None
    except Refused as error:
        raise load_error(_with_traces(error.failures, attempt)) from error.__cause__
    except BrokenOff as error:
        raise attempt.broken_off() from error
    except Exception as error:
        if attempt.commit is None:
            raise
        attempt.commit.note_failure("something of the load was left undone", error)
    if attempt.commit is None:
        return
    reports = []
    for unit in units:
        for new in attempt.commit.new:
            if new.unit is unit:
                reports.append(report_of(new, attempt.commit))
    attempt.reports = tuple(reports)


def _reload(module: ModuleType) -> None:
    """Load the file of `module` as a new version, for `importlib.reload(module)`."""
    load_units([unit_of(module.__name__, None, LOADED)], Options())


def _with_traces(failures: Sequence[Failure], attempt: Attempt) -> list[Failure]:
    """Add to the failures what of the bodies that had run was taken back or left, as far as that can be seen."""
    names = ", ".join(name for name, _ in attempt.namespaces)
    done, left = attempt.taken_back
    texts = [(TAKEN.format(names=names, what=", ".join(done)), TAKEN_BACK)] if done else []
    for name, namespace in attempt.namespaces:
        if where := left_behind(name, namespace):
            texts.append((TRACES.format(name=name, where=", ".join(where)), LEFT_BEHIND))
    if left:
        texts.append((UNSURE.format(names=names, what=", ".join(left)), LEFT_BEHIND))
    first, *others = failures
    notes = tuple(replace(module_problem(first.path, text, code), severity="note") for text, code in texts)
    return [first._replace(problems=(*first.problems, *notes)), *others]


def _nested(unit: Unit, nested: NestedLoad) -> Failure:
    other, text = nested.other, NESTED
    if other is not None:
        text = f"it would wait for the load of {other.what()} by {other.by}, and that one waits for who asks for it"
    return Failure(unit.name, unit.path, (module_problem(unit.path, text, "nested"),))
