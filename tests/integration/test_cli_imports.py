"""What a start imports: a command that asks a server needs no server, and a program only what it uses."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.server_process import DEADLINE_SECONDS, Program, environment

IMPORTED = "import sys; {0}; print(*sorted(sys.modules), sep='\\n', file=sys.stderr)"


def imported_by(statement: str, project: Path, runtime_dir: Path) -> set[str]:
    """Return the modules that a new interpreter has imported after `statement`."""
    ran = subprocess.run(
        [sys.executable, "-P", "-c", IMPORTED.format(statement)],
        cwd=project,
        env=environment(runtime_dir),
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=True,
    )
    return set(ran.stderr.split())


def test_midflight_alone_imports_nothing_of_itself(project: Path, runtime_dir: Path) -> None:
    """Its names come when they are used, and asyncio with them."""
    found = imported_by("import midflight", project, runtime_dir)

    assert {each for each in found if each.startswith("midflight")} == {"midflight", "midflight.lazy"}
    assert "asyncio" not in found


def test_processes_come_without_the_code_server(project: Path, runtime_dir: Path) -> None:
    """A name brings its own layer, and those below it."""
    found = imported_by("from midflight import Pid, receive, spawn", project, runtime_dir)

    assert "midflight.kernel.core" in found
    assert not {"midflight.code", "midflight.otp", "midflight.epc", "epc"} & found


@pytest.mark.parametrize("command", ["ps", "versions page", "send nobody 1"])
def test_a_command_imports_no_server(
    start: Callable[..., Program], project: Path, runtime_dir: Path, command: str
) -> None:
    """Neither ours nor those of XML-RPC and HTTP, which the package `epc` would bring."""
    start("serve").port()

    found = imported_by(f"from midflight.cli import main; main({command.split()!r})", project, runtime_dir)

    ours = {each for each in found if each.startswith("midflight")}
    assert len(ours) < 45, sorted(ours)
    assert not {"midflight.app", "midflight.code", "midflight.epc.server", "midflight.kernel.core"} & found
    assert not {"xmlrpc.server", "http.server", "pydoc", "readline", "importlib.metadata"} & found
