"""`Acceptance`: the states that a class of servers takes, as it is written down with a state on a disk.

A state that was kept needs its class's `code_change` by the same rule as a live one: the module's `__vsn__` is another,
or the `code_change` was not there before, or reads otherwise. Layout and comments do not count.
"""

from __future__ import annotations

import ast
import sys
import tokenize
from hashlib import blake2b
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from midflight.code.identity.fields import declared
from midflight.code.source.trees import tree_or_none
from midflight.code.upgrade.callbacks import CALLBACK, definer_of, newest_version_with
from midflight.code.version.import_watch import noted_text
from midflight.code.version.modules import known

__all__ = ["Acceptance", "Shape", "acceptance_of", "digest_in", "is_change_due", "shape_of", "tree_of"]


class Acceptance(NamedTuple):
    """Of the class that made or changed a state: its module's `vsn`, and the digest of its `code_change`, "" for none.

    `is_explicit` says that the module sets `__vsn__`; else `vsn` is the digest of the module's text.
    """

    vsn: object
    is_explicit: bool
    digest: str


class Shape(NamedTuple):
    """The digest of the definition of a class, "" if its text is not known, and the fields that it declares."""

    digest: str
    fields: tuple[str, ...] | None


_digests: WeakKeyDictionary[type[Any], dict[str, str]] = WeakKeyDictionary()


def acceptance_of(cls: type[Any]) -> Acceptance:
    """Return which states `cls` takes now."""
    version = newest_version_with(cls)
    definer = definer_of(cls)
    digest = "" if definer is None else _digest(definer, CALLBACK)
    if version is None:
        return Acceptance("", False, digest)
    return Acceptance(version.vsn, version.vsn != version.digest, digest)


def is_change_due(before: Acceptance, cls: type[Any]) -> bool:
    """Say whether the `code_change` of `cls` has something to do for a state that was accepted as `before` says."""
    now = acceptance_of(cls)
    if definer_of(cls) is None:
        return False
    return now.digest != before.digest or (now.is_explicit and now.vsn != before.vsn)


def shape_of(cls: type[Any]) -> Shape:
    """Return the digest of the definition of `cls`, and the fields that it declares, None if it says nothing."""
    fields = declared(cls)
    return Shape(_digest(cls, ""), None if fields is None else tuple(fields))


def _digest(cls: type[Any], method: str) -> str:
    """Return the digest of the definition of `cls`, or of one of its methods, "" if its text is not known."""
    found = _digests.setdefault(cls, {})
    if method not in found:
        found[method] = _digest_of_text(cls, method)
    return found[method]


def _digest_of_text(cls: type[Any], method: str) -> str:
    path = f"{cls.__qualname__}.{method}" if method else cls.__qualname__
    tree = tree_of(cls)
    return "" if tree is None else digest_in(tree, path.split("."))


def tree_of(cls: type[Any]) -> ast.Module | None:
    """Return the syntax tree of the text that `cls` is in, None if that is not known."""
    version = newest_version_with(cls)
    text = version.text if version is not None else None
    if text is None and known(cls.__module__) is None:  # a module that was imported, and never loaded
        module = sys.modules.get(cls.__module__)
        text = (None if module is None else noted_text(module)) or _text_of_file(cls.__module__)
    return None if text is None else tree_or_none(text)


def _text_of_file(module: str) -> str | None:
    file = getattr(sys.modules.get(module), "__file__", None)
    if not isinstance(file, str) or not file.endswith(".py"):
        return None
    try:
        with tokenize.open(file) as stream:
            return stream.read()
    except (OSError, SyntaxError, UnicodeDecodeError):
        return None


def digest_in(tree: ast.Module, path: list[str]) -> str:
    """Return the digest of the definition at `path`, names from outside in, "" if there is none."""
    found: ast.AST = tree
    for name in path:
        body = reversed(getattr(found, "body", ()))
        inner = next((each for each in body if getattr(each, "name", None) == name), None)
        if inner is None:
            return ""
        found = inner
    # As Python writes it: that is the same for all versions of Python, unlike a dump of the tree.
    return blake2b(ast.unparse(found).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
