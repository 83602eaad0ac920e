"""Modules that keep objects of older versions, by `from ... import` or otherwise."""

from __future__ import annotations

import ast
import importlib.util
import linecache
import re
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import FunctionType, ModuleType

from midflight.code.report.load_report import StaleImport
from midflight.code.source.find_module import is_project_file
from midflight.code.source.same_value import same
from midflight.code.version.facade import Namespace
from midflight.code.version.modules import known
from midflight.parsing import module_or_none

__all__ = ["stale_imports", "stale_names"]

ABSENT = object()


def stale_imports(name: str, namespace: Namespace, group: Mapping[str, Namespace]) -> Iterator[StaleImport]:
    """Yield the names in other modules that will hold an older object once `namespace` is current for module `name`.

    Functions and classes are known by the module and name that they carry. Constants carry none: those are found by
    the text of the project's modules, where it says `from ... import`. `group` are the namespaces of the modules that
    become current together with it.
    """
    for other, module in list(sys.modules.items()):
        if other == name or other.partition(".")[0] in sys.stdlib_module_names or not isinstance(module, ModuleType):
            continue
        # Read past whatever the module's class does: a lazy module must not be imported by a look at it.
        held = group.get(other) or ModuleType.__getattribute__(module, "__dict__")
        for key in stale_names(name, namespace, other, held, _text_of(other, held)):
            yield StaleImport(other, key)


def stale_names(name: str, namespace: Namespace, other: str, held: Namespace, text: str | None) -> Iterator[str]:
    """Yield the names in module `other`, whose namespace is `held`, as `stale_imports` does. `text` is its own."""
    found = set()
    for key, value in list(held.items()):
        if isinstance(value, (FunctionType, type)) and getattr(value, "__module__", None) == name:
            qualified = value.__qualname__
            if "." not in qualified and namespace.get(qualified) is not value:
                found.add(key)
                yield key
    for key, original in _imported_from(name, other, held, text):
        value, new = held.get(key, ABSENT), namespace.get(original, ABSENT)
        if key not in found and value is not ABSENT and not isinstance(value, ModuleType) and not same(value, new):
            yield key


def _imported_from(name: str, other: str, held: Namespace, text: str | None) -> Iterator[tuple[str, str]]:
    """Yield the names that the text of module `other` imports from module `name`, each with its name there."""
    last = re.escape(name.rpartition(".")[2])
    if text is None or not re.search(rf"\bfrom\s+[.\w]*(?:\b{last}|\.)\s+import\b", text):
        return
    package = str(held.get("__package__") or other)
    for level, source, key, original in _from_imports(text):
        try:
            absolute = importlib.util.resolve_name("." * level + source, package) if level else source
        except ImportError:
            continue
        if absolute == name:
            yield key, original


def _text_of(other: str, held: Namespace) -> str | None:
    record = known(other)
    if record is not None and record.current is not None:
        return record.current.text
    path = held.get("__file__")
    return "".join(linecache.getlines(path)) if isinstance(path, str) and _is_project_file(path) else None


@lru_cache(maxsize=4096)
def _is_project_file(path: str) -> bool:
    return is_project_file(path)  # it asks the file system, and a program has a thousand modules


@lru_cache(maxsize=64)
def _from_imports(text: str) -> tuple[tuple[int, str, str, str], ...]:
    """Return the from-imports at the top level of a text: dots, module, name here, name there.

    Without names that the text binds otherwise as well: what such a one stands for is another matter.
    """
    tree = module_or_none(text)
    if tree is None:
        return ()
    found = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.ImportFrom):
            found += [(node.level, node.module or "", each.asname or each.name, each.name) for each in node.names]
        elif isinstance(node, ast.Module | ast.If | ast.Try | ast.With | ast.ExceptHandler):
            waiting += ast.iter_child_nodes(node)
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    return tuple(each for each in found if each[2] not in bound)
