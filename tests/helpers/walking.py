"""Stale imports found by a walk through every value of every module: slow, and plain enough to be believed."""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Iterator
from functools import lru_cache
from types import FunctionType, ModuleType
from typing import Any

from midflight.code.source.same_value import same
from midflight.code.version.modules import known

ABSENT: Any = object()


def stale_by_walking(name: str, namespace: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield module and name of what will be older once `namespace` is current for module `name`."""
    for other, module in list(sys.modules.items()):
        if other == name or other.partition(".")[0] in sys.stdlib_module_names or not isinstance(module, ModuleType):
            continue
        held = vars(module)
        found = []
        for key, value in list(held.items()):
            if type(value) in (FunctionType, type) and value.__module__ == name:
                qualified = value.__qualname__
                if "." not in qualified and namespace.get(qualified) is not value:
                    found.append(key)
        for key, original in _imported_from(name, other, held):
            value, new = held.get(key, ABSENT), namespace.get(original, ABSENT)
            if value is not ABSENT and not isinstance(value, ModuleType) and not same(value, new):
                found.append(key)
        yield from ((other, key) for key in dict.fromkeys(found))


def _imported_from(name: str, other: str, held: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    record, file = known(other), held.get("__file__")
    text = record.current.text if record is not None and record.current is not None else None
    if text is None and isinstance(file, str):
        text = "".join(linecache.getlines(file))
    return _names_imported(name, text) if text is not None and f"from {name} import" in text else ()


@lru_cache(maxsize=256)
def _names_imported(name: str, text: str) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    tree = ast.parse(text)
    stored = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)]
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.ImportFrom):
            if node.module == name and not node.level:
                pairs = [(each.asname or each.name, each.name) for each in node.names]
                found += (pair for pair in pairs if pair[0] not in stored)
        elif isinstance(node, ast.Module | ast.If | ast.Try | ast.With | ast.ExceptHandler):
            waiting += ast.iter_child_nodes(node)
    return tuple(found)
