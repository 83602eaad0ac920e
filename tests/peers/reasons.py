"""The differences that follow from a law of Midflight, each with its reason. Any other difference is a fault."""

from __future__ import annotations

from fnmatch import fnmatchcase

__all__ = ["REASONS", "reason_for"]

# By kind of run: the names of tests, with wildcards, and why they differ.
REASONS: dict[str, tuple[tuple[str, str], ...]] = {
    "process": (),
    "task": (),
}


def reason_for(kind: str, test: str) -> str | None:
    """Return why `test` is allowed to differ in a run of this kind; None if it is not."""
    return next((why for pattern, why in REASONS[kind] if fnmatchcase(test, pattern)), None)
