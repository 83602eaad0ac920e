"""One load of one or more modules, from parsed units to reports, all or none."""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from importlib.machinery import ModuleSpec
from types import ModuleType

from midflight.code.census.census import Census, take_census
from midflight.code.load.adopt import adopt
from midflight.code.load.commit import MOVES_UNKNOWN, commit, look_at_live_code
from midflight.code.load.load_order import in_order
from midflight.code.load.overtaken import Overtaken, mentions, overtaken_by
from midflight.code.load.prepare import Failure, Prepared, Refused
from midflight.code.load.search_path import search_path
from midflight.code.load.steps import note_failure, report_of, undisturbed
from midflight.code.loading import half_made
from midflight.code.loading.load_thread import load_of_this_thread
from midflight.code.loading.lock import LoadLock, NestedLoad
from midflight.code.loading.under_way import BrokenOff, Doing, Load, seconds_text
from midflight.code.move.move import move_in_parts
from midflight.code.report.load_report import Diagnostic, LoadReport, summary
from midflight.code.source.unit import Unit
from midflight.code.version import class_files
from midflight.code.version.import_hook import VersionLoader, finder, spec_of
from midflight.code.version.modules import Module, all_modules, known
from midflight.errors import LoadError, LoadInterrupted, NotPurged

__all__ = ["Transaction", "load_error"]

NESTED = (
    "a load was asked for in the body of a module or in an on_unload, and the load that runs it is not done; "
    "import the other module there, load both with load_many, or load it in an on_load"
)


KINDS = {"not-purged": NotPurged, "broken-off": LoadInterrupted}  # by the code of the problem


def load_error(failures: Sequence[Failure]) -> LoadError:
    """Return the exception for modules that are not loaded, with a report for each."""
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


class _Behind(Exception):
    """Others have committed something since the checks looked."""


