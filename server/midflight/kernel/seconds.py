"""Checks of a program's times: a wrong one is an error at once, in the caller, and no time passes.

A time is in seconds, of any type that is a real number: int, float, Decimal, Fraction, a numpy scalar. A bool is not
one. What cannot be waited for (below zero, NaN, an int that no float can hold) is a ValueError. OTP: badarg or
timeout_value.
"""

from __future__ import annotations

from midflight.text import short

__all__ = ["INFINITY", "LONG", "NUMBERS", "checked_seconds", "checked_timeout"]

INFINITY = float("inf")
NUMBERS = (float, int)  # types that need no conversion; not bool
NOTHING = "nothing was done"  # what an error says of all that is as it was
LONG = 1e9  # seconds; up to here an int or a float needs no further check than `0 <= it <= LONG`


def checked_seconds(what: str, value: object, unchanged: str = NOTHING, *, or_ever: bool = False) -> float:
    """Return `value` as seconds, not negative, and finite unless `or_ever`; `what` begins the message of an error, and
    `unchanged` says in it that all is as it was.

    Raises: TypeError if it is not a number; ValueError if it is not one that time can take.
    """
    found = _number(what, value, unchanged)
    if found == INFINITY and not or_ever:
        raise ValueError(f"{what} must be finite seconds, not {short(value)}; {unchanged}.")
    return found


def checked_timeout(what: str, value: object, unchanged: str = NOTHING) -> float | None:
    """Return `value` as seconds, None for as long as it takes, which infinity means too.

    Raises: as `checked_seconds`.
    """
    if value is None:
        return None
    found = _number(what, value, unchanged)
    return None if found == INFINITY else found


def _number(what: str, value: object, unchanged: str) -> float:
    kind = type(value)
    if kind is float or kind is int:
        found = value
    elif kind is bool or issubclass(kind, (str, bytes, bytearray)) or not hasattr(kind, "__float__"):
        raise _wrong_type(what, value, unchanged)
    else:
        found = value
    try:
        number = float(found)  # type: ignore[arg-type]  # it has a __float__
    except OverflowError:
        raise ValueError(f"{what} must be seconds that a float can hold, not {short(value)}; {unchanged}") from None
    except Exception as error:
        raise _wrong_type(what, value, unchanged) from error
    if not number >= 0:
        raise ValueError(f"{what} must be seconds >= 0, not {short(value)}; {unchanged}. 0 means at once")
    return found if kind is int and number <= LONG else number  # type: ignore[return-value]


def _wrong_type(what: str, value: object, unchanged: str) -> TypeError:
    return TypeError(f"{what} must be a number of seconds, not {short(value)}; {unchanged}. 0.5 is half a second")
