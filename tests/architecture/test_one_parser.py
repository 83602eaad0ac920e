"""One place that makes syntax trees: `midflight.parsing`, which a finalizer that parses does not disturb."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from architecture.sources import Module, modules

THE_PARSER = "midflight.parsing"
MAKE_TREES = frozenset({"parse", "PyCF_ONLY_AST"})  # of ast
PARSE_INSIDE = frozenset({"getsource", "getsourcelines", "findsource"})  # of inspect


def parsers(module: Module) -> Iterator[str]:
    """Say where `module` makes a tree by itself."""
    if module.name == THE_PARSER:
        return
    for node in ast.walk(module.tree):
        match node:
            case ast.Attribute(value=ast.Name(id="ast"), attr=name) if name in MAKE_TREES:
                yield f"{module.name}:{node.lineno}: takes ast.{name}; only {THE_PARSER} may"
            case ast.Attribute(value=ast.Name(id="inspect"), attr=name) if name in PARSE_INSIDE:
                yield f"{module.name}:{node.lineno}: takes inspect.{name}, which parses"
            case ast.ImportFrom(module="ast" | "inspect" as source, names=names):
                for alias in names:
                    if alias.name in MAKE_TREES | PARSE_INSIDE:
                        yield f"{module.name}:{node.lineno}: takes {source}.{alias.name}; only {THE_PARSER} may"


def test_nobody_else_makes_a_syntax_tree() -> None:
    """Elsewhere it could raise SystemError at any time on CPython 3.11."""
    assert [found for one in modules() for found in parsers(one)] == []


@pytest.mark.parametrize(
    "text",
    [
        "import ast\nast.parse('x')",
        "from ast import parse as read",
        "import ast\ncompile('x', 'f', 'exec', ast.PyCF_ONLY_AST)",
        "import inspect\ninspect.getsource(f)",
    ],
)
def test_a_second_parser_is_found(text: str) -> None:
    """By whatever name Python has for it."""
    assert len(list(parsers(Module("midflight.code.source.unit", text)))) == 1


def test_compiling_a_tree_or_a_text_to_code_is_allowed() -> None:
    """No tree of Python objects is made there."""
    text = "import ast\ncompile(ast.Module([], []), 'f', 'exec')\ncompile('x', 'f', 'exec')"

    assert list(parsers(Module("midflight.code.source.unit", text))) == []
