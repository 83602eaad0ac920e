"""The command line: arguments in, text or JSON out. It decides nothing; the server and the application do.

The exit codes are in choices.py.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from midflight.cli.choices import EXIT_CODES
from midflight.cli.ending import tell
from midflight.cli.parser import parser
from midflight.errors import MidflightError

__all__ = ["main"]

_CLOSED = 141  # what a shell says of a program that SIGPIPE has ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    options: argparse.Namespace | None = None
    try:
        try:
            options = parser().parse_args(arguments)
            return _run(options)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        _let_go_of_output()
        return _CLOSED
    except OSError as error:
        _let_go_of_output()
        said = f"{error.strerror or error}; what was done before that stays done. Mend that, and try again."
        print(f"midflight: {said}", file=sys.stderr)
        return EXIT_CODES["failed"]
    except KeyboardInterrupt:  # while a command ends, else `_run` has taken it
        if options is None or getattr(options, "is_program", False):
            raise
        return _broken_off()


def _run(options: argparse.Namespace) -> int:
    module, _, function = options.run.partition(":")
    try:
        # Only now: the server is not imported by a command that asks it.
        return int(getattr(import_module(f"midflight.cli.{module}"), function)(options))
    except (MidflightError, TimeoutError) as error:
        return tell(options, error)
    except (KeyboardInterrupt, RuntimeError) as error:
        if getattr(options, "is_program", False) or not _is_ctrl_c(error):
            raise  # the program's own: Python ends by the signal, as it does without us
        return _broken_off()


def _broken_off() -> int:
    """Return the exit code. `python -m` ends by SIGINT if that fell into a text that was run, as a namedtuple is."""
    exec("")  # the last such text counts
    return EXIT_CODES["broken-off"]


def _is_ctrl_c(error: BaseException) -> bool:
    """Say whether it is Ctrl-C's. Python 3.11 wraps what is raised while a class is made, in an import say."""
    return isinstance(error, KeyboardInterrupt) or isinstance(error.__cause__, KeyboardInterrupt)


def _let_go_of_output() -> None:
    """Let the interpreter's last flush, of what nobody takes, go nowhere."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        pass  # it has no descriptor: nothing is flushed at the end
