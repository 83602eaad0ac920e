"""The code that a module's own loader makes of a text: so what instruments a module goes on doing so after a load.

Type checkers at run time and test runners put a loader of their own before a module, which changes its syntax tree.
A version must go through the same loader, with the questions of a load (what is kept) in the tree, and under the file
name of the version. `code_of_tree` hands the loader the text, and puts the tree in the place of what the loader parses.

Law: nothing here writes byte code, runs a body, or changes the loader: what is asked is a copy of it.
"""

from __future__ import annotations

import ast
import builtins
import copy
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from importlib.util import LazyLoader, decode_source
from types import CodeType
from typing import Any

from midflight.collection import without_collection
from midflight.parsing import asks_for_tree, parse_module, undisturbed

__all__ = ["LoaderFault", "code_by_loader", "code_of_tree", "is_plain", "unwrapped"]

# The loader of pytest, which has neither `get_code` nor `source_to_code`: it rewrites a tree by `rewrite_asserts`.
PYTEST = ("_pytest.assertion.rewrite", "AssertionRewritingHook")

ASKED = ("get_code", "source_to_code")

_one_at_a_time = threading.RLock()


class LoaderFault(Exception):
    """A loader that has raised, with its error as the cause. A text that is not Python is not such a fault."""

    def __init__(self, loader: object, error: BaseException) -> None:
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        super().__init__(f"its loader, {type(loader).__module__}.{type(loader).__qualname__}, raised {said}")


def unwrapped(loader: object) -> object:
    """Return the loader that a lazy loader puts off, else the loader itself."""
    return vars(loader)["loader"] if type(loader) is LazyLoader else loader


def is_plain(loader: object) -> bool:
    """Say whether a loader makes of a text what the compiler makes of it, or cannot be asked what it makes."""
    kind = type(loader)
    if loader is None or kind is SourceFileLoader:  # most of them
        return True
    if _is_pytests(loader):
        return False
    if not all(hasattr(kind, name) for name in ASKED):
        return True
    return all(getattr(kind, name) is getattr(SourceFileLoader, name) for name in ASKED)


def code_by_loader(loader: object, name: str, data: bytes, path: str) -> CodeType | None:
    """Return the code that a loader makes of the contents of module `name`; None if it makes none.

    Raises: what the loader raises.
    """
    if is_plain(loader):
        make = getattr(loader, "source_to_code", None)
        code = None if make is None else make(data, path)
    elif _is_pytests(loader):
        code = _by_pytest(loader, parse_module(decode_source(data), path), data, path)
    else:
        code = _asked(loader, name, data, path)
    return code if isinstance(code, CodeType) else None


def code_of_tree(
    loader: Any, name: str, tree: ast.Module, text: str, encoding: str, file: str
) -> tuple[CodeType, bool]:
    """Return the code that a loader makes of `tree`, a version of the tree of `text`, with `file` as its file name.

    The second value says whether it is the code of the tree: a loader that parses no text with `compile` or `ast.parse`
    makes that of the text. The tree stays as it is. Raises: LoaderFault; SyntaxError.
    """
    data = text.encode(encoding)
    try:
        if _is_pytests(loader):
            return _by_pytest(loader, _copied(tree), data, file), True
        with _one_at_a_time, _parsed_as(loader, tree, file) as is_taken:
            code = _asked(loader, name, data, file)
    except SyntaxError:
        raise
    except Exception as error:
        raise LoaderFault(loader, error) from error
    if not isinstance(code, CodeType):
        raise LoaderFault(loader, TypeError(f"no code, but {type(code).__name__}"))
    if not is_taken and code == compile(text, file, "exec", dont_inherit=True):  # it has nothing to do with this module
        return compile(tree, file, "exec", dont_inherit=True), True
    return code, bool(is_taken)


def _is_pytests(loader: object) -> bool:
    return (type(loader).__module__, type(loader).__qualname__) == PYTEST


def _by_pytest(loader: Any, tree: ast.Module, data: bytes, file: str) -> CodeType:
    sys.modules[PYTEST[0]].rewrite_asserts(tree, data, file, loader.config)
    code: CodeType = compile(tree, file, "exec", dont_inherit=True)
    return code


def _asked(loader: Any, name: str, data: bytes, file: str) -> object:
    """Have a copy of `loader` make the code of `data`, as of the contents of `file`."""
    asked = copy.copy(loader)
    asked.path = file
    asked.get_filename = lambda _=None: file
    asked.get_data = lambda _: data
    asked.path_stats = _no_stats  # so it looks for no byte code, and writes none
    return undisturbed(asked.get_code, getattr(loader, "name", name))


def _no_stats(path: str) -> dict[str, Any]:
    raise OSError(f"{path} is not asked for")


@contextmanager
def _parsed_as(loader: object, tree: ast.Module, file: str) -> Iterator[list[bool]]:
    """Have who parses `file` get a copy of `tree` while the block runs; the list that is given says who did.

    `compile` is another one for `ast.parse` and in the modules of the loader's classes, and there for this file only.
    """
    taken: list[bool] = []

    def parse(source: Any, filename: Any, mode: str, flags: int = 0, *args: Any, **options: Any) -> Any:
        if filename == file and mode == "exec" and asks_for_tree(flags) and not isinstance(source, ast.AST):
            taken.append(True)
            return _copied(tree)
        return builtins.compile(source, filename, mode, flags, *args, **options)

    places = [vars(ast)]
    for kind in type(loader).__mro__:
        module = sys.modules.get(kind.__module__)
        if module is not None and kind.__module__ != "builtins" and not kind.__module__.startswith("_frozen"):
            places.append(vars(module))
    places = [place for place in places if "compile" not in place]
    for place in places:
        place["compile"] = parse
    try:
        yield taken
    finally:
        for place in places:
            place.pop("compile", None)


def _copied(tree: ast.Module) -> ast.Module:
    copied: Callable[[ast.Module], ast.Module] = copy.deepcopy
    return without_collection(copied, tree)
