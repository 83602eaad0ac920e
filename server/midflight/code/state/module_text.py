"""A module's text with what the rules of state ask of it, each worked out when it is first asked for. Pure."""

from __future__ import annotations

import ast
from functools import cached_property

from midflight.code.source.bindings import Bindings
from midflight.code.state.names import Assigned, state_names
from midflight.code.state.reach import Definitions
from midflight.code.state.uses import Footprint, footprint_of, statements_in

__all__ = ["ModuleText"]


class ModuleText:
    """One text of a module, parsed. `bindings` are those of `tree`, if somebody has them."""

    def __init__(self, tree: ast.Module, text: str, bindings: Bindings | None = None) -> None:
        self.tree = tree
        self.text = text
        self._bindings = bindings

    @cached_property
    def bindings(self) -> Bindings:
        """The statements that bind the names of the module."""
        return self._bindings or Bindings(self.tree, self.text)

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text."""
        return self.text.split("\n")

    @cached_property
    def assigned(self) -> Assigned:
        """The names that are state, by the text."""
        return state_names(self.bindings)

    def names(self) -> list[str]:
        """Return the names of which it is noted what the body made of them: state, functions and classes."""
        return [*self.assigned, *(name for name in self.bindings.by_name if name in self.definitions)]

    @cached_property
    def definitions(self) -> Definitions:
        """The functions and classes."""
        return Definitions(self.tree, self.lines)

    @cached_property
    def footprints(self) -> list[tuple[ast.stmt, Footprint]]:
        """The statements of the module's scope, each with what it does when it runs."""
        return [(statement, footprint_of(statement)) for statement in statements_in(self.tree.body)]
