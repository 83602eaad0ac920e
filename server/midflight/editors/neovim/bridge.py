"""The bridge: Neovim's notifications to calls of projects, and their events to Neovim. It decides nothing.

Neovim's loop runs in the main thread and never waits. Projects have threads of their own; what these show is
handed to that loop, and they go on when Neovim has shown it: so a flood of output is held back at its source.

    rpcnotify(bridge, "load", path, {buffer, text})   ->  code/load  ->  receive("loaded", {root = ..., summary = ...})
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

from midflight.editors.neovim.project import Project
from midflight.epc import find_root

__all__ = ["Bridge", "Nvim"]

RECEIVE = 'require("midflight").receive(...)'
MAY_START = 'return require("midflight").may_start(...)'
SHOW_SECONDS = 60.0  # a user may look at a "Press ENTER" for a while; then what was to be shown is dropped


class Nvim(Protocol):
    """The part of `pynvim.Nvim` that the bridge uses."""

    def exec_lua(self, code: str, *args: Any) -> Any:
        """Run Lua code in Neovim. Only on Neovim's thread."""

    def async_call(self, function: Callable[..., Any], *args: Any) -> None:
        """Call `function` on Neovim's thread."""


class Bridge:
    """All projects of one Neovim, by root."""

    def __init__(self, nvim: Nvim) -> None:
        self._nvim = nvim
        self._projects: dict[str, Project] = {}

    # --- From Neovim, on its thread -------------------------------------------------------------------------

    def notified(self, name: str, arguments: list[Any]) -> None:
        """Take a notification: the name of a request, a path in the project, and a table of values."""
        path, *rest = arguments
        values = rest[0] if rest and isinstance(rest[0], dict) else {}
        project = self._project(path)
        match name:
            case "load":
                project.load(values["buffer"], path, values["text"], values.get("options") or None)
            case "open_shell":
                project.open_shell()
            case "type":
                project.type(values["text"])
            case "evaluate":
                project.evaluate(values["text"])
            case "evaluate_in":
                project.evaluate_in(path, values["text"], values["buffer"], values["line"])
            case "define":
                project.define(values["buffer"], path, values["text"], values["line"])
            case "interrupt":
                project.interrupt()
            case "processes":
                project.list_processes()
            case "exit":
                project.exit(values["pid"], values["reason"])
            case "continue":
                project.go_on(values.get("pid"))
            case "versions":
                project.list_versions(values["module"])
            case "forward":
                project.forward(values["module"])
            case "recover":
                project.recover(values["module"], values["name"])
            case "leave":
                project.leave(bool(values.get("stop_server")))
            case _:
                project.request(name, values)

    def requested(self, name: str, arguments: list[Any]) -> Any:
        """Answer a request: `root` of a path, for the name of the shell's buffer and the health check; `complete`."""
        if name == "root":
            return str(find_root(arguments[0]))
        if name == "complete":
            path, values = arguments
            return self._project(path).complete(path, values["before"])
        raise ValueError(f"the bridge knows the requests 'root' and 'complete', not {name!r}; nothing was done")

    def close(self) -> None:
        """End all connections: Neovim is gone."""
        for project in self._projects.values():
            project.close()

    def _project(self, path: str) -> Project:
        root = str(find_root(path))
        if root not in self._projects:
            self._projects[root] = Project(root, _Screen(self._nvim, root))
        return self._projects[root]


class _Screen:
    """The Neovim that a project shows its events on; for its threads."""

    def __init__(self, nvim: Nvim, root: str) -> None:
        self._nvim = nvim
        self._root = root

    def show(self, event: str, **values: object) -> None:
        """Show `event` and return when that is done. A None is left out: in Lua it would be true."""
        given = {name: _plain(value) for name, value in values.items() if value is not None}
        self._wait_for(RECEIVE, event, {**given, "root": self._root})

    def may_start(self, root: str) -> bool:
        """Ask, as `g:midflight_auto_start` says."""
        return self._wait_for(MAY_START, root) is True

    def _wait_for(self, code: str, *args: object) -> object:
        done = threading.Event()
        answers: list[object] = []

        def call() -> None:
            try:
                answers.append(self._nvim.exec_lua(code, *args))
            finally:
                done.set()

        self._nvim.async_call(call)
        done.wait(SHOW_SECONDS)
        return answers[0] if answers else None


def _plain(value: object) -> object:
    """Return `value` without the Nones in its tables."""
    match value:
        case dict():
            return {key: _plain(each) for key, each in value.items() if each is not None}
        case list() | tuple():
            return [_plain(each) for each in value]
    return value
