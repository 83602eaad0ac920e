"""Methods that act on one process: signals, messages and requests, a move to the current version, an edited state.

(call 5 process/send ("counter" "('increment', 3)"))       (return 5 t)
(call 6 process/call ("stock" "('count', 'tea')" nil))     (return 6 "40")
(call 7 process/state ("till"))
(return 7 (:pid "<0.37.0>" :name "till" :class "Till" :module "till" :text "total = 5\\n" :kept ()))
(call 8 process/replace-state ("till" "total = 6\\n" (:base "total = 5\\n")))
(return 8 (:pid "<0.37.0>" :name "till" :changed ("total") :removed () :attributes (("total" "6"))))
"""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import closing

from midflight.asking import hold_of
from midflight.code.lowlevel import readable
from midflight.dap import Stop
from midflight.epc.method import Lane, Method
from midflight.epc.methods.arguments import find_pid, keywords, text
from midflight.epc.methods.hold import stands_text
from midflight.epc.methods.process_view import items_list
from midflight.epc.pushes import Output
from midflight.epc.server import ServerConnection
from midflight.epc.services import Services
from midflight.errors import CallTimeout, NotFound, RequestError, RequestFailed, RequestTimeout
from midflight.kernel import Pid, exit, why_not_ended
from midflight.observer import move_one, replace_state, state_text
from midflight.parsing import UNPARSABLE, parse_expression
from midflight.shell import EvalResult, Session

__all__ = ["ProcessMethods"]

Plist = dict[str, object]

SIGNAL_SECONDS = 2.0  # for an exit signal to be taken
TURN_SECONDS = 0.1  # until later requests of the same client are let by
_PATIENCE_SECONDS = 0.25
_CALL_SECONDS = 5.0  # as in OTP
SECONDS = 5.0  # for the runtime to come to an expression
_REQUEST = "_the_request"
_STATE_OPTIONS = ("base", "force")


