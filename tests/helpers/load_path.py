"""The path of a load through the sources, as it is recorded: for docs/architecture.md.

A module of one line is loaded again, as an editor does it, in an interpreter of its own that has loaded nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NamedTuple

__all__ = ["PAGE", "Call", "brought_up_to_date", "recorded", "rows"]

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "server" / "midflight"
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- load-path: scripts/load-path writes this -->\n\n```\n", "```\n\n<!-- end of load-path -->"
STEPS = ("code/load/", "code/upgrade/")  # of these the page has every public function, of other rooms the first one


class Call(NamedTuple):
    """A call of a function below server/midflight: its file, its qualified name, and how deep in such calls it is."""

    file: str
    function: str
    depth: int


def recorded() -> list[Call]:
    """Return the calls of the load, in their order. Takes half a second."""
    paths = os.pathsep.join([str(ROOT / "tests"), str(ROOT / "server")])
    done = subprocess.run(
        [sys.executable, "-m", "helpers.load_path"],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [Call(*each) for each in json.loads(done.stdout)]


def rows(calls: list[Call]) -> Iterator[Call]:
    """Yield the calls that the page shows, each at its first place: its depth is how many of the shown it is in."""
    shown: set[tuple[str, str]] = set()
    rooms: set[str] = set()
    above: list[tuple[Call, bool]] = []  # the calls that this one is in, and whether each is shown
    for call in calls:
        while above and above[-1][0].depth >= call.depth:
            above.pop()
        key, room = (call.file, call.function), call.file.rpartition("/")[0]
        is_public = not any(part.startswith(("_", "<")) for part in call.function.split("."))
        is_shown = is_public and key not in shown and (call.file.startswith(STEPS) or room not in rooms)
        if is_shown:
            shown.add(key)
            rooms.add(room)
            yield call._replace(depth=sum(is_one for _, is_one in above))
        above.append((call, is_shown))


def brought_up_to_date(text: str, calls: list[Call]) -> str:
    """Return the page's text with the path as it is recorded."""
    before, rest = text.split(BEGIN)
    lines = [f"{'  ' * depth + function:<42}{file}\n" for file, function, depth in rows(calls)]
    return before + BEGIN + "".join(lines) + END + rest.partition(END)[2]


def record() -> list[Call]:
    """Load the module in this interpreter; return the calls of its second load."""
    from midflight import code
    from midflight.code.lowlevel import load_or_upgrade

    calls: list[Call] = []
    own = str(PACKAGE) + os.sep

    def note(frame: FrameType, event: str, _: object) -> None:
        if event != "call" or not frame.f_code.co_filename.startswith(own) or _is_property(frame):
            return
        above, depth = frame.f_back, 0
        while above is not None:
            depth += above.f_code.co_filename.startswith(own)
            above = above.f_back
        calls.append(Call(frame.f_code.co_filename[len(own) :], frame.f_code.co_qualname, depth))

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "thing.py")
        for name, text in (("pyproject.toml", ""), ("thing.py", "NUMBER = 1\n")):
            Path(folder, name).write_text(text, encoding="utf-8")
        code.load(path)
        sys.setprofile(note)
        try:
            load_or_upgrade(path, "NUMBER = 2\n")
        finally:
            sys.setprofile(None)
    return calls


def _is_property(frame: FrameType) -> bool:
    """Say whether a function is one that looks like an attribute to its caller."""
    name, _, last = frame.f_code.co_qualname.rpartition(".")
    return isinstance(getattr(frame.f_globals.get(name), last, None), property)


if __name__ == "__main__":
    json.dump(record(), sys.stdout)
