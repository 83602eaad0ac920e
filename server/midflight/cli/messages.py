"""The commands that send a process something, or let it go on: send, call, exit, kill, continue."""

from __future__ import annotations

import argparse

from midflight.cli.show import ask, attach, show
from midflight.errors import NotFound, RequestTimeout

__all__ = ["call", "exit", "go_on", "kill", "send"]

CALL_SECONDS = 5.0  # as in OTP
LATER_SECONDS = 10.0  # for the server to say that there is no answer


def send(options: argparse.Namespace) -> int:
    return _to_process(options, "process/send", options.expression)


def call(options: argparse.Namespace) -> int:
    seconds = options.timeout or CALL_SECONDS
    with attach(options) as client:
        patience = seconds + LATER_SECONDS
        answer = client.call("process/call", options.pid, options.expression, seconds, timeout_seconds=patience)
    return show(options, {"answer": answer}, lambda: str(answer))


def exit(options: argparse.Namespace) -> int:
    return _to_process(options, "process/exit", options.reason)


def kill(options: argparse.Namespace) -> int:
    return _to_process(options, "process/exit", "kill")


def go_on(options: argparse.Namespace) -> int:
    """Let a process go on that stands at a breakpoint or asks for a line, whichever front end has it."""
    if not ask(options, "process/continue", options.pid):
        raise NotFound("No process stands at a breakpoint or asks for a line; nothing was done. See midflight ps.")
    return 0


def _to_process(options: argparse.Namespace, method: str, what: str) -> int:
    answer = ask(options, method, options.pid, what)
    if not answer:
        raise NotFound(f"{options.pid} is not alive; nothing was sent. See midflight ps.")
    if isinstance(answer, str):  # what keeps it from taking the signal
        raise RequestTimeout(answer)
    return 0
