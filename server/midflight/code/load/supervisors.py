"""`supervisors_behind`: the supervisors that would have other children now, if they were asked or started again.

An upgrade runs `init` again. A load runs no callback, so it compares what the texts say: the class, its `init`, the
functions of the module that this calls, and the statements that bind the module's names in those.
A supervisor without an `init` of the program's own has the children that it was started with, after an upgrade too. Of
its starter the texts of the calls are compared that start such a supervisor, and what their arguments come from.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from midflight.code.load.new_version import NewVersion
from midflight.code.report.load_report import SHOWN, Diagnostic
from midflight.code.source.look import carried_module, carried_name, mro_of
from midflight.code.source.trees import tree_or_none
from midflight.kernel import Pid

__all__ = ["supervisors_behind"]

BEHIND = "its class may say other children or options now, and a load does not ask it; `upgrade` takes them"
GIVEN = (
    "it was started with its children by {function}, which may give others now; it keeps those that it has, and an "
    "upgrade does not change them. A class of your own, with an `init` that returns them, is asked again"
)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
STARTS = ("start", "start_link")
OWN = __name__.partition(".")[0] + "."


class Source(NamedTuple):
    """The place that says which children some supervisors have: a class of `module`, or a function that starts them."""

    module: str
    cls: str
    function: str | None = None

    def said_in(self, tree: ast.Module) -> list[str]:
        """Return what a text says of the children; nothing if it has no such class or function."""
        reach = _Reach(tree)
        if self.function is None:
            reach.follow_class(self.cls)
        else:
            reach.follow_starts(self.function, self.cls.rpartition(".")[2])
        return sorted(reach.said)

    def note(self, pids: Sequence[Pid]) -> str:
        """Return the note on these supervisors."""
        more = f" and {len(pids) - SHOWN} more" if len(pids) > SHOWN else ""
        what = f" ({self.module}.{self.cls})" if self.function is None else ""
        said = BEHIND if self.function is None else GIVEN.format(function=f"{self.module}.{self.function}")
        return f"{', '.join(map(repr, pids[:SHOWN]))}{more}{what}: {said}"


def supervisors_behind(
    new: Sequence[NewVersion], supervisors: Iterable[tuple[Pid, Any]], *, are_asked: bool
) -> Iterator[tuple[NewVersion, Diagnostic]]:
    """Yield, as notes, which supervisors keep the children of the version before, each with the module that says it.

    `supervisors` are the pids and the objects of all that there are. `are_asked` says that those with an `init` of
    their own were asked for their children, by an upgrade.
    """
    found: dict[Source, list[Pid]] = {}
    for pid, server in supervisors:
        for source in _sources(server):
            if not (are_asked and source.function is None):
                found.setdefault(source, []).append(pid)
    for each in new:
        own = [(source, pids) for source, pids in found.items() if source.module == each.unit.name]
        if not own or each.before is None or each.before.text is None:
            continue
        before = tree_or_none(each.before.text)
        if before is None:
            continue
        for source, pids in own:
            if source.said_in(each.unit.tree) not in ([], source.said_in(before)):
                yield each, replace(each.problem(source.note(pids), "children"), severity="note")


def _sources(server: Any) -> Iterator[Source]:
    """Yield what says what the children of a supervisor are: its class, the function that has started it."""
    cls = type(server)
    name = str(carried_name(cls))
    if not str(carried_module(cls)).startswith(OWN):
        yield Source(str(carried_module(cls)), name)
    if (by := getattr(server, "started_by", None)) is not None and not _has_own_init(cls):
        yield Source(by.module, name, by.function)


def _has_own_init(cls: type[Any]) -> bool:
    definer = next((each for each in mro_of(cls) if "init" in vars(each)), None)
    return definer is not None and not str(carried_module(definer)).startswith(OWN)


class _Reach:
    """The parts of a module's text that an `init` comes to, without their places."""

    def __init__(self, tree: ast.Module) -> None:
        self.said: set[str] = set()
        self._tree = tree
        self._functions = {each.name: each for each in tree.body if isinstance(each, FUNCTIONS)}
        self._seen: set[ast.AST] = set()

    def follow_class(self, name: str) -> None:
        found = self._class(name)
        if found is None or found in self._seen:
            return
        self._seen.add(found)
        methods = {each.name: each for each in found.body if isinstance(each, FUNCTIONS)}
        for each in found.body:
            if isinstance(each, (ast.Assign, ast.AnnAssign)):
                self._follow(each, methods)
        if "init" in methods:
            self._follow(methods["init"], methods)
        for base in found.bases:
            if isinstance(base, ast.Name):
                self.follow_class(base.id)

    def follow_starts(self, function: str, class_name: str) -> None:
        """Take in the arguments of the calls in a function that start a supervisor of that class."""
        found = self._function(function)
        for node in () if found is None else ast.walk(found):
            match node:
                case ast.Call(ast.Attribute(ast.Name(name) | ast.Attribute(attr=name), verb)):
                    if verb in STARTS and name == class_name:
                        for each in (*node.args, *(keyword.value for keyword in node.keywords)):
                            self._follow(each, {}, found)

    def _function(self, name: str) -> ast.stmt | None:
        """Return the function with that qualified name; the outermost one, if it is within others."""
        owner, _, last = name.partition(".<locals>")[0].rpartition(".")
        cls = self._class(owner) if owner else None
        body = self._tree.body if cls is None else cls.body
        return next((each for each in body if isinstance(each, FUNCTIONS) and each.name == last), None)

    def _class(self, name: str) -> ast.ClassDef | None:
        body: list[ast.stmt] = self._tree.body
        found = None
        for part in name.split("."):
            found = next((each for each in body if isinstance(each, ast.ClassDef) and each.name == part), None)
            if found is None:
                return None
            body = found.body
        return found

    def _follow(self, part: ast.AST, methods: dict[str, Any], within: ast.stmt | None = None) -> None:
        """Take in a part of the text, the functions that it calls, and the values that it reads.

        `within` is the function that it is a part of, if names may be bound there.
        """
        if part in self._seen:
            return
        self._seen.add(part)
        self.said.add(ast.dump(part))
        for node in ast.walk(part):
            if isinstance(node, ast.Call):
                match node.func:
                    case ast.Name("map"):
                        for each in node.args[:1]:
                            if isinstance(each, ast.Name) and each.id in self._functions:
                                self._follow(self._functions[each.id], methods)
                    case ast.Name(name) if name in self._functions:
                        self._follow(self._functions[name], methods)
                    case ast.Attribute(ast.Name("self" | "cls"), name) if name in methods:
                        self._follow(methods[name], methods)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in self._functions:
                for statement in self._statements_with(node.id):
                    self._follow(statement, methods)
                for statement in () if within is None else _binding(within, node.id):
                    self._follow(statement, methods, within)

    def _statements_with(self, name: str) -> Iterator[ast.stmt]:
        for each in self._tree.body:
            if isinstance(each, (*FUNCTIONS, ast.ClassDef, ast.Import, ast.ImportFrom)):
                continue
            if any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(each)):
                yield each


def _binding(function: ast.stmt, name: str) -> Iterator[ast.stmt]:
    """Yield the assignments in a function that bind a name."""
    for each in ast.walk(function):
        if isinstance(each, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            targets = each.targets if isinstance(each, ast.Assign) else [each.target]
            if any(isinstance(node, ast.Name) and node.id == name for one in targets for node in ast.walk(one)):
                yield each
