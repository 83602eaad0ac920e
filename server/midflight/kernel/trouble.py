"""The last resort: a report of a failure in the program where it cannot end any process.

A timer, a listener, a log handler, a function that another thread posted. It is said on the logger `midflight`, and
if that fails, on the standard error; if that fails too, it is lost. The others must go on.
"""

from __future__ import annotations

import logging
import sys

from midflight.outside import is_from_outside
from midflight.text import encodable, exception_text

__all__ = ["log", "log_raised", "tell"]

logger = logging.getLogger("midflight")


def tell(what: str, error: BaseException, level: int = logging.ERROR) -> None:
    """Say that `what`, the subject of a sentence, raised `error`. Raises: `error` again, if it came from outside."""
    if is_from_outside(error):
        raise error
    log_raised(logger, f"{what} raised; everything else goes on.", error, level)


def log_raised(to: logging.Logger, text: str, error: BaseException, level: int = logging.ERROR) -> None:
    """Log `text` and the traceback of `error`, as `log` does."""
    log(to, level, f"{text}\n{exception_text(error)}")


def log(to: logging.Logger, level: int, text: str, **extra: object) -> None:
    """Log `text`; if a filter or a handler raises, write it, and that exception, to the standard error instead."""
    try:
        to.log(level, "%s", text, extra=extra)
    except BaseException as error:  # a program's filter or handler
        if is_from_outside(error):
            raise
        _write(f"{text}\nThe log {to.name} raised, so this is said here:\n{exception_text(error)}")


def _write(text: str) -> None:
    for stream in (sys.stderr, sys.__stderr__):  # the first may be the group leader of the process that runs now
        try:
            if stream is not None:
                stream.write(encodable(text) + "\n")
                return
        except BaseException as error:  # a stream that is closed, or somebody's own
            if is_from_outside(error):
                raise
