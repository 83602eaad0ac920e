"""Methods about shells: a connection opens its own, or takes up one that a lost connection has left.

(call 6 shell/open nil)                   (return 6 (:session 1 :number 1 :banner "Midflight 0.1.0, ..."))
(call 7 shell/eval (1 "pid << (\\"print\\",)"))
                                          (call 1 shell/output (1 "Sum is 3\\n"))
                                          (return 7 (:status "ok" :number 4 :value "('print',)" :error ()))
"""

from __future__ import annotations

import time
from concurrent.futures import TimeoutError as FutureTimeout
from functools import partial
from typing import TypedDict

from midflight.epc.direct_output import direct_output_since, mark_output
from midflight.epc.method import AnswerThen, Lane, Method
from midflight.epc.methods.arguments import absolute_path, keywords, number, text
from midflight.epc.pushes import Output
from midflight.epc.server import ServerConnection
from midflight.epc.services import Services
from midflight.epc.shells import OpenShell
from midflight.errors import RequestError
from midflight.introspect import module_of_file, usable_names
from midflight.shell import EvalResult, Session

__all__ = ["ShellMethods"]

_PATIENCE_SECONDS = 0.25
_LOOK_SECONDS = 0.01
_INPUT_CHARACTERS = 10_000  # of an input that is told to who takes its shell up
_LINE_CHARACTERS = 80


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
            Method("shell/parked", self.parked),
            Method("shell/park", self.park),
            Method("shell/eval", self.eval),
            Method("shell/in", self.within),
            Method("shell/wait", self.wait),
            Method("shell/close", self.close),
            Method("shell/answer", self.answer, Lane.AT_ONCE),
            Method("interrupt", self.interrupt, Lane.ASIDE),
        )

    def output(self) -> Output | None:
        """Return the sink of the connection's first open shell, None without one."""
        return next((shell.output for shell in self._shells.values()), None)

    def open(self, options: object = None) -> dict[str, object] | AnswerThen:
        """Open a shell; it is closed with the connection.

        OPTIONS: `:writers`, so that `shell/output` says who printed what; `:keep`, so that the shell waits for another
        connection if this one is lost; `:resume` SESSION, to go on with such a shell that this client has had, or open
        one if that is gone; `:take`, to go on with one of a client that is gone: t for the youngest, or open one;
        SESSION for that one.
        Raises: RequestError if the SESSION of `:take` does not wait.
        """
        chosen = keywords(options, ("writers", "keep", "resume", "take"))
        wanted, take, title = chosen.get("resume"), chosen.get("take"), self._connection.title
        parked, known = None, self._services.parked
        if wanted is not None:
            parked = known.take(number(wanted, "SESSION"), title)
        elif take is True:
            parked = known.take_youngest(title)
        elif take is not None:
            parked = known.take(number(take, ":take"), title)
            if parked is None:
                raise RequestError(
                    f"Shell {take} does not wait: it has ended, or somebody has it; nothing was opened. "
                    "See shell/parked, or midflight shell --list."
                )
        switches = {"tells_writers": bool(chosen.get("writers")), "is_kept": bool(chosen.get("keep"))}
        if parked is not None:
            return self._resumed(parked, **switches)
        opened = self._opened(self._new(**switches))
        taker = None if wanted is None else known.taken_by(number(wanted, "SESSION"))
        return opened if taker is None else opened | {"taken_by": taker}

    def _resumed(self, shell: OpenShell, *, tells_writers: bool, is_kept: bool) -> AnswerThen:
        told = {
            "resumed": True,
            "busy": shell.is_busy,
            "answers": [_plist(result) for result in shell.take_answers()],
            "client": shell.client,
            "since": shell.waits_since,
            "waiting": shell.output.waiting,
            "inputs": [job.text for job in shell.session.history if len(job.text) <= _INPUT_CHARACTERS],
        }
        self._shells[shell.number] = shell
        shell.taken(self._connection.title, is_kept=is_kept)
        shell.output.owner = f"shell {shell.number}, {self._connection.title}"
        resume = partial(shell.output.resume, self._connection, tells_writers=tells_writers, is_kept=is_kept)
        # Output that waits comes after the answer: before it, the editor does not know the shell.
        return AnswerThen(self._opened(shell) | told, resume)

    def _opened(self, shell: OpenShell) -> dict[str, object]:
        return {
            "session": shell.number,
            "number": shell.session.number,
            "module": shell.session.module,
            "banner": self._services.banner,
            "parked": len(self._services.parked),
        }

    def _new(self, *, tells_writers: bool, is_kept: bool) -> OpenShell:
        key, title = next(self._services.sessions), self._connection.title
        output = Output(self._connection, key, self._services.log, tells_writers=tells_writers, is_kept=is_kept)
        output.owner = f"shell {key}, {title}"
        shell = OpenShell(key, Session(self._services.scheduler, output), output, client=title, is_kept=is_kept)
        self._shells[key] = shell
        return shell

    def parked(self) -> list[dict[str, object]]:
        """Return the shells that wait to be taken up, the longest waiting first."""
        return [_row(shell) for shell in self._services.parked.all()]

    def park(self, session: object, left: object = None) -> bool:
        """Set SESSION aside: it waits as one whose connection was lost, and others take it up by its number only.

        With LEFT it is as if the connection was lost: anybody takes it up, and its evaluation goes on.
        Raises: RequestError while it evaluates something, without LEFT: nobody would get the answer.
        """
        shell = self._find(session)
        if shell.is_busy and not left:
            raise RequestError(
                f"Shell {session} evaluates something; it was not set aside. Wait for that, or interrupt it."
            )
        del self._shells[shell.number]
        self._services.parked.park(shell, by=None if left else self._connection)
        return True

    def _end(self) -> None:
        """Close or park the shells: the connection has ended."""
        self._is_over = True
        shells, self._shells = self._shells, {}
        for shell in shells.values():
            if shell.is_kept:
                self._services.parked.park(shell)
            else:
                shell.close()
        self._services.parked.release(self._connection)

    def eval(self, session: object, source: object, options: object = None) -> dict[str, object]:
        """Evaluate SOURCE in SESSION. Its output has left before the answer does.

        OPTIONS: `:file` PATH or `:module` NAME, to evaluate it in the current version of that module; `:own`, with the
        shell's own names though it is in a module; `:columns` N, to break the printed value into lines of that width.
        Raises: RequestError if that module is not loaded or imported.

        One that takes longer than a moment does not hold up the requests behind it: while a shell waits for a
        message, its editor still loads code. Evaluations of one shell run one after another all the same.
        """
        shell = self._find(session)
        owners = shell.owners
        given = _placed(options)
        shell.begin()
        try:
            before = mark_output(self._services.log)
            evaluation = shell.session.eval(text(source, "SOURCE"), **given)
            try:
                result = evaluation.result(_PATIENCE_SECONDS)
            except FutureTimeout:
                self._connection.step_aside()
                result = evaluation.result()
            shell.output.write(direct_output_since(before, self._services.log))
            if self._is_over or shell.number not in self._shells or shell.owners != owners:
                shell.keep(result)  # for the next owner: the one that asked has left the shell
            else:
                shell.output.drain()
        finally:
            shell.end()
        return _plist(result)

    def within(self, session: object, module: object = None) -> str | None:
        """Give the inputs of SESSION the names of MODULE's current version; nil for the shell's own. Return MODULE.

        Raises: RequestError if it is not loaded.
        """
        shell = self._find(session)
        name = None if module is None else text(module, "MODULE")
        if name is not None and name not in usable_names():
            raise RequestError(f"{name} is not loaded; the shell stays where it was. Load it first.")
        shell.session.module = name
        return name

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
        """Break off the evaluation of SESSION, or the one that the requests before this one begin; nil if none.

        Where a process of the shell waits for a line, that is broken off, by KeyboardInterrupt in the process.
        """
        found, before = self._find(session), self._connection.received_count
        shell, question = found.session, found.output.question()
        if question is not None:
            shell.note_interrupt(question.pid)
            return question.interrupt()
        until: float | None = None
        while not shell.interrupt():
            if until is None and self._connection.has_begun(before):
                until = time.monotonic() + _PATIENCE_SECONDS
            is_late = until is not None and time.monotonic() > until
            if is_late or not self._connection.is_handling():
                return False
            time.sleep(_LOOK_SECONDS)
        return True

    def answer(self, session: object, question: object, line: object = None) -> bool:
        """Answer QUESTION of `shell/read` with LINE, nil for the end of the input; nil if nobody waits any more."""
        asked = self._find(session).output.take_question(number(question, "QUESTION"))
        if asked is None:
            return False
        if line is None:
            return asked.refuse("the person who was asked has ended the input")
        return asked.answer(text(line, "LINE"))

    def session(self, session: object) -> Session:
        """Return the session of the shell SESSION. Raises: RequestError."""
        return self._find(session).session

    def _find(self, session: object) -> OpenShell:
        shell = self._shells.get(number(session, "SESSION"))
        if shell is None:
            raise RequestError(f"This connection has no shell {session}; nothing was done. Open one with shell/open.")
        return shell


