"""Objects that stay the same when a module is loaded again: classes that mean the same in both versions, and sentinels.

The class statement of such a class does not run in the new version: at its place the name is bound to the object of
the version before. So decorators, metaclasses and `__init_subclass__` do not see it twice, and what the new body makes
of it, subclasses say, it makes of that object.

Laws:
1. A class is kept if its syntax is the same, and if behind every name that it reads, now or in a method later, stands
   the same in both versions: one object, an equal constant, or itself. A function of the module is never the same.
2. This is decided at the class's place in the body, with the values of both versions at hand, once. What is bound
   after that place cannot be compared, so a class that reads it is created again; constants and other classes excepted.
3. Until the commit, nothing of a kept class has changed. Then its functions move to the new version's namespace.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import CodeType
from typing import Any, NewType, ParamSpec, TypeVar, TypeVarTuple

from midflight.code.identity.all_new import AllNew
from midflight.code.identity.candidate import Candidate, defined, outer_codes
from midflight.code.identity.fixed import (
    IsFixed,
    NewMethods,
    differ_in_methods_only,
    pairs_of_codes,
    what_runs,
)
from midflight.code.identity.guard import KEEP, guarded
from midflight.code.identity.module_reads import changed_since, has_modules
from midflight.code.identity.pickling import pickle_by_name
from midflight.code.identity.rebind import Rebinding
from midflight.code.report.load_report import Superseded
from midflight.code.source.bindings import (
    Position,
    bindings_of,
    code_of,
    codes_in,
    feature_flags,
    is_same,
    qualified_reads_of,
    reads_of,
)
from midflight.code.source.look import carried_module, carried_name, is_class
from midflight.code.source.parts import Memory, lines_of
from midflight.code.source.same_value import same
from midflight.code.source.statement_codes import can_move, codes_of, moved
from midflight.code.source.trees import tree_of
from midflight.code.source.unit import Unit
from midflight.code.version.facade import Namespace

__all__ = ["Identity", "identity_of"]

# Calls of these make something that is known by which object it is, and keeps nothing that changes.
MARKS = (object, TypeVar, ParamSpec, TypeVarTuple, NewType, ContextVar)

ABSENT = object()

READS_ANYTHING = ("globals", "eval", "exec")

# By the text of a statement, and the compiler's flags.
_reads: Memory[tuple[str, int], frozenset[str]] = Memory(4096)
_qualified: Memory[tuple[str, int], frozenset[tuple[str, ...]]] = Memory(4096)

TEXT_UNKNOWN = "the text of the version before is not known"
TOO_DEEP = "it is nested too deeply to be compared"


def identity_of(
    unit: Unit, file: str, text: str | None, old: Namespace, new: Namespace, is_fixed: IsFixed | None = None
) -> Identity | AllNew:
    """Compare a unit with the text of the version before, None if that is not known. `file` is for the new code.

    `is_fixed` says of a class that its statement cannot run twice.
    """
    if text is None:
        return AllNew(unit.name, old, new, TEXT_UNKNOWN)
    try:
        return Identity(unit, file, text, old, new, is_fixed)
    except RecursionError:
        return AllNew(unit.name, old, new, TOO_DEEP)


class Identity:
    """The classes and sentinels that a version in the making takes over from the one before.

    Its life: `guarded` before the body runs, `keep` while it does, `finish` after it; `settle` when it is current.
    `kept`, `superseded` and `renewed`, the kept ones with other methods, are there after `finish`. `rebound` are the
    names that functions of the version before bind again by `global`. `compiled` gives the code of a tree and its text,
    if another than Python's own loader makes it.
    """

    def __init__(
        self, unit: Unit, file: str, text: str, old: Namespace, new: Namespace, is_fixed: IsFixed | None = None
    ) -> None:
        self._is_fixed = is_fixed or (lambda _: False)
        self.renewed: tuple[str, ...] = ()
        self._tree_before = before = tree_of(text)
        self.kept: tuple[str, ...] = ()
        self.superseded: tuple[Superseded, ...] = ()
        self.compiled: Callable[[ast.Module, str], CodeType] | None = None
        self._name, self._file, self._old, self._new = unit.name, file, old, new
        self._text_before = text
        self._flags, self._old_flags = feature_flags(unit.tree), feature_flags(before)
        self._lines, self._old_lines = unit.text.split("\n"), text.split("\n")
        self._bindings, self._old_bindings = bindings_of(unit.tree, unit.text), bindings_of(before, text)
        self.rebound = frozenset(self._old_bindings.rebound)
        self._imported, self._old_imported = self._bindings.imported, self._old_bindings.imported
        self._has_modules = has_modules(old)
        self._why: dict[str, str] = {}  # of those that are not kept
        self._taken: set[str] = set()  # those that are
        self._candidates: dict[str, Candidate] = {}
        self._rebindings: list[Rebinding | NewMethods] = []
        self._new_methods: dict[str, NewMethods] = {}
        for statement, is_sure in self._bindings.statements:
            name = defined(statement)
            if name is not None and self._is_identity(name, old.get(name, ABSENT)):
                self._consider(name, statement, is_sure)

    # --- Who may be kept -----------------------------------------------------------------------------------------

    def _is_identity(self, name: str, value: Any) -> bool:
        """Say whether `value` is a class that the module made under `name`, or a sentinel or the like."""
        if not is_class(value):
            return type(value) in MARKS
        if carried_name(value) != name:
            return False
        if carried_module(value) == self._name:
            return True
        match self._old_bindings.single(name):  # one that says it is of another module, where people import it from
            case ast.ClassDef():
                return True
            case ast.Assign(value=ast.Call()) | ast.AnnAssign(value=ast.Call()):
                return carried_module(value) == "types"  # as make_dataclass does before 3.12
        return False

    def _consider(self, name: str, statement: ast.stmt, is_sure: bool) -> None:
        try:
            before = self._old_bindings.single(name)
            value = self._old.get(name)
            is_fixed = is_class(value) and isinstance(statement, ast.ClassDef) and self._is_fixed(value)
            why = self._why_no_candidate(name, before, statement, is_fixed=is_fixed)
            if before is None or why is not None:
                self._why[name] = why or ""
                return
            if is_fixed:
                assert isinstance(statement, ast.ClassDef)
                bare = what_runs(statement)
                reads, qualified = self._reads_of(bare), self._qualified_reads_of(bare)
                self._candidates[name] = Candidate(statement, before, is_sure, reads, qualified, is_fixed=True)
                return
            key = (lines_of(statement, self._lines), self._flags)
            reads = _reads.get(key, self._reads_of, statement)
            qualified = _qualified.get(key, self._qualified_reads_of, statement) if self._has_modules else frozenset()
        except RecursionError:
            self._why[name] = TOO_DEEP
            return
        self._candidates[name] = Candidate(statement, before, is_sure, reads, qualified)

    def _reads_of(self, statement: ast.stmt) -> frozenset[str]:
        return reads_of(statement, self._code_of(statement))

    def _qualified_reads_of(self, statement: ast.stmt) -> frozenset[tuple[str, ...]]:
        return qualified_reads_of(self._code_of(statement))

    def _code_of(self, statement: ast.stmt) -> CodeType:
        return code_of(statement, self._file, self._flags, self._imported)

    def _why_no_candidate(
        self, name: str, before: ast.stmt | None, statement: ast.stmt, *, is_fixed: bool
    ) -> str | None:
        if before is None or self._bindings.single(name) is None:
            return "its name is bound more than once"
        if self._flags != self._old_flags:
            return "the module's __future__ imports differ"
        if not is_same(before, self._old_lines, statement, self._lines) and not (
            is_fixed and differ_in_methods_only(before, statement)
        ):
            return "its text differs"
        if name in self._bindings.rebound | self._old_bindings.rebound:
            return "a function binds its name anew by `global`"
        if name in self._bindings.touched | self._old_bindings.touched:
            return "the body of the module sets an attribute of it"
        return None

    # --- While the body runs -------------------------------------------------------------------------------------

    def guarded(self, tree: ast.Module) -> ast.Module:
        """Return `tree` with each candidate's statement under the question whether it is kept."""
        if not self._candidates:
            return tree
        self._new[KEEP] = self.keep
        return guarded(tree, {id(each.statement): name for name, each in self._candidates.items()})

    @property
    def tree_before(self) -> ast.Module:
        """The tree of the version before."""
        return self._tree_before

    def keep_nothing(self, why: str) -> None:
        """Take it that nothing is kept, for that reason: the body does not ask."""
        self._new.pop(KEEP, None)
        self._why.update(dict.fromkeys(self._candidates, why))
        self._candidates.clear()

    def keep(self, name: str) -> bool:
        """Bind `name` to the version before's object if it is kept, and say whether it is. The body asks this."""
        if not self._settles(name):
            return False
        candidate = self._candidates[name]
        if candidate.is_fixed and not self._is_same_text(candidate):
            made = self._new_methods[name] = NewMethods(self._old[name], candidate.before, candidate.statement)
            made.make(self._new, self._file, self._flags)
        self._new[name] = self._old[name]
        return True

    def _settles(self, name: str) -> bool:
        """Decide on `name`, and with it on the classes further down that it reads, as deep as that goes."""
        if name in self._taken:
            return True
        place = self._candidates[name].place
        chain = {name: ""}  # of each that must be kept as well, how it is reached
        waiting = [name]
        for each in waiting:  # grows as it goes
            candidate = self._candidates[each]
            for read in sorted(candidate.reads):
                if read in chain or read in self._taken:
                    continue
                if self._comes_later(read, place):
                    chain[read] = f"{chain[each]}{read}, which reads "
                    waiting.append(read)
                elif why := self._difference(read, place, candidate):
                    self._why[name] = f"it reads {chain[each]}{read}, {why}"
                    return False
            for words in sorted(candidate.qualified):
                if why := changed_since(self._old, self._new, words):
                    self._why[name] = f"it reads {chain[each]}{'.'.join(words)}, {why}"
                    return False
        self._taken.update(waiting)
        return True

    def _comes_later(self, name: str, place: Position) -> bool:
        """Say whether `name` is a candidate further down that will surely be asked for, and is not decided on."""
        found = self._candidates.get(name)
        return found is not None and found.is_sure and found.place > place and name not in self._why

    def _difference(self, read: str, place: Position, reader: Candidate) -> str | None:
        """Say how `read` differs, as seen from `place`; None if it is the same."""
        old, new = self._old.get(read, ABSENT), self._new.get(read, ABSENT)
        if read in self._bindings.rebound or read in self._old_bindings.rebound:
            return "which a function binds anew by `global`"
        if self._bindings.is_bound_after(read, place):
            return None if same(old, self._constant(read)) else self._kind(read, "which is bound further down")
        then = reader.before.lineno, reader.before.col_offset
        if self._old_bindings.is_bound_after(read, then) and self._old_bindings.single(read) is None:
            return "which the version before bound anew below"
        if old is ABSENT and new is ABSENT:
            return "which may read anything" if read in READS_ANYTHING else None
        if old is ABSENT:
            return "which the version before lacks"
        if new is ABSENT:
            return "which is gone"
        return None if same(old, new) else self._kind(read, "which is another object")

    def _constant(self, name: str) -> object:
        """Return the constant that `name` is bound to, surely in one place only; else an object that equals nothing."""
        match None if self._bindings.stars else self._bindings.single(name):
            case ast.Assign(targets=[ast.Name()], value=value) | ast.AnnAssign(value=ast.expr() as value):
                try:
                    found: object = ast.literal_eval(value)
                    return found
                except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
                    pass
        return object()

    def _kind(self, name: str, otherwise: str) -> str:
        match self._bindings.single(name):
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return "a function, which is made anew"
            case ast.ClassDef():
                return "which is not kept"
        return otherwise if name not in self._why else "which is not kept"

    # --- After it ------------------------------------------------------------------------------------------------

    def finish(self, code: CodeType) -> Iterator[str]:
        """Note the kept and the superseded classes, and yield a warning for each that should not have been kept.

        `code` is that of the body, which has run.
        """
        self._new.pop(KEEP, None)
        old, new = self._old, self._new
        self.kept = tuple(name for name in self._candidates if name in self._taken and new.get(name) is old[name])
        # By statements: what a library puts into the module, `Page[int]` say, it makes again when it is asked for.
        classes = [
            name
            for name in self._old_bindings.by_name
            if is_class(old.get(name)) and self._is_identity(name, old[name])
        ]
        self.superseded = tuple(
            Superseded(name, self._why.get(name, "its statement differs") if name in new else "it is gone")
            for name in classes
            if new.get(name) is not old[name]
        )
        self.renewed = tuple(name for name in self.kept if name in self._new_methods)
        for name in self.kept:
            each, value = self._candidates[name], old[name]
            if is_class(value):
                self._rebindings.append(Rebinding(value, self._codes(each, code), old, new))
            if name in self.renewed:
                self._rebindings.append(self._new_methods[name])
            for read in sorted(each.reads - self._taken):
                if not same(old.get(read, ABSENT), new.get(read, ABSENT)):
                    yield f"{name} was kept, but reads {read}, which the body changed unseen; change {name} too"

    def _codes(self, kept: Candidate, module: CodeType) -> dict[CodeType, CodeType]:
        """Return the new code of each function of a kept class, by the code that it had in the version before."""
        statement, before = kept.statement, kept.before
        if isinstance(statement, ast.ClassDef):
            new = codes_of(statement, module)
        else:  # `K = namedtuple(...)`, which may share its line
            new = outer_codes(self._code_of(statement))
        lines = before.lineno - statement.lineno
        if self._is_same_text(kept) and self._imported == self._old_imported and (not lines or can_move(new)):
            old = [moved(each, lines) for each in new] if lines else new
        elif self.compiled is not None and isinstance(before, ast.ClassDef):
            old = codes_of(before, self.compiled(self._tree_before, self._text_before))
        else:
            old = outer_codes(code_of(before, self._file, self._old_flags, self._old_imported))
        if kept.is_fixed:
            return dict(pairs_of_codes(old, new))
        found = {}
        for one, other in zip(old, new, strict=True):
            found[one] = other
            found.update(zip(codes_in(one), codes_in(other), strict=True))
        return found

    def _is_same_text(self, kept: Candidate) -> bool:
        return lines_of(kept.statement, self._lines) == lines_of(kept.before, self._old_lines)

    def settle(self) -> None:
        """Make the kept classes the new version's own, and the others known as superseded.

        Cannot fail, and may be repeated.
        """
        for rebinding in self._rebindings:
            rebinding.apply()
        for each in self.superseded:
            old = self._old[each.name]
            if carried_module(old) == self._name:  # another module's name would not lead to the new one
                pickle_by_name(old)
