"""`handlers_added_twice`: a body that runs again adds its handlers to a logger again, which writes each line twice."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator
from typing import Any

from midflight.code.load.tables import Tables
from midflight.code.source.unit import Unit

__all__ = ["handlers_added_twice"]


def handlers_added_twice(before: Tables, unit: Unit) -> Iterator[str]:
    """Yield words on each handler that a logger has got while the body of `unit` ran, and had one like it before.

    `before` are the tables as they were then. The same object twice does not count: a logger takes it once.
    """
    if not any(isinstance(node, ast.Attribute) and node.attr == "addHandler" for node in ast.walk(unit.tree)):
        return
    loggers = (logging.getLogger(), *list(logging.Logger.manager.loggerDict.values()))
    for logger in (each for each in loggers if isinstance(each, logging.Logger)):
        old = before.loggers[logger][1] if logger in before.loggers else []
        for handler in logger.handlers if old else ():
            if not any(handler is each for each in old) and any(_are_alike(handler, each) for each in old):
                whose = "the root logger" if logger is logging.getLogger() else f"logger {logger.name}"
                yield (
                    f"{whose} has one {type(handler).__name__} more, like one that it had: each line is written once "
                    "more. Bind the handler by `once`, for a logger takes the same object only once; or add it in "
                    "@on_load, and take it off in @on_unload"
                )


def _are_alike(one: logging.Handler, other: logging.Handler) -> bool:
    """Say whether two handlers write to the same place. One that writes nothing is like none."""
    if type(one) is not type(other) or type(one) is logging.NullHandler:
        return False
    return bool(_place(one) == _place(other))


def _place(handler: logging.Handler) -> Any:
    names = vars(handler)
    return names.get("baseFilename") or id(names.get("stream"))
