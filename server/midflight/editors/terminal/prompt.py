"""A line, or several, from a person at a terminal: completion, signatures, history; output goes above.

The server knows the live objects: it completes names (TAB) and tells how the call is made that is being written, which
stands in the line at the bottom. Enter ends a whole input and goes on with one that is not; M-Enter ends any.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import is_searching
from prompt_toolkit.formatted_text import ANSI, StyleAndTextTuples
from prompt_toolkit.history import FileHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.styles import Style

from midflight.editors.terminal.input_text import is_whole
from midflight.editors.terminal.questions import NoLongerWanted
from midflight.errors import ConnectionLost

__all__ = ["Prompt"]

HINT = "TAB completes, C-r searches, C-d leaves"
_STYLE = Style.from_dict({"bottom-toolbar": "noreverse fg:ansibrightblack", "active": "bold underline"})
_LOOK_SECONDS = 0.1
_AGAIN_SECONDS = 0.01

Ask = Callable[[str], "Future[Any]"]
"""A question to the server about the text before the cursor."""


class Prompt:
    """Reads inputs on the terminal. `show` and `lost` may be called from any thread.

    `complete` and `signature` ask the server; `history` is the file that keeps the inputs.
    """

    def __init__(self, complete: Ask, signature: Ask, history: Path) -> None:
        self._signature = signature
        self._tip: Mapping[str, Any] | None = None
        self._asked = ""
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None  # while a line is read
        self._context = contextvars.copy_context()
        self._is_lost = False
        self._is_line_wanted = False  # by a process, before the input goes on
        self._draft = ""
        self._tail = ""  # what was written behind the last newline
        self._line: PromptSession[str] = PromptSession()  # what a process asks for
        self._session: PromptSession[str] = PromptSession(
            completer=_Names(complete),
            complete_in_thread=True,
            complete_while_typing=False,
            history=_History(history),
            enable_history_search=True,
            multiline=True,
            key_bindings=_bindings(),
            bottom_toolbar=self._toolbar,
            prompt_continuation=lambda width, _line, _wrap: "." * (width - 1) + " ",
            style=_STYLE,
        )
        self._current = self._session
        self._session.default_buffer.on_text_changed += self._ask
        self._session.default_buffer.on_cursor_position_changed += self._ask

    def read(self, prompt: str) -> str:
        """Return what a person types. Raises: EOFError, KeyboardInterrupt; ConnectionLost once the server is gone."""
        if self._is_lost:
            raise ConnectionLost("the server has ended")
        self._tip, self._asked = None, ""
        draft, self._draft = self._draft, ""
        try:
            return self._session.prompt(prompt, default=draft, pre_run=partial(self._begin, self._session))
        finally:
            self._end()

    def read_line(self, prompt: str, *, is_secret: bool) -> str:
        """Return a line that a process asks for with `prompt`.

        Raises: EOFError, KeyboardInterrupt; NoLongerWanted if nobody waits for it any more; ConnectionLost.
        """
        self._is_line_wanted = False
        if self._is_lost:
            raise ConnectionLost("the server has ended")
        _write("\r")  # what was printed behind the last newline is part of the prompt
        try:
            return self._line.prompt(
                ANSI(self._tail + prompt), is_password=is_secret, pre_run=partial(self._begin, self._line)
            )
        finally:
            self._end()

    def _end(self) -> None:
        with self._lock:
            self._loop = None
            self._tail = ""

    def remember(self, texts: Iterable[str]) -> None:
        """Have earlier inputs in the history."""
        for text in texts:
            self._session.history.append_string(text.rstrip("\n"))

    def _begin(self, session: PromptSession[str]) -> None:
        self._current = session
        self._context = contextvars.copy_context()  # knows the prompt that is on the screen
        self._loop = asyncio.get_running_loop()
        if self._is_lost:
            self._leave(ConnectionLost("the server has ended"))
        elif self._is_line_wanted and session is self._session:
            self._give_way()

    # --- From any thread ------------------------------------------------------------------------------------------

    def show(self, text: str) -> None:
        """Write `text`, above the line that is being typed; return when it is written."""
        while True:
            loop = self._loop
            if loop is None:
                with self._lock:
                    if self._loop is None:
                        _write(text)
                        self._tail = (self._tail + text).rpartition("\n")[2]
                        return
                continue
            written = threading.Event()
            try:
                loop.call_soon_threadsafe(self._above, text, written, context=self._context.copy())
            except RuntimeError:  # the line was ended a moment ago
                written.wait(_AGAIN_SECONDS)
                continue
            while not written.wait(_LOOK_SECONDS):
                if self._loop is not loop:
                    break
            if written.is_set():
                return

    def _above(self, text: str, written: threading.Event) -> None:
        def write() -> None:
            if not written.is_set():
                _write(text if text.endswith("\n") else text + "\n")
                written.set()

        run_in_terminal(write)

    def lost(self) -> None:
        """Leave the line that is being typed: it has nowhere to go."""
        self._is_lost = True
        self._call(self._leave, ConnectionLost("the server has ended"))

    def wanted(self) -> None:
        """Leave the input that is being typed, by NoLongerWanted: a process waits for a line. It is kept."""
        self._is_line_wanted = True
        self._call(self._give_way)

    def unwanted(self) -> None:
        """Leave the line that a process has asked for, by NoLongerWanted."""
        self._call(self._let_go)

    def _call(self, function: Callable[..., object], *args: object) -> None:
        loop = self._loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(function, *args)
            except RuntimeError:
                pass  # it was ended a moment ago; the next one is not begun

    def _give_way(self) -> None:
        if self._current is self._session and self._session.app.is_running:
            self._draft = self._session.default_buffer.text
            self._session.default_buffer.reset()
            self._leave(NoLongerWanted())

    def _let_go(self) -> None:
        if self._current is self._line:
            self._leave(NoLongerWanted())

    def _leave(self, error: Exception) -> None:
        app = self._current.app
        if app.is_running and not app.is_done:
            app.exit(exception=error)

    # --- The call that is being written ------------------------------------------------------------------------------

    def _ask(self, _: object) -> None:
        before = self._session.default_buffer.document.text_before_cursor
        if before == self._asked:
            return
        self._asked = before
        if "(" not in before:
            self._tip = None
            return
        self._signature(before).add_done_callback(lambda answer: self._take(before, answer))

    def _take(self, before: str, answer: Future[Any]) -> None:
        if before == self._asked and not answer.cancelled():
            self._tip = None if answer.exception() is not None else answer.result()
            self._session.app.invalidate()

    def _toolbar(self) -> StyleAndTextTuples:
        tip = self._tip
        if tip is None:
            return [("", HINT)]
        parts: StyleAndTextTuples = [("", f"{tip['name']}(")]
        for index, parameter in enumerate(tip["parameters"] or ()):
            parts.append(("", ", " if index else ""))
            parts.append(("class:active" if index == tip["active"] else "", parameter))
        parts.append(("", f"){' -> ' + tip['returns'] if tip['returns'] else ''}"))
        return parts


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError:
        pass  # the terminal is gone, which the thread that reads meets too


class _Names(Completer):
    """The server's completions of the name before the cursor."""

    def __init__(self, complete: Ask) -> None:
        self._complete = complete

    def get_completions(self, document: Document, _event: CompleteEvent) -> Iterator[Completion]:
        try:
            answer = self._complete(document.text_before_cursor).result(_Names.SECONDS)
        except Exception:  # a server that is gone or busy: there is nothing to complete
            return
        for name, kind, detail, _version in answer["candidates"] or ():
            about = f"{kind or ''} {detail or ''}".strip()
            yield Completion(name, start_position=-len(answer["written"] or ""), display_meta=about)

    SECONDS = 2.0


class _History(FileHistory):
    """A file of inputs; without one that can be written they are remembered for this shell."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError:
            pass  # as below
        super().__init__(str(path))

    def store_string(self, string: str) -> None:
        try:
            super().store_string(string)
        except OSError as error:
            print(f"The history is not kept in {self.filename!s}: {error.strerror}.", file=sys.stderr)


def _bindings() -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("enter", filter=~is_searching)
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state is not None and buffer.complete_state.current_completion is not None:
            buffer.complete_state = None  # takes the completion
            return
        if is_whole(buffer.text) and not buffer.document.text_after_cursor.strip():
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n")

    @bindings.add("escape", "enter", filter=~is_searching)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @bindings.add("tab")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if not buffer.document.current_line_before_cursor.strip():
            buffer.insert_text("    ")
        elif buffer.complete_state is not None:
            buffer.complete_next()
        else:
            buffer.start_completion(insert_common_part=True)

    return bindings
