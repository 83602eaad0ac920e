"""A line from the person: `input`, `sys.stdin` and `getpass` ask the front end that started the process.

The life of a question: `input` -> the group leader of the process, if it can ask -> its front end -> an answer, from
any thread. Meanwhile the calling thread waits. If that is the thread of a runtime, all its processes stand, and their
clock with them, so nothing times out because a person thinks. OTP: io:get_line/1, which stops its own process only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager
from itertools import count
from time import time as wall_clock
from typing import Protocol, cast

from midflight.errors import Killed
from midflight.kernel import Pid, Process, Scheduler, group_leader_var, schedulers

__all__ = ["NOBODY", "Asker", "Hold", "Question", "ask", "asker", "get_line", "hold_of", "running_process", "stand"]

_LOOK_SECONDS = 0.05  # for a kill by another thread
NOBODY = "nobody can type a line here: no front end has started this process. Spawn it in a shell, or pass the text on"
CONTINUED = "the process was told to go on from another front end; nothing was read"

_numbers = count(1)
_holding: dict[Scheduler, Hold] = {}  # by the runtime that stands meanwhile


class Hold(Protocol):
    """The reason why the processes of a runtime stand: a question, or a debugger that has stopped its thread.

    `since` is in seconds since the epoch; `pid`, `prompt`, `about` and `leader` are as those of a Question.
    """

    @property
    def pid(self) -> Pid | None: ...
    @property
    def prompt(self) -> str: ...
    @property
    def about(self) -> Mapping[str, object] | None: ...
    @property
    def leader(self) -> object: ...
    @property
    def since(self) -> float: ...

    def go_on(self) -> bool:
        """Let the runtime go on, from any thread; say whether it stood for this still."""


class Question:
    """A line that a person is asked for. Any thread may answer, once; later answers are dropped.

    `pid` is the process that asks, None for a thread or a task. `about` says what a front end shows besides the prompt.
    `skip` is the line that a debugger takes for "go on".
    """

    def __init__(
        self,
        prompt: str = "",
        *,
        is_secret: bool = False,
        about: Mapping[str, object] | None = None,
        skip: str | None = None,
    ) -> None:
        self.number = next(_numbers)
        self.skip = skip
        self.since = wall_clock()
        self.prompt = prompt
        self.is_secret = is_secret
        self.about = about
        process = running_process()
        self.pid: Pid | None = None if process is None else process.pid
        self.leader: object = None
        self.line: Future[str] = Future()

    def answer(self, line: str) -> bool:
        """Answer `line`, without a newline; say whether it was still wanted."""
        try:
            self.line.set_result(line)
        except InvalidStateError:
            return False
        return True

    def refuse(self, why: str) -> bool:
        """Raise EOFError(why) where the line is waited for; say whether it was still wanted."""
        return self._fail(EOFError(why))

    def go_on(self) -> bool:
        """Let who asks go on without the person: a debugger lets the process go, others find the end of the input."""
        return self.refuse(CONTINUED) if self.skip is None else self.answer(self.skip)

    def interrupt(self) -> bool:
        """Raise KeyboardInterrupt where the line is waited for; say whether it was still wanted."""
        return self._fail(KeyboardInterrupt())

    def _fail(self, error: BaseException) -> bool:
        try:
            self.line.set_exception(error)
        except InvalidStateError:
            return False
        return True


class Asker(Protocol):
    """A group leader that can ask the person for a line."""

    def ask(self, question: Question, /) -> object:
        """Show `question` to the person and return at once; it is answered later, or refused."""

    def withdraw(self, question: Question, /) -> object:
        """Show `question` no longer: nobody waits for its answer."""


def asker() -> Asker | None:
    """Return the group leader of the caller, None if it cannot ask."""
    leader = group_leader_var.get()
    return cast(Asker, leader) if hasattr(leader, "ask") and hasattr(leader, "withdraw") else None


def hold_of(scheduler: Scheduler) -> Hold | None:
    """Return what the processes of `scheduler` stand for, None if they run. From any thread."""
    return _holding.get(scheduler)


def ask(leader: Asker, question: Question) -> str:
    """Have `leader` ask `question`, wait, and return the line.

    Raises: EOFError if nobody can answer, or the front end goes away; KeyboardInterrupt if the person breaks it off;
    Killed if another thread kills the process.
    """
    scheduler, process = _own_scheduler(), running_process()
    question.leader = leader
    leader.ask(question)
    try:
        with _standing(scheduler, question):
            while True:
                try:
                    error = question.line.exception(_LOOK_SECONDS)
                except TimeoutError:
                    if process is not None and scheduler is not None and process in scheduler.doomed:
                        raise Killed from None
                    continue
                if error is not None:
                    raise error
                return question.line.result()
    finally:
        question.line.cancel()
        leader.withdraw(question)


async def get_line(prompt: str = "") -> str:
    """Ask the person for a line without stopping anybody else, and return it without its newline.

    Asked is the front end that started the process. `input` does the same, and all processes wait.

    Raises: EOFError if there is no front end, or it goes away; KeyboardInterrupt if the person breaks it off.
    OTP: io:get_line/1, which keeps the newline.

    Example:

        async def greet():
            try:
                return f"Hello {await get_line('Name? ')}"
            except EOFError:  # run here, and not by a front end
                return "Hello nobody"

        run(greet)  # -> 'Hello nobody'
    """
    leader, question = asker(), Question(prompt)
    if leader is None:
        raise EOFError(NOBODY)
    question.leader = leader
    leader.ask(question)
    try:
        return await asyncio.wrap_future(question.line)
    finally:
        question.line.cancel()
        leader.withdraw(question)


def running_process() -> Process | None:
    """Return the process that runs in this thread now, None if none does."""
    scheduler = _own_scheduler()
    return None if scheduler is None else scheduler.current()


def _own_scheduler() -> Scheduler | None:
    return next((each for each in schedulers() if each.is_own_thread()), None)


@contextmanager
def _standing(scheduler: Scheduler | None, question: Question) -> Iterator[None]:
    """Note that `scheduler` stands for `question` while the block runs; its clock stands as well."""
    if scheduler is None:
        yield
        return
    go_on = stand(scheduler, question)
    try:
        yield
    finally:
        go_on()


def stand(scheduler: Scheduler, hold: Hold) -> Callable[[], None]:
    """Note that `scheduler`, whose thread stands, does so for `hold`; return what to call before its thread goes on.

    That leaves the time out of its clock. An outer hold counts again afterwards.
    """
    began = time.monotonic()
    before = _holding.get(scheduler)
    _holding[scheduler] = hold

    def go_on() -> None:
        if before is None:
            _holding.pop(scheduler, None)
        else:
            _holding[scheduler] = before
        skip: Callable[[float], object] = getattr(scheduler.clock, "skip", lambda _: None)
        skip(time.monotonic() - began)

    return go_on
