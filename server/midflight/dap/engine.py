"""debugpy in this interpreter: started once, by the first session, and reached over a socket of its own.

It connects to a port that is opened for that and closed as soon as it is taken. The one who comes must show a secret
that only this interpreter knows, so nobody else can pretend to be it; and nobody can reach it but by this socket.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module, invalidate_caches
from itertools import count
from types import FrameType
from typing import Any

from midflight.dap.framing import Framer, framed
from midflight.errors import RequestError

__all__ = ["Engine", "engine"]

Message = dict[str, Any]
OnAnswer = Callable[[Message], object]

START_SECONDS = 20.0
_log = logging.getLogger("midflight.debug")
_QUIET = "PYDEVD_DISABLE_FILE_VALIDATION"
_lock = threading.Lock()
_engines: list[Engine] = []

MISSING = (
    "debugpy is not installed in the Python that the server runs ({python}); nothing was changed. Install it there, "
    "pip install 'midflight[debug]', and call again: the server need not be restarted."
)


def engine() -> Engine:
    """Return the one of this interpreter, started if need be. Raises: RequestError if debugpy cannot be had."""
    with _lock:
        if not _engines:
            _engines.append(Engine(_debugpy()))
        return _engines[0]


def _debugpy() -> Any:
    invalidate_caches()  # it may have been installed since
    try:
        with _unwarned():
            return import_module("debugpy.server.api") and import_module("debugpy")
    except ImportError as error:
        if error.name not in (None, "debugpy"):
            raise
        raise RequestError(MISSING.format(python=sys.executable)) from None


@contextmanager
def _unwarned() -> Iterator[None]:
    """Have debugpy print nothing about modules of the standard library that are frozen: nobody debugs those."""
    is_set = _QUIET in os.environ
    os.environ.setdefault(_QUIET, "1")
    try:
        yield
    finally:
        if not is_set:
            del os.environ[_QUIET]  # children are not to have it


class Engine:
    """The debugger itself. `listener` gets its events: the session that there is, and between two nobody."""

    def __init__(self, debugpy: Any) -> None:
        self.listener: Callable[[Message], object] = lambda _: None
        self._is_tracing = threading.Event()
        self._answers: dict[int, OnAnswer] = {}
        self._numbers = count(1)
        self._lock = threading.Lock()
        hook = sys.breakpointhook
        self._socket = self._connected(debugpy)
        sys.breakpointhook = hook  # debugpy has taken it
        threading.Thread(target=self._read, name="midflight-debug", daemon=True).start()

    def _connected(self, debugpy: Any) -> socket.socket:
        """Have debugpy connect to us, and make sure that it is who came. Raises: RequestError."""
        secret = secrets.token_hex(32)
        failed: list[BaseException] = []

        def begin() -> None:
            try:
                debugpy.configure(subProcess=False)
                debugpy.connect(listener.getsockname(), access_token=secret)
            except BaseException as error:
                failed.append(error)
            self._is_tracing.set()

        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(START_SECONDS)
            # It returns when the first front end has set its breakpoints.
            threading.Thread(target=begin, name="midflight-debug-begin", daemon=True).start()
            try:
                made, _ = listener.accept()
            except OSError as error:
                raise RequestError(f"debugpy did not start ({failed or error}); nothing was changed.") from None
        made.settimeout(START_SECONDS)
        made.sendall(framed({"seq": next(self._numbers), "type": "request", "command": "pydevdAuthorize"} | _NO_TOKEN))
        framer, heard = Framer(), list[Message]()
        try:
            while not heard:
                data = made.recv(65536)
                if not data:
                    raise OSError("it hung up")
                heard = [each for each in framer.feed(data) if each.get("command") == "pydevdAuthorize"]
        except (OSError, ValueError) as error:
            made.close()
            raise RequestError(f"debugpy did not start ({error}); nothing was changed.") from None
        if not secrets.compare_digest(str((heard[0].get("body") or {}).get("clientAccessToken")), secret):
            made.close()
            raise RequestError("another program took debugpy's place; nothing was changed. Try again.")
        made.settimeout(None)
        return made

    def wait_tracing(self) -> None:
        """Wait until threads stop at breakpoints: the first time that is a moment after debugpy has them all."""
        self._is_tracing.wait(START_SECONDS)

    def stop_at(self, frame: FrameType) -> None:
        """Stop this thread in `frame`, as at a breakpoint."""
        import_module("pydevd").settrace(
            suspend=True, trace_only_current_thread=True, patch_multiprocessing=False, stop_at_frame=frame
        )

    def ask(self, command: str, arguments: Message | None, answer: OnAnswer) -> None:
        """Send a request; `answer` is called with the response, on the engine's thread."""
        with self._lock:
            number = next(self._numbers)
            self._answers[number] = answer
            request: Message = {"seq": number, "type": "request", "command": command}
            if arguments is not None:
                request["arguments"] = arguments
            self._socket.sendall(framed(request))

    def _read(self) -> None:
        framer = Framer()
        try:
            while data := self._socket.recv(65536):
                for message in framer.feed(data):
                    try:
                        self._take(message)
                    except Exception:
                        _log.exception("a message of the debugger was lost")
        except (OSError, ValueError) as error:
            _log.warning("the debugger is gone: %s", error)
        with _lock:
            if self in _engines:
                _engines.remove(self)

    def _take(self, message: Message) -> None:
        if message.get("type") == "response":
            with self._lock:
                answer = self._answers.pop(int(message.get("request_seq", 0)), None)
            if answer is not None:
                answer(message)
        elif message.get("type") == "event":
            self.listener(message)


_NO_TOKEN: Message = {"arguments": {"debugServerAccessToken": None}}
