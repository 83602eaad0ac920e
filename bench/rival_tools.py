"""How each tool takes a new text, and one edit under one of them: `rival_tools.py TOOL EDIT` prints a line of JSON."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import io
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "server")]
from rival_edits import EDITS, MIDFLIGHT  # noqa: E402  # its folder had to be on the path first

COLOUR = re.compile(r"\x1b\[[0-9;]*[a-zA-Z]|\x1b\(B")

Update = Callable[[], str]  # takes the new text, returns what the tool says of it, in short


def printed(function: Callable[[], object]) -> str:
    """Return what a function prints, without colours."""
    sink = io.StringIO()
    with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
        function()
    return COLOUR.sub("", sink.getvalue()).strip()


def in_short(text: str) -> str:
    """Say what sort of thing a tool has printed."""
    if not text:
        return "nothing"
    return "the error" if "Error" in text else "what it changed"


def use_reload(_: Path) -> tuple[ModuleType, Update]:
    """Python itself."""
    module = importlib.import_module("m")

    def update() -> str:
        try:
            return in_short(printed(lambda: importlib.reload(module)))
        except Exception:
            return "the error"

    return module, update


def use_autoreload(path: Path) -> tuple[ModuleType, Update]:
    """IPython's extension in mode 2, which tells what it reloads."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "autoreload")
    shell.run_line_magic("autoreload", "2 --print")
    module = importlib.import_module("m")
    shell.run_cell("pass")  # it notes the time of the file before the next cell

    def update() -> str:
        os.utime(path, (time.time() + 10, time.time() + 10))
        said = in_short(printed(lambda: shell.run_cell("pass")))
        return "that it reloads" if said == "what it changed" else said

    return module, update


def use_jurigged(path: Path) -> tuple[ModuleType, Update]:
    """Its watcher with its own messages, but asked instead of waiting for the file system."""
    import jurigged

    watcher = jurigged.watch(str(path.parent / "*.py"), autostart=False)
    module = importlib.import_module("m")
    return module, lambda: in_short(printed(lambda: watcher.refresh(str(path))))


def use_midflight(path: Path) -> tuple[ModuleType, Update]:
    """`code.load`, and what its report says."""
    from midflight import code

    code.load(path)

    def update() -> str:
        try:
            report = code.load(path)
        except code.LoadError:
            return "the error"
        if report.lingering or report.stale_imports or any(each.code == "bystander" for each in report.warnings):
            return "what stays old"
        return "what it changed" if report.added or report.changed or report.removed else "nothing"

    return sys.modules["m"], update


class Tool(NamedTuple):
    """A way to take a new text: what heads its column, the package that it is in, None for one that is there."""

    title: str
    package: str | None
    use: Callable[[Path], tuple[ModuleType, Update]]


TOOLS = {
    "reload": Tool("importlib.reload", None, use_reload),
    "autoreload": Tool("IPython autoreload 2", "ipython", use_autoreload),
    "jurigged": Tool("jurigged", "jurigged", use_jurigged),
    "midflight": Tool("Midflight", None, use_midflight),
}


async def run_edit(tool: str, name: str, folder: Path) -> dict[str, str]:
    """Do one edit under one tool."""
    edit = MIDFLIGHT.get(name, EDITS[name]) if tool == "midflight" else EDITS[name]
    path = folder / "m.py"
    path.write_text(edit.old, encoding="utf-8")
    user = "from m import f\n" if "def f(" in edit.old else ""
    (folder / "user.py").write_text(user, encoding="utf-8")
    module, update = TOOLS[tool].use(path)
    kept = SimpleNamespace()
    await edit.before(module, kept)
    path.write_text(edit.new, encoding="utf-8")
    said = update()
    return {"tool": tool, "edit": name, "became": await edit.after(module, kept), "said": said}


def main() -> None:
    """Run the edit that the arguments name."""
    tool, name = sys.argv[1:]
    sys.dont_write_bytecode = True
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made).resolve()
        sys.path.insert(0, str(folder))
        if tool == "midflight":
            import midflight

            found = midflight.run(run_edit, tool, name, folder)
        else:
            found = asyncio.run(run_edit(tool, name, folder))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
