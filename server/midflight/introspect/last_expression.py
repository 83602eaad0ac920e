"""The expression that ends where a text ends: what `C-x C-e` evaluates. Pure.

The text is the beginning of a statement. Of all its ends that are expressions the longest is meant: of `x = f(1) + 2`
it is `f(1) + 2`, and of `f(a, g(b)` it is `g(b)`.
"""

from __future__ import annotations

import ast
import re

from midflight.parsing import expression_or_none

__all__ = ["last_expression"]

_START = re.compile(r"\w+|[-+~(\[{'\"]|\.\.\.")
_STRING = re.compile(r"'''.*?'''|\"\"\".*?\"\"\"|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"", re.DOTALL)
_HEAD = re.compile(r"\s*(?:case|match)\b\s+")
_LOOP_TARGET = re.compile(r"\bfor\b(?!.*\bin\b)", re.DOTALL)


def last_expression(before: str) -> str | None:
    """Return the longest expression at the end of `before`; None if there is none."""
    text = before.rstrip()
    head = _HEAD.match(text)  # a soft keyword and a bracket would be a call
    for start in _START.finditer(text, 0 if head is None else head.end()):
        position = start.start()
        if _LOOP_TARGET.search(text, 0, position):
            continue  # `x in xs` of `for x in xs` only looks like a comparison
        found = text[position:]
        node = expression_or_none(found)
        if node is None or (_is_open_tuple(node) and _is_in_brackets(text[:position])):
            continue
        return found
    return None


def _is_open_tuple(node: ast.expr) -> bool:
    """Say whether `node`, at the start of a text, is a tuple without brackets of its own."""
    return isinstance(node, ast.Tuple) and (not node.elts or node.col_offset == node.elts[0].col_offset)


def _is_in_brackets(text: str) -> bool:
    """Say whether a bracket stands open at the end of `text`."""
    bare = _STRING.sub("", text)
    return sum(map(bare.count, "([{")) > sum(map(bare.count, ")]}"))
