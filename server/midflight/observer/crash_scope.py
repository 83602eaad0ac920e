"""The names of a crashed process, frame by frame, for expressions that a person tries there. OTP has no such thing.

Kept are the objects that the local names meant, as they are when an expression looks at them; not those that would keep
a version alive (functions, classes, coroutines, tasks, exceptions), nor those that close something when they are freed.
The names of the module are those of the version that ran, if anything still keeps that, else of the current one.
"""

from __future__ import annotations

import sys
from asyncio import Future
from collections.abc import Sequence
from dataclasses import dataclass
from types import (
    AsyncGeneratorType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
    TracebackType,
)
from typing import Any

from midflight.code.lowlevel import Version, version_of_namespace
from midflight.kernel import locals_of

__all__ = ["Scope", "scopes_of"]

_OF_A_VERSION = (
    type,
    FunctionType,
    MethodType,
    CodeType,
    CoroutineType,
    GeneratorType,
    AsyncGeneratorType,
    FrameType,
    TracebackType,
    BaseException,
    Future,
)
_CLOSING = ("fileno", "close", "__exit__", "__aexit__", "__del__")


@dataclass(frozen=True, slots=True)
class Scope:
    """The names in one frame: of its function, and of its module in the version that ran, None if it has none."""

    module: str
    version: Version | None
    locals: dict[str, Any]
    missing: tuple[str, ...]

    def names(self) -> tuple[dict[str, Any], int | None]:
        """Return the names in a dict of their own, and the number of the version that those of the module are of."""
        namespace, number = None, None
        if self.version is not None:
            namespace, number = self.version.namespace, self.version.number
        if namespace is None:
            module = sys.modules.get(self.module)
            namespace = {} if module is None else vars(module)
            current = version_of_namespace(namespace)
            number = None if current is None else current.number
        names = {**namespace, **self.locals}
        names.pop("__builtins__", None)  # by which the names of a shell are known
        return names, number


def scopes_of(frames: Sequence[FrameType]) -> tuple[Scope, ...]:
    """Return the scope of each of `frames`."""
    return tuple(map(_scope, frames))


def _scope(frame: FrameType) -> Scope:
    found = {} if frame.f_code.co_name == "<module>" else locals_of(frame)
    kept = {name: value for name, value in found.items() if _is_kept(value)}
    module = frame.f_globals.get("__name__")
    return Scope(
        module=module if type(module) is str else "?",
        version=version_of_namespace(frame.f_globals),
        locals=kept,
        missing=tuple(sorted(found.keys() - kept.keys())),
    )


def _is_kept(value: object) -> bool:
    kind = type(value)
    return not issubclass(kind, _OF_A_VERSION) and not any(hasattr(kind, name) for name in _CLOSING)
