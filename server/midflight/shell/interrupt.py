"""Breaking into an evaluation that does not wait for anything: each step of it is run in a `Target` of the kernel.

An exception that was dealt and finds the step ended is thrown where the evaluation waits next. So the evaluation gets
it, and nothing else on the runtime's thread does.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from types import FrameType
from typing import Any

from midflight.kernel import Target

__all__ = ["Breakable"]


class Breakable(Generator[Any, Any, None]):
    """A coroutine that drives another one and lets any thread break into its steps.

    `cr_frame` and `cr_await` are those of a coroutine without a frame of its own, so that a walk over the frames of a
    process goes through it.
    """

    cr_frame: FrameType | None = None

    def __init__(self, inner: Coroutine[Any, Any, Any]) -> None:
        self.cr_await = inner
        self._target = Target(KeyboardInterrupt)

    def interrupt(self) -> bool:
        """Raise KeyboardInterrupt in the step that runs now; False, and no effect, if it cannot be just now."""
        return self._target.interrupt()

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
        target = self._target
        while True:
            try:
                request = target.run(step, *args)
            except target.dealt:
                if not target.came_late:
                    raise
            else:
                if not target.came_late:
                    return request
            step, args = self.cr_await.throw, (KeyboardInterrupt(),)
