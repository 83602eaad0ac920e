"""The kinds of values of module-level names: containers, scalars, objects, and values that are never state. Pure."""

from __future__ import annotations

import enum
import functools
import logging
import types
import typing
from contextvars import ContextVar
from typing import Any, Literal, NewType, ParamSpec, TypeVar, TypeVarTuple

from midflight.code.source.same_value import NEVER_CHANGE, class_path
from midflight.code.state.base import is_container

__all__ = ["Kind", "is_mock", "kind_of"]

Kind = Literal["container", "scalar", "object"]

SCALARS = frozenset(
    {types.NoneType, types.EllipsisType, types.NotImplementedType, bool, int, float, complex, str, bytes, range}
    | {tuple, frozenset, slice}
)

# Definitions, and objects that are what their statement makes of them each time, or known by identity.
NEVER = (
    *(type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType, functools.partial),
    *(types.MethodWrapperType, types.WrapperDescriptorType, types.MethodDescriptorType, staticmethod, classmethod),
    *(property, types.GenericAlias, types.UnionType, type(typing.List[int]), type(typing.Any)),  # noqa: UP006
    *(type(functools.lru_cache(len)), logging.Logger, logging.LoggerAdapter, logging.Handler),
    *(ContextVar, TypeVar, ParamSpec, TypeVarTuple, NewType),
)


def is_mock(value: Any) -> bool:
    """Say whether a value is of a library that puts objects in the place of others for a while."""
    return str(getattr(type(value), "__module__", "")).startswith(("unittest.mock", "mock.", "wrapt."))


def kind_of(value: Any) -> Kind | None:
    """Return the kind of a value of state; None for one that is never state. Asks the value nothing."""
    kind = type(value)
    if is_container(value):
        return "container"
    if kind is tuple and _holds_container(value):
        return "object"
    if kind in SCALARS or issubclass(kind, enum.Enum) or class_path(kind) in NEVER_CHANGE:
        return "scalar"
    if kind is object or issubclass(kind, NEVER):
        return None
    return "object"


def _holds_container(value: tuple[Any, ...]) -> bool:
    waiting = [value]
    for each in waiting:  # grows as it goes
        if any(map(is_container, each)):
            return True
        waiting += [inner for inner in each if type(inner) is tuple]
    return False
