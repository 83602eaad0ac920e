"""`supervisors_behind`: the supervisors whose `init` would now give other children, which a plain load asks for none.

An upgrade runs `init` again. A load runs no callback, so it compares what the texts say: the class, its `init`, the
functions of the module that this calls, and the statements that bind the module's names in those.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from midflight.code.load.new_version import NewVersion
from midflight.code.report.load_report import SHOWN, Diagnostic
from midflight.code.source.look import carried_module, carried_name, mro_of
from midflight.code.source.trees import tree_or_none
from midflight.kernel import Pid, schedulers

__all__ = ["supervisors_behind"]

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
OWN = __name__.partition(".")[0] + "."


def supervisors_behind(new: Sequence[NewVersion]) -> Iterator[tuple[NewVersion, Diagnostic]]:
    """Yield, as notes, which supervisors keep the children of the version before; each with its class's module."""
    found: dict[tuple[str, str], list[Pid]] = {}
    for pid, cls in _supervisors():
        found.setdefault((str(carried_module(cls)), str(carried_name(cls))), []).append(pid)
    for each in new:
        own = [(name, pids) for (module, name), pids in found.items() if module == each.unit.name]
        if not own or each.before is None or each.before.text is None:
            continue
        before = tree_or_none(each.before.text)
        if before is None:
            continue
        for name, pids in own:
            if _said(each.unit.tree, name) in ([], _said(before, name)):
                continue
            more = f" and {len(pids) - SHOWN} more" if len(pids) > SHOWN else ""
            who = f"{', '.join(map(repr, pids[:SHOWN]))}{more} ({each.unit.name}.{name})"
            text = f"{who}: init may give other children now, and a load does not ask it; `upgrade` takes them"
            yield each, replace(each.problem(text, "children"), severity="note")


def _supervisors() -> Iterator[tuple[Pid, type[Any]]]:
    """Yield the supervisors with an `init` of the program's own."""
    for scheduler in schedulers():
        for process in [each for each in list(scheduler.processes.values()) if each.behaviour is not None]:
            cls = type(getattr(process.behaviour, "server", None))
            if hasattr(cls, "renew") and _is_of_program(cls):
                yield process.pid, cls


def _is_of_program(cls: type[Any]) -> bool:
    definer = next((each for each in mro_of(cls) if "init" in vars(each)), None)
    return definer is not None and not str(carried_module(definer)).startswith(OWN)


def _said(tree: ast.Module, class_name: str) -> list[str]:
    """Return what a text says of the children of a class of supervisors; nothing if it has no such class."""
    reach = _Reach(tree)
    reach.follow_class(class_name)
    return sorted(reach.said)


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

    def _class(self, name: str) -> ast.ClassDef | None:
        body: list[ast.stmt] = self._tree.body
        found = None
        for part in name.split("."):
            found = next((each for each in body if isinstance(each, ast.ClassDef) and each.name == part), None)
            if found is None:
                return None
            body = found.body
        return found

    def _follow(self, part: ast.stmt, methods: dict[str, Any]) -> None:
        """Take in a part of the text, the functions that it calls, and the values that it reads."""
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

    def _statements_with(self, name: str) -> Iterator[ast.stmt]:
        for each in self._tree.body:
            if isinstance(each, (*FUNCTIONS, ast.ClassDef, ast.Import, ast.ImportFrom)):
                continue
            if any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(each)):
                yield each
