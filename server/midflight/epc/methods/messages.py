"""Methods that hand a process the value of an expression: as a message, or as a request that it answers.

(call 5 process/send ("counter" "('increment', 3)"))       (return 5 t)
(call 6 process/call ("stock" "('count', 'tea')" nil))     (return 6 "40")
"""

from __future__ import annotations

import io
from concurrent.futures import TimeoutError as FutureTimeout

from midflight.epc.method import Method
from midflight.epc.methods.arguments import text
from midflight.epc.methods.pids import find_pid
from midflight.epc.server import ServerConnection
from midflight.epc.services import Services
from midflight.errors import RequestError
from midflight.kernel import Pid
from midflight.parsing import UNPARSABLE, parse_expression
from midflight.shell import Session

__all__ = ["MessageMethods"]

_PATIENCE_SECONDS = 0.25
_CALL_SECONDS = 5.0  # as in OTP


class MessageMethods:
    """Messages and requests to processes, in Python as a person writes them."""

    def __init__(self, services: Services, connection: ServerConnection) -> None:
        self._scheduler = services.scheduler
        self._connection = connection

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (Method("process/send", self.send), Method("process/call", self.call))

    def send(self, pid: object, expression: object) -> bool:
        """Send the process PID the value of EXPRESSION in a shell; nil if it was dead already.

        Raises: RequestError if it is not an expression, or raises.
        """
        target, source = find_pid(self._scheduler, pid), _expression(expression)
        if target.process is None:
            return False
        self._evaluate(f"pid({target.number}) << (\n{source}\n)\n", "EXPRESSION could not be evaluated")
        return True

    def call(self, pid: object, expression: object, seconds: object = None) -> str:
        """Call the server PID with the value of EXPRESSION in a shell; return its answer as printed.

        SECONDS is how long it may take, 5 if nil. Requests behind this one do not wait for it for long.
        Raises: RequestError if it is dead, not a server, or late with its answer; if EXPRESSION is not one, or raises.
        """
        target, source, patience = find_pid(self._scheduler, pid), _expression(expression), _seconds(seconds)
        if target.process is None:
            raise RequestError(f"{_said(pid, target)} is not alive; nothing was asked. See midflight ps.")
        asking = f"await __import__('midflight').call(pid({target.number}), (\n{source}\n), timeout={patience!r})\n"
        return self._evaluate(asking, f"{_said(pid, target)} gave no answer")

    def _evaluate(self, source: str, trouble: str) -> str:
        session = Session(self._scheduler, io.StringIO())
        try:
            evaluation = session.eval(source)
            try:
                result = evaluation.result(_PATIENCE_SECONDS)
            except FutureTimeout:
                self._connection.step_aside()
                result = evaluation.result()
        finally:
            session.close()
        if result.error is not None:
            raise RequestError(f"{trouble}; nothing was changed by that.\n{result.error}")
        return result.value or "None"


def _said(pid: object, target: Pid) -> str:
    """Return the pid as a person wrote it, and the pid itself."""
    return repr(target) if pid == repr(target) else f"{pid} ({target!r})"


def _expression(value: object) -> str:
    """Return the text of an expression. Raises: RequestError if it is not one."""
    source = text(value, "EXPRESSION").strip()
    try:
        parse_expression(source)
    except UNPARSABLE as error:
        said = error.msg if isinstance(error, SyntaxError) else error
        raise RequestError(
            f"EXPRESSION is not one Python expression ({said}): {value!r}; nothing was sent. "
            'Send one, for instance ("increment", 3).'
        ) from None
    return source


def _seconds(value: object) -> float:
    """Return a time limit. Raises: RequestError if it is not a positive number."""
    if value is None:
        return _CALL_SECONDS
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise RequestError(f"SECONDS must be a positive number, received {value!r}; nothing was sent. Send one or nil.")
    return value
