"""`Draft`: one version in the making, from its empty namespace to the end of its body, and the way back.

Nothing that others see has changed when its body has ended, but that a module nobody had imported is in `sys.modules`,
as during an import.

The body itself is run by `make`, in body.py.
"""

from __future__ import annotations

import ast
import sys
import time
from collections.abc import Callable, Mapping
from types import CodeType, ModuleType

from midflight.code.held.listeners import end_listeners
from midflight.code.identity.all_new import AllNew
from midflight.code.identity.kept import Identity
from midflight.code.load.refused import module_problem
from midflight.code.loading.under_way import Load
from midflight.code.report.load_report import Diagnostic
from midflight.code.source.program import bound_in_program, is_program
from midflight.code.source.unit import Unit, compile_unit, syntax_problem
from midflight.code.state.settlement import Settlement
from midflight.code.version import hooks, snapshots
from midflight.code.version.facade import Namespace
from midflight.code.version.import_hook import VersionLoader, fill, put_imported_submodules, spec_of
from midflight.code.version.modules import Module
from midflight.code.version.own_loader import LoaderFault, code_of_tree, is_plain
from midflight.code.version.version import Version, digest

__all__ = ["Draft"]


class Draft:
    """A version in the making: `make` makes it; then `abandon` it, or have its commit take it on.

    `before` is the version that is current, None for a first load and after `delete`; `old` its namespace. `warnings`
    are those of the body.
    """

    def __init__(self, unit: Unit, record: Module, load: Load, *, is_first: bool) -> None:
        self.unit = unit
        self.load = load
        self.record = record
        self.is_first = is_first
        self.before: Version | None = record.current
        self.old: Namespace = {} if is_first else record.facade.namespace
        self.namespace: Namespace = record.facade.namespace if is_first else {}
        self.identity: Identity | AllNew | None = None
        self.state: Settlement | None = None
        self.fresh: frozenset[str] = frozenset()  # names of state that are to be new
        self.imports: Mapping[int, str] = {}  # statements, by id, and the modules to make before them
        self.make_named: Callable[[str], object] = lambda _: None
        self.warnings: list[Diagnostic] = []
        self.started = time.perf_counter()
        self._version: Version | None = None
        self._snapshot: snapshots.Snapshot | None = None
        self._number = record.last_number + 1
        if record.last_run is not None:  # of an earlier interpreter, which may have run this very text
            self._number = record.next_number(digest(unit.text))

    @property
    def version(self) -> Version:
        """The version, as soon as its text is kept."""
        assert self._version is not None
        return self._version

    @property
    def file(self) -> str:
        """The file that its code says it comes from."""
        assert self._snapshot is not None
        return self._snapshot.file

    def settle(self) -> None:
        """Keep the text, and put into the namespace what the import system puts there."""
        unit = self.unit
        self._snapshot = snapshot = snapshots.take(unit.name, self._number, unit.path, unit.text, unit.encoding)
        self._version = version = Version(unit.name, self._number, unit.path, unit.text, snapshot)
        if self.is_first:  # the import system has filled it, and keeps its books in the spec
            loader = self.namespace["__loader__"]
            if unit.is_package:
                put_imported_submodules(self.namespace, unit.name, self.namespace)
        else:
            loader = VersionLoader(unit.name, unit.path)
            fill(self.namespace, spec_of(unit.name, unit.path, loader), self.old)
            if is_program(self.record.facade.module):  # a load does not run what only the program does
                self.namespace.update(
                    (name, self.old[name]) for name in bound_in_program(unit.tree) if name in self.old
                )
        loader.version = version
        version.settle_in(self.namespace)

    def show(self) -> None:
        """Let this thread see the version as the module."""
        hooks.begin(self.version)
        if self.is_first:
            self.record.facade.begin_first()
        else:
            self.record.facade.begin(self.namespace)

    def code_of(self, tree: ast.Module) -> tuple[CodeType | Diagnostic, bool]:
        """Return the code of the body, and whether it is that of `tree`, and not of the text alone."""
        unit, loader = self.unit, self.record.loader
        if is_plain(loader):
            return compile_unit(tree, unit, self.file), True
        try:
            return code_of_tree(loader, unit.name, tree, unit.text, unit.encoding, self.file)
        except SyntaxError as error:
            return syntax_problem(error, unit.path), True
        except LoaderFault as error:
            return module_problem(unit.path, str(error), "loader"), True

    def compiled_by_loader(self, tree: ast.Module, text: str) -> CodeType:
        """Return what the module's loader makes of another text of the module. Raises: LoaderFault; SyntaxError."""
        return code_of_tree(self.record.loader, self.unit.name, tree, text, self.unit.encoding, self.file)[0]

    # --- The way back --------------------------------------------------------------------------------------

    def abandon(self) -> None:
        """Undo all changes that making it has caused."""
        if self.is_first:
            self.record.facade.end()
            _forget(self.unit.name, self.record.facade.module)
        else:
            self.record.facade.abandon()
        end_listeners(self.namespace)
        self._drop()

    def give_up(self) -> None:
        """Undo its making for all threads but the one that makes it, whose body runs on. From any thread."""
        if self.is_first:
            _forget(self.unit.name, self.record.facade.module)
        else:
            self.record.facade.give_up()
        if self._version is not None:
            hooks.give_up(self._version)
        if self._snapshot is not None:
            self._snapshot.hold()

    def forget(self) -> None:
        """Drop the rest that `give_up` has left, when the body has ended at last. In the thread that made it."""
        if not self.is_first:
            self.record.facade.forget()
        self._drop()

    def _drop(self) -> None:
        if self._version is not None:
            hooks.discard(self._version)
        if self._snapshot is not None:
            self._snapshot.remove()


def _forget(name: str, module: ModuleType) -> None:
    """Take a module out of where its import has put it."""
    if sys.modules.get(name) is module:
        del sys.modules[name]
    package, _, last = name.rpartition(".")
    parent = sys.modules.get(package)
    if parent is not None and vars(parent).get(last) is module:
        delattr(parent, last)
