"""Rivals side by side: an edit after the other under each tool, and what became of running code and of state.

    python bench/rivals.py [--python PYTHON] [--edits a,b] [--tools a,b] [--write FILE]

Each edit runs in an interpreter of its own for each tool: Midflight in this one, the others in PYTHON, which has
ipython, jurigged and reloadium installed. A tool that is not installed leaves a gap that says so; this installs
nothing (`make bench` does).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from rival_programs import EDITS
from rival_tools import OURS, TOOLS

HERE = Path(__file__).resolve().parent
TIMEOUT_SECONDS = 60

HEAD = """\
# Rivals side by side

<!-- Made by bench/rivals.py. -->

The same edit of the same module under each tool, each in a fresh interpreter ({versions}). The module is imported, as a
program does it; the last column is Midflight with `forward`. A cell says what became
of what was running or kept, and after the dash what the tool said of it by itself: nothing; that it reloads; what
it changed; what stays old, and who runs or holds it; or the error.

"""

FOOT = """
importlib.reload runs the new text in the old module's namespace. autoreload does too, and then patches the
functions and classes that it finds; jurigged and reloadium patch the code of each function in place. They leave one
version, and nobody can say which one a suspended coroutine runs: it runs the old code for as long as it loops. Where
they put new code into old functions and objects, Midflight leaves both versions whole, side by side: old functions
call old functions, and a process moves at a qualified call. With `forward`, functions that others hold call their
current versions where that is safe. The state of the module is kept, `code.current(f)` is the newest version of a
function that is held, `code.migrate(old)` makes an old object one of the new class.
"""


def observe(python: str, tool: str, name: str) -> tuple[str, str]:
    """Run one edit under one tool in a process of its own; return what became of it and what the tool said."""
    starter = ["-m", "reloadium", "run"] if tool == "reloadium" else []
    command = [python, *starter, str(HERE / "rival_tools.py"), tool, name]
    with tempfile.TemporaryDirectory(prefix="midflight-rivals-") as made:
        home, folder = Path(made, "home"), Path(made, "project")
        home.mkdir()
        folder.mkdir()
        try:
            done = subprocess.run(
                command,
                text=True,
                capture_output=True,
                timeout=TIMEOUT_SECONDS,
                check=False,
                cwd=folder.resolve(),
                env=os.environ | {"HOME": str(home), "PYTHONPATH": str(HERE)},
            )
        except subprocess.TimeoutExpired:
            return "hangs", "nothing"
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"tool"')]
    if not lines:
        return f"ends: {(done.stderr.strip() or 'no word').splitlines()[-1]}", "nothing"
    found = json.loads(lines[-1])
    return found["became"], found["said"]


def version_of(python: str, tool: str) -> str | None:
    """Return the version of a tool in that interpreter; None if it is not installed there."""
    if TOOLS[tool].package is None:
        return platform.python_version()
    code = f"import importlib.metadata as m; print(m.version({TOOLS[tool].package!r}))"
    done = subprocess.run([python, "-c", code], text=True, capture_output=True, check=False)
    return done.stdout.strip() or None


def main() -> None:
    """Run all and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--edits", default=",".join(EDITS))
    parser.add_argument("--tools", default=",".join(TOOLS))
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    tools = options.tools.split(",")
    pythons = {tool: sys.executable if tool in OURS else os.path.abspath(options.python) for tool in tools}
    versions = {tool: version_of(pythons[tool], tool) for tool in tools}
    said = [f"{TOOLS[tool].title} {number}" for tool, number in versions.items() if TOOLS[tool].package and number]
    text = HEAD.format(versions=", ".join([f"CPython {platform.python_version()}", *said]))
    text += f"| Edit | {' | '.join(TOOLS[tool].title for tool in tools)} |\n|{'---|' * (len(tools) + 1)}\n"
    for name in options.edits.split(","):
        cells = [EDITS[name].title]
        for tool in tools:
            if versions[tool] is None:
                cells.append("not installed")
            else:
                cells.append(" - ".join(observe(pythons[tool], tool, name)))
        text += f"| {' | '.join(cells)} |\n"
        print(cells, file=sys.stderr)
    text += FOOT
    print(text, end="")
    if options.write is not None:
        options.write.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
