"""The scope of a shell: the names of its inputs, looked at while one of them may be evaluated."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from midflight.introspect import Found, usable_names
from midflight.shell.bindings import Bindings
from midflight.shell.history import History

__all__ = ["ShellScope"]


class ShellScope:
    """The names of a shell's inputs."""

    def __init__(self, bindings: Bindings, history: History) -> None:
        self._bindings = bindings
        self._history = history

    def find(self, name: str) -> Found | None:
        """Return the object that `name` means to an input; None if it means nothing."""
        try:
            return Found(self._bindings.find(name))
        except KeyError:
            return None

    def names(self) -> Iterable[str]:
        """Return all names that mean something to an input, loaded modules and keywords included."""
        return self._bindings.names(usable_names())

    def origin(self, name: str) -> str | None:  # noqa: ARG002  # the protocol has it
        """Return None: a name that an input binds has no text in a module."""
        return None

    def job(self, number: int) -> Found | None:
        """Return the value of job `number`, counted from the last if negative; None if there is none."""
        jobs = list(self._history)
        wanted = number if number >= 0 else (jobs[-1].number + 1 + number if jobs else 0)
        return next((Found(job.value) for job in jobs if job.number == wanted), None)

    def globals(self) -> dict[str, Any]:
        """Return the namespace in which an input would be evaluated."""
        return self._bindings.namespace
