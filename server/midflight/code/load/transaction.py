"""One load of one or more modules, from parsed units to reports, all or none."""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.machinery import ModuleSpec
from types import ModuleType

from midflight.code.census.census import Census, take_census
from midflight.code.load.adopt import adopt
from midflight.code.load.commit import MOVES_UNKNOWN, commit, look_at_live_code
from midflight.code.load.load_order import in_order
from midflight.code.load.prepare import Failure, Prepared, Refused
from midflight.code.load.steps import note_failure, report_of, undisturbed
from midflight.code.lock import LoadLock, NestedLoad
from midflight.code.move.move import move_in_parts
from midflight.code.report.load_report import Diagnostic, LoadReport, summary
from midflight.code.source.unit import Unit
from midflight.code.version import class_files
from midflight.code.version.import_hook import VersionLoader, finder, spec_of
from midflight.code.version.modules import Module, all_modules, known
from midflight.errors import LoadError, NotPurged

__all__ = ["Transaction", "load_error"]

NESTED = (
    "a load was asked for in the body of a module or in an on_unload, and the load that runs it is not done; "
    "import the other module there, load both with load_many, or load it in an on_load"
)


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
    is_not_purged = any(each.code == "not-purged" for each in reports[0].refusals)
    return (NotPurged if is_not_purged else LoadError)(summary(reports[0]), *reports)


def _current_number(name: str) -> int | None:
    record = known(name)
    return record.current.number if record is not None and record.current is not None else None


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

    def run(self) -> tuple[LoadReport, ...]:
        """Load the modules; return a report for each, in the order they were given. Raises: LoadError."""
        try:
            with self._lock.held():
                try:
                    self._prepare()
                    try:
                        self._finish()
                    finally:  # after Ctrl-C in the commit too: that is raised when all is done
                        self._move_idle()
                except BaseException:
                    self._abandon()
                    raise
        except NestedLoad:
            unit = self._units[0]
            raise load_error([Failure(unit.name, unit.path, (_problem(unit, NESTED, "nested"),))]) from None
        except Refused as refused:
            raise load_error(refused.failures) from refused.__cause__
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

    def _finish(self) -> None:
        """Make current what is prepared. An upgrade holds servers before it does."""
        self._lock.call(self._commit)

    def _commit(self, states: Callable[[], object] = lambda: None) -> None:
        census, self._census = self._census, None
        self._is_moved = commit(
            self._made,
            census or Census(),
            force=self._force,
            two_versions=self._two_versions,
            move=self._move,
            may_load=self._lock.opened,
            states=states,
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
        for prepared in reversed(self._begun):
            prepared.abandon()
        if not any(prepared.is_current for prepared in self._begun):
            for undo in reversed(self._undo):
                undo()

    def _prepare(self) -> None:
        finder.install(_spec_to_reload(self._reload))
        class_files.install()
        new = [unit for unit in self._units if unit.name not in sys.modules and known(unit.name) is None]
        with finder.offering([self._spec_to_import(unit) for unit in new]):
            for unit in in_order(self._units):
                self._make(unit)
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

    def _make(self, unit: Unit) -> None:
        """Make a version of the module of `unit`, unless the body of another one has imported it by now."""
        if any(prepared.unit is unit for prepared in self._begun):
            return
        self._make_importable(unit)
        record = known(unit.name)
        if unit.name not in sys.modules and record is not None:  # somebody took it out: it is put back
            sys.modules[unit.name] = record.facade.module
            self._undo.append(lambda: sys.modules.pop(unit.name, None))
        self._import(unit)
        if any(prepared.unit is unit for prepared in self._begun):
            return
        module = sys.modules[unit.name]
        self._check_place(unit, module)
        try:
            record = adopt(unit.name, getattr(module, "__file__", None) or unit.path)
        except OSError as error:
            raise _refused(unit, f"its text cannot be kept: {error}", "snapshot") from error
        self._make_prepared(Prepared(unit, record, is_first=False))

    def _make_prepared(self, prepared: Prepared) -> None:
        self._begun.append(prepared)
        prepared.make(self._reload)
        self._made.append(prepared)

    def _make_importable(self, unit: Unit) -> None:
        """Put the folder that the module's name starts from at the end of `sys.path`, if it is not on it."""
        root = unit.place.root
        if root is None or any(os.path.realpath(folder or os.curdir) == os.path.realpath(root) for folder in sys.path):
            return
        sys.path.append(root)
        self._undo.append(lambda: sys.path.remove(root) if root in sys.path else None)

    def _import(self, unit: Unit) -> None:
        """Import the module: this makes it, if nobody did before; and waits for another thread that just does."""
        try:
            importlib.import_module(unit.name)
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
            self._make_prepared(Prepared(unit, Module(unit.name, module), is_first=True))

        return spec_of(unit.name, unit.path, VersionLoader(unit.name, unit.path, self._reload, execute_first))


def _spec_to_reload(reload: Callable[[ModuleType], object]) -> Callable[[ModuleType], ModuleSpec | None]:
    """Return the function by which the finder, which stays for ever, knows the modules of the code server."""

    def spec(module: ModuleType) -> ModuleSpec | None:
        for record in all_modules():
            if record.facade.module is module:
                return spec_of(record.name, record.path, VersionLoader(record.name, record.path, reload))
        return None

    return spec


def _problem(unit: Unit, message: str, code: str) -> Diagnostic:
    return Diagnostic(unit.path, 1, 0, 1, 0, "error", message, code)


def _refused(unit: Unit, message: str, code: str) -> Refused:
    return Refused([Failure(unit.name, unit.path, (_problem(unit, message, code),))])
