"""`midflight doctor`: the installation, and all that is known of the server of a project. It changes nothing."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from midflight.epc import ProjectFiles, RemoteServer, ServerFile, runtime_folder
from midflight.errors import MidflightError

__all__ = ["examine"]

_PACKAGES = ("midflight", "epc", "sexpdata", "pynvim", "pyflakes", "prompt_toolkit")
_PROGRAMS = ("emacs", "nvim")


def examine(root: Path, kernel: str) -> dict[str, str | None]:
    """Return the findings by their names; "trouble" is None, or the fault to mend first.

    `kernel` says which kernel runs here, and why.
    """
    found: dict[str, str | None] = {
        "python": f"{platform.python_version()}, {sys.executable}",
        **{name: _package(name) for name in _PACKAGES},
        **{name: _program(name) for name in _PROGRAMS},
        "kernel": kernel,
        "root": str(root),
        "runtime folder": None,
        "server": None,
        "answer": None,
        "loads": None,
        "store": None,
        "start": None,
        "log": None,
        "trouble": None,
    }
    try:
        found["runtime folder"] = str(runtime_folder())
        place = ProjectFiles(root)
        found["log"] = str(place.log_path) if place.log_path.exists() else f"{place.log_path}, which is not there yet"
        said = place.read()
        if said is None:
            found["server"] = "none runs"
        elif place.running() is None:
            found["server"] = f"none runs; {place.server_path} is stale, process {said.pid} is gone"
        else:
            found["server"] = f"{said.place}, process id {said.pid}, version {said.version}, protocol {said.protocol}"
            found["answer"], found["loads"], found["store"], found["start"], refused = _answer(said)
            if refused:
                found["trouble"] = "the code does not take the states of some durable servers; see store"
            if found["start"] is not None:
                found["trouble"] = "the project's start has failed; see start"
    except (MidflightError, TimeoutError) as error:
        found["trouble"] = str(error)
    return found


def _answer(said: ServerFile) -> tuple[str, str, str | None, str | None, bool]:
    """Return how the server answers, its loads, its store, what has not started, and if states were refused."""
    with RemoteServer.to(said) as client:
        began = time.perf_counter()
        client.call("ping")
        milliseconds = (time.perf_counter() - began) * 1000
        info = client.call("server/info")
        loads = client.call("code/loading") or []
    what = f"{info['processes']} processes, Python {info['python']}, kernel {info['kernel']}"
    under_way = "; ".join(each["text"] for each in loads) or "none under way"
    start = " ".join(info["start_failures"] or ()) or None
    store = info.get("store")
    refused = (store or {}).get("refused") or []
    return (
        f"in {milliseconds:.1f} ms; {what}",
        under_way,
        None if store is None else _store(store),
        start,
        bool(refused),
    )


def _store(store: dict[str, Any]) -> str:
    """Return what is to be known of a store: the file, which code runs, and the states that were refused."""
    said = [f"{store['path']}: {store['window']['text']}", f"code = {store['code']}"]
    said += store["not_as_last"] or ["the files are what ran last"]
    said += [f"{each['name']} is not started, its state is refused: {each['why']}" for each in store["refused"] or ()]
    return "; ".join(said)


def _package(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _program(name: str) -> str:
    """Return the program's own words on its version, and its path."""
    path = shutil.which(name)
    if path is None:
        return "not on PATH"
    try:
        output = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return f"{path} does not run: {error}"
    return f"{output.splitlines()[0] if output else 'no version'}, {path}"
