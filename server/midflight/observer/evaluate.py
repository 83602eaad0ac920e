"""Run user code for a front end, apart from the shell: as a process of its own, with a limit of time.

It uses no number of the shell and waits for none of its evaluations; the watchdog and `kill` reach it as they reach
any process. Who asks waits in a thread of the wire, never on the runtime's own.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, TypeVar

from midflight.errors import RequestError
from midflight.kernel import Scheduler, Sink, exit
from midflight.parsing import UNPARSABLE
from midflight.text import error_text

__all__ = ["Names", "evaluate", "run_aside"]

Result = TypeVar("Result")

Names = Callable[[Sink], dict[str, Any]]
"""The names that an expression of a front end knows, as a shell with that sink has them, in a dict of its own."""

SECONDS = 5.0


def run_aside(
    scheduler: Scheduler, function: Callable[[], Awaitable[Result]], what: str, *, sink: Sink, seconds: float = SECONDS
) -> Result:
    """Return the value of `function()`, called in a process of its own whose output goes to `sink`.

    Raises: RequestError if that raises, ends otherwise, or takes longer than `seconds`; then it is killed.
    """
    answer: Future[Result] = Future()

    async def work() -> None:
        try:
            answer.set_result(await function())
        except RequestError as error:
            answer.set_exception(error)
        except Exception as error:
            answer.set_exception(RequestError(f"{what} could not be done; nothing was changed.\n{error_text(error)}"))
        finally:  # an exit signal, or SystemExit
            if not answer.done():
                answer.set_exception(RequestError(f"{what} was ended before it was done. Try again."))

    process = scheduler.spawn(work, (), group_leader=sink)
    try:
        return answer.result(seconds)
    except FutureTimeout:
        exit(process.pid, "kill")
        raise RequestError(
            f"{what} took longer than {seconds:g} s and was ended. If the runtime is held up, "
            "see which process does not yield (midflight ps) and end it; else try something smaller."
        ) from None


def evaluate(scheduler: Scheduler, expression: str, namespace: dict[str, Any], *, sink: Sink) -> Any:
    """Return the value of `expression`, which may await, with the names of `namespace`; it binds none there.

    Raises: RequestError if it is not an expression, raises, or takes too long.
    """
    try:
        code = compile(expression.strip(), "<expression>", "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except UNPARSABLE as error:
        raise RequestError(
            f"{expression!r} is not one Python expression ({error}); nothing was evaluated. "
            "Give a name or an expression."
        ) from None

    async def value() -> Any:
        result = eval(code, namespace, {})
        return await result if code.co_flags & inspect.CO_COROUTINE else result

    return run_aside(scheduler, value, f"The evaluation of {expression.strip()}", sink=sink)
