"""`Draft`: one version in the making, from its empty namespace to the end of its body, and the way back.

Nothing that others see has changed when its body has ended, but that a module nobody had imported is in `sys.modules`,
as during an import.

Two lists here say what a load does around a body. Add to them what is to be decided or noted there:

- `BEFORE_BODY`: what a new version takes over from the one before without running its statement.
- `AFTER_BODY`: what is noted of a namespace the moment its body has ended.
"""

from __future__ import annotations

import ast
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from types import CodeType, ModuleType
from typing import NamedTuple

from midflight.code.held.listeners import end_listeners
from midflight.code.held.on_change import is_fixed
from midflight.code.identity.all_new import AllNew
from midflight.code.identity.kept import Identity, identity_of
from midflight.code.identity.module_reads import note_seen
from midflight.code.load.python_warnings import parse_again, warnings_of
from midflight.code.load.refused import Refused, module_problem, refused
from midflight.code.load.runs_once import as_running_once
from midflight.code.loading.runtime_thread import runtime_thread
from midflight.code.loading.under_way import Load
from midflight.code.report.body_problems import body_problems, with_traceback
from midflight.code.report.load_report import Diagnostic
from midflight.code.source.find_module import is_midflights, is_own_file
from midflight.code.source.program import bound_in_program, is_program
from midflight.code.source.unit import Unit, compile_unit, syntax_problem
from midflight.code.state.carry import Carry
from midflight.code.state.module_text import module_text
from midflight.code.state.names import fresh_names
from midflight.code.state.record import note_bases
from midflight.code.state.settlement import Settlement
from midflight.code.state.thread_bound import thread_bound_calls
from midflight.code.version import hooks, snapshots
from midflight.code.version.facade import Namespace
from midflight.code.version.import_hook import VersionLoader, fill, spec_of
from midflight.code.version.modules import Module
from midflight.code.version.own_loader import LoaderFault, code_of_tree, is_plain
from midflight.code.version.version import Version

__all__ = ["AFTER_BODY", "BEFORE_BODY", "Decision", "Draft"]

BODY = "__midflight_body__"

TOO_DEEP = "it is nested too deeply to be compared"
TEXT_ALONE = "its loader makes code of the text alone"


