"""Differences in packages' own tests that are excused, each with the object, both versions of it, and the reason."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

__all__ = ["EXCUSED", "PART_EXCUSED", "Excuse", "excuse_for"]

PART_EXCUSED = 0.02  # of a suite at most, after loads in one order


@dataclass(frozen=True)
class Excuse:
    """Why tests of a package differ after loads in one of `orders`.

    `tests` is a pattern of their names, `thing` the object that the test holds or meets in two versions, `versions`
    which two, and who has the older one.
    """

    package: str
    orders: tuple[str, ...]
    tests: str
    thing: str
    versions: str
    why: str


EXCUSED: tuple[Excuse, ...] = (
    Excuse(
        "starlette",
        ("import", "random", "together"),
        "tests/test_concurrency.py::test_run_until_first_complete*",
        "starlette.exceptions.StarletteDeprecationWarning",
        "version 1, which pytest has from its setting filterwarnings, and the current one, of which the warning is",
        "pytest remembers the class that a filter names (functools.lru_cache), so it does not ignore the new one",
    ),
)


def excuse_for(package: str, order: str, test: str) -> Excuse | None:
    """Return what excuses `test` of `package` after loads in `order`; None if nothing does."""
    for each in EXCUSED:
        if each.package == package and order in each.orders and fnmatchcase(test, each.tests):
            return each
    return None