class _Placed(TypedDict):
    module: str | None
    is_own: bool
    columns: int | None


def _placed(options: object) -> _Placed:
    """Return the OPTIONS of an evaluation as arguments of `Session.eval`. Raises: RequestError."""
    chosen = keywords(options, ("file", "module", "own", "columns"))
    file, columns = chosen.get("file"), chosen.get("columns")
    module = None if chosen.get("module") is None else text(chosen["module"], ":module")
    if module is not None and module not in usable_names():
        raise RequestError(f"{module} is not loaded; nothing was evaluated. Load it first.")
    if file is not None:
        path = absolute_path(file, ":file")
        module = module_of_file(path)
        if module is None:
            raise RequestError(f"{path} is not loaded; nothing was evaluated. Load it first.")
    return {
        "module": module,
        "is_own": bool(chosen.get("own")),
        "columns": None if columns is None else number(columns, ":columns"),
    }


def _plist(result: EvalResult) -> dict[str, object]:
    return {"status": result.status, "number": result.number, "value": result.value, "error": result.error}


def _row(shell: OpenShell) -> dict[str, object]:
    jobs = list(shell.session.history)
    return {
        "session": shell.number,
        "number": shell.session.number,
        "client": shell.client,
        "since": shell.waits_since,
        "gone": shell.set_aside_by is None,
        "busy": shell.is_busy,
        "waiting": shell.output.waiting,
        "bindings": len(shell.session.bindings.items()),
        "last": jobs[-1].text.strip().partition("\n")[0][:_LINE_CHARACTERS] if jobs else None,
    }
