"""Breaking into an evaluation that does not wait for anything: a loop of pure Python on the runtime's thread.

CPython offers one way: `PyThreadState_SetAsyncExc`, which raises an exception in a thread at the next bytecode it
runs, whatever that belongs to. To hit nothing but the evaluation, each step of it is driven by a `Breakable`:

1. Entering and leaving a step takes a lock. Who strikes holds the lock, so no step ends and no other process
   begins between the look and the strike.
2. Leaving a step takes back a strike that has not hit yet, before anything else runs on the thread.
3. The blow falls only while the innermost code is the user's. In the midst of the kernel or of an output
   buffer (`pid << message` in a loop) it is not dealt; who strikes looks again a moment later.

The kernel's own `break_into` strikes at processes that nobody prepared for it; an evaluation is prepared, so nothing
but it can be hit, on whatever thread the runtime is.

The limit: between the look of 3 and the blow a third thread may let the runtime's thread go on for an instant; the
blow can then fall into a function of ours, but always one that this evaluation has called. Code in C that does not
return cannot be interrupted. tests/shell/test_interrupt.py holds all of this.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable, Coroutine, Generator
from types import FrameType
from typing import Any

from midflight.kernel import is_user_code

__all__ = ["Breakable"]

_set_async_exc = ctypes.pythonapi["PyThreadState_SetAsyncExc"]  # by item: nobody else sets its types
_set_async_exc.argtypes = (ctypes.c_ulong, ctypes.py_object)
_set_async_exc.restype = ctypes.c_int
_NOTHING = ctypes.py_object()  # NULL: take back what was set


class Breakable(Generator[Any, Any, None]):
    """A coroutine that drives another one and lets any thread break into its steps.

    `cr_frame` and `cr_await` are those of a coroutine without a frame of its own, so that a walk over the frames of a
    process goes through it.
    """

    cr_frame: FrameType | None = None

    def __init__(self, inner: Coroutine[Any, Any, Any]) -> None:
        self.cr_await = inner
        self._lock = threading.Lock()
        self._thread: int | None = None  # the thread that runs a step now
        self._is_struck = False

    def strike(self) -> bool:
        """Raise KeyboardInterrupt in the step that runs now; False, and no effect, if it cannot be just now."""
        with self._lock:
            thread = self._thread
            if thread is None or self._is_struck or not is_user_code(sys._current_frames().get(thread)):
                return False
            self._is_struck = True
            return bool(_set_async_exc(thread, KeyboardInterrupt) == 1)

    def __await__(self) -> Generator[Any, Any, None]:
        return self

    def __iter__(self) -> Generator[Any, Any, None]:
        return self

    def __next__(self) -> Any:
        return self._step(self.cr_await.send, None)

    def send(self, value: Any) -> Any:
        """Go on with `value`, as a coroutine does."""
        return self._step(self.cr_await.send, value)

    def throw(self, *error: Any) -> Any:
        """Raise `error` where the inner coroutine waits."""
        return self._step(self.cr_await.throw, *error)

    def close(self) -> None:
        """Close the inner coroutine. This step cannot be broken into: it runs to the first await at most."""
        self.cr_await.close()

    def _step(self, step: Callable[..., Any], *args: Any) -> Any:
        while True:
            try:
                self._enter()
                try:
                    request = step(*args)
                finally:
                    is_owed = self._leave()
            except BaseException:
                self._leave()  # the blow may have fallen inside the first one
                raise
            if not is_owed:
                return request
            step, args = self.cr_await.throw, (KeyboardInterrupt(),)

    def _enter(self) -> None:
        with self._lock:
            self._thread = threading.get_ident()

    def _leave(self) -> bool:
        """Let nobody strike any more; say whether a strike was dealt, which may not have hit. Can be repeated."""
        with self._lock:
            self._thread = None
            if not self._is_struck:
                return False
            _set_async_exc(threading.get_ident(), _NOTHING)
            self._is_struck = False
            return True
