"""The text of an input while it is typed: whether it is whole, and whether it ends the shell. Pure."""

from __future__ import annotations

import ast
import codeop

__all__ = ["is_leaving", "is_whole"]

LEAVING = ("q()", "quit()", "exit()")
_COMPILE = codeop.CommandCompiler()
_COMPILE.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


def is_whole(text: str) -> bool:
    """Say whether Enter ends the input: it is a statement, or is wrong however it goes on. As in Python's own prompt, a
    compound statement of several lines ends with an empty one.
    """
    *above, last = text.split("\n")
    try:
        return _COMPILE("\n".join([*above, last if last.strip() else ""]), "<input>", "single") is not None
    except (SyntaxError, ValueError, OverflowError):
        return True


def is_leaving(text: str) -> bool:
    """Say whether an input is one of those that end a shell in a terminal."""
    return text.strip() in LEAVING
