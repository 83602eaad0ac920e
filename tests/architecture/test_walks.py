"""A dictionary that other threads write to is copied before it is walked: a namespace, a class's, `sys.modules`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from textwrap import dedent

import pytest

from architecture.sources import Module, modules

VIEWS = ("items", "values", "keys")


def walked(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield what each loop and comprehension goes through."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            yield node.iter


def is_shared(node: ast.expr) -> bool:
    """Say whether an expression names such a dictionary, or a view of one."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in VIEWS:
        node = node.func.value
    match node:
        case ast.BoolOp(values=[first, *_]):
            return is_shared(first)
        case ast.Call(func=ast.Name("vars"), args=[_]):
            return True
        case ast.Attribute(value=ast.Name("sys"), attr="modules"):
            return True
        case ast.Name(name) | ast.Attribute(attr=name):
            return name == "namespace" or name.endswith("_namespace")
    return False


def walks(module: Module) -> Iterator[str]:
    """Say where a module walks one as it stands: "dictionary changed size during iteration" is a matter of luck."""
    for node in walked(module.tree):
        if is_shared(node):
            yield f"{module.name}:{node.lineno}: {ast.unparse(node)}; walk list(...) of it"


def test_what_others_write_to_is_copied_before_it_is_walked() -> None:
    """A process may bind a global, and a load mark a class, while a worker's thread prepares another load."""
    assert [broken for one in modules() for broken in walks(one)] == []


@pytest.mark.parametrize(
    "text",
    [
        "for name, value in vars(cls).items(): pass",
        "found = [each for each in namespace.values()]",
        "found = {name for name in version.namespace or {}}",
        "found = {name: 1 for name in sys.modules}",
    ],
)
def test_a_walk_is_found(text: str) -> None:
    """The rule can fail."""
    assert len(list(walks(Module("midflight.code.x", dedent(text))))) == 1


def test_a_copy_may_be_walked() -> None:
    """`list` takes all in one step of the interpreter."""
    assert list(walks(Module("midflight.code.x", "for name in list(vars(cls).items()): pass"))) == []
