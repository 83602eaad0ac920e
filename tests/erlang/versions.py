"""Texts of modules that several cases load, and what is asked of their versions."""

from __future__ import annotations

import sys
from pathlib import Path

from midflight import code
from midflight.code.modules import _modules

LOCAL_LOOP = """
    from midflight import receive, trap_exit

    async def loop():
        match await receive():
            case ("v", pid):
                pid << ("v", VERSION)
                return loop()
            case "trap":
                trap_exit(True)
                return loop()
"""
QUALIFIED_LOOP = """
    import m
    from midflight import receive

    async def loop():
        _, pid = await receive(("v", ...))
        pid << ("v", VERSION)
        return m.loop()
"""


def version(source: str, number: int) -> str:
    """Return the text of version `number`: VERSION in it is that number."""
    return source.replace("VERSION", str(number))


def has_old_code(name: str = "m") -> bool:
    """Say whether anybody still runs an old version: OTP's check_old_code, where old code stays until purged."""
    return code.is_loaded(name) is not None and any(not each.current for each in code.versions(name))


def forget_modules_in(folder: Path) -> None:
    """Let the interpreter and the code server know nothing of the modules whose files are in `folder`.

    There is one code server in an interpreter, so the next test would find them: a name taken, a number used.
    """
    ours = [name for name, module in sys.modules.items() if _is_in(folder, getattr(module, "__file__", None))]
    ours += [name for name, module in _modules.items() if _is_in(folder, module.path)]
    for name in ours:
        sys.modules.pop(name, None)
        _modules.pop(name, None)


def _is_in(folder: Path, file: object) -> bool:
    return isinstance(file, str) and Path(file).is_relative_to(folder)
