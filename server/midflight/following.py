"""The server of a script that `midflight run` runs: around the runtime that the script starts, else around its own.

A script may know of Midflight: its main is `midflight.run(start)`. Then processes run in that runtime, and so it is the
one to be served, as long as it runs. Before and after it, and in a script that starts none, it is one in a thread.
"""

from __future__ import annotations

import threading
from pathlib import Path

from midflight.driver import Runtime, on_start
from midflight.embedded import EmbeddedServer, serve_in_background

__all__ = ["serve_program"]


def serve_program(root: Path) -> EmbeddedServer:
    """Serve this program as the project `root` from now on; return the server that is there now.

    Raises: as `serve_in_background` does.
    """
    following = _Following(root)
    on_start.append(following.take)
    return following.server


class _Following:
    """The one server of the program, which moves to a runtime that starts, and back."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._is_moving = False
        self._lock = threading.Lock()
        self.server = serve_in_background(root)

    def take(self, runtime: Runtime) -> None:
        """Serve `runtime`, which has started in this thread, unless another one of the script's is served."""
        with self._lock:
            if self._is_moving or not self.server.is_open or threading.current_thread() is not threading.main_thread():
                return
            self._is_moving = True
            self.server.stop()
            try:
                self.server = serve_in_background(self._root)
            except BaseException:
                self._is_moving = False
                raise
        runtime.on_leave(self._come_back)

    def _come_back(self) -> None:
        """Serve the program by a thread again. In one of its own: in this one the event loop may still run."""
        is_open = self.server.is_open
        self.server.stop()
        if is_open:
            thread = threading.Thread(target=self._serve, name="midflight-come-back", daemon=True)
            thread.start()
            thread.join()
        self._is_moving = False

    def _serve(self) -> None:
        self.server = serve_in_background(self._root)
