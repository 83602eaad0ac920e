"""Methods about shells: each connection opens its own, and they end with it.

(call 6 shell/open nil)                   (return 6 (:session 1 :number 1 :banner "Midflight 0.1.0, ..."))
(call 7 shell/eval (1 "pid << (\\"print\\",)"))
                                          (call 1 shell/output (1 "Sum is 3\\n"))
                                          (return 7 (:status "ok" :number 4 :value "('print',)" :error ()))
"""

from __future__ import annotations

from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass

from midflight.epc.method import Lane, Method
from midflight.epc.methods.arguments import number, text
from midflight.epc.pushes import Output
from midflight.epc.server import ServerConnection
from midflight.epc.services import Services
from midflight.errors import RequestError
from midflight.shell import Session

__all__ = ["ShellMethods"]

_PATIENCE_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class _Shell:
    session: Session
    output: Output

    def close(self) -> None:
        self.session.close()
        self.output.close()


class ShellMethods:
    """The shells of one connection, by number."""

    def __init__(self, services: Services, connection: ServerConnection) -> None:
        self._services = services
        self._connection = connection
        self._shells: dict[int, _Shell] = {}

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("shell/open", self.open),
            Method("shell/eval", self.eval),
            Method("shell/close", self.close),
            Method("interrupt", self.interrupt, Lane.ASIDE),
        )

    def output(self) -> Output | None:
        """Return the sink of the connection's first open shell, None without one."""
        return next((shell.output for shell in self._shells.values()), None)

    def open(self) -> dict[str, object]:
        """Open a shell; it is closed with the connection."""
        key = next(self._services.sessions)
        output = Output(self._connection, key, self._services.log)
        output.owner = f"shell {key}, {self._connection.title}"
        shell = _Shell(Session(self._services.scheduler, output), output)
        self._shells[key] = shell
        self._connection.at_close(shell.close)
        return {"session": key, "number": shell.session.number, "banner": self._services.banner}

    def eval(self, session: object, source: object) -> dict[str, object]:
        """Evaluate SOURCE in SESSION. What it printed has left before the answer does.

        One that takes longer than a moment does not hold up the requests behind it: while a shell waits for a
        message, its editor still loads code. Evaluations of one shell run one after another all the same.
        """
        shell = self._find(session)
        evaluation = shell.session.eval(text(source, "SOURCE"))
        try:
            result = evaluation.result(_PATIENCE_SECONDS)
        except FutureTimeout:
            self._connection.step_aside()
            result = evaluation.result()
        shell.output.drain()
        return {
            "status": result.status,
            "number": result.number,
            "value": result.value,
            "error": result.error,
        }

    def close(self, session: object) -> bool:
        """Close SESSION. Processes that it started live on; their output goes to the server's log."""
        shell = self._find(session)
        del self._shells[number(session, "SESSION")]
        shell.close()
        return True

    def interrupt(self, session: object) -> bool:
        """Break off what SESSION evaluates now; nil if it evaluates nothing."""
        return self._find(session).session.interrupt()

    def _find(self, session: object) -> _Shell:
        shell = self._shells.get(number(session, "SESSION"))
        if shell is None:
            raise RequestError(f"This connection has no shell {session}; nothing was done. Open one with shell/open.")
        return shell
