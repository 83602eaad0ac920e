"""The scope of a shell: the names of its inputs, looked at while one of them may be evaluated."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from midflight.introspect import Found, module_names
from midflight.shell.bindings import Bindings
from midflight.shell.history import History

__all__ = ["ShellScope"]


class ShellScope:
    """The names of a shell's inputs."""

    def __init__(self, bindings: Bindings, history: History) -> None:
        self._bindings = bindings
        self._history = history

    def find(self, name: str) -> Found | None:
        """See `Scope`."""
        try:
            return Found(self._bindings.find(name))
        except KeyError:
            return None

    def names(self) -> Iterable[str]:
        """See `Scope`."""
        return self._bindings.names(module_names())

    def origin(self, name: str) -> str | None:  # noqa: ARG002  # the protocol has it
        """See `Scope`. What an input binds has no text in a module."""
        return None

    def job(self, number: int) -> Found | None:
        """See `Scope`."""
        jobs = list(self._history)
        wanted = number if number >= 0 else (jobs[-1].number + 1 + number if jobs else 0)
        return next((Found(job.value) for job in jobs if job.number == wanted), None)

    def globals(self) -> dict[str, Any]:
        """See `Scope`."""
        return self._bindings.namespace
