"""`Carry`: the state that a version in the making takes over from the one before it.

Its life: `guarded` before the body runs, `keep` while it does, and what `Settlement` does then.

Laws:
1. Until the commit nothing of the old version's state has changed. In it, every change has its undo.
2. One object stands behind a name in both versions, or the report names it.
"""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from midflight.code.identity.guard import guarded
from midflight.code.identity.module_reads import changed_since, has_modules
from midflight.code.source.look import is_from
from midflight.code.source.same_value import same
from midflight.code.state.base import Copy
from midflight.code.state.candidates import MADE_WITH, Candidates, find_candidates
from midflight.code.state.kinds import is_mock, kind_of
from midflight.code.state.likeness import is_made_alike
from midflight.code.state.module_text import ModuleText
from midflight.code.state.own import Own
from midflight.code.state.record import Scalar, StateRecord, record_of
from midflight.code.version.facade import Namespace

__all__ = ["ABSENT", "FRESH", "KEEP_STATE", "Carry"]

KEEP_STATE = "__midflight_keep_state__"  # what the body asks; it has bound the names if it says yes

ABSENT: Any = object()

FRESH = "it was to be new"


class Carry:
    """The state that one version takes over from another.

    `old` and `new` are their texts, `before` and `namespace` their namespaces.
    `fresh` are the names that are to be new. `why_not` has the reason for each object that was made again;
    `made_otherwise` are those for whose making something has changed.
    """

    def __init__(
        self, old: ModuleText, new: ModuleText, before: Namespace, namespace: Namespace, fresh: Iterable[str]
    ) -> None:
        self.old, self.new = old, new
        self.before, self.namespace = before, namespace
        self.own = Own(before, namespace)
        self.fresh = frozenset(fresh)
        record = record_of(before)
        self.record: StateRecord | None = None if record is None else record.tight(before)
        kinds = {
            name: None if is_mock(before[name]) else kind_of(before[name])
            for name in old.assigned
            if name in before and name not in self.fresh
        }
        found = find_candidates(old, new, kinds, reads_words=has_modules(before))
        self.unchanged = found.unchanged
        self.why_not: dict[str, str] = dict(found.why_not)
        self.made_otherwise = set(found.made_otherwise)
        self._candidates: Candidates = found
        self._answers: dict[str, bool] = {}
        self._groups = _groups(found)

    # --- Before and while the body runs ------------------------------------------------------------------------

    def guarded(self, tree: ast.Module) -> ast.Module:
        """Return `tree` with the statements of all candidates under the question whether they are kept."""
        statements = {
            id(statement): name for name, each in self._candidates.found.items() for statement in each.statements
        }
        if not statements:
            return tree
        self.namespace[KEEP_STATE] = self.keep
        return guarded(tree, statements, KEEP_STATE)

    def may_be_skipped(self) -> set[int]:
        """Return the ids of the statements that need not run again."""
        return {id(statement) for each in self._candidates.found.values() for statement in each.statements}

    def keep_nothing(self, why: str) -> None:
        """Take it that every statement runs, for that reason: the body does not ask."""
        self.namespace.pop(KEEP_STATE, None)
        self.why_not.update(dict.fromkeys(self._candidates.found, why))
        self._candidates.found.clear()

    def keep(self, name: str) -> bool:
        """Bind `name`, and the names that its statements bind too, to the values of the version before, if they are
        kept; say whether they are. The body asks this at each of the statements."""
        group = self._groups[name]
        if name not in self._answers:
            why = self._why_not(group)
            self._answers.update(dict.fromkeys(group, why is None))
            if why is not None:
                self.why_not.update(dict.fromkeys(group, why))
                if why.startswith(MADE_WITH):
                    self.made_otherwise |= group
        if self._answers[name]:
            self.namespace.update((each, self.before[each]) for each in group if each in self.before)
        return self._answers[name]

    def _why_not(self, group: frozenset[str]) -> str | None:
        for name in sorted(group):
            candidate = self._candidates.found[name]
            value = self.before.get(name, ABSENT)
            if value is ABSENT:
                return "it was deleted at run time"
            if (why := _bound_elsewhere(value)) is not None:
                return why
            for read in sorted(candidate.reads - group):
                if not self._reads_same(read):
                    return f"{MADE_WITH} {read}, which differs"
            for words in sorted(candidate.words):
                if changed_since(self.before, self.namespace, words):
                    return f"{MADE_WITH} {'.'.join(words)}, which differs"
        return None

    def _reads_same(self, name: str) -> bool:
        old, new = self.before.get(name, ABSENT), self.namespace.get(name, ABSENT)
        base = None if self.record is None else self.record.bases.get(name)
        if old is new or (old is not ABSENT and new is not ABSENT and same(old, new)):
            return True
        if isinstance(base, Scalar) and new is not ABSENT:
            return same(base.value, new)  # it was changed at run time, and the running value stays
        if new is ABSENT:
            return name in self.unchanged or name not in self.new.bindings.by_name  # bound further down, or imported *
        return isinstance(base, Copy) and is_made_alike(base, new, self.own)

    def is_skipped(self, name: str) -> bool:
        """Say whether the statements of `name` have not run: its value is the old one."""
        return self._answers.get(name, False)


def _groups(found: Candidates) -> Mapping[str, frozenset[str]]:
    """Return the names that are kept together with each candidate, for one statement binds them."""
    by_statement: dict[int, list[str]] = {}
    for name, candidate in found.found.items():
        for statement in candidate.statements:
            by_statement.setdefault(id(statement), []).append(name)
    groups = {name: {name} for name in found.found}
    for names in by_statement.values():
        joined = set().union(*(groups[name] for name in names))
        for name in joined:
            groups[name] = joined
    return {name: frozenset(group) for name, group in groups.items()}


def _bound_elsewhere(value: Any) -> str | None:
    """Say why an object of asyncio cannot be used any more: its loop is closed, or does not run."""
    if not is_from("asyncio", type(value)):
        return None
    try:
        loop = object.__getattribute__(value, "_loop")
    except AttributeError:
        return None
    if isinstance(loop, asyncio.AbstractEventLoop):
        if loop.is_closed():
            return "it belongs to an event loop that is closed"
        if not loop.is_running():
            return "it belongs to an event loop that does not run"
    return None
