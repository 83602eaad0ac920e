"""The types of the command line's arguments: each a word in, a value out, or the reason why not."""

from __future__ import annotations

import argparse
import math

__all__ = ["count", "natural", "number", "port", "seconds", "word"]


def number(text: str) -> int:
    """Return an integer."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def count(text: str) -> int:
    """Return a positive integer."""
    found = number(text)
    if found < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return found


def natural(text: str) -> int:
    """Return an integer that is not negative."""
    found = number(text)
    if found < 0:
        raise argparse.ArgumentTypeError(f"{text} is not 0 or more")
    return found


def seconds(text: str) -> float:
    """Return a positive number of seconds."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 < found < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number of seconds")
    return found


def port(text: str) -> int:
    """Return the number of a port, 0 among them."""
    found = number(text)
    if not 0 <= found <= 65535:
        raise argparse.ArgumentTypeError(f"{found} is not a port, which are 0 to 65535")
    return found


def word(text: str) -> str:
    """Return a text that is not empty."""
    if not text.strip():
        raise argparse.ArgumentTypeError("an empty text names nothing")
    return text
