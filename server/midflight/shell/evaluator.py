"""The process that evaluates: one input at a time, as itself, so that `self()`, links and the mailbox are its own.

Its life: it receives an `Evaluation`, runs it, lets the others run, says that it is done, and receives the next. A
failing input ends it with the exception as its reason; so does an exit signal; who watches it then starts another.
"""

from __future__ import annotations

import asyncio
import inspect
import pprint
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from midflight.breakpoints import end_session
from midflight.errors import ProcessExit, UnknownJob
from midflight.kernel import Pid, Process, current_process, receive, sleep
from midflight.outside import is_from_outside
from midflight.shell.interrupt import Breakable
from midflight.shell.module_names import ModuleNames
from midflight.shell.source import Code
from midflight.text import error_text, medium, raised

__all__ = ["Evaluation", "Finished", "Later", "evaluate_all", "let_others_run", "value_text"]

SETTLE_TURNS = 25  # how often the others may run before a value is shown: a message and its answer, some hops
SETTLE_SECONDS = 0.02  # ... and for how long, if there are very many others
VALUE_CHARACTERS = 200_000  # of a value's repr: editors suffer from more, and a frame has its limit


class Later:
    """The return value of a helper that has to wait: awaited for the user if it is the value of an input."""

    def __init__(self, function: Callable[..., Awaitable[Any]], *args: Any) -> None:
        self._call = function, args

    def __await__(self) -> Generator[Any, Any, Any]:
        function, args = self._call
        return function(*args).__await__()

    def __repr__(self) -> str:
        return "<not waited for: use it as a whole input, or write await before it>"


@dataclass(eq=False, slots=True)
class Evaluation:
    """One input on its way: its code, and its outcome so far. Only the runtime's thread changes it.

    `shown` is the value to be shown and `value` its repr, None if there is nothing to show. `failure` is the
    exception that ended the input, and its process with it. `error` is what a person reads of it, also of an
    interrupt and of an unknown job, which end the input alone. `names` are those of the module that it is evaluated
    in, None for the shell's own. The repr of a value has `columns` columns at most, if that can be; None for one line.
    """

    number: int
    source: Code
    namespace: dict[str, Any]
    names: ModuleNames | None = None
    columns: int | None = None
    shown: Any = None
    value: str | None = None
    failure: BaseException | None = None
    error: str | None = None
    uses_number: bool = True
    is_interrupt_wanted: bool = False  # the one field that any thread may set
    is_interrupted: bool = False
    has_run: bool = False
    finished: threading.Event = field(default_factory=threading.Event)
    process: Process | None = None  # while it runs
    steps: Breakable | None = None  # while it runs
    cancels: int = 0
    linked: tuple[tuple[Pid, str | None], ...] = ()  # to the evaluator when the input failed, with their names

    def __deepcopy__(self, memo: dict[int, Any]) -> Evaluation:
        return self  # a runtime that copies messages must still answer this very one

    def show(self, value: Any) -> Any:
        """Take the value of the last expression, or of the assignment; return it."""
        self.shown = value
        return value

    def outcome(self) -> object:
        """Return the outcome that `v` gives: the exception of a failed input, else its value."""
        return self.shown if self.failure is None else self.failure

    def cancel(self) -> bool:
        """Throw CancelledError into the input where it waits; False if it does not run. On the runtime's thread."""
        if self.process is None:
            return False
        self.cancels += 1
        return self.process.cancel("the evaluation was interrupted")

    async def perform(self) -> None:
        """Run the input to its end, and note how it ended.

        Raises: ProcessExit if an exit signal ended it, or the input ended its own process.
        """
        process = self.process = current_process("an evaluation")
        self.steps = Breakable(self._run())
        try:
            if self.is_interrupt_wanted:  # before its first step
                raise KeyboardInterrupt
            await self.steps
        except GeneratorExit:
            raise
        except ProcessExit as exit_:
            if process.exit_reason is None:  # raised by the input; of a signal the shell tells
                self._fail(exit_)
            raise
        except (KeyboardInterrupt, asyncio.CancelledError) as error:
            if self.is_interrupt_wanted:
                self.is_interrupted = True
                self.error = error_text(error)
            elif is_from_outside(error):
                raise  # Ctrl-C in the terminal of the program: it is not meant for the shell
            else:
                self._fail(error)
        except UnknownJob as error:
            self.uses_number = False
            self.error = error_text(error)
        except BaseException as error:  # SystemExit too: it ends this evaluation, not the server
            self._fail(error)
        finally:
            end_session(process)
            self.steps.close()
            self.linked = tuple((each.pid, each.name) for each in process.links or ())
            self.process = self.steps = None
            self.has_run = True
            for _ in range(self.cancels):
                process.uncancel()

    async def _run(self) -> None:
        """Run the input. All that a user's code can do, its `__repr__` included, is done in here."""
        if self.names is None:
            result = eval(self.source.code, self.namespace)
        else:  # any object with items does as local names
            result = eval(self.source.code, self.names.module, self.names)  # type: ignore[arg-type]
        if self.source.code.co_flags & inspect.CO_COROUTINE:
            await result
        if isinstance(self.shown, Later):
            self.shown = await self.shown
        if self.shown is not None:
            self.value = value_text(self.shown, self.columns)

    def _fail(self, error: BaseException) -> None:
        self.failure = error
        self.error = error_text(error)


@dataclass(frozen=True, eq=False, slots=True)
class Finished:
    """Sent by the evaluator once all that `evaluation` set off has had its turn."""

    evaluation: Evaluation

    def __deepcopy__(self, memo: dict[int, Any]) -> Finished:
        return self


async def evaluate_all(shell: Pid) -> None:
    """Run the evaluator for the process `shell`: evaluate the inputs that it sends, one after the other."""
    while True:
        evaluation: Evaluation = await receive(Evaluation)
        await evaluation.perform()
        await let_others_run()
        if evaluation.failure is not None:
            # Not as it is: a crash report would say again what the shell says already.
            raise ProcessExit(evaluation.failure)
        shell << Finished(evaluation)


async def let_others_run() -> None:
    """Give way until messages sent have been received and their output is printed, within bounds."""
    until = time.monotonic() + SETTLE_SECONDS
    for _ in range(SETTLE_TURNS):
        await sleep(0)
        if time.monotonic() >= until:
            return


def value_text(value: object, columns: int | None = None) -> str:
    """Return the repr of `value`, shortened if it is very long, or the error that its `__repr__` raised.

    With `columns` it is broken into lines of that width where `pprint` knows how.
    """
    try:
        text = repr(value) if columns is None else pprint.pformat(value, width=columns, sort_dicts=False)
    except Exception as error:
        return medium(value) if issubclass(type(value), int) else raised(value, error)
    if len(text) > VALUE_CHARACTERS:
        left_out = len(text) - VALUE_CHARACTERS
        return f"{text[:VALUE_CHARACTERS]}... ({left_out} more characters; the value itself is whole)"
    return text
