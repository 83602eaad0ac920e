"""The first half of a load: make a version aside, run its body, look at it. All that can fail is in here.

Nothing that others see has changed when it is done, but that a module nobody had imported is in `sys.modules`, as
during an import, and that a module which was only imported is under the code server, as its own version 1.
"""

from __future__ import annotations

import ast
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import CodeType, FunctionType, ModuleType
from typing import NamedTuple

from midflight.code.checks.findings import findings
from midflight.code.checks.stale_imports import stale_imports
from midflight.code.identity.kept import Identity, identity_of
from midflight.code.identity.module_reads import note_seen
from midflight.code.loading import half_made
from midflight.code.loading.under_way import Load
from midflight.code.report.body_problems import body_problems
from midflight.code.report.load_report import Diagnostic, Lingering, LoadReport, MoveReport, StaleImport
from midflight.code.source.definitions import compare, definitions_of
from midflight.code.source.unit import Unit, compile_unit
from midflight.code.version import hooks, snapshots
from midflight.code.version.class_files import note_classes
from midflight.code.version.facade import Namespace
from midflight.code.version.import_hook import VersionLoader, carry_submodules, fill, spec_of
from midflight.code.version.modules import Module, remember
from midflight.code.version.version import Version

__all__ = ["Failure", "Prepared", "Refused"]

BODY = "__midflight_body__"

Names = tuple[str, ...]


class Refused(Exception):
    """Modules could not be made, or must not become current: which, and why."""

    def __init__(self, failures: Iterable[Failure]) -> None:
        self.failures = tuple(failures)
        super().__init__(self.failures[0].problems[0].message)


class Failure(NamedTuple):
    """The reason why one module is not loaded."""

    name: str
    path: str
    problems: tuple[Diagnostic, ...]


