"""coverage.py counts what loaded versions run for the file that people edit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("coverage")

SHAPE = """\
def area(n):
    if n > 3:
        return n * n
    return 0


def other():
    return 1
"""

PROGRAM = """\
from midflight import code
code.load({path!r})
import shape
old = shape.area
text = open({path!r}).read()
code.load({path!r}, "# moved" + chr(10) + text.replace("return 0", "return 00"))
{calls}
"""


def measured(folder: Path, calls: str, plugins: str = "midflight.coverage") -> tuple[list[int], list[int]]:
    """Run a program with those calls; return the lines of shape.py that count as run, and as missed."""
    path = folder / "shape.py"
    path.write_text(SHAPE)
    (folder / "program.py").write_text(PROGRAM.format(path=str(path), calls=calls))
    (folder / ".coveragerc").write_text(f"[run]\nplugins = {plugins}\nsource = {folder}\n")
    for arguments in (["run", "program.py"], ["json", "-q"]):
        subprocess.run([sys.executable, "-m", "coverage", *arguments], cwd=folder, check=True, capture_output=True)
    files = json.loads((folder / "coverage.json").read_text())["files"]
    return files["shape.py"]["executed_lines"], files["shape.py"]["missing_lines"]


def test_lines_of_all_versions_count_for_the_file(tmp_path):
    """Wherever they stood in the version that ran."""
    executed, missing = measured(tmp_path, "old(1)\nshape.area(4)")

    assert executed == [1, 2, 3, 4, 7]
    assert missing == [8]


def test_a_line_that_is_another_one_now_counts_nowhere(tmp_path):
    """`return 00` was run, and is not what the file says."""
    executed, missing = measured(tmp_path, "shape.area(1)")

    assert executed == [1, 2, 7]
    assert missing == [3, 4, 8]


def test_without_the_plugin_nothing_counts(tmp_path):
    """The versions run under names of their own: so this is what it is for."""
    assert measured(tmp_path, "old(1)", plugins="")[0] == []