class ProcessMethods:
    """The processes, as one connection may use them, by expressions in Python as a person writes them.

    `output` gives the sink of its shell, None without one.
    """

    def __init__(self, services: Services, connection: ServerConnection, output: Callable[[], Output | None]) -> None:
        self._scheduler = services.scheduler
        self._names = services.names
        self._log = services.log
        self._connection = connection
        self._output = output

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("process/exit", self.exit),
            Method("process/move", self.move),
            Method("process/send", self.send),
            Method("process/call", self.call),
            Method("process/state", self.state, Lane.ASIDE),
            Method("process/replace-state", self.replace_state, Lane.ASIDE),
        )

    def exit(self, pid: object, reason: object) -> bool | str:
        """Send the process PID an exit signal; nil if it was dead already.

        A string says what keeps it from taking the signal, if it has not done so by two seconds: it still will.
        """
        target, why = find_pid(self._scheduler, pid), text(reason, "REASON")
        process = target.process
        if process is None:
            return False
        hold = hold_of(self._scheduler)
        exit(target, why)
        if why == "kill" and isinstance(hold, Stop) and hold.pid == target:
            hold.go_on()  # it dies where it stands; one that waits for a line does so by itself
        taken = self._scheduler.call_threadsafe(lambda: None)  # behind the signal
        try:
            taken.result(TURN_SECONDS)
        except FutureTimeout:
            self._connection.step_aside()
        try:
            taken.result(SIGNAL_SECONDS)
        except FutureTimeout:
            taken.cancel()
            if target.process is not None:
                return why_not_ended(self._scheduler, process)
        return True

    def move(self, pid: object) -> Plist:
        """Move the process PID to the current version, if it is idle; `:reason` says why it was not."""
        found = move_one(self._scheduler, find_pid(self._scheduler, pid))
        return {"moved": found.is_moved, "module": found.module, "version": found.version, "reason": found.reason}

    def send(self, pid: object, expression: object) -> bool:
        """Send the process PID the value of EXPRESSION in a shell; nil if it was dead already.

        Raises: RequestError if it is not an expression, or raises; RequestTimeout if the runtime does not come to it.
        """
        target, source = find_pid(self._scheduler, pid), _expression(expression)
        if target.process is None:
            return False
        with closing(Session(self._scheduler, io.StringIO())) as session:
            result = self._result(session, f"pid({target.number}) << (\n{source}\n)\n", SECONDS)
        if result.error is not None:
            raise RequestError(f"EXPRESSION could not be evaluated; nothing was sent.\n{result.error}")
        return True

    def call(self, pid: object, expression: object, seconds: object = None) -> str:
        """Call the server PID with the value of EXPRESSION in a shell; return its answer as printed.

        SECONDS is how long it may take, 5 if nil. Requests behind this one do not wait for it for long.
        Raises: NotFound if it is dead; RequestTimeout if it is late with its answer; RequestFailed if it ends before it
        answers; RequestError if EXPRESSION is not one, or raises.
        """
        target, source, patience = find_pid(self._scheduler, pid), _expression(expression), _seconds(seconds)
        said = _said(pid, target)
        if target.process is None:
            raise NotFound(f"{said} is not alive; nothing was asked. See midflight ps.")
        asking = f"await __import__('midflight').call(pid({target.number}), {_REQUEST}, timeout={patience!r})\n"
        with closing(Session(self._scheduler, io.StringIO())) as session:
            asked = self._result(session, f"{_REQUEST} = (\n{source}\n)\n", SECONDS)
            if asked.error is not None:
                raise RequestError(f"EXPRESSION could not be evaluated; nothing was asked.\n{asked.error}")
            answer = self._result(session, asking, patience + SECONDS)
        if answer.error is None:
            return answer.value or "None"
        if answer.error.rstrip().rpartition("\n")[2].startswith(f"{CallTimeout.__module__}.{CallTimeout.__name__}: "):
            raise RequestTimeout(
                f"{said} has not answered within {patience:g} s. It has the request, and may carry it out still. "
                f"See what it does before you ask again: midflight state {pid}"
            )
        end = "has ended" if target.process is None else "has not answered, and lives"
        raise RequestFailed(
            f"{said} {end}. What it did for the request stays done; see what that was, mend it, and ask again.\n"
            f"{readable(answer.error)}"
        )

    def _result(self, session: Session, source: str, seconds: float) -> EvalResult:
        """Return the outcome of an input. Raises: RequestTimeout if it has none within `seconds`; it is given up."""
        evaluation = session.eval(source)
        try:
            return evaluation.result(_PATIENCE_SECONDS)
        except FutureTimeout:
            self._connection.step_aside()
        try:
            return evaluation.result(max(seconds - _PATIENCE_SECONDS, 0))
        except FutureTimeout:
            holder, hold = self._scheduler.current(), hold_of(self._scheduler)
            if hold is not None:
                raise RequestTimeout(
                    f"No answer came within {seconds:g} s, and whether it was done is not known. "
                    f"{stands_text(self._scheduler, hold)}"
                ) from None
            see = "See midflight ps."
            if holder is not None:
                see = f"The process {holder.pid!r} does not yield: midflight exit {holder.pid!r} kill"
            raise RequestTimeout(
                f"The runtime has not come to it within {seconds:g} s, and it was given up. {see}"
            ) from None

    def state(self, pid: object) -> Plist:
        """Return the state of the server PID as text: `name = expression` for each attribute.

        :kept are those that no expression makes; their lines, `lock = lock`, leave them as they are.
        """
        found = state_text(self._scheduler, find_pid(self._scheduler, pid))
        return {
            "pid": repr(found.pid),
            "name": found.name,
            "class": found.class_name,
            "module": found.module,
            "text": found.text,
            "kept": found.kept,
        }

    def replace_state(self, pid: object, source: object, options: object = None) -> Plist:
        """Put TEXT, an edited state, into the live server PID, between two messages, all of it or nothing.

        OPTIONS: `:base`, the text that was edited: only what differs is put in, and only if that attribute is as in it
        still; `:force`, to put it in all the same.
        """
        chosen = keywords(options, _STATE_OPTIONS)
        found = replace_state(
            self._scheduler,
            find_pid(self._scheduler, pid),
            text(source, "TEXT"),
            base="" if chosen.get("base") is None else text(chosen["base"], ":base"),
            force=bool(chosen.get("force")),
            sink=self._output() or self._log,
            names=self._names,
        )
        return {
            "pid": repr(found.pid),
            "name": found.name,
            "changed": found.changed,
            "removed": found.removed,
            "attributes": items_list(found.attributes),
        }


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
