"""The syntax trees of the last texts: a load compares the new text with the one before it.

Law: a tree that comes from here is shared, so nobody changes it: what needs another one copies the nodes on the way.
"""

from __future__ import annotations

import ast

from midflight.code.source.text_memory import TextMemory
from midflight.parsing import UNPARSABLE, parse_module

__all__ = ["tree_of", "tree_or_none"]

_trees: TextMemory[ast.Module] = TextMemory()


def tree_of(text: str, file: str = "<unknown>") -> ast.Module:
    """Return the tree of a module's text. Raises: one of UNPARSABLE, which names `file`."""
    return _trees.get(text, None, parse_module, text, file)


def tree_or_none(text: str) -> ast.Module | None:
    """Return the tree of a module's text, None if it is not Python."""
    try:
        return tree_of(text)
    except UNPARSABLE:
        return None
