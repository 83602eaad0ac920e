"""What an upgrade did with the servers, as plain data, and the words for it. Beside report.py, which says the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from midflight.code.report import SHOWN, LoadReport
from midflight.kernel import Pid

__all__ = ["ServerChange", "UpgradeReport", "upgrade_report"]


@dataclass(frozen=True, slots=True)
class ServerChange:
    """What became of one server, or would become.

    `old_version` is the number of the version that its object was of, None if that is not known. `old_vsn` is what
    `code_change` was told: that version's vsn, or ("down", vsn) with the vsn that it goes down to; None if it was not
    called, which `is_changed` says. `before` and `after` are its attributes, as text. `error` is what code_change
    raised, as text, with its `traceback`; `after` is None then.
    """

    pid: Pid
    name: str | None
    class_name: str
    old_version: int | None
    old_vsn: object
    is_changed: bool
    before: str
    after: str | None
    error: str | None = None
    traceback: str | None = None

    def __str__(self) -> str:
        return f"{self.pid!r} ({self.name})" if self.name else repr(self.pid)


@dataclass(frozen=True, slots=True)
class UpgradeReport(LoadReport):
    """A LoadReport with the servers, oldest first. `held_ms` is how long they were held, the commit included.

    With `is_rehearsed` nothing has changed: `version` is the number that would have been loaded, None if it would not.
    """

    servers: tuple[ServerChange, ...] = ()
    held_ms: float = 0.0
    is_rehearsed: bool = False

    @property
    def failed(self) -> tuple[ServerChange, ...]:
        """The servers whose code_change raised."""
        return tuple(each for each in self.servers if each.error is not None)