class Transaction:
    """One load. `run` it once. `reload` is what `importlib.reload` does with the modules later."""

    def __init__(
        self,
        units: Sequence[Unit],
        lock: LoadLock,
        reload: Callable[[ModuleType], object],
        *,
        force: bool,
        two_versions: bool,
        move: bool,
    ) -> None:
        self._units = units
        self._lock = lock
        self._reload = reload
        self._force = force
        self._two_versions = two_versions
        self._move = move
        self._census: Census | None = None  # as the thread that prepares saw it last
        self._begun: list[Prepared] = []
        self._made: list[Prepared] = []  # in the order in which their bodies ended
        self._undo: list[Callable[[], object]] = []
        self._is_moved = False  # whether the commit has moved the idle processes
        self._load = load_of_this_thread() or Load()

    def run(self) -> tuple[LoadReport, ...]:
        """Load the modules; return a report for each, in the order they were given. Raises: LoadError."""
        load = self._load
        load.undo, load.refusal = self._give_up, self._broken_off
        try:
            with self._lock.held([unit.name for unit in self._units], load):
                try:
                    self._load_all(is_last=False)
                except BaseException:
                    self._abandon()
                    raise
                search_path.keep(load)
        except NestedLoad as nested:
            raise load_error([self._nested(nested)]) from None
        except Refused as refused:
            raise load_error(refused.failures) from refused.__cause__
        except BrokenOff as error:
            raise self._broken_off() from error
        except Exception as error:
            if not any(prepared.is_current for prepared in self._made):
                raise
            note_failure(self._made, "something of the load was left undone", error)
        reports = []
        for unit in self._units:
            for prepared in self._made:
                if prepared.unit is unit:
                    reports.append(report_of(prepared))
        return tuple(reports)

    def _load_all(self, *, is_last: bool) -> None:
        """Prepare and commit; do so once more if others have committed meanwhile what the bodies were run with."""
        try:
            self._prepare()
            try:
                self._finish_when_seen()
            finally:  # after Ctrl-C in the commit too: that is raised when all is done
                self._move_idle()
        except Overtaken as overtaken:
            if is_last:
                unit = self._units[0]
                why = f"{overtaken}, for the second time"
                raise _refused(unit, why, "overtaken") from None
            self._abandon()
            self._begun, self._made, self._undo = [], [], []
            self._lock.committed_since(self._load, is_known=True)
            self._load_all(is_last=True)

    def _finish_when_seen(self) -> None:
        """Commit as soon as nothing that was committed meanwhile is unknown to the checks."""
        for name in self._lock.wait_for_first(self._load, partial(mentions, self._made)):
            if name not in sys.modules and mentions(self._made, name):
                raise Overtaken(f"it has imported {name}, whose load failed")
        while True:
            if self._news(is_known=True):
                self._look()
            try:
                self._finish()
                return
            except _Behind:
                continue

    def _news(self, *, is_known: bool = False) -> set[str]:
        """Return what others have committed meanwhile and these modules name. Raises: Overtaken."""
        committed = self._lock.committed_since(self._load, is_known=is_known)
        found = {name for name in committed if mentions(self._made, name)}
        for prepared in self._made if found else ():
            if (why := overtaken_by(prepared, found)) is not None:
                raise Overtaken(why)
        return found

    def _finish(self) -> None:
        """Make current what is prepared. An upgrade holds servers before it does. Raises: _Behind, Overtaken."""
        self._lock.call(self._commit)

    def _commit(self, states: Callable[[], object] = lambda: None) -> None:
        load = self._load

        def settle() -> None:
            states()
            self._lock.note_commit(load)

        with self._lock.committing(load):
            if self._news():
                raise _Behind
            load.enter(Doing.COMMITTING)
            for each in self._made:
                each.warnings += _still_running(each, self._lock)
            census, self._census = self._census, None
            self._is_moved = commit(
                self._made,
                census or Census(),
                force=self._force,
                two_versions=self._two_versions,
                move=self._move,
                may_load=partial(self._lock.opened, load),
                states=settle,
            )

    def _move_idle(self) -> None:
        """Move idle processes, if that is asked for, while the others run."""
        is_wanted = self._move and not self._is_moved
        if not is_wanted or not all(prepared.is_current for prepared in self._made):
            return
        with undisturbed():
            try:
                for each in self._made:
                    each.note_moves(move_in_parts(each.record, self._lock))
            except Exception as error:
                note_failure(self._made, MOVES_UNKNOWN, error)

    def _abandon(self) -> None:
        if self._load.is_given_up:
            for prepared in reversed(self._begun):
                prepared.forget()
            half_made.forget(self._load)
            return
        for prepared in reversed(self._begun):
            prepared.abandon()
        if not any(prepared.is_current for prepared in self._begun):
            self._put_back()

    def _give_up(self) -> None:
        """Do for all others what `_abandon` would: a body runs on that nobody can stop. From another thread."""
        half_made.refuse(self._load)  # first: it looks at what is in sys.modules
        for prepared in reversed(self._begun):
            prepared.give_up()
        self._put_back()

    def _put_back(self) -> None:
        search_path.drop(self._load)
        for undo in reversed(self._undo):
            undo()

    def _broken_off(self) -> LoadError:
        """Return the exception for a load that was told to end."""
        load = self._load
        text = f"broken off by {load.broken_off_by} after {seconds_text(load.broken_off_after)}"
        if load.is_given_up:
            text = f"{text}; nobody can stop its body: {load.thread_name} {load.still()}"
        elif load.broken_off_at:
            text = f"{text}, at {load.broken_off_at}"
        unit = next((each for each in self._units if each.name in load.running), self._units[0])
        return load_error([Failure(unit.name, unit.path, (_problem(unit, text, "broken-off"),))])

    def _nested(self, nested: NestedLoad) -> Failure:
        unit, other = self._units[0], nested.other
        text = NESTED
        if other is not None:
            text = f"it would wait for the load of {other.what()} by {other.by}, and that one waits for who asks for it"
        return Failure(unit.name, unit.path, (_problem(unit, text, "nested"),))

    def _prepare(self) -> None:
        finder.install(_spec_to_reload(self._reload), half_made.refusal_of)
        class_files.install()
        new = [unit for unit in self._units if unit.name not in sys.modules and known(unit.name) is None]
        self._load.first = frozenset(unit.name for unit in new)
        with finder.offering([self._spec_to_import(unit) for unit in new]):
            for unit in in_order(self._units):
                self._make(unit)
        self._look()

    def _look(self) -> None:
        """Find out what there is to say of what was made, and whether it may become current. Raises: Refused."""
        self._load.enter(Doing.PREPARING)
        group = {prepared.unit.name: prepared.namespace for prepared in self._made}
        failures = []
        for prepared in self._made:
            prepared.look(group)
            if self._force:
                prepared.warnings += (replace(each, severity="warning") for each in prepared.refusals)
            elif prepared.refusals:
                failures.append(Failure(prepared.unit.name, prepared.unit.path, tuple(prepared.refusals)))
        if failures:
            raise Refused(failures)
        self._census = look_at_live_code(self._made, move=self._move)
        for prepared in self._made:
            prepared.prepare_seconds = prepared.unit.seconds + time.perf_counter() - prepared.started
        self._load.check()

    def _make(self, unit: Unit) -> None:
        """Make a version of the module of `unit`, unless the body of another one has imported it by now."""
        if any(prepared.unit is unit for prepared in self._begun):
            return
        with self._load.acting():
            if unit.place.root is not None:
                search_path.need(unit.place.root, self._load)
            record = known(unit.name)
            if unit.name not in sys.modules and record is not None:  # somebody took it out: it is put back
                sys.modules[unit.name] = record.facade.module
                self._undo.append(lambda: sys.modules.pop(unit.name, None))
        self._import(unit)
        if any(prepared.unit is unit for prepared in self._begun):
            return
        module = sys.modules[unit.name]
        self._check_place(unit, module)
        with self._load.acting():
            record = adopt(unit.name, getattr(module, "__file__", None) or unit.path)
        self._make_prepared(Prepared(unit, record, self._load, is_first=False))

    def _make_prepared(self, prepared: Prepared) -> None:
        with self._load.acting():
            self._begun.append(prepared)
        prepared.make(self._reload)
        self._made.append(prepared)

    def _import(self, unit: Unit) -> None:
        """Import the module: this makes it, if nobody did before; and waits for another thread that just does."""
        try:
            self._load.run_body(unit.name, importlib.import_module, unit.name)
        except (KeyboardInterrupt, Refused):
            raise
        except BaseException as error:  # of the body of a package that it is in
            why = f"its package cannot be imported: {type(error).__name__}: {error}"
            raise _refused(unit, why, "package") from error

    def _check_place(self, unit: Unit, module: ModuleType) -> None:
        """Refuse a module that cannot be taken over, or that is another one than was meant."""
        if not isinstance(module, ModuleType):
            raise _refused(unit, "what sys.modules has under its name is no module", "replaced")
        if getattr(module.__spec__, "_initializing", False):
            raise _refused(unit, "it is being imported, by what asks to load it", "nested")
        record = known(unit.name)
        if record is not None and record.current is None:  # it was deleted: its name is free
            return
        file = record.path if record is not None else getattr(module, "__file__", None)
        is_other = file is not None and os.path.exists(file) and not os.path.samefile(file, unit.path)
        if is_other and not self._force:
            raise _refused(unit, f"the name {unit.name} is that of {file}, which is loaded", "other-file")

    # --- What the import system is told ------------------------------------------------------------------------

    def _spec_to_import(self, unit: Unit) -> ModuleSpec:
        def execute_first(module: ModuleType) -> None:
            self._make_prepared(Prepared(unit, Module(unit.name, module), self._load, is_first=True))

        return spec_of(unit.name, unit.path, VersionLoader(unit.name, unit.path, self._reload, execute_first))


def _spec_to_reload(reload: Callable[[ModuleType], object]) -> Callable[[ModuleType], ModuleSpec | None]:
    """Return the function by which the finder, which is never removed, knows the modules of the code server."""

    def spec(module: ModuleType) -> ModuleSpec | None:
        for record in all_modules():
            if record.facade.module is module:
                return spec_of(record.name, record.path, VersionLoader(record.name, record.path, reload))
        return None

    return spec


def _still_running(made: Prepared, lock: LoadLock) -> Iterator[Diagnostic]:
    """Yield a note on each earlier load of the module that was given up, and whose thread runs on."""
    for load in lock.given_up([made.unit.name]):
        text = f"{load.thread_name} {load.still()}, of a load by {load.by} that was given up"
        yield replace(made.problem(text, "given-up"), severity="note")


def _problem(unit: Unit, message: str, code: str) -> Diagnostic:
    return Diagnostic(unit.path, 1, 0, 1, 0, "error", message, code)


def _refused(unit: Unit, message: str, code: str) -> Refused:
    return Refused([Failure(unit.name, unit.path, (_problem(unit, message, code),))])
