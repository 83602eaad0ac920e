"""The names that may keep their value without running their statement again, as far as the two texts can tell. Pure.

A statement that does not run uses nothing, so one name decides on others: all are taken for candidates first, and those
that something uses are struck off until nothing changes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from midflight.code.state.kinds import Kind
from midflight.code.state.module_text import Assignment, ModuleText, is_unchanged
from midflight.code.state.reach import changed_part
from midflight.code.state.uses import Footprint

__all__ = ["CHANGED", "MADE_WITH", "Candidate", "Candidates", "find_candidates"]

CHANGED = "its statement changed"
MADE_WITH = "it is made with"
IN_A_LOOP = "its statement stands in a loop"
IN_PASSING = "a statement that does more binds it: a function by `global`, or `:=`"
TOGETHER = "its statement binds other names too, which are not kept"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A name that may be kept.

    `statements` bind it. `reads` are the names whose values must be the same in both versions, `words` the reads like
    `a.b` in the statements and in what they call.
    """

    name: str
    statements: tuple[ast.stmt, ...]
    reads: frozenset[str]
    words: frozenset[tuple[str, ...]]


@dataclass(slots=True)
class Candidates:
    """The names that may be kept, and for each other one the reason why not.

    `unchanged` are the names of state whose statements are the same in both texts; `made_otherwise` those of them for
    whose objects something has changed that makes them.
    """

    found: dict[str, Candidate]
    why_not: dict[str, str]
    unchanged: frozenset[str]
    made_otherwise: set[str] = field(default_factory=set)


def find_candidates(
    old: ModuleText, new: ModuleText, kinds: Mapping[str, Kind | None], *, reads_words: bool
) -> Candidates:
    """Compare two texts. `kinds` are the kinds of the old version's values; with `reads_words` look for `a.b` too."""
    unchanged = frozenset(
        name
        for name, statements in new.assigned.items()
        if name in old.assigned and is_unchanged(old.assigned[name], old.lines, statements, new.lines)
    )
    outcome = Candidates({}, {}, unchanged)
    wanted = [name for name, kind in kinds.items() if kind in ("object", "container")]
    for name in wanted:
        if name in new.assigned and name not in unchanged:
            outcome.why_not[name] = CHANGED
    if not any(name in unchanged for name in wanted):
        return outcome
    search = _Search(old, new, outcome, reads_words)
    for name in wanted:
        if name in unchanged:
            search.consider(name, is_container=kinds[name] == "container")
    search.strike_off()
    return outcome


class _Search:
    def __init__(self, old: ModuleText, new: ModuleText, outcome: Candidates, reads_words: bool) -> None:
        self._old, self._new, self._outcome, self._reads_words = old, new, outcome, reads_words
        self._footprints = {id(statement): footprint for statement, footprint in new.footprints}
        self._outside_loops = {id(statement) for statement, _ in new.bindings.statements}
        self._bound: dict[int, list[str]] = {}  # by the id of an assignment
        for name, statements in new.assigned.items():
            for statement in statements:
                if isinstance(statement, Assignment):
                    self._bound.setdefault(id(statement), []).append(name)

    def consider(self, name: str, *, is_container: bool) -> None:
        """Take `name` as a candidate, if its own statements let it be one."""
        statements = self._new.assigned[name]
        if not all(id(each) in self._outside_loops for each in statements):
            self._outcome.why_not[name] = IN_A_LOOP
            return
        if not all(isinstance(each, Assignment) for each in statements):
            self._outcome.why_not[name] = IN_PASSING
            return
        footprint = Footprint()
        for each in statements:
            footprint.add(self._footprints[id(each)])
        names, definitions = footprint.names(), self._new.definitions
        referred = [each for each in sorted(names) if each in definitions]
        if is_container and (referred or footprint.methods):
            return  # merged after the body: what it holds has new versions
        new = definitions.reached(referred, footprint.methods)
        old = self._old.definitions.reached(referred, footprint.methods)
        changed = changed_part(old, self._old.lines, new, self._new.lines)
        if changed is not None:
            self._outcome.why_not[name] = f"{MADE_WITH} {changed}, which changed"
            self._outcome.made_otherwise.add(name)
            return
        # A class that is called is compared by its text; one that is given away must be the same object.
        given = names - footprint.called
        classes = {each for each in new.definition_names() if not definitions.is_function(each)}
        reads = (names | new.reads) - (new.definition_names() - (classes & given))
        nodes = [*statements, *(part for parts in new.parts.values() for part in parts)]
        words = frozenset(_words_in(nodes)) if self._reads_words else frozenset()
        self._outcome.found[name] = Candidate(name, statements, frozenset(reads - {name}), words)

    def strike_off(self) -> None:
        """Take out the candidates that something uses that the body does run."""
        found, why_not = self._outcome.found, self._outcome.why_not
        while True:
            gone = dict(self._no_longer_together())
            if not gone:
                gone = dict(self._used())
            if not gone:
                return
            for name, why in gone.items():
                found.pop(name, None)
                why_not.setdefault(name, why)

    def _no_longer_together(self) -> Iterable[tuple[str, str]]:
        for name, candidate in self._outcome.found.items():
            for statement in candidate.statements:
                if not all(other in self._outcome.found for other in self._bound[id(statement)]):
                    yield name, TOGETHER

    def _used(self) -> Iterable[tuple[str, str]]:
        found, definitions = self._outcome.found, self._new.definitions
        users: dict[str, ast.stmt] = {}
        passed: list[tuple[ast.stmt, list[str], Footprint]] = []
        called: set[str] = set()
        methods: set[str] = set()
        for statement, footprint in self._new.footprints:
            bound = self._bound.get(id(statement), [])
            if bound and all(name in found for name in bound):
                continue
            for name in footprint.used | {each for each in footprint.called if each not in definitions}:
                users.setdefault(name, statement)
            if bound:
                passed.append((statement, bound, footprint))
            called |= footprint.called
            methods |= footprint.methods
        reached = definitions.reached(called, methods)
        news = True
        while news:  # an alias that is used
            news = False
            for statement, names, footprint in passed:
                if any(name in users or name in reached.reads for name in names):
                    for name in footprint.passed - users.keys():
                        users[name] = next((users[each] for each in names if each in users), statement)
                        news = True
        for name in found:
            if name in users:
                yield name, f"the body uses it at line {_line(users[name])}"
            elif name in reached.reads:
                by = next(
                    (part for part, nodes in reached.parts.items() if any(_reads(node, name) for node in nodes)), "?"
                )
                yield name, f"the body calls {by.removeprefix('class ')}, which uses it"


def _line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(each.lineno for each in decorators)])


def _reads(node: ast.AST, name: str) -> bool:
    return any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(node))


def _words_in(nodes: Iterable[ast.AST]) -> Iterable[tuple[str, ...]]:
    """Yield the reads like `a.b.c` in these nodes, and the shorter ones that they begin with."""
    for node in nodes:
        for each in ast.walk(node):
            words: list[str] = []
            inner: ast.AST = each
            while isinstance(inner, ast.Attribute):
                words.append(inner.attr)
                inner = inner.value
            if words and isinstance(inner, ast.Name):
                yield (inner.id, *reversed(words))
