"""The commands of `midflight`, as a person at a terminal gives them in a project."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from helpers.server_process import DEADLINE_SECONDS, MIDFLIGHT, environment
from midflight.cli import main

__all__ = ["Shell"]


class Shell:
    """What a person at a terminal does in the project's folder, with what is printed."""

    def __init__(self, project: Path, runtime_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._project = project
        self._runtime_dir = runtime_dir
        self._capsys = capsys
        self.error = ""

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """Run a command, which must end with `code`; return what it printed, its errors are in `error`."""
        self._capsys.readouterr()
        found = main([*arguments, "--root", str(self._project)])
        output, self.error = self._capsys.readouterr()
        assert found == code, (arguments, output, self.error)
        return output

    def json(self, *arguments: str, code: int = 0) -> Any:
        """Run a command with --json; return what it printed."""
        return json.loads(self(*arguments, "--json", code=code))

    def piped(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command as a program of its own with `given` as its input."""
        return subprocess.run(
            [*MIDFLIGHT, *arguments],
            cwd=self._project,
            env=environment(self._runtime_dir),
            input=given,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
        )
