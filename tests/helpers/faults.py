"""What a load must leave as it is when it fails, and a way to let any step of it fail.

The steps are found, not listed: every function of `midflight.code` that a load calls is one.
"""

from __future__ import annotations

import gc
import inspect
import linecache
import os
import sys
from types import CodeType, FrameType, ModuleType
from typing import Any

import midflight.code
from midflight import code
from midflight.code.version import hooks, snapshots
from midflight.code.version.version import VERSION
from midflight.kernel import Process, messages_of
from midflight.testing import TestRuntime

__all__ = ["Fault", "World", "world"]

PACKAGE = os.path.dirname(midflight.code.__file__) + os.sep


World = dict[str, Any]

_steps: dict[int, tuple[CodeType, str]] = {}  # by identity: a load has hundreds of calls, and a test hundreds of loads


def world(runtime: TestRuntime, *names: str) -> World:
    """Return all that a failed load of those modules could have changed; equal if nothing did.

    Values are kept by identity where that counts. A module that is not there counts too.
    """
    return {
        "modules": {name: id(module) for name, module in sys.modules.items() if not _is_standard(name)},
        "path": list(sys.path),
        "finders": list(map(id, sys.meta_path)),
        "namespaces": {name: _namespace(sys.modules.get(name)) for name in names},
        "versions": {name: _versions(name) for name in names},
        "texts shown": {file: entry for file, entry in linecache.cache.items() if any(name in file for name in names)},
        "files": _snapshots(),
        "files known": (dict(snapshots._real), dict(inspect.modulesbyfile)),
        "kept values": (dict(hooks._values), dict(hooks._unconfirmed)),
        "processes": {pid: _process(runtime, process) for pid, process in runtime.scheduler.processes.items()},
        "reports": len(runtime.crashes),
    }


def _is_standard(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names  # codecs, say, which are imported when they are needed


def _namespace(module: object) -> object:
    if not isinstance(module, ModuleType):
        return None
    namespace = vars(module)
    return type(module), id(namespace), {key: id(value) for key, value in namespace.items()}


def _versions(name: str) -> object:
    try:
        found = code.versions(name)
    except code.UnknownModuleError:
        return None
    return found, code.is_loaded(name), {each.version: code.source(name, each.version) for each in found}


def _snapshots() -> dict[str, str]:
    folder = snapshots._folders.get(os.getpid())
    found = sorted(os.scandir(folder), key=lambda entry: entry.name) if folder and os.path.isdir(folder) else []
    return {entry.name: _read(entry.path) for entry in found}


def _read(path: str) -> str:
    with open(path, encoding="utf-8", newline="") as stream:
        return stream.read()


def _process(runtime: TestRuntime, process: Process) -> object:
    frames = [
        (frame.f_code, id(frame.f_globals), frame.f_lineno, dict(frame.f_locals))
        for frame in runtime.scheduler.frames(process)
        if VERSION in frame.f_globals  # not the kernel's: a server that was held waits anew
    ]
    server = getattr(process.behaviour, "server", None)
    state = (type(server), {**vars(server)}) if server is not None else None
    return process.name, frames, messages_of(runtime.scheduler, process), state


class Fault:
    """Notes which functions of the code server are called in its block; the first call of `step` raises `error`.

    `steps` are file and function, as `load/body.make`, in the order of their first call, with the number
    of calls; with `since` only from the first call of that step on. `at` chooses another call of `step` than the first.
    """

    def __init__(
        self,
        step: str | None = None,
        error: type[BaseException] = MemoryError,
        since: str | None = None,
        at: int = 1,
    ) -> None:
        self.step = step
        self.steps: dict[str, int] = {}
        self._error = error
        self._since = since
        self._at = at

    def __enter__(self) -> Fault:
        self._before = sys.gettrace()
        gc.disable()  # else a collection could call a function at any moment
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)
        gc.enable()

    def _trace(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(PACKAGE):
            return
        known = _steps.get(id(code))
        if known is None or known[0] is not code:
            known = _steps[id(code)] = (code, f"{code.co_filename[len(PACKAGE) : -3]}.{code.co_qualname}")
        step = known[1]
        if self._since not in (None, step):
            return
        self._since = None
        self.steps[step] = self.steps.get(step, 0) + 1
        if step == self.step and self.steps[step] == self._at:
            raise self._error(f"injected in {step}")
