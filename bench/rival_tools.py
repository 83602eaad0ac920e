"""How each tool takes a new text, and one edit under one of them: `rival_tools.py TOOL EDIT` prints a line of JSON.

It runs in an empty folder, which takes the modules of the edit. Under every tool they are imported, as a program does.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import io
import json
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from rival_edit import Text
from rival_programs import EDITS, MIDFLIGHT

RELOADIUM_SECONDS = 3.0  # it watches the files itself, and prints what it does

COLOUR = re.compile(r"\x1b\[[0-9;]*[a-zA-Z]|\x1b\(B")

Update = Callable[[Sequence[Path]], str]  # takes new texts of files, returns what the tool says of it, in short


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


def module_of(path: Path) -> str:
    """Return the name of the module in a file of this folder."""
    return ".".join(path.relative_to(Path.cwd()).with_suffix("").parts).removesuffix(".__init__")


def use_reload() -> Update:
    """Python itself: one module after the other, by name."""

    def update(paths: Sequence[Path]) -> str:
        try:
            return in_short(printed(lambda: [importlib.reload(sys.modules[module_of(path)]) for path in paths]))
        except Exception:
            return "the error"

    return update


def use_autoreload() -> Update:
    """IPython's extension in mode 2, which tells what it reloads."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "autoreload")
    shell.run_line_magic("autoreload", "2 --print")
    shell.run_cell("import m")  # it notes the times of the files before the next cell
    shell.run_cell("pass")

    def update(paths: Sequence[Path]) -> str:
        for path in paths:
            os.utime(path, (time.time() + 10, time.time() + 10))
        said = in_short(printed(lambda: shell.run_cell("pass")))
        return "that it reloads" if said == "what it changed" else said

    return update


def use_jurigged() -> Update:
    """Its watcher with its own messages, but asked instead of waiting for the file system."""
    import jurigged

    watcher = jurigged.watch(str(Path.cwd() / "*.py"), autostart=False)
    return lambda paths: in_short(printed(lambda: [watcher.refresh(str(path)) for path in paths]))


def use_reloadium() -> Update:
    """It runs this program, watches the files, and prints what it updates; nothing says when it is done."""

    def update(_: Sequence[Path]) -> str:
        return in_short(printed(lambda: time.sleep(RELOADIUM_SECONDS)))

    return update


def use_midflight() -> Update:
    """`code.load_many`, and what its reports say."""
    return _midflight()


def use_forward() -> Update:
    """The same with `forward`, as `forward = true` in the project's settings has it."""
    return _midflight(forward=True)


def _midflight(**options: bool) -> Update:
    from midflight import code

    def update(paths: Sequence[Path]) -> str:
        try:
            return max(map(_said, code.load_many(paths, **options)), key=SAID.index)
        except code.LoadError:
            return "the error"

    return update


SAID = ("nothing", "what it changed", "what stays old")  # the more telling ones last


def _said(report: Any) -> str:
    if (
        report.lingering
        or report.stale_imports
        or report.held
        or any(each.code == "bystander" for each in report.warnings)
    ):
        return "what stays old"
    return "what it changed" if report.added or report.changed or report.removed else "nothing"


class Tool(NamedTuple):
    """A way to take a new text: what heads its column, the package that it is in, None for one that is there."""

    title: str
    package: str | None
    use: Callable[[], Update]


TOOLS = {
    "reload": Tool("importlib.reload", None, use_reload),
    "autoreload": Tool("IPython autoreload 2", "ipython", use_autoreload),
    "jurigged": Tool("jurigged", "jurigged", use_jurigged),
    "reloadium": Tool("reloadium", "reloadium", use_reloadium),
    "midflight": Tool("Midflight", None, use_midflight),
    "forward": Tool("Midflight, `forward`", None, use_forward),
}


OURS = {"midflight", "forward"}


async def run_edit(tool: str, name: str) -> dict[str, str]:
    """Do one edit under one tool in this folder."""
    edit = MIDFLIGHT.get(name, EDITS[name]) if tool in OURS else EDITS[name]
    _write(edit.old)
    if "user.py" not in _files(edit.old):
        uses_f = "def f(" in _files(edit.old)["m.py"]
        Path("user.py").write_text("from m import f\n" if uses_f else "", encoding="utf-8")
    update = TOOLS[tool].use()
    module = importlib.import_module("m")
    kept = SimpleNamespace()
    await edit.before(module, kept)
    said = update(_write(edit.new))
    return {"tool": tool, "edit": name, "became": await edit.after(module, kept), "said": said}


def _files(text: Text) -> dict[str, str]:
    return {"m.py": text} if isinstance(text, str) else text


def _write(text: Text) -> list[Path]:
    """Write the files that differ; return them by name."""
    written = []
    for name, source in sorted(_files(text).items()):
        path = Path.cwd() / name
        if not path.exists() or path.read_text(encoding="utf-8") != source:
            path.parent.mkdir(exist_ok=True)
            path.write_text(source, encoding="utf-8")
            written.append(path)
    return written


def main() -> None:
    """Run the edit that the arguments name."""
    tool, name = sys.argv[1:]
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(Path.cwd()))
    if tool in OURS:
        import midflight

        found = midflight.run(run_edit, tool, name)
    else:
        found = asyncio.run(run_edit(tool, name))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
