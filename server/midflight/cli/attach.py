"""`midflight attach PID`: a server in a Python that runs already and never heard of Midflight (CPython 3.14 or later).

The life of it: a script of a few lines is written where the target can read it -> the target runs it at its next safe
moment (`sys.remote_exec`) -> it imports Midflight and calls `serve_in_background` -> it writes what came of that into a
file next to the script. One that sleeps in its event loop is nudged, by a stop and a continuation it does not notice.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from midflight.cli.show import show
from midflight.errors import NotFound, RequestError, RequestTimeout

__all__ = ["attach_to", "script_for"]

LOOK_SECONDS = 0.05
NUDGE_SECONDS = 1.0  # until one that has not run the script is nudged, and between two nudges

_SCRIPT = """\
def _midflight_attach():
    import json, os, sys, traceback
    place, root, folders = {place!r}, {root!r}, {folders!r}
    try:
        try:
            import midflight
        except ImportError:
            sys.path += [each for each in folders if each not in sys.path]
            import midflight
        server = midflight.serve_in_background(root)
        said = {{"name": server.name, "root": str(server.root), "pid": os.getpid()}}
    except BaseException:
        said = {{"error": traceback.format_exc()}}
    with open(place + ".part", "w", encoding="utf-8") as out:
        json.dump(said, out)
    os.rename(place + ".part", place)


_midflight_attach()
del _midflight_attach
"""


def attach_to(options: argparse.Namespace) -> int:
    """Give the Python with the process id PID a server, and say by what name and in which project it is found."""
    pid = options.pid
    _require_possible(pid)
    owner = os.stat(f"/proc/{pid}").st_uid if os.path.isdir(f"/proc/{pid}") else os.getuid()
    folder = Path(tempfile.mkdtemp(prefix="midflight-attach-"))
    try:
        script, place = folder / "attach.py", folder / "said.json"
        script.write_text(script_for(place, None if options.root is None else str(Path(options.root).resolve())))
        if owner != os.getuid():  # we are root
            for each in (folder, script):
                os.chown(each, owner, -1)
        _send(pid, script)
        said = _answer(pid, place, options.timeout)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if "error" in said:
        raise RequestError(
            f"The process {pid} ran the script and has no server; it goes on as before. What it says:\n{said['error']}"
            "If Midflight is missing there, install it for that Python."
        )
    return show(
        options,
        said,
        lambda: f"{said['pid']} serves {said['root']} as {said['name']}: midflight ps --root {said['root']}",
    )


def script_for(place: Path, root: str | None) -> str:
    """Return the script that the target runs; it writes JSON to `place`: its server, or an error with its traceback."""
    folders = [str(Path(__file__).resolve().parents[2])]  # of this Midflight, if it has none of its own
    return _SCRIPT.format(place=str(place), root=root, folders=folders)


def _require_possible(pid: int) -> None:
    """Raise what keeps the process `pid` from being attached to, as far as it can be seen from here."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        raise NotFound(f"No process has the id {pid}; nothing was done. See ps.") from None
    except PermissionError:
        raise RequestError(f"The process {pid} belongs to another user; nothing was done. Be that user.") from None
    if pid == os.getpid():
        raise RequestError(f"The process {pid} is this command; nothing was done. Give the id of your program.")
    if not hasattr(sys, "remote_exec"):
        version = ".".join(map(str, sys.version_info[:2]))
        raise RequestError(
            f"This Python is {version}, and only 3.14 or later can have another one run something; nothing was done. "
            "Put one line into the program instead, midflight.serve_in_background(), or start it by midflight run."
        )


def _send(pid: int, script: Path) -> None:
    """Have the process run the script. Raises: RequestError with Python's own reason."""
    remote_exec: Any = getattr(sys, "remote_exec")  # noqa: B009  # of 3.14
    try:
        remote_exec(pid, str(script))
    except PermissionError as error:
        raise RequestError(
            f"The system does not let this user write into the process {pid} ({error}); nothing was done. As root, or "
            "with the capability SYS_PTRACE, it does; in a container that is an option of its start."
        ) from None
    except (OSError, RuntimeError, ValueError) as error:
        raise RequestError(
            f"The process {pid} cannot be attached to: {error}. Nothing was done. It must be a Python of the version "
            f"{sys.version_info[0]}.{sys.version_info[1]}, started without PYTHON_DISABLE_REMOTE_DEBUG and "
            "-X disable-remote-debug."
        ) from None


def _answer(pid: int, place: Path, seconds: float) -> dict[str, Any]:
    """Wait for what the script says. Raises: RequestTimeout; NotFound if the process ends."""
    deadline, nudge_at = time.monotonic() + seconds, time.monotonic() + NUDGE_SECONDS
    while not place.exists():
        now = time.monotonic()
        try:
            if now > nudge_at:
                nudge_at = now + NUDGE_SECONDS
                os.kill(pid, signal.SIGSTOP)
                os.kill(pid, signal.SIGCONT)
            os.kill(pid, 0)
        except ProcessLookupError:
            raise NotFound(f"The process {pid} has ended meanwhile.") from None
        if now > deadline:
            raise RequestTimeout(
                f"The process {pid} has not come to run the script within {seconds:g} s: its main thread runs C code, "
                "say. Nothing was changed so far, and the script is taken away."
            )
        time.sleep(LOOK_SECONDS)
    said: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    return said
