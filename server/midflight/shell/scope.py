"""The scopes of a shell: the names of its inputs, looked at while one of them may be evaluated."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from midflight.introspect import Found, ModuleScope, usable_names
from midflight.shell.bindings import Bindings
from midflight.shell.history import History

__all__ = ["ModuleInputScope", "ShellScope"]


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


class ModuleInputScope:
    """The names of inputs that are evaluated in the current version of `module`; the shell's own come after them."""

    def __init__(self, module: str, own: ShellScope) -> None:
        self._module = ModuleScope(module)
        self._own = own

    def find(self, name: str) -> Found | None:
        """Return the object that `name` means to an input; None if it means nothing."""
        return self._module.find(name) or self._own.find(name)

    def names(self) -> Iterable[str]:
        """Return all names that mean something to an input, loaded modules and keywords included."""
        return {*self._module.names(), *self._own.names()}

    def origin(self, name: str) -> str | None:
        """Return the module if it binds `name`; else None."""
        return self._module.origin(name)

    def job(self, number: int) -> Found | None:
        """Return the value of job `number` of the shell; None if there is none."""
        return self._own.job(number)

    def globals(self) -> dict[str, Any]:
        """Return a copy of the names that an input can use, in which an expression would be evaluated."""
        return self._own.globals() | self._module.globals()
