"""Files and lines of an editor, and those of the versions that run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from helpers.versions import Project
from midflight.code import load
from midflight.code.lowlevel import running_texts, text_behind
from midflight.dap.breakpoints import Breakpoints
from midflight.dap.sources import Sources

V1 = "def f(x):\n    y = x\n    return y\n"
V2 = "import os\n\n" + V1.replace("y = x", "y = 2 * x")


def test_a_file_of_no_module_is_itself(tmp_path: Path) -> None:
    """Nothing is known of it, so a line is that line."""
    path = str(tmp_path / "other.py")
    (target,) = Sources().targets(path, [3])

    assert (target.file, target.lines, target.version) == (path, (3,), None)


def test_each_version_that_runs_has_its_own_lines(project: Project) -> None:
    """An unchanged line is where it is in each text; a changed one is in the current text alone."""
    path = Path(project.write("sources_lines.py", V1))
    load(str(path))
    held = __import__("sources_lines").f  # so that version 1 can be run
    path.write_text(V2)
    load(str(path))
    first, second = Sources().targets(str(path), [4, 5])

    assert (first.version, first.lines) == (1, (None, 3))
    assert (second.version, second.lines) == (2, (4, 5))
    assert held(1) == 1


def test_the_current_version_is_shown_as_the_file_and_an_older_one_as_its_own(project: Project) -> None:
    """So an editor never shows lines of another text than ran; a file edited since its load is another text."""
    path = Path(project.write("sources_shown.py", V1))
    load(str(path))
    (one,) = running_texts(str(path))
    sources = Sources()
    before = sources.shown({"path": one.file})
    path.write_text(V2)
    after = sources.shown({"path": one.file})

    assert (before["path"], before["name"]) == (str(path), "sources_shown.py")
    assert (after["path"], after["name"]) == (one.file, "sources_shown.py (version 1, as it was loaded)")
    assert text_behind(one.file) == one


def test_another_machine_gets_the_text_of_an_older_version(project: Project) -> None:
    """It cannot open the file: a number stands for it, and the mapped folder for the project."""
    path = Path(project.write("sources_far.py", V1))
    load(str(path))
    sources = Sources([{"localRoot": "/far", "remoteRoot": str(path.parent)}])
    (one,) = running_texts(str(path))
    near = sources.shown({"path": one.file})
    path.write_text(V2)
    far = sources.shown({"path": one.file})

    assert near["path"] == "/far/sources_far.py"
    assert sources.text_of(far["sourceReference"]) == V1
    assert sources.text_of(7) is None
    assert sources.here("/far/sources_far.py") == str(path)


def test_a_breakpoint_is_told_where_the_newest_version_has_it(project: Project) -> None:
    """The number and the file are the editor's own; debugpy may move it down to a line with code."""
    path = Path(project.write("sources_told.py", V1))
    load(str(path))
    breakpoints = Breakpoints(Sources())
    of = breakpoints.ask({"source": {"path": str(path)}, "breakpoints": [{"line": 2}, {"line": 99}]})
    (target, arguments), *more = breakpoints.requests(of)
    set_there: Any = {"breakpoints": [{"id": 7, "verified": True, "line": 3}, {"id": 8, "verified": False}]}
    told = breakpoints.answer(of, [(target, set_there)])

    assert not more
    assert arguments["lines"] == [2, 99]
    assert (told[0]["verified"], told[0]["line"], told[0]["source"]) == (True, 3, {"path": str(path)})
    assert breakpoints.own(7) == told[0]["id"]
    assert told[1]["verified"] is False
