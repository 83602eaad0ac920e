"""A load in a thread of its own: its caller waits, and can break it off.

The life of one: the thread begins -> who asked waits for the outcome, in pieces if they have something to say
meanwhile -> the load is done or refused; or it is broken off, and its body, if it is Python code, ends; or that does
not end either, the load is given up, and who asked gets the refusal while the thread runs on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError, wait
from contextvars import copy_context
from typing import Generic, Literal, TypeVar

from midflight.code.loading.lock import load_lock
from midflight.code.loading.under_way import Load, LoadInfo

__all__ = ["GRACE_SECONDS", "LoadThread", "Outcome", "break_off", "load_of_this_thread", "loads"]

Result = TypeVar("Result")
Outcome = Literal["ended", "given-up", "late"]

GRACE_SECONDS = 2.0
"""How long a body has to end when it is broken off, before it is given up."""

STRIKE_SECONDS = 0.1  # between two tries to break into a body, which may have caught the one before


class LoadThread(threading.Thread, Generic[Result]):
    """Calls `function`, which loads, in this context. `by` is who asks for it, as people know them.

    `gate` is called when all that can fail is prepared, and holds the load up as long as it runs.
    """

    def __init__(
        self, function: Callable[[], Result], by: str | None = None, gate: Callable[[Load], object] | None = None
    ) -> None:
        self.load = Load(by)
        self.load.gate = gate
        super().__init__(name=f"midflight-load-{self.load.number}", daemon=True)
        self.load.begin(self)
        self.load.on_given_up.append(self._refuse)
        self._function = function
        self._in_context = copy_context()
        self.future: Future[Result] = Future()
        self.start()

    def run(self) -> None:
        """Do it."""
        try:
            self._settle(self._in_context.run(self._function), None)
        except BaseException as error:
            self._settle(None, error)
        finally:
            del self._function, self._in_context  # what was made may hold this thread, and is not to be held by it
            self.load.ended.set()

    def wait(self, seconds: float) -> bool:
        """Wait for the outcome; say whether there is one."""
        return bool(wait([self.future], seconds).done)

    def result(self) -> Result:
        """Wait for the outcome; return the function's value, or raise its exception, or LoadInterrupted."""
        return self.future.result()

    def break_off(self, by: str, seconds: float = GRACE_SECONDS) -> Outcome:
        """Break it off, as `break_off` does, whether or not it has begun to load."""
        return break_off_load(self.load, by, seconds)

    def break_off_aside(self, by: str) -> None:
        """Break it off without waiting for the outcome."""
        threading.Thread(target=self.break_off, args=(by,), name="midflight-break-off", daemon=True).start()

    def _refuse(self) -> None:
        self._settle(None, self.load.refusal())

    def _settle(self, result: Result | None, error: BaseException | None) -> None:
        try:
            if error is None:
                self.future.set_result(result)  # type: ignore[arg-type]  # it is one, without an error
            else:
                self.future.set_exception(error)
        except InvalidStateError:  # it was given up before, which is what everybody knows
            pass


def load_of_this_thread() -> Load | None:
    """Return the load that this thread was made for; None if there is none, or it has ended."""
    thread = threading.current_thread()
    return thread.load if isinstance(thread, LoadThread) and not thread.load.ended.is_set() else None


def loads() -> tuple[LoadInfo, ...]:
    """Return the loads that are under way, and those that were given up while their threads run on; oldest first.

    OTP: nothing like it; the code server loads one module after the other, and runs none.

    Example:

        desk.may_go_on = threading.Event()
        task = Task.start(code.upgrade, "shop", "import desk; desk.may_go_on.wait()")
        while not code.loads():
            await sleep(0)
        [each.modules for each in code.loads()]  # -> [('shop',)]
        desk.may_go_on.set()
        (await task.result()).version  # -> 2
    """
    return tuple(load.info() for load in load_lock.loads())


def break_off(number: int, by: str, seconds: float = GRACE_SECONDS) -> Outcome | None:
    """Break off the load of that number, for `by`; None if no such load is under way. Not from the load's own thread.

    A load that waits or is prepared ends, and nothing has changed. Python code in the body of a module is broken into;
    if the body has not ended `seconds` later, the load is given up: it is refused, others can load its modules from
    then on, and nothing that its thread does later reaches those. The load's caller gets LoadInterrupted.

    Returns: "ended"; "given-up"; "late", if its modules were about to become current, or had.

    Example:

        task = Task.start_nolink(code.upgrade, "shop", "while True: pass")
        while not code.loads():
            await sleep(0.01)
        await asyncio.to_thread(code.break_off, code.loads()[0].number, "me")  # -> 'ended'
        outcome, reason = await task.yield_()
        outcome, type(reason).__name__  # -> ('exit', 'LoadInterrupted')
    """
    found = (load for load in load_lock.loads() if load.number == number and not load.is_given_up)
    load = next(found, None)
    return None if load is None else break_off_load(load, by, seconds)


def break_off_load(load: Load, by: str, seconds: float) -> Outcome:
    """Do so with a load, which need not have begun."""
    if not load.ask_to_end(by):
        return "late"
    load_lock.wake()
    deadline = time.monotonic() + seconds
    while True:
        load.strike()
        if load.ended.wait(min(STRIKE_SECONDS, seconds)):
            return "given-up" if load.is_given_up else "late" if load.is_current else "ended"
        if time.monotonic() >= deadline:
            if load_lock.give_up(load):
                for tell in load.on_given_up:
                    tell()
                load.ended.set()
                return "given-up"
            if load.is_committing:  # a hook of the module's may take its time, or for good
                return "late"
            load.ended.wait(STRIKE_SECONDS)  # no body runs, so it is about to end
