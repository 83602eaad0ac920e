"""Checks of what a request carries: the right type, or an error that says what was expected."""

from __future__ import annotations

import os
from collections.abc import Collection

from midflight.errors import RequestError

__all__ = ["absolute_path", "flags", "keywords", "number", "text"]


def text(value: object, name: str) -> str:
    """Return `value`. Raises: RequestError if it is no string."""
    if not isinstance(value, str):
        raise RequestError(f"{name} must be a string, received {value!r}; nothing was done. Send a string.")
    return value


def number(value: object, name: str) -> int:
    """Return `value`. Raises: RequestError if it is no integer."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise RequestError(f"{name} must be an integer, received {value!r}; nothing was done. Send an integer.")
    return value


def absolute_path(value: object, name: str) -> str:
    """Return `value`. Raises: RequestError if it is no absolute path."""
    path = text(value, name)
    if not os.path.isabs(path):
        raise RequestError(
            f"{name} must be an absolute path, received {path!r}; nothing was done. Send the whole path."
        )
    return path


def flags(value: object, allowed: Collection[str]) -> dict[str, bool]:
    """Return a property list of switches as keyword arguments; nil is none of them.

    Raises: RequestError for anything else, an unknown switch among them.
    """
    return {name: bool(switch) for name, switch in keywords(value, allowed).items()}


def keywords(value: object, allowed: Collection[str]) -> dict[str, object]:
    """Return a property list as a dict; nil is an empty one.

    Raises: RequestError for anything else, an unknown keyword among them.
    """
    if value is None:
        return {}
    if not isinstance(value, dict) or not value.keys() <= set(allowed):
        allowed_words = " ".join(":" + name.replace("_", "-") for name in allowed)
        raise RequestError(
            f"OPTIONS must be nil or a property list of {allowed_words}, received {value!r}; nothing was done. "
            "Send one of these forms."
        )
    return dict(value)
