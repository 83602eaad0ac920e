"""`same`: two values of one name that nobody can tell apart, so that either version's will do."""

from __future__ import annotations

import collections.abc
import types
import typing
from collections.abc import Sequence
from types import EllipsisType, NoneType

from midflight.code.source.look import carried_module, carried_name, is_a

__all__ = ["NEVER_CHANGE", "class_path", "same"]

# By id: a class is as equal to another one as its metaclass says, which may be anything.
PLAIN = frozenset(map(id, (NoneType, EllipsisType, bool, int, str, bytes, range)))

# Values of the standard library that never change, by name: not everybody wants these modules imported.
NEVER_CHANGE = frozenset(
    "builtins.float builtins.complex re.Pattern decimal.Decimal fractions.Fraction uuid.UUID "
    "datetime.date datetime.time datetime.datetime datetime.timedelta datetime.timezone "
    "pathlib.PosixPath pathlib.PurePosixPath pathlib._local.PosixPath pathlib._local.PurePosixPath".split()
)

Types = (types.UnionType, types.GenericAlias, type(typing.List[int]), type(typing.Union[int, str]))  # noqa: UP006, UP007


def same(old: object, new: object) -> bool:
    """Say whether two values are one object, or equal constants: numbers, texts, and tuples, sets or types of such.

    A list or dict never counts as equal: a change to one does not change the other. Types made of the same types are.
    """
    if old is new:
        return True
    kind = type(old)
    if kind is not type(new):
        return False
    if id(kind) in PLAIN:
        return old == new
    if class_path(kind) in NEVER_CHANGE:
        return repr(old) == repr(new)  # so that 0.0 is not -0.0, and nan is nan
    if kind is tuple and isinstance(old, tuple) and isinstance(new, tuple):
        return _same_each(old, new)
    if kind is frozenset and isinstance(old, frozenset) and isinstance(new, frozenset):
        return len(old) == len(new) and all(any(same(each, other) for other in new) for each in old)
    if is_a(old, *Types):
        origin, other = typing.get_origin(old), typing.get_origin(new)
        of_callable = origin is collections.abc.Callable  # whose parameters are a list
        return same(origin, other) and _same_each(typing.get_args(old), typing.get_args(new), lists=of_callable)
    return False


def class_path(kind: type) -> str:
    """Return module and name of a class, "" in the place of a module that it does not name."""
    return f"{carried_module(kind) or ''}.{carried_name(kind)}"


def _same_each(old: Sequence[object], new: Sequence[object], *, lists: bool = False) -> bool:
    return len(old) == len(new) and all(
        _same_each(one, other) if lists and type(one) is list and type(other) is list else same(one, other)
        for one, other in zip(old, new, strict=True)
    )
