"""Two edits that change nothing of what a module does: a comment above all, and a sentence more in a docstring.

with_comment('X = 1\\n')                  # "# a comment\\nX = 1\\n": every line moves
with_docstring('def f():\\n    "Do."\\n')  # the text of f is another, what it does is not
"""

from __future__ import annotations

import ast

__all__ = ["with_comment", "with_docstring"]

COMMENT = "# a comment, so that every line stands one lower"
ADDED = "Edited. "


def with_comment(text: str) -> str:
    """Return `text` with a comment at its top; behind the first two lines if they are comments, which may mean more."""
    lines = text.split("\n")
    at = next((index for index, line in enumerate(lines[:2]) if not line.startswith("#")), 2)
    return "\n".join([*lines[:at], COMMENT, *lines[at:]])


def with_docstring(text: str) -> str:
    """Return `text` with the docstring of its first class or function edited, else its own, else `text` as it is."""
    tree = ast.parse(text)
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    found.sort(key=lambda node: node.lineno)
    for node in [*found, tree]:
        match node.body[:1]:
            case [ast.Expr(value=ast.Constant(value=str()) as string)]:
                return _opened(text, string)
    return text


def _opened(text: str, string: ast.Constant) -> str:
    """Return `text` with ADDED at the beginning of what stands in a string's quotes."""
    lines = text.split("\n")
    line = lines[string.lineno - 1].encode()
    start = string.col_offset
    while line[start : start + 1] not in (b'"', b"'"):
        start += 1  # r"..."
    quote = line[start : start + 1]
    start += 3 if line[start : start + 3] == quote * 3 else 1
    lines[string.lineno - 1] = (line[:start] + ADDED.encode() + line[start:]).decode()
    return "\n".join(lines)
