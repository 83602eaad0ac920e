"""`StoreError`, the one exception of a store."""

from __future__ import annotations

from midflight.errors import MidflightError

__all__ = ["LEFT", "StoreError"]

LEFT = "it is left as it is, and nothing was started"


class StoreError(MidflightError, OSError):
    """A store cannot be used, or could not be written: `path` is its file, `why` the reason, `then` what follows."""

    def __init__(self, path: str, why: str, then: str) -> None:
        super().__init__(f"The store {path} {why}; {then}")
        self.path = path
        self.why = why