class Prepared:
    """A version in the making: `make` and `look`, then `switch` or `abandon`.

    `before` is the version that is current, None for a first load and after `delete`. `refusals` are those that
    `force` overrides; the others are raised.
    """

    def __init__(self, unit: Unit, record: Module, load: Load, *, is_first: bool) -> None:
        self.unit = unit
        self.load = load
        self.record = record
        self.before: Version | None = record.current
        self.namespace: Namespace = record.facade.namespace if is_first else {}
        self.warnings: list[Diagnostic] = []
        self.refusals: list[Diagnostic] = []
        self.stale_imports: tuple[StaleImport, ...] = ()
        self.differences: tuple[Names, Names, Names] = ((), (), ())
        self.identity: Identity | None = None
        self.is_current = False
        self.started = time.perf_counter()
        self.moves = MoveReport(unit.name, None)  # this one and the next two are noted by the commit
        self.lingering: Sequence[Lingering] = ()
        self.commit_seconds = 0.0
        self.prepare_seconds = 0.0
        self._is_first = is_first
        self._version: Version | None = None
        self._snapshot: snapshots.Snapshot | None = None
        self._number = record.last_number + 1
        self._warned = 0  # how many of the warnings are of the body, and not of the look at it

    @property
    def version(self) -> Version:
        """The version, as soon as its text is kept."""
        assert self._version is not None
        return self._version

    def problem(self, message: str, code: str) -> Diagnostic:
        """Return a refusal that is about the module, not about a line of it."""
        return Diagnostic(self.unit.path, 1, 0, 1, 0, "error", message, code)

    def refused(self, problems: Iterable[Diagnostic]) -> Refused:
        """Return the exception that says why this module is not loaded."""
        return Refused([Failure(self.unit.name, self.unit.path, tuple(problems))])

    def make(self, reload: Callable[[ModuleType], object]) -> None:
        """Run the body in the new namespace. `importlib.reload` will call `reload` with the module later.

        Raises: Refused, with what the compiler or the body raised as its cause; KeyboardInterrupt.
        """
        unit, record = self.unit, self.record
        with self.load.acting():
            code, file = self._begun(reload)
        self._run(code, file)
        with self.load.acting():
            if not self._is_first:
                record.facade.finish()
            self.version.note_vsn()
            note_seen(self.namespace, code)
            self.warnings += hooks.persist_problems(unit.tree, unit.path, self.namespace)
            if self.identity is not None:
                found = (self.problem(text, "identity") for text in self.identity.finish())
                self.warnings += (replace(each, severity="warning") for each in found)
            self._warned = len(self.warnings)

    def _begun(self, reload: Callable[[ModuleType], object]) -> tuple[CodeType, str]:
        """Make all ready for the body; return its code and the file that it says it comes from."""
        unit, record = self.unit, self.record
        self._snapshot = snapshot = snapshots.take(unit.name, self._number, unit.path, unit.text, unit.encoding)
        self._version = version = Version(unit.name, self._number, unit.path, unit.text, snapshot)
        before = {} if self._is_first else record.facade.namespace
        if self._is_first:  # the import system has filled it, and keeps its books in the spec
            loader = self.namespace["__loader__"]
        else:
            loader = VersionLoader(unit.name, unit.path, reload)
            fill(self.namespace, spec_of(unit.name, unit.path, loader), before)
        loader.version = version
        version.settle_in(self.namespace)
        tree = hooks.keep_persistent(unit.tree, before, self.namespace)
        code = compile_unit(self._guarded(tree, before, snapshot.file), unit, snapshot.file)
        if isinstance(code, Diagnostic) and self.identity is not None:  # too deep, it may be, with the questions in it
            self.identity.keep_nothing()
            code = compile_unit(tree, unit, snapshot.file)
        if isinstance(code, Diagnostic):
            raise self.refused([code])
        hooks.begin(version)
        if not self._is_first:
            record.facade.begin(self.namespace)
        return code, snapshot.file

    def _guarded(self, tree: ast.Module, before: Namespace, file: str) -> ast.Module:
        text = self.before.text if self.before is not None else None
        if text is not None:
            self.identity = identity_of(self.unit, file, text, before, self.namespace)
        return tree if self.identity is None else self.identity.guarded(tree)

    def _run(self, code: CodeType, file: str) -> None:
        name, module = self.unit.name, self.record.facade.module
        try:
            run = self.namespace[BODY] = _executed(code, self.namespace)
            self.load.run_body(name, next, run)
        except (
            KeyboardInterrupt,
            Refused,
        ):  # the user's, whatever was running; of a module that the body imported
            raise
        except BaseException as error:  # SystemExit too: a body that exits does not end the server
            raise self.refused(body_problems(error, self.unit.path, self.unit.text, file)) from error
        finally:
            with self.load.acting():
                is_replaced = sys.modules.get(name) is not module
                if is_replaced:
                    sys.modules[name] = module
        if is_replaced:
            why = "its body put another object in its place in sys.modules"
            raise self.refused([self.problem(why, "replaced")])

    def look(self, group: Mapping[str, Namespace]) -> None:
        """Find what is to be said of it. `group` are the namespaces that are to become current together.

        May be repeated when something else has become current meanwhile.
        """
        self.refusals.clear()
        del self.warnings[self._warned :]
        unit, before, module = self.unit, self.before, self.record.facade.module
        found = findings(unit.text, unit.tree, unit.path, self.namespace, module)
        self.version.known_problems = frozenset(finding.key for finding in found)
        # Of a version whose text is not known, nobody can say that a problem is new.
        is_refused = before is None or before.known_problems is not None
        known = (before.known_problems if before is not None else None) or frozenset()
        for finding in found:
            if is_refused and finding.problem.severity == "error" and finding.key not in known:
                self.refusals.append(finding.problem)
            else:
                self.warnings.append(replace(finding.problem, severity="warning"))
        self.differences = self.version.differences = self._differences()
        self.stale_imports = tuple(stale_imports(unit.name, self.namespace, group))
        main = getattr(sys.modules.get("__main__"), "__file__", None)
        if before is None and main == unit.path:
            text = f"this file also runs as __main__, another module: what runs there does not move to {unit.name}"
            self.warnings.append(replace(self.problem(text, "main"), severity="warning"))

    def _differences(self) -> tuple[Names, Names, Names]:
        before = self.before
        if before is None:
            return (), (), ()
        text = before.text
        if text is not None:
            return compare(definitions_of(text), definitions_of(self.unit.text))
        why = f"the text of version {before.number} is not known, so what changed inside its definitions is not either"
        self.warnings.append(replace(self.problem(why, "unknown-text"), severity="note"))
        old, new = (_own_names(namespace or {}) for namespace in (before.namespace, self.namespace))
        return compare(old, new)

    # --- The end of it: one of these two -------------------------------------------------------------------

    def switch(self) -> None:
        """Make it the current version. Cannot fail; may be repeated, after an interrupt in the midst of it."""
        facade = self.record.facade
        if not self._is_first:
            carry_submodules(self.namespace, self.unit.name, facade.namespace)
            facade.switch()
        if self.identity is not None:
            self.identity.settle()
        self.record.make_current(self.version)
        note_classes(self.version, self.namespace)
        remember(self.record)
        half_made.leave_whole(self.unit.name)
        hooks.keep(self.version)
        self.is_current = True

    def note_moves(self, moves: MoveReport) -> None:
        """Take out the processes that were moved: they linger no more."""
        moved = frozenset(moves.moved)
        if moved:
            self.lingering = tuple(row for row in self.lingering if row.pid not in moved)
        self.moves = moves

    def lost_writes(self) -> Iterator[Diagnostic]:
        """Yield the names in `__persist__` that processes in older versions may bind again, for themselves only."""
        if not self.lingering or self.identity is None:
            return
        for name, line in hooks.persistent(self.unit.tree).items():
            if name in self.identity.rebound:
                text = (
                    f"{name} is in __persist__, and functions of the version before bind it anew by `global`, which is "
                    "not seen here: keep an object in it, and change that"
                )
                yield Diagnostic(self.unit.path, line, 0, line, 0, "warning", text, "persist")

    def report(self) -> LoadReport:
        """Return the report of a version that has become current."""
        added, changed, removed = self.differences
        return LoadReport(
            module=self.unit.name,
            version=self._number,
            path=self.unit.path,
            added=added,
            changed=changed,
            removed=removed,
            warnings=tuple(self.warnings),
            lingering=self.lingering,
            stale_imports=self.stale_imports,
            prepare_ms=self.prepare_seconds * 1000,
            commit_ms=self.commit_seconds * 1000,
            current=self._number,
            kept=self.identity.kept if self.identity is not None else (),
            superseded=self.identity.superseded if self.identity is not None else (),
            moved=self.moves.moved,
            not_moved=self.moves.not_moved,
        )

    def abandon(self) -> None:
        """Undo what making it has changed; nothing to do if it has become current."""
        if self.is_current:
            return
        if self._is_first:
            _forget(self.unit.name, self.record.facade.module)
        else:
            self.record.facade.abandon()
        self._drop()

    def give_up(self) -> None:
        """Undo it for everybody but the thread that makes it, in whose body it is. From any thread."""
        if self._is_first:
            _forget(self.unit.name, self.record.facade.module)
        else:
            self.record.facade.give_up()
        if self._version is not None:
            hooks.give_up(self._version)
        if self._snapshot is not None:
            self._snapshot.hold()

    def forget(self) -> None:
        """Let go of what `give_up` has left: the body has ended at last. In the thread that made it."""
        if not self._is_first:
            self.record.facade.forget()
        self._drop()

    def _drop(self) -> None:
        if self._version is not None:
            hooks.discard(self._version)
        if self._snapshot is not None:
            self._snapshot.remove()


def _executed(code: CodeType, namespace: Namespace) -> Iterator[None]:
    """Run a body at the first `next`.

    A generator, for its frame forgets its caller's when it yields. An exception that the body catches and keeps
    (`except ImportError as error: missing = error`) holds the frames that led to it; so it does not hold those of the
    load, and by them the version before, and so on. It must not be resumed (3.12): it lies in the namespace, and goes
    with that. It keeps no code: whose frames still live is known by that.
    """
    exec(code, namespace)
    del code
    yield


def _forget(name: str, module: ModuleType) -> None:
    """Take a module out of where its import has put it."""
    if sys.modules.get(name) is module:
        del sys.modules[name]
    package, _, last = name.rpartition(".")
    parent = sys.modules.get(package)
    if parent is not None and vars(parent).get(last) is module:
        delattr(parent, last)


def _own_names(namespace: Namespace) -> dict[str, str]:
    """Return the functions and classes of a namespace as definitions that are all alike."""
    name = namespace.get("__name__")
    return {
        key: ""
        for key, value in namespace.items()
        if isinstance(value, (FunctionType, type)) and getattr(value, "__module__", None) == name
    }
