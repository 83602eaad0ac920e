"""`Session`, one shell: the handle of a front end, and the process behind it.

The life of an input: `eval` (any thread) -> a request to the shell's process -> it reads the text -> its evaluator
runs it as its own process -> the answer. The shell's process watches the evaluator, keeps bindings and history, and
starts another evaluator when one ends. OTP: shell.erl, whose two processes these are.
"""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

from midflight.errors import ShellClosed, UnknownJob
from midflight.introspect import find_module
from midflight.kernel import Down, Pid, Ref, Scheduler, Sink, exit, receive, schedulers, spawn_monitor
from midflight.shell.bindings import Bindings
from midflight.shell.evaluator import Evaluation, Finished, evaluate_all, let_others_run
from midflight.shell.helpers import Helpers
from midflight.shell.history import History, Job
from midflight.shell.module_names import module_names_of
from midflight.shell.scope import ModuleInputScope, ShellScope
from midflight.shell.source import SHOW, Code, Incomplete, Malformed, Nothing, Reader, repeated_job
from midflight.shell.trace import end_text, forget_source, linked_text, remember_source

__all__ = ["EvalResult", "Session", "names_of_a_shell"]

JOBS_KEPT = 20  # as Erlang's shell keeps
SOURCES_KEPT = 1000  # inputs whose lines tracebacks can show
INTERRUPT_SECONDS = 2.0  # to find a moment at which a busy evaluation can be struck
LOOK_SECONDS = 0.001

_labels = count(1)


@dataclass(frozen=True, slots=True)
class EvalResult:
    """The outcome of one input.

    `number` is that of the next prompt. `value` is the repr of what it came to, None for nothing to show. `error`
    is a traceback as text, of a failed or interrupted input. An "incomplete" one used no number and ran nothing.
    """

    status: Literal["ok", "error", "incomplete", "interrupted"]
    number: int
    value: str | None = None
    error: str | None = None


@dataclass(frozen=True, eq=False, slots=True)
class _Request:
    """Sent to the shell's process: evaluate `text` in `module`, None for the shell's own names."""

    text: str
    module: str | None = None
    columns: int | None = None
    answer: Future[EvalResult] = field(default_factory=Future)

    def __deepcopy__(self, memo: dict[int, object]) -> _Request:
        return self  # a runtime that copies messages must still answer this very one

    def refuse(self) -> None:
        """Answer that the shell is closed, unless it was answered."""
        if not self.answer.done() and (self.answer.running() or self.answer.set_running_or_notify_cancel()):
            self.answer.set_exception(ShellClosed())


