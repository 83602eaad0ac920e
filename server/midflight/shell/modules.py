"""Loaded modules in the shell: listed, described, loaded."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence

from midflight import code
from midflight.code import lowlevel
from midflight.introspect import module_names
from midflight.text import columns

__all__ = ["description", "load", "load_modified", "table"]


async def load(module: str, say: Callable[[str], None]) -> None:
    """Load `module`, a name or a path, and say how that went; a refusal is said too, and is not a failure.

    Live servers are upgraded if it brings a code_change for them, as the editors' load does it. Its body runs in a
    thread of its own, so processes run on meanwhile.
    """
    await _tell(lambda: (lowlevel.load_or_upgrade(module),), say)


async def load_modified(say: Callable[[str], None]) -> None:
    """Load all modules whose file has changed since, together or not at all, and report on each.

    Live servers are upgraded as by `load`, those of all of the modules or of none.
    """
    if not await _tell(lambda: lowlevel.load_or_upgrade_many(code.modified_modules()), say, lowlevel.text_of_many):
        say("no loaded module's file has changed")
    for missing in code.missing_modules():
        say(str(missing))


async def _tell(
    load: Callable[[], Sequence[code.LoadReport]],
    say: Callable[[str], None],
    refusal: Callable[[Sequence[code.LoadReport]], str] = lambda reports: code.text(reports[0]),
) -> bool:
    """Report on `load`, called in a thread, or its `refusal`; False if it loaded and refused nothing."""
    try:
        reports = await asyncio.to_thread(load)
    except code.LoadError as error:
        say(refusal(error.reports))
        return True
    for report in reports:
        say(code.summary(report))
    return bool(reports)


def table() -> str:
    """Return one line a loaded module: its current version, how many processes run which, its file."""
    rows = [("Module", "Current", "Processes", "File")]
    for name in module_names():
        versions = code.versions(name)
        current = next(version.version for version in versions if version.is_current)
        counts = [(version.version, len(code.processes(name, version.version))) for version in versions]
        runs = ", ".join(f"{count} in v{number}" for number, count in counts if count)
        rows.append((name, f"v{current}", runs or "none", code.is_loaded(name) or ""))
    return columns(rows)


def description(name: str) -> str:
    """Return the description of one module: file, versions with their processes, public names."""
    file = code.is_loaded(name)
    if file is None:
        return f"{name} is not loaded; c({name!r}) loads it\n"
    rows = [("Version", "Vsn", "", "Processes")]
    for version in code.versions(name):
        pids = " ".join(repr(pid) for pid in code.processes(name, version.version))
        rows.append(
            (f"v{version.version}", str(version.vsn), "current" if version.is_current else "old", pids or "none")
        )
    namespace = vars(sys.modules[name])
    names = [each for each in list(namespace) if not each.startswith("_") and _is_defined_by(name, namespace[each])]
    return f"{name}, {file}\n{columns(rows)}defines {', '.join(sorted(names)) or 'nothing public'}\n"


def _is_defined_by(name: str, value: object) -> bool:
    return callable(value) and getattr(value, "__module__", None) == name
