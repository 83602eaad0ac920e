"""`breakpoint()` and `pdb.set_trace()` in a process: a session of pdb in the front end that started the process.

All processes stand while it waits for a command, as for any line that a process asks for (asking.py). pdb itself is
imported at the first stop.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType, ModuleType
from typing import Any

from midflight.asking import Asker, asker, running_process
from midflight.kernel import Process
from midflight.line_input import is_nobodys_input

__all__ = ["end_session", "routed_breakpoints", "stop_in"]

_DEBUGGER = "midflight.debugger"
_DEBUGPY = "midflight.dap"  # imported by the first editor whose debugger comes
_log = logging.getLogger("midflight")


@contextmanager
def routed_breakpoints() -> Iterator[None]:
    """Let `breakpoint` and `pdb.set_trace` stop in the front end while the block runs; inner blocks share."""
    before = sys.breakpointhook
    if getattr(before, "is_routed", False):
        yield
        return
    finder = _PdbFinder()

    def hook(*args: Any, **options: Any) -> Any:
        if os.environ.get("PYTHONBREAKPOINT") or not _stop(sys._getframe(1), "breakpoint()"):
            return before(*args, **options)
        return None

    hook.is_routed = True  # type: ignore[attr-defined]
    sys.breakpointhook = hook
    sys.meta_path.insert(0, finder)
    if "pdb" in sys.modules:
        finder.route(sys.modules["pdb"])
    try:
        yield
    finally:
        if sys.breakpointhook is hook:
            sys.breakpointhook = before
        sys.meta_path.remove(finder)
        finder.restore()


def end_session(process: Process | None) -> None:
    """Let the debugger that stops in `process`, if one does, trace no further: what it was called in is over."""
    debugger = sys.modules.get(_DEBUGGER)
    if debugger is not None:
        debugger.let_go(process)


def stop_in(leader: Asker, frame: FrameType) -> None:
    """Stop at the line that `frame` is about to run; `leader` is asked for commands. Returns when it may go on.

    Raises: bdb.BdbQuit if the person ends the process.
    """
    importlib.import_module(_DEBUGGER).stop_at(leader, frame)


def _stop(frame: FrameType, what: str) -> bool:
    """Stop in `frame`, in an editor's debugger or the caller's front end; False if that is the program's terminal."""
    debugpy = sys.modules.get(_DEBUGPY)
    if debugpy is not None and debugpy.stop_in(frame):
        return True
    leader = asker()
    if leader is not None:
        importlib.import_module(_DEBUGGER).stop(leader, frame)
        return True
    if not is_nobodys_input():
        return False
    process = running_process()
    who = "a thread or task" if process is None else repr(process.pid)
    _log.warning(
        "%s in %s, %s line %d, was passed: no front end has started it. Spawn it in a shell to stop there.",
        what,
        who,
        frame.f_code.co_filename,
        frame.f_lineno,
    )
    return True


class _PdbFinder(importlib.abc.MetaPathFinder):
    """Routes `pdb.set_trace` once a program imports pdb."""

    def __init__(self) -> None:
        self._pdb: ModuleType | None = None
        self._before: Callable[..., Any] | None = None
        self._is_looking = False

    def find_spec(
        self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != "pdb" or self._is_looking:
            return None
        self._is_looking = True
        try:
            spec = importlib.util.find_spec("pdb")
        finally:
            self._is_looking = False
        loader: Any = None if spec is None else spec.loader
        if loader is not None:
            execute = loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                self.route(module)

            loader.exec_module = exec_module
        return spec

    def route(self, pdb: Any) -> None:
        """Let `pdb.set_trace` stop in the front end."""
        before = pdb.set_trace
        self._pdb, self._before = pdb, before

        def set_trace(*args: Any, **options: Any) -> None:
            if not _stop(sys._getframe(1), "pdb.set_trace()"):
                before(*args, **options)

        pdb.set_trace = set_trace

    def restore(self) -> None:
        """Give pdb its own function back."""
        if self._pdb is not None:
            self._pdb.set_trace = self._before  # type: ignore[attr-defined]