class Session:
    """A shell of the processes of `scheduler`, whose output and that of all it spawns goes to `sink`.

    All methods may be called from any thread; none waits for an evaluation. `jobs_kept` is how many inputs and
    values `v`, `e` and `h` know. `module` is the name of the module whose names the inputs have, None for the shell's
    own.
    """

    def __init__(self, scheduler: Scheduler, sink: Sink, *, jobs_kept: int = JOBS_KEPT) -> None:
        self.number = 1
        self.module: str | None = None
        self.sink = sink
        self.scheduler = scheduler
        self.history = History(jobs_kept)
        self.bindings = Bindings(Helpers(self).names() | {SHOW: self._show}, find_module)
        self._reader = Reader()
        self._label = 0  # told apart from the shells before it, from its first input on
        self._sources: deque[str] = deque()
        self._requests: set[_Request] = set()
        self._is_closed = False
        self._shell: Pid | None = None
        self._evaluator: tuple[Pid, Ref] | None = None
        self._evaluation: Evaluation | None = None

    # --- For front ends, on any thread --------------------------------------------------------------------

    def eval(
        self, text: str, *, module: str | None = None, is_own: bool = False, columns: int | None = None
    ) -> Future[EvalResult]:
        """Evaluate `text` after all inputs before it.

        It has the names of the current version of `module`, and what it assigns is bound there; None for the module
        that `self.module` says. With `is_own` it has the shell's own names, whatever that says. The repr of the value
        is broken into lines of `columns`, if given.

        A compound statement of several lines is complete when `text` ends in a newline; else it is "incomplete".
        What the input prints is in the sink, flushed, before the future is done.
        The future raises ShellClosed if the shell or its runtime ended before the input did.
        """
        request = _Request(text, None if is_own else module or self.module, columns)
        if self._is_closed or self.scheduler not in schedulers():
            request.refuse()
        else:
            self.scheduler.on_own_thread(self._submit, request)
        return request.answer

    def interrupt(self) -> bool:
        """Break off the evaluation that runs now; False if none does. Its status is then "interrupted".

        One that waits is cancelled; a busy loop in Python gets KeyboardInterrupt. Code in C ends first, and
        code that catches these goes on. Returns when the evaluation was struck, at most 2 s later.
        """
        evaluation = self._evaluation
        if evaluation is None or evaluation.has_run:
            return False
        evaluation.is_interrupt_wanted = True
        if self.scheduler.is_own_thread():
            evaluation.cancel()
            return True
        asked = self.scheduler.call_threadsafe(evaluation.cancel)
        until = time.monotonic() + INTERRUPT_SECONDS
        while not asked.done() and time.monotonic() < until:
            steps = evaluation.steps
            if (steps is not None and steps.interrupt()) or evaluation.finished.wait(LOOK_SECONDS):
                break
        return True

    def note_interrupt(self, asks: Pid | None) -> None:
        """Note that a person breaks off the wait of `asks`, which may be the evaluation's: that is interrupted then."""
        evaluation = self._evaluation
        if evaluation is not None and (asks is None or asks in self.pids):
            evaluation.is_interrupt_wanted = True

    @property
    def pids(self) -> tuple[Pid, ...]:
        """The shell's own processes: itself, and its evaluator."""
        evaluator = self._evaluator
        return tuple(pid for pid in (self._shell, evaluator and evaluator[0]) if pid is not None)

    @property
    def scope(self) -> ShellScope | ModuleInputScope:
        """The scope in which the names of its inputs are looked up, also while one is evaluated."""
        own = ShellScope(self.bindings, self.history)
        return own if self.module is None else ModuleInputScope(self.module, own)

    def close(self) -> None:
        """End the shell and its evaluator, reason "killed"; their children live on unless linked to them.

        Inputs that are not answered yet raise ShellClosed. Closing again does nothing.
        """
        if not self._is_closed:
            self._is_closed = True
            self.interrupt()  # a busy loop would let nobody in
            self.scheduler.on_own_thread(self._close)

    # --- On the runtime's thread ------------------------------------------------------------------------------

    def _submit(self, request: _Request) -> None:
        if self._is_closed:
            request.refuse()
            return
        if self._shell is None or self._shell.process is None:
            self._label = self._label or next(_labels)
            self._shell = self.scheduler.spawn(self._serve, (), group_leader=self.sink).pid
        self._requests.add(request)
        self._shell << request

    def _close(self) -> None:
        for pid in (self._shell, self._evaluator and self._evaluator[0]):
            if pid is not None:
                exit(pid, "kill")
        self._abandon()
        forget_source(self._sources)

    def _abandon(self) -> None:
        """Answer all that still wait for an answer."""
        for request in list(self._requests):
            request.refuse()
        self._requests.clear()

    def _show(self, value: object) -> object:
        evaluation = self._evaluation
        return value if evaluation is None else evaluation.show(value)

    # --- The shell's process ----------------------------------------------------------------------------------

    async def _serve(self) -> None:
        """Answer requests until the end, one at a time."""
        self._start_evaluator()
        try:
            while True:
                match await receive():
                    case _Request() as request:
                        if self._is_closed:
                            request.refuse()
                        elif request.answer.set_running_or_notify_cancel():
                            await self._take(request)
                        self._requests.discard(request)
                    case Down(reason=reason):  # the evaluator ended between two inputs
                        self._say(self._ended(reason))
        finally:  # somebody ended the shell's process itself; the next input starts another
            if self._evaluator is not None:
                exit(self._evaluator[0], "kill")
            self._abandon()

    def _start_evaluator(self) -> Pid:
        assert self._shell is not None
        self._evaluator = spawn_monitor(evaluate_all, self._shell)
        return self._evaluator[0]

    def _ended(self, reason: object) -> str:
        """Start another evaluator; return the words for the end of the last."""
        assert self._evaluator is not None
        before = self._evaluator[0]
        return end_text(before, reason, self._start_evaluator())

    def _say(self, text: str) -> None:
        self.sink.write(text)
        self.sink.flush()

    async def _take(self, request: _Request) -> None:
        """Read the input of `request`, have it evaluated if it is one, and answer."""
        filename = f"<shell {self._label}, input {self.number}>"
        try:
            text, module = self._expanded(request)
        except UnknownJob as error:
            request.answer.set_result(EvalResult("error", self.number, error=f"{error}\n"))
            return
        names = None if module is None else module_names_of(module, self.bindings)
        if module is not None and names is None:
            said = f"{module} is not loaded any more; nothing was evaluated. Load it, or evaluate in the shell.\n"
            request.answer.set_result(EvalResult("error", self.number, error=said))
            return
        match self._reader.read(text, filename):
            case Nothing():
                result = EvalResult("ok", self.number)
            case Incomplete():
                result = EvalResult("incomplete", self.number)
            case Malformed(error=syntax_error):
                result = EvalResult("error", self.number, error=syntax_error)
            case Code() as code:
                self._remember(filename, code.text)
                evaluation = Evaluation(self.number, code, self.bindings.namespace, names, request.columns)
                result = await self._evaluate(evaluation, module)
        request.answer.set_result(result)

    def _expanded(self, request: _Request) -> tuple[str, str | None]:
        """Return the text and the module of `request`, or of the job that it stands for. Raises: UnknownJob."""
        number = None if "e" in self.bindings else repeated_job(request.text)
        if number is None:
            return request.text, request.module
        job = self.history.job(number)
        return job.text, job.module

    def _remember(self, filename: str, text: str) -> None:
        remember_source(filename, text)
        if filename not in self._sources:
            self._sources.append(filename)
        if len(self._sources) > SOURCES_KEPT:
            forget_source([self._sources.popleft()])

    async def _evaluate(self, evaluation: Evaluation, module: str | None) -> EvalResult:
        """Have `evaluation` done; note the job; return the answer, once all output is in the sink."""
        assert self._evaluator is not None
        pid, ref = self._evaluator
        self._evaluation = evaluation
        try:
            pid << evaluation
            end = await receive(Finished, Down(ref, ..., ...))  # type: ignore[arg-type]  # a pattern
        finally:
            self._evaluation = None
            evaluation.finished.set()
        if isinstance(end, Down):
            text = self._ended(end.reason)
            evaluation.error = evaluation.error or text
            await let_others_run()  # those that are told of the end by a link or a monitor
            evaluation.error += linked_text([each for each in evaluation.linked if _has_ended(each[0])])
        if evaluation.uses_number:
            self.history.add(Job(self.number, evaluation.source.text, evaluation.outcome(), module))
            self.number += 1
        self.sink.flush()
        if evaluation.error is None:
            return EvalResult("ok", self.number, value=evaluation.value)
        status: Literal["error", "interrupted"] = "interrupted" if evaluation.is_interrupted else "error"
        return EvalResult(status, self.number, error=evaluation.error)


def _has_ended(pid: Pid) -> bool:
    """Say whether `pid` is dead or unwinds."""
    process = pid.process
    return process is None or process.exit_reason is not None


def names_of_a_shell(scheduler: Scheduler, sink: Sink) -> dict[str, Any]:
    """Return the names that the inputs of a new shell know, in a dict of their own; helpers print into `sink`."""
    return Session(scheduler, sink).bindings.namespace
