"""Methods about shells: each connection opens its own, and they end with it.

(call 6 shell/open nil)                   (return 6 (:session 1 :number 1 :banner "Midflight 0.1.0, ..."))
(call 7 shell/eval (1 "pid << (\\"print\\",)"))
                                          (call 1 shell/output (1 "Sum is 3\\n"))
                                          (return 7 (:status "ok" :number 4 :value "('print',)" :error ()))
"""

from __future__ import annotations

from concurrent.futures import TimeoutError as FutureTimeout
from functools import partial

from midflight.epc.method import AnswerThen, Lane, Method
from midflight.epc.methods.arguments import keywords, number, text
from midflight.epc.pushes import Output
from midflight.epc.server import ServerConnection
from midflight.epc.services import Services
from midflight.epc.shells import OpenShell
from midflight.errors import RequestError
from midflight.shell import EvalResult, Session

__all__ = ["ShellMethods"]

_PATIENCE_SECONDS = 0.25


class ShellMethods:
    """The shells of one connection, by number."""

    def __init__(self, services: Services, connection: ServerConnection) -> None:
        self._services = services
        self._connection = connection
        self._shells: dict[int, OpenShell] = {}
        self._is_over = False
        connection.at_close(self._end)

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("shell/open", self.open),
            Method("shell/eval", self.eval),
            Method("shell/wait", self.wait),
            Method("shell/close", self.close),
            Method("interrupt", self.interrupt, Lane.ASIDE),
        )

    def output(self) -> Output | None:
        """Return the sink of the connection's first open shell, None without one."""
        return next((shell.output for shell in self._shells.values()), None)

    def open(self, options: object = None) -> dict[str, object] | AnswerThen:
        """Open a shell; it is closed with the connection.

        OPTIONS: `:writers`, so that `shell/output` says who printed what; `:keep`, so that the shell waits for another
        connection if this one is lost; `:resume` SESSION, to go on with such a shell, or open one if that is gone.
        """
        chosen = keywords(options, ("writers", "keep", "resume"))
        wanted = chosen.get("resume")
        if wanted is not None:
            parked = self._services.parked.take(number(wanted, "SESSION"))
            if parked is not None:
                self._shells[parked.number] = parked
                answers = [_plist(result) for result in parked.take_answers()]
                answer = self._opened(parked) | {"resumed": True, "busy": parked.is_busy, "answers": answers}
                # Output that waits comes after the answer: before it, the editor does not know the shell.
                return AnswerThen(answer, partial(parked.output.resume, self._connection))
        shell = self._new(has_writers=bool(chosen.get("writers")), is_kept=bool(chosen.get("keep")))
        return self._opened(shell)

    def _opened(self, shell: OpenShell) -> dict[str, object]:
        return {"session": shell.number, "number": shell.session.number, "banner": self._services.banner}

    def _new(self, *, has_writers: bool, is_kept: bool) -> OpenShell:
        key = next(self._services.sessions)
        output = Output(self._connection, key, self._services.log, tells_writers=has_writers, is_kept=is_kept)
        output.owner = f"shell {key}, {self._connection.title}"
        shell = OpenShell(key, Session(self._services.scheduler, output), output, is_kept=is_kept)
        self._shells[key] = shell
        return shell

    def _end(self) -> None:
        """Close or park the shells: the connection has ended."""
        self._is_over = True
        shells, self._shells = self._shells, {}
        for shell in shells.values():
            if shell.is_kept:
                self._services.parked.park(shell)
            else:
                shell.close()

    def eval(self, session: object, source: object) -> dict[str, object]:
        """Evaluate SOURCE in SESSION. What it printed has left before the answer does.

        One that takes longer than a moment does not hold up the requests behind it: while a shell waits for a
        message, its editor still loads code. Evaluations of one shell run one after another all the same.
        """
        shell = self._find(session)
        shell.begin()
        try:
            evaluation = shell.session.eval(text(source, "SOURCE"))
            try:
                result = evaluation.result(_PATIENCE_SECONDS)
            except FutureTimeout:
                self._connection.step_aside()
                result = evaluation.result()
            if self._is_over:
                shell.keep(result)
            else:
                shell.output.drain()
        finally:
            shell.end()
        return _plist(result)

    def wait(self, session: object) -> list[dict[str, object]]:
        """Wait until SESSION, which was resumed while it evaluated, has done so; return the answers it kept."""
        shell = self._find(session)
        if not shell.wait(_PATIENCE_SECONDS):
            self._connection.step_aside()
            shell.wait()
        shell.output.drain()
        return [_plist(result) for result in shell.take_answers()]

    def close(self, session: object) -> bool:
        """Close SESSION. Processes that it started live on; their output goes to the server's log."""
        shell = self._find(session)
        del self._shells[number(session, "SESSION")]
        shell.close()
        return True

    def interrupt(self, session: object) -> bool:
        """Break off what SESSION evaluates now; nil if it evaluates nothing."""
        return self._find(session).session.interrupt()

    def session(self, session: object) -> Session:
        """Return the session of the shell SESSION. Raises: RequestError."""
        return self._find(session).session

    def _find(self, session: object) -> OpenShell:
        shell = self._shells.get(number(session, "SESSION"))
        if shell is None:
            raise RequestError(f"This connection has no shell {session}; nothing was done. Open one with shell/open.")
        return shell


def _plist(result: EvalResult) -> dict[str, object]:
    return {"status": result.status, "number": result.number, "value": result.value, "error": result.error}