class Draft:
    """A version in the making: `make` it, then `abandon` it, or have its commit take it on.

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
        self.warnings: list[Diagnostic] = []
        self.started = time.perf_counter()
        self._version: Version | None = None
        self._snapshot: snapshots.Snapshot | None = None
        self._number = record.last_number + 1

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

    def make(self) -> None:
        """Run the body in the new namespace.

        Raises: Refused, with what the compiler or the body raised as its cause; KeyboardInterrupt.
        """
        with self.load.acting():
            code = self._begun()
        with warnings_of(self.unit.path, self.file, self.namespace, self.warnings):
            self._run(code)
        with self.load.acting():
            if not self.is_first:
                self.record.facade.finish()
            for note in AFTER_BODY:
                self.warnings += note(self, code)

    def _begun(self) -> CodeType:
        """Make all ready for the body; return its code."""
        unit = self.unit
        self._snapshot = snapshot = snapshots.take(unit.name, self._number, unit.path, unit.text, unit.encoding)
        self._version = version = Version(unit.name, self._number, unit.path, unit.text, snapshot)
        if self.is_first:  # the import system has filled it, and keeps its books in the spec
            loader = self.namespace["__loader__"]
        else:
            loader = VersionLoader(unit.name, unit.path)
            fill(self.namespace, spec_of(unit.name, unit.path, loader), self.old)
            if is_program(self.record.facade.module):  # a load does not run what only the program does
                self.namespace.update(
                    (name, self.old[name]) for name in bound_in_program(unit.tree) if name in self.old
                )
        loader.version = version
        version.settle_in(self.namespace)
        with warnings_of(unit.path, snapshot.file, self.namespace, self.warnings):
            code = self._compiled()
        hooks.begin(version)
        if not self.is_first:
            self.record.facade.begin(self.namespace)
        return code

    def _compiled(self) -> CodeType:
        """Return the code of the body, with all that it keeps decided or asked in it. Raises: Refused."""
        tree = self.unit.tree
        for decision in BEFORE_BODY:
            tree = decision.decide(self, tree)
        if tree is not self.unit.tree:  # a tree does not tell any more what the parser warned of
            parse_again(self.unit, self.file, self.warnings)
        code, has_questions = self._code_of(tree)
        if isinstance(code, Diagnostic):  # too deep, it may be, with the questions in it
            tree = self._tree_without_questions(TOO_DEEP)
            code, has_questions = self._code_of(tree)
        if isinstance(code, Diagnostic):
            raise refused(self.unit, [code])
        if not has_questions:
            self._tree_without_questions(TEXT_ALONE)
            why = f"{TEXT_ALONE}: all classes and objects that the body makes are new, `__persist__` included"
            self.warnings.append(replace(module_problem(self.unit.path, why, "loader"), severity="warning"))
        return code

    def _tree_without_questions(self, why: str) -> ast.Module:
        tree = self.unit.tree
        for decision in BEFORE_BODY:
            tree = decision.without_questions(self, tree, why)
        return tree

    def _code_of(self, tree: ast.Module) -> tuple[CodeType | Diagnostic, bool]:
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

    def _run(self, code: CodeType) -> None:
        unit, module = self.unit, self.record.facade.module
        try:
            run = self.namespace[BODY] = _executed(code, self.namespace)
            self.load.run_body(unit.name, next, run)
        except (KeyboardInterrupt, Refused):  # the user's, whatever was running; of a module that the body imported
            raise
        except BaseException as error:  # SystemExit too: a body that exits does not end the server
            problems = body_problems(error, unit.path, unit.text, self.file)
            told = [each for each in self.warnings if each.code == "thread-bound"]  # it may be the reason
            first, *others = with_traceback(problems, error, _edited_file, is_own_file)
            if self.before is not None and isinstance(error, Exception):
                first = as_running_once(first, error, unit.tree, self.file, self.before, self.old)
            raise refused(unit, [first, *others, *told]) from error
        finally:
            with self.load.acting():
                is_replaced = sys.modules.get(unit.name) is not module
                if is_replaced:
                    sys.modules[unit.name] = module
        if is_replaced:
            why = "its body put another object in its place in sys.modules"
            raise refused(unit, [module_problem(unit.path, why, "replaced")])

    # --- The way back --------------------------------------------------------------------------------------

    def abandon(self) -> None:
        """Undo all changes that making it has caused."""
        if self.is_first:
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


# --- Before the body -------------------------------------------------------------------------------------------


class Decision(NamedTuple):
    """A decision on what a new version takes over from the one before it, made on the syntax tree of its body.

    `decide` returns the tree to run instead of the one given: without statements, or with questions before them, which
    the body asks at their place. `without_questions` returns it if that tree cannot be compiled, for the reason given;
    it keeps what needs no question.
    """

    decide: Callable[[Draft, ast.Module], ast.Module]
    without_questions: Callable[[Draft, ast.Module, str], ast.Module]


def _take_persistent(draft: Draft, tree: ast.Module) -> ast.Module:
    return hooks.keep_persistent(tree, draft.old, draft.namespace)


def _ask_for_classes(draft: Draft, tree: ast.Module) -> ast.Module:
    if draft.before is not None:
        text = draft.before.text
        draft.identity = identity_of(draft.unit, draft.file, text, draft.old, draft.namespace, is_fixed)
        if isinstance(draft.identity, Identity) and not is_plain(draft.record.loader):
            draft.identity.compiled = draft.compiled_by_loader
    return tree if draft.identity is None else draft.identity.guarded(tree)


def _keep_no_classes(draft: Draft, tree: ast.Module, why: str) -> ast.Module:
    if draft.identity is not None:
        draft.identity.keep_nothing(why)
    return tree


def _ask_for_state(draft: Draft, tree: ast.Module) -> ast.Module:
    if not isinstance(draft.identity, Identity) or draft.before is None:
        return tree
    new = module_text(draft.unit.tree, draft.unit.text)
    for name in sorted(draft.fresh):
        if name not in new.bindings.by_name and name not in new.inner.by_name:
            why = f"{name} is to be new, and the module binds no such name; check its spelling"
            raise refused(draft.unit, [module_problem(draft.unit.path, why, "fresh")])
    carry = Carry(
        module_text(draft.identity.tree_before, draft.before.text or ""),
        new,
        draft.old,
        draft.namespace,
        draft.fresh | fresh_names(draft.unit.tree),
    )
    draft.state = Settlement(carry, draft.unit.name)
    return carry.guarded(tree)


def _keep_no_state(draft: Draft, tree: ast.Module, why: str) -> ast.Module:
    if draft.state is not None:
        draft.state.carry.keep_nothing(why)
    return tree


def _tell_of_threads(draft: Draft, tree: ast.Module) -> ast.Module:
    """Warn of objects that would be bound to this thread, where processes run on another."""
    scheduler = runtime_thread()
    if scheduler is None or scheduler.is_own_thread():
        return tree
    skipped = draft.state.carry.may_be_skipped() if draft.state is not None else ()
    for call in thread_bound_calls(module_text(draft.unit.tree, draft.unit.text), skipped):
        why = (
            f"{call.name} makes {call.makes}, and processes run on another thread than this body: "
            'load it with thread="runtime", or set body = "runtime" in [tool.midflight]'
        )
        line, column = call.line, call.column
        draft.warnings.append(Diagnostic(draft.unit.path, line, column, line, column, "warning", why, "thread-bound"))
    return tree


def _take_persistent_all_the_same(draft: Draft, tree: ast.Module, _: str) -> ast.Module:
    return _take_persistent(draft, tree)


def _as_it_is(_: Draft, tree: ast.Module, __: str) -> ast.Module:
    return tree


BEFORE_BODY: tuple[Decision, ...] = (
    Decision(_take_persistent, _take_persistent_all_the_same),
    Decision(_ask_for_classes, _keep_no_classes),
    Decision(_ask_for_state, _keep_no_state),
    Decision(_tell_of_threads, _as_it_is),
)
"""In this order, each on the tree that the one before has returned. In the thread that loads, before the body runs."""


# --- After the body --------------------------------------------------------------------------------------------


def _note_vsn(draft: Draft, _: CodeType) -> Iterable[Diagnostic]:
    draft.version.note_vsn()
    return ()


def _note_reads(draft: Draft, code: CodeType) -> Iterable[Diagnostic]:
    note_seen(draft.namespace, code)
    return ()


def _check_persistent(draft: Draft, _: CodeType) -> Iterable[Diagnostic]:
    return hooks.persist_problems(draft.unit.tree, draft.unit.path, draft.namespace)


def _note_classes(draft: Draft, code: CodeType) -> Iterator[Diagnostic]:
    for text in draft.identity.finish(code) if draft.identity is not None else ():
        yield replace(module_problem(draft.unit.path, text, "identity"), severity="warning")


def _note_state(draft: Draft, _: CodeType) -> Iterable[Diagnostic]:
    if draft.state is not None:
        draft.state.finish()
    else:
        note_bases(draft.namespace, module_text(draft.unit.tree, draft.unit.text).names())
    return ()


AFTER_BODY: tuple[Callable[[Draft, CodeType], Iterable[Diagnostic]], ...] = (
    _note_vsn,
    _note_reads,
    _check_persistent,
    _note_classes,
    _note_state,
)
"""Each gets the draft and the code of its body, and returns the warnings that it has.

In the thread that loads, which sees the new version by then.
"""


def _edited_file(filename: str) -> str | None:
    """Return the file to show for a step of a traceback, None for a step in Midflight or in no file."""
    path, version = snapshots.real_path(filename)
    is_there = version is not None or os.path.isfile(path)
    return path if is_there and not is_midflights(path) else None
