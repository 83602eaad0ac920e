"""A module's text with the facts that the rules of state need, each worked out when it is first asked for. Pure."""

from __future__ import annotations

import ast
from functools import cached_property

from midflight.code.source.bindings import Bindings, bindings_of
from midflight.code.source.text_memory import TextMemory
from midflight.code.state.inner_text import InnerTexts, inner_texts
from midflight.code.state.names import Assigned, state_names
from midflight.code.state.reach import Definitions
from midflight.code.state.uses import Footprint, footprint_of, statements_in

__all__ = ["ModuleText", "module_text"]


class ModuleText:
    """One text of a module, parsed."""

    def __init__(self, tree: ast.Module, text: str) -> None:
        self.tree = tree
        self.text = text

    @cached_property
    def bindings(self) -> Bindings:
        """The statements that bind the names of the module."""
        return bindings_of(self.tree, self.text)

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text."""
        return self.text.split("\n")

    @cached_property
    def assigned(self) -> Assigned:
        """The names that are state, by the text."""
        return state_names(self.bindings)

    def names(self) -> list[str]:
        """Return the names whose values by the body are noted: state, functions and classes."""
        return [*self.assigned, *(name for name in self.bindings.by_name if name in self.definitions)]

    @cached_property
    def definitions(self) -> Definitions:
        """The functions and classes."""
        return Definitions(self.tree, self.lines)

    @cached_property
    def inner(self) -> InnerTexts:
        """The text that makes the values inside of functions and classes."""
        return inner_texts(self.tree)

    @cached_property
    def footprints(self) -> list[tuple[ast.stmt, Footprint]]:
        """The statements of the module's scope, each with its footprint; without those that do nothing."""
        return [
            (statement, footprint_of(statement))
            for statement in statements_in(self.tree.body)
            if not _does_nothing(statement)
        ]


def _does_nothing(statement: ast.stmt) -> bool:
    """Say whether a statement is a plain function, or an import."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        arguments = statement.args
        return not (statement.decorator_list or arguments.defaults or arguments.kw_defaults)
    return isinstance(statement, ast.Import | ast.ImportFrom)


_texts: TextMemory[ModuleText] = TextMemory()


def module_text(tree: ast.Module, text: str) -> ModuleText:
    """Return the ModuleText of a text and its tree; the last few are remembered: the next load compares with them."""
    return _texts.get(text, tree, ModuleText, tree, text)
