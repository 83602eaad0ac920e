"""The file and line of a version that a front end means, and the file under which it sees what a version runs.

The file that people edit stands for the current version, if its text is what runs. What differs, an older version or a
file that was edited since its load, is shown in the version's own file: the lines are those of the text that ran.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from midflight.code.lowlevel import line_map, running_texts, text_behind

__all__ = ["Sources", "Target"]


@dataclass(frozen=True, slots=True)
class Target:
    """A file of code, and the line in it for each line that was asked for: None if the text has no such line."""

    file: str
    lines: tuple[int | None, ...]
    version: int | None


class Sources:
    """The files of one session. `mappings` are pairs of a folder of the front end and the same folder here."""

    def __init__(self, mappings: Sequence[Mapping[str, Any]] = ()) -> None:
        pairs = [(str(each.get("localRoot", "")), str(each.get("remoteRoot", ""))) for each in mappings]
        self._folders = [(local.rstrip("/\\"), here.rstrip("/")) for local, here in pairs if local and here]
        self._references: list[str] = []  # the files of texts that the front end cannot open, by number

    def here(self, path: str) -> str:
        """Return the file of this machine that a front end calls `path`."""
        for local, here in self._folders:
            if path == local or path.startswith((local + "/", local + "\\")):
                return here + path[len(local) :].replace("\\", "/")
        return path

    def there(self, path: str) -> str:
        """Return what the front end calls the file `path` of this machine."""
        for local, here in self._folders:
            if path == here or path.startswith(here + "/"):
                return local + path[len(here) :]
        return path

    def targets(self, path: str, lines: Sequence[int]) -> list[Target]:
        """Return where in the code that runs the `lines` of the file `path` are, the current version last."""
        own = text_behind(path)
        if own is not None and own.file != own.path:  # the text of a version: what was set there is meant for it alone
            return [Target(path, tuple(lines), own.version)]
        texts = running_texts(path)
        if not texts:
            return [Target(path, tuple(lines), None)]
        written = _written(path)
        return [Target(each.file, _places(written, each.text, lines), each.version) for each in texts]

    def current(self, path: str) -> str:
        """Return the file of the current version of what a front end calls `path`."""
        texts = running_texts(path)
        return texts[-1].file if texts and texts[-1].is_current else path

    def shown(self, source: dict[str, Any]) -> dict[str, Any]:
        """Return `source`, whose path is that of code, as the front end is to show it."""
        file = source.get("path")
        if not isinstance(file, str):
            return source
        text = text_behind(file)
        if text is None:
            return {**source, "path": self.there(file)}
        if text.is_current and text.text == _written(text.path):
            return {**source, "name": os.path.basename(text.path), "path": self.there(text.path)}
        which = f"version {text.version}" if not text.is_current else f"version {text.version}, as it was loaded"
        named = {**source, "name": f"{os.path.basename(text.path)} ({which})", "path": file}
        if self._folders:  # another machine: it has no such file
            if file not in self._references:
                self._references.append(file)
            named["sourceReference"] = -1 - self._references.index(file)
        return named

    def text_of(self, reference: object) -> str | None:
        """Return the text behind a reference that `shown` has given; None for another one."""
        if not isinstance(reference, int) or not -len(self._references) <= reference < 0:
            return None
        text = text_behind(self._references[-1 - reference])
        return None if text is None else text.text


def _written(path: str) -> str | None:
    """Return the text of the file as it is now, None if it cannot be read."""
    try:
        with open(path, encoding="utf-8", newline="") as stream:
            return stream.read().replace("\r\n", "\n")
    except (OSError, UnicodeError):
        return None


def _places(written: str | None, running: str, lines: Sequence[int]) -> tuple[int | None, ...]:
    """Return the lines of `running` that are the `lines` of `written`; None for one that it has not."""
    if written is None or written == running:
        return tuple(lines)
    to = line_map(written, running)
    ours, theirs = written.split("\n"), running.split("\n")

    def place(line: int) -> int | None:
        if not 1 <= line <= len(ours):
            return None
        found = to(line)
        return found if ours[line - 1] == theirs[found - 1] else None

    return tuple(map(place, lines))
