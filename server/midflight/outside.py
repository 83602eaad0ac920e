"""Exceptions that are raised into code from outside it: a kill, the user's Ctrl-C.

Wherever they surface, they are not the doing of the code that they surfaced in. So the callers that contain the errors
of such code (a `__repr__`, a timer, a listener) let these pass. A KeyboardInterrupt that a program raises is its own.
"""

from __future__ import annotations

__all__ = ["FromOutside", "TookTooLong", "is_from_outside", "mark"]

_MARK = "raised by a signal"  # no name that a program's attribute can have by accident


class FromOutside(BaseException):
    """The base of exceptions that are always raised into code by somebody else."""


class TookTooLong(BaseException):
    """Raised in a `__repr__`, a clean-up, a listener that has not returned in time while every process waits for it.

    It breaks off that piece of code, so a caller that contains the errors of the piece contains this one, too.
    """


def mark(error: KeyboardInterrupt) -> KeyboardInterrupt:
    """Mark `error`, made by the handler of a real signal, as from outside; return it."""
    error.__dict__[_MARK] = True
    return error


def is_from_outside(error: BaseException) -> bool:
    """Say whether `error` was raised by somebody else into the code that it surfaced in. Runs no code of `error`'s."""
    return issubclass(type(error), FromOutside) or (type(error) is KeyboardInterrupt and _MARK in error.__dict__)
