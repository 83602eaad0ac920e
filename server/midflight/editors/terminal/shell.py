"""A shell of a running server in the terminal: input goes over the wire, and output comes back.

The evaluator is the server's, the same as in the editors; here is only what an input goes through. It is read by
prompt.py on a terminal, which shows what processes print above the line that is being typed, and by plain.py from a
pipe. Ctrl-C breaks off the evaluation, or the line that is being typed; Ctrl-D and q() leave.

A shell on a terminal that is lost, or killed, waits on the server to be taken up, by this program too; so does one
that was taken up and is left by Ctrl-D. One of its own ends with Ctrl-D.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from midflight.editors.taken import others_text, taken_text
from midflight.editors.terminal.input_text import is_leaving
from midflight.editors.terminal.plain import PlainLines
from midflight.editors.terminal.questions import NoLongerWanted, Questions
from midflight.editors.terminal.waker import Waker
from midflight.epc import RemoteServer
from midflight.errors import ConnectionLost

if TYPE_CHECKING:
    from midflight.editors.terminal.prompt import Prompt

__all__ = ["run_shell"]

_INTERRUPT_SECONDS = 5.0


def run_shell(
    connect: Callable[..., RemoteServer], take: int | bool | None = None, expression: str | None = None
) -> int:
    """Run a shell until the end of the input; return the exit code, 1 if the server went away.

    With `expression` it evaluates that and ends, with 1 if it raised.

    `connect(handlers, on_lost=...)` returns the connection to use; it is closed at the end. `take` is the number of a
    shell that waits to be taken up, True for the youngest of those whose client is gone.
    Raises: RemoteError if that one does not wait.
    """
    return _Shell(connect, take, expression).run()


class _Shell:
    """One shell on standard input and output."""

    def __init__(self, connect: Callable[..., RemoteServer], take: int | bool | None, expression: str | None) -> None:
        self._take = take
        self._expression = expression
        self._is_terminal = expression is None and sys.stdin.isatty() and sys.stdout.isatty()
        self._session = 0
        self._lines: Prompt | PlainLines = PlainLines()
        if self._is_terminal:
            # Only now: what it takes to draw a line costs as much as all the rest.
            prompt = import_module("midflight.editors.terminal.prompt")
            asks = (partial(self._look, "complete"), partial(self._look, "signature"))
            self._lines = prompt.Prompt(*asks, _history_path())
        self._waker: Waker | None = None
        self._questions = Questions(self._lines, lambda: self._client, self._wake)
        self._is_over = False
        self._may_break = self._is_break_wanted = False
        self._is_open = threading.Event()  # and its first lines are shown: what was missed comes behind them
        self._client = connect(
            {
                "shell/output": self._show_output,
                "shell/read": self._questions.take,
                "shell/unread": self._questions.drop,
                "process/crashed": self._show_crash,
                "code/stale": self._show_crash,
                "process/stuck": self._show_crash,
                "store/trouble": self._show_crash,
                "code/loaded": self._show_load,
                "code/refused": self._show_load,
            },
            on_lost=self._lost,
        )

    def run(self) -> int:
        with self._client, ExitStack() as stack:
            stack.callback(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, self._on_interrupt))
            is_kept = self._is_terminal or self._take is not None
            try:
                opened = self._client.call("shell/open", {"keep": is_kept, "take": self._take})
                self._session = opened["session"]
                is_taken = bool(opened.get("resumed"))
                if self._is_terminal:
                    self._greet(opened, is_taken=is_taken)
            finally:
                self._is_open.set()
            try:
                number = self._catch_up(opened) if is_taken else opened["number"]
                if self._expression is not None:
                    return self._run_one(opened["session"], self._expression)
                code = self._serve(opened["session"], number)
                if self._is_terminal and not is_taken:
                    self._client.call("shell/close", opened["session"])
                return code
            except ConnectionLost:
                print("\nThe server has ended, and this shell with it.", file=sys.stderr)
                return 1
            finally:
                self._is_over = True

    def _greet(self, opened: dict[str, Any], *, is_taken: bool) -> None:
        print(f"{opened['banner']}. Ctrl-D leaves the shell, Ctrl-C breaks off; help() says what there is.")
        if is_taken:
            print(f"{taken_text(opened)} Ctrl-D lets it wait again.")
            self._lines.remember(opened["inputs"])
        elif self._take:
            print("No shell waited to be taken up; this is a new one.")
        if opened["parked"]:
            print(f"{others_text(opened['parked'])}: midflight shell --list")

    def _catch_up(self, opened: dict[str, Any]) -> int:
        """Show the answers that nobody took, wait for the evaluation that runs; return the number of the prompt."""
        number, session = opened["number"], opened["session"]
        answers = opened["answers"]
        if opened["busy"]:
            answers = answers + (self._wait(session, self._client.submit("shell/wait", session)) or [])
        for answer in answers:
            number = self._show_answer(answer)
        return int(number)

    def _serve(self, session: int, number: int) -> int:
        lines: list[str] = []
        is_at_end = False
        while not is_at_end:
            try:
                lines.append(self._read(f"{'...':>{len(str(number)) + 1}} " if lines else f"{number}> "))
                if len(lines) == 1 and is_leaving(lines[0]):
                    return 0
            except EOFError:
                if not lines:
                    break
                lines.append("")  # what an empty line would do: it ends a compound statement
                is_at_end = True
            except KeyboardInterrupt:
                if self._is_over:
                    raise ConnectionLost("the server has ended") from None
                lines = []
                print()
                continue
            result = self._evaluate(session, "\n".join(lines))
            if result["status"] != "incomplete":
                lines = []
                number = self._show_answer(result)
        if lines:
            print("The input ended in the middle of a statement, which was not run.", file=sys.stderr)
        return 1 if lines else 0

    def _read(self, prompt: str) -> str:
        with self._breakable():
            text = self._read_input(prompt)
        # Several lines at once are whole: an empty line behind them ends a compound statement.
        return f"{text.rstrip()}\n" if "\n" in text else text

    def _read_input(self, prompt: str) -> str:
        """Read an input, after the lines that processes wait for."""
        while True:
            self._questions.ask_all()
            try:
                return self._lines.read(prompt)
            except NoLongerWanted:
                pass  # it comes again with what was typed

    def _run_one(self, session: int, expression: str) -> int:
        """Evaluate one input; return 1 if it failed."""
        answer = self._evaluate(session, f"{expression}\n")
        if answer["status"] == "incomplete":
            print("It ends in the middle of a statement; nothing was run.", file=sys.stderr)
            return 1
        self._show_answer(answer)
        return 0 if answer["status"] == "ok" else 1

    def _look(self, what: str, before: str) -> Future[Any]:
        """Ask the server about the name or the call at the end of `before`."""
        return self._client.submit(f"look/{what}", self._session, before)

    def _evaluate(self, session: int, text: str) -> Any:
        return self._wait(session, self._client.submit("shell/eval", session, text))

    def _wait(self, session: int, future: Future[Any]) -> Any:
        """Return the answer of `future`, however long its evaluation takes; Ctrl-C breaks it off."""
        while True:
            try:
                with Waker() as self._waker, self._breakable():
                    self._waker.wait(future, lambda: bool(self._questions))
                if future.done():
                    return future.result()
                with self._breakable():
                    self._questions.ask_all()
            except KeyboardInterrupt:
                self._break_off(session, future)

    def _wake(self) -> None:
        if self._waker is not None:
            self._waker.wake()

    def _break_off(self, session: int, future: Future[Any]) -> None:
        """Interrupt the evaluation of `future`, which may not have begun on the server yet."""
        deadline = time.monotonic() + _INTERRUPT_SECONDS
        while not future.done() and not self._client.call("interrupt", session, timeout_seconds=_INTERRUPT_SECONDS):
            if time.monotonic() > deadline:
                print("It has not begun, so it was not interrupted; see which process does not yield: midflight ps")
                return

    @contextmanager
    def _breakable(self) -> Iterator[None]:
        """Let Ctrl-C raise KeyboardInterrupt while the block runs, also one that came a moment before it."""
        # Elsewhere it must not: it would leave a lock of the connection taken.
        self._may_break = True
        try:
            if self._is_break_wanted:
                raise KeyboardInterrupt
            yield
        finally:
            self._may_break = self._is_break_wanted = False

    def _on_interrupt(self, *_: object) -> None:
        self._is_break_wanted = True
        if self._may_break:
            raise KeyboardInterrupt

    def _show_answer(self, answer: dict[str, Any]) -> int:
        """Show the outcome of an input; return the number of the next prompt."""
        self._print(answer["error"] or "", sys.stdout if self._is_terminal else sys.stderr)
        self._print(answer["value"] or "", sys.stdout)
        return int(answer["number"])

    def _print(self, text: str, stream: Any) -> None:
        if text:
            print(text, end="" if text.endswith("\n") else "\n", file=stream, flush=True)

    # --- What the server says unasked; in a thread of the connection ---------------------------------------

    def _show_output(self, _session: int, text: str) -> None:
        self._is_open.wait()  # its answer has come, else there would be no output
        self._lines.show(text)

    def _show_crash(self, crash: dict[str, Any]) -> None:
        self._lines.show(f"{crash['text']}\n")

    def _show_load(self, report: dict[str, Any]) -> None:
        self._lines.show(f"[{report['by']}] {report['summary']}\n")

    def _lost(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._lines.lost()


def _history_path() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(base) / "midflight" / "shell_history"
