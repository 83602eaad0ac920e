"""`make`: the body of a draft is run, from its compiled text to the names that it has bound.

Two lists here say what a load does around a body. Add to them what is to be decided or noted there:

- `BEFORE_BODY`: what a new version takes over from the one before without running its statement.
- `AFTER_BODY`: what is noted of a namespace the moment its body has ended.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from types import CodeType
from typing import NamedTuple

from midflight.code.held.on_change import is_fixed
from midflight.code.identity.guard import guarded
from midflight.code.identity.kept import Identity, identity_of
from midflight.code.identity.module_reads import note_seen
from midflight.code.load.draft import Draft
from midflight.code.load.python_warnings import parse_again, warnings_of
from midflight.code.load.refused import Refused, module_problem, refused
from midflight.code.load.runs_once import as_running_once
from midflight.code.loading.runtime_thread import runtime_thread
from midflight.code.report.body_problems import body_problems, with_traceback
from midflight.code.report.load_report import Diagnostic
from midflight.code.source.find_module import is_midflights, is_own_file
from midflight.code.state.carry import Carry
from midflight.code.state.module_text import fresh_names, module_text
from midflight.code.state.record import note_bases, note_imports, other_names
from midflight.code.state.settlement import Settlement
from midflight.code.state.thread_bound import thread_bound_calls
from midflight.code.version import hooks, snapshots
from midflight.code.version.facade import Namespace
from midflight.code.version.own_loader import is_plain

__all__ = ["AFTER_BODY", "BEFORE_BODY", "Decision", "make"]

BODY = "__midflight_body__"
MAKE = "__midflight_make__"  # in a namespace while its body runs, if that asks at its imports

TOO_DEEP = "it is nested too deeply to be compared"
TEXT_ALONE = "its loader makes code of the text alone"


def make(draft: Draft) -> None:
    """Run the body of a draft in its new namespace.

    Raises: Refused, with what the compiler or the body raised as its cause; KeyboardInterrupt.
    """
    with draft.load.acting():
        draft.settle()
        with warnings_of(draft.unit.path, draft.file, draft.namespace, draft.warnings):
            code = _compiled(draft)
        draft.show()
    with warnings_of(draft.unit.path, draft.file, draft.namespace, draft.warnings):
        _run(draft, code)
    with draft.load.acting():
        if not draft.is_first:
            draft.record.facade.finish()
        for note in AFTER_BODY:
            draft.warnings += note(draft, code)


def _compiled(draft: Draft) -> CodeType:
    """Return the code of the body, with all that it keeps decided or asked in it. Raises: Refused."""
    tree = draft.unit.tree
    for decision in BEFORE_BODY:
        tree = decision.decide(draft, tree)
    if tree is not draft.unit.tree:  # a tree does not tell any more what the parser warned of
        parse_again(draft.unit, draft.file, draft.warnings)
    code, has_questions = draft.code_of(tree)
    if isinstance(code, Diagnostic):  # too deep, it may be, with the questions in it
        tree = _tree_without_questions(draft, TOO_DEEP)
        code, has_questions = draft.code_of(tree)
    if isinstance(code, Diagnostic):
        raise refused(draft.unit, [code])
    if not has_questions:
        _tree_without_questions(draft, TEXT_ALONE)
        why = f"{TEXT_ALONE}: all classes and objects that the body makes are new, `__persist__` included"
        draft.warnings.append(replace(module_problem(draft.unit.path, why, "loader"), severity="warning"))
    return code


def _tree_without_questions(draft: Draft, why: str) -> ast.Module:
    tree = draft.unit.tree
    for decision in BEFORE_BODY:
        tree = decision.without_questions(draft, tree, why)
    return tree


def _run(draft: Draft, code: CodeType) -> None:
    unit, module = draft.unit, draft.record.facade.module
    try:
        run = draft.namespace[BODY] = _executed(code, draft.namespace)
        draft.load.run_body(unit.name, next, run)
    except (KeyboardInterrupt, Refused):  # the user's, whatever was running; of a module that the body imported
        raise
    except BaseException as error:  # SystemExit too: a body that exits does not end the server
        problems = body_problems(error, unit.path, unit.text, draft.file)
        told = [each for each in draft.warnings if each.code == "thread-bound"]  # it may be the reason
        first, *others = with_traceback(problems, error, _edited_file, is_own_file)
        if draft.before is not None and isinstance(error, Exception):
            first = as_running_once(first, error, unit.tree, draft.file, draft.before, draft.old)
        raise refused(unit, [first, *others, *told]) from error
    finally:
        draft.namespace.pop(MAKE, None)
        with draft.load.acting():
            is_replaced = sys.modules.get(unit.name) is not module
            if is_replaced:
                sys.modules[unit.name] = module
    if is_replaced:
        why = "its body put another object in its place in sys.modules"
        raise refused(unit, [module_problem(unit.path, why, "replaced")])


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
        if name not in new.bindings.by_name and name not in new.inner.by_name and name not in draft.old:
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


def _ask_at_imports(draft: Draft, tree: ast.Module) -> ast.Module:
    """Make what this imports where it does, if modules of one load import each other."""
    if not draft.imports:
        return tree
    draft.namespace[MAKE] = draft.make_named
    return guarded(tree, draft.imports, MAKE)


def _ask_at_imports_all_the_same(draft: Draft, tree: ast.Module, _: str) -> ast.Module:
    return _ask_at_imports(draft, tree)


def _take_persistent_all_the_same(draft: Draft, tree: ast.Module, _: str) -> ast.Module:
    return _take_persistent(draft, tree)


def _as_it_is(_: Draft, tree: ast.Module, __: str) -> ast.Module:
    return tree


BEFORE_BODY: tuple[Decision, ...] = (
    Decision(_take_persistent, _take_persistent_all_the_same),
    Decision(_ask_for_classes, _keep_no_classes),
    Decision(_ask_for_state, _keep_no_state),
    Decision(_tell_of_threads, _as_it_is),
    Decision(_ask_at_imports, _ask_at_imports_all_the_same),
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
        text = module_text(draft.unit.tree, draft.unit.text)
        unseen, imported = other_names(text, draft.namespace)
        note_imports(note_bases(draft.namespace, [*text.names(), *unseen]), draft.namespace, imported)
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
