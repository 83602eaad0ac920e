"""The file that runs as `__main__`: one module, under the name by which others import it.

Python makes a second module of such a file when somebody imports it, with state and classes of its own. Where a
runtime starts or a load is asked for before that, the module that runs takes the place of the second one.

Laws:
1. What runs keeps its `__name__` until all its `if __name__ == "__main__":` are behind it, so none is left out.
2. The dictionary that the program began with is held as long as it runs: the interpreter, which has no reference of its
   own to it, goes back to it when the program has ended.
"""

from __future__ import annotations

import ast
import keyword
import os
import sys
from collections.abc import Iterator
from types import CodeType, FrameType, ModuleType
from typing import Any

from midflight.code.source.find_module import PROGRAM, is_own_file, locate_file
from midflight.code.source.look import carried_module, class_names, is_class, is_module, module_names
from midflight.collection import stacks_of_threads

__all__ = [
    "bound_in_program",
    "code_of_program",
    "is_body_of_program",
    "is_main_test",
    "is_program",
    "is_same_below_guard",
    "name_program",
    "own_name",
    "running_statement",
    "settle_name",
    "split_at_guard",
]

NAME = "__midflight_name__"  # in the namespace of the program: the name by which others import it

_held: list[dict[str, Any]] = []


def own_name(namespace: dict[str, Any]) -> str | None:
    """Return the name by which others import the module of a namespace."""
    found = namespace.get(NAME, namespace.get("__name__"))
    return found if type(found) is str else None


def is_program(module: ModuleType) -> bool:
    """Say whether a module of the code server is the one that runs as `__main__`."""
    return sys.modules.get(PROGRAM[0]) is module


def name_program() -> None:
    """Let others import what runs as `__main__` under the name of its file; not for a file that somebody installed.

    Its classes and functions say from now on that they are of that module, so pickles name it.
    """
    module = sys.modules.get(PROGRAM[0])
    if not is_module(module):
        return
    names = module_names(module)
    path = names.get("__file__")
    if NAME in names or type(path) is not str or not is_own_file(path):
        return
    name = _importable_name(names, path)
    if name is None or sys.modules.get(name, module) is not module:
        return
    _held.append(names)
    names[NAME] = name
    sys.modules[name] = module
    package, _, last = name.rpartition(".")
    if package in sys.modules:
        setattr(sys.modules[package], last, module)
    _relabel(names, name)


def _importable_name(names: dict[str, Any], path: str) -> str | None:
    """Return the name by which an `import` elsewhere finds the file; None if none does."""
    spec = names.get("__spec__")
    if spec is not None and spec.origin == path:
        return str(spec.name)  # python -m
    name = locate_file(path) or os.path.basename(path).removesuffix(".py")
    parts = name.split(".")
    if not all(part.isidentifier() and not keyword.iskeyword(part) for part in parts):
        return None
    return None if parts[0] in sys.stdlib_module_names or parts[0] == "midflight" else name


def _relabel(names: dict[str, Any], name: str) -> None:
    waiting = list(names.values())
    for value in waiting:  # grows as it goes
        if carried_module(value) not in PROGRAM:
            continue
        if is_class(value):
            waiting += class_names(value).values()
            type.__setattr__(value, "__module__", name)
        else:
            value.__module__ = name


def settle_name(namespace: dict[str, Any], tree: ast.Module) -> None:
    """Let the namespace of the program have its name as a module, if its body asks for it no more.

    `tree` is that of the text that runs.
    """
    name = namespace.get(NAME)
    if name is None:
        return
    _relabel(namespace, name)
    body = _body(namespace)
    if body is None or all(each.lineno <= body.f_lineno for each in _guards(tree)):
        namespace["__name__"] = name


def code_of_program(namespace: dict[str, Any]) -> CodeType | None:
    """Return the code of the body that runs in a namespace; None if it has ended."""
    body = _body(namespace)
    return None if body is None else body.f_code


def is_body_of_program(frame: FrameType) -> bool:
    """Say whether a frame is that of the body which runs as `__main__`."""
    return frame.f_code.co_name == "<module>" and NAME in frame.f_globals


def _body(namespace: dict[str, Any]) -> FrameType | None:
    return next(  # no stack may stay in a name: this very frame may be in one
        (
            frame
            for stack in stacks_of_threads().values()
            for frame in stack
            if frame.f_globals is namespace and frame.f_code.co_name == "<module>"
        ),
        None,
    )


def running_statement(now: ast.Module, new: ast.Module) -> ast.stmt | None:
    """Return the statement in which the body of the program is, if a load of `new` would run it a second time.

    `now` is the tree of the text that runs. A statement that asks for `__name__` is for the program alone.
    """
    body = next((found for names in _held if (found := _body(names)) is not None), None)
    if body is None:
        return None
    line = body.f_lineno
    statement = next((each for each in now.body if each.lineno <= line <= (each.end_lineno or line)), None)
    if statement is None or (isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test)):
        return None
    text = ast.dump(statement)
    is_there = any(ast.dump(each) == text for each in new.body)
    return statement if is_there or not any(_guards(new)) else None


# --- What the program binds for itself -------------------------------------------------------------------------------


def bound_in_program(tree: ast.Module) -> frozenset[str]:
    """Return the names that are bound below `if __name__ == "__main__":`, where a load does not run."""
    found: set[str] = set()
    for guard in _guards(tree):
        waiting: list[ast.AST] = list(guard.body)
        for node in waiting:  # grows as it goes
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    found.add(name)
                    continue
                case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                    continue
                case ast.Name(id=name, ctx=ast.Store()):
                    found.add(name)
                case ast.alias(name=name, asname=other):
                    found.add(other or name.partition(".")[0])
            waiting += ast.iter_child_nodes(node)
    return frozenset(found)


def is_same_below_guard(one: ast.Module, other: ast.Module) -> bool:
    """Say whether two texts do the same below `if __name__ == "__main__":`."""
    return [ast.dump(each) for each in _guards(one)] == [ast.dump(each) for each in _guards(other)]


def split_at_guard(tree: ast.Module) -> tuple[ast.Module, ast.Module] | None:
    """Return what stands before the first `if __name__ == "__main__":` of a text and the rest, each a tree.

    None if there is no such statement, or if the rest has annotated names of the module: Python notes these once in
    a body.
    """
    first = next(_guards(tree), None)
    if first is None:
        return None
    index = tree.body.index(first)
    before, rest = tree.body[:index], tree.body[index:]
    if any(isinstance(node, ast.AnnAssign) for each in rest for node in ast.walk(each)):
        return None
    return ast.Module(before, []), ast.Module(rest, [])


def _guards(tree: ast.Module) -> Iterator[ast.If]:
    for statement in tree.body:
        if isinstance(statement, ast.If) and is_main_test(statement.test):
            yield statement


def is_main_test(test: ast.expr) -> bool:
    """Say whether an expression asks whether the module is the program."""
    match test:
        case ast.Compare(left=one, ops=[ast.Eq()], comparators=[other]):
            return {ast.unparse(one), ast.unparse(other)} == {"__name__", "'__main__'"}
    return False
