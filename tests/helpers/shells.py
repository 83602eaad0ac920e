"""A real runtime on a thread of its own, and a shell in it that the test asks from outside, as an editor does."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from midflight import Runtime
from midflight.kernel import routed_output
from midflight.shell import EvalResult, Session

DEADLINE_SECONDS = 30.0


class RunningRuntime:
    """A runtime in a thread, until `stop`."""

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()))
        self._thread.start()
        assert self._started.wait(DEADLINE_SECONDS), "the runtime did not start"

    async def _main(self) -> None:
        self._end = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        async with Runtime(shutdown_seconds=0.1, **self._options) as runtime:
            self.scheduler = runtime.scheduler
            self._started.set()
            await self._end.wait()

    def stop(self) -> None:
        """End the runtime and its thread; again does nothing."""
        if not self._thread.is_alive():
            return
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(DEADLINE_SECONDS)
        assert not self._thread.is_alive(), "the runtime did not end"


class Output:
    """A sink that keeps what it gets, and says when it has got a text."""

    def __init__(self) -> None:
        self.text = ""
        self._changed = threading.Condition()

    def write(self, text: str) -> None:
        """Keep `text`."""
        with self._changed:
            self.text += text
            self._changed.notify_all()

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> str:
        """Return what has come since the last time."""
        with self._changed:
            text, self.text = self.text, ""
            return text

    def wait_for(self, text: str) -> None:
        """Return once `text` has been written."""
        with self._changed:
            assert self._changed.wait_for(lambda: text in self.text, DEADLINE_SECONDS), f"{text!r} not in {self.text!r}"


class Shell:
    """A session, and short ways to ask it."""

    def __init__(self, runtime: RunningRuntime, **options: Any) -> None:
        self.runtime = runtime
        self.output = Output()
        self.session = Session(runtime.scheduler, self.output, **options)

    def ask(self, text: str) -> EvalResult:
        """Evaluate `text` and return what became of it."""
        with routed_output():  # the runtime has done so already, but pytest has put back what it captures with
            return self.session.eval(text).result(DEADLINE_SECONDS)

    def value(self, text: str) -> str | None:
        """Evaluate `text`, which must succeed, and return its shown value."""
        result = self.ask(text)
        assert result.status == "ok", result
        return result.value

    def error(self, text: str) -> str:
        """Evaluate `text`, which must fail, and return the traceback."""
        result = self.ask(text)
        assert result.status == "error", result
        assert result.error is not None
        return result.error

    def bind(self, **values: Any) -> None:
        """Give the inputs something of the test's own."""
        self.session.bindings.namespace.update(values)
