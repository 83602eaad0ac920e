"""The syntax trees of the last texts: a load compares the new text with the one before it.

Laws:
1. A tree that comes from here is shared, so nobody changes it: what needs another one copies the nodes on the way.
2. Memory is bounded by the number of the texts and by their length together: a tree takes 30 to 50 times as much.
"""

from __future__ import annotations

import ast
from threading import RLock

from midflight.parsing import UNPARSABLE, parse_module

__all__ = ["tree_of", "tree_or_none"]

MOST_TREES = 32
MOST_CHARACTERS = 500_000  # of the texts; some 15 MB of trees

_trees: dict[str, ast.Module] = {}  # the last one that was used at the end
_lock = RLock()


def tree_of(text: str, file: str = "<unknown>") -> ast.Module:
    """Return the tree of a module's text. Raises: one of UNPARSABLE, which names `file`."""
    with _lock:
        found = _trees.pop(text, None)
        if found is not None:
            _trees[text] = found
            return found
    found = parse_module(text, file)
    with _lock:
        _trees[text] = found
        length = sum(map(len, _trees))
        for other in list(_trees):
            if length > MOST_CHARACTERS or len(_trees) > MOST_TREES:
                del _trees[other]
                length -= len(other)
    return found


def tree_or_none(text: str) -> ast.Module | None:
    """Return the tree of a module's text, None if it is not Python."""
    try:
        return tree_of(text)
    except UNPARSABLE:
        return None
