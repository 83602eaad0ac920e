"""The breakpoints of a front end: those of one file are breakpoints in every version of it that runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from midflight.dap.sources import Sources, Target

__all__ = ["Breakpoints", "FileBreakpoints"]

Plist = dict[str, Any]

NOT_THERE = "This line is not in the version that runs. Load the file to stop here."


@dataclass
class FileBreakpoints:
    """The breakpoints that a front end has asked for in one file.

    `source` is the file in its words, `asked` the breakpoints, `numbers` what they are called towards it; `files` are
    those of the code in which they were set last.
    """

    source: Plist
    path: str
    asked: list[Plist]
    numbers: list[int]
    files: set[str] = field(default_factory=set)


class Breakpoints:
    """The breakpoints of one session, by the file of this machine."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._files: dict[str, FileBreakpoints] = {}
        self._numbers = count(1)
        self._own: dict[int, int] = {}  # debugpy's number of a breakpoint: ours

    def ask(self, arguments: Mapping[str, Any]) -> FileBreakpoints:
        """Take in a `setBreakpoints` request, which replaces all of its file."""
        source = dict(arguments.get("source") or {})
        path = self._sources.here(str(source.get("path", "")))
        asked = [dict(each) for each in arguments.get("breakpoints") or ()]
        before = self._files.get(path)
        made = FileBreakpoints(source, path, asked, [next(self._numbers) for _ in asked])
        made.files = set() if before is None else before.files
        self._files[path] = made
        return made

    def of(self, path: str) -> FileBreakpoints | None:
        """Return those of a file, None if none were ever asked for."""
        return self._files.get(path)

    def requests(self, of: FileBreakpoints) -> list[tuple[Target, Plist]]:
        """Return the arguments of the requests that set them, one a version; files that run no more are emptied."""
        targets = self._sources.targets(of.path, [int(each.get("line", 1)) for each in of.asked])
        made = [(each, _arguments(each, of.asked)) for each in targets]
        gone = of.files - {each.file for each in targets}
        of.files = {each.file for each in targets}
        return [*((Target(file, (), None), _arguments(Target(file, (), None), [])) for file in sorted(gone)), *made]

    def answer(self, of: FileBreakpoints, answers: Sequence[tuple[Target, Plist]]) -> list[Plist]:
        """Return what a front end is told of each: the place that debugpy gave it in the newest version that has it."""
        told: list[Plist] = [
            {"id": number, "verified": False, "line": asked.get("line"), "message": NOT_THERE, "source": of.source}
            for number, asked in zip(of.numbers, of.asked, strict=True)
        ]
        for target, body in answers:
            set_there = iter(body.get("breakpoints") or ())
            for index, line in enumerate(target.lines):
                found = None if line is None else next(set_there, None)
                if found is None:
                    continue
                if isinstance(found.get("id"), int):
                    self._own[found["id"]] = of.numbers[index]
                shift = int(found.get("line") or line) - line if line is not None else 0
                told[index] = {
                    **{name: value for name, value in found.items() if name not in ("id", "line", "source")},
                    "id": of.numbers[index],
                    "line": int(of.asked[index].get("line", 1)) + shift,
                    "source": of.source,
                }
        return told

    def own(self, number: object) -> object:
        """Return our number for debugpy's; an unknown one as it is."""
        return self._own.get(number, number) if isinstance(number, int) else number


def _arguments(target: Target, asked: Sequence[Plist]) -> Plist:
    there = [
        {**each, "line": line} for each, line in zip(asked, target.lines, strict=bool(target.lines)) if line is not None
    ]
    return {"source": {"path": target.file}, "breakpoints": there, "lines": [each["line"] for each in there]}
