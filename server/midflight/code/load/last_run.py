"""The versions that ran last: which files differ from them at a start, and how they run again by `code="last"`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from midflight.code.load.attempt import Options
from midflight.code.load.load import unit_of_version
from midflight.code.load.modified import file_with
from midflight.code.load.transaction import load_units
from midflight.code.source.unit import read_text
from midflight.code.version.import_watch import imported_text
from midflight.code.version.last_texts import offer_last_texts
from midflight.code.version.modules import known
from midflight.code.version.version import Version, digest

__all__ = ["NotAsLast", "not_as_last", "run_last"]


class NotAsLast(NamedTuple):
    """A module whose file is not the text that ran last, which was version `version`.

    `why` says what became of the file.
    """

    module: str
    path: str
    version: int
    loaded_at: float
    loaded_by: str
    why: str

    def said(self, *, runs_last: bool) -> str:
        """Return a sentence on it, and on what runs now."""
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.loaded_at))
        by = f" by {self.loaded_by}" if self.loaded_by else ""
        if runs_last:
            then = f"that version runs again. To take the file: midflight load {self.path}"
        else:
            then = (
                f"the file counts. To run that version: midflight rollback {self.module} {self.version}, or --code=last"
            )
        return f"{self.module}: {self.why} since version {self.version} (of {when}{by}), which ran last; {then}"


def not_as_last(versions: Iterable[Version]) -> Iterator[NotAsLast]:
    """Yield those of the `versions`, which ran last, whose file is another text now, or is gone."""
    for version in versions:
        if (why := _why(version)) is not None:
            yield NotAsLast(version.name, version.path, version.number, version.loaded_at, version.loaded_by, why)


def _why(version: Version) -> str | None:
    if not os.path.isabs(version.path):
        return "it was a text without a file"
    if not os.path.exists(version.path):
        new = file_with(version.text, version.path)
        return f"its file was renamed to {new}" if new is not None else "its file is gone"
    text = read_text(version.path)
    if not isinstance(text, str):
        return "its file cannot be read any more"
    return None if digest(text) == version.digest else "its file was changed"


def run_last(versions: Iterable[Version]) -> Callable[[], None]:
    """Have these versions run: at their import, those that are imported already at once, by a load of all or none.

    Returns what ends it. Raises: LoadError, if one of these cannot be loaded; nothing has changed then.
    """
    listed = list(versions)
    take_back = offer_last_texts({version.name: version for version in listed})
    there = [version for version in listed if version.name in sys.modules and not _is_running(version)]
    try:
        if there:
            load_units([unit_of_version(version.name, version.number) for version in there], Options())
    except BaseException:
        take_back()
        raise
    return take_back


def _is_running(version: Version) -> bool:
    record = known(version.name)
    if record is not None:
        return record.current is not None and record.current.digest == version.digest
    text = imported_text(sys.modules[version.name])
    return text is not None and digest(text) == version.digest
