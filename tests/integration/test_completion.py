"""The completion of a shell: the script runs in it, and completes commands, options and what the server has."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.server_process import DEADLINE_SECONDS, Program, environment
from midflight.epc import RemoteServer

BASH = """\
midflight() {{ {python} -P -m midflight.cli "$@"; }}
eval "$(midflight completion bash)"
COMP_WORDS=({words}); COMP_CWORD={last}
_midflight
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def complete(run: Shell, start: Callable[..., Program], project: Path, runtime_dir: Path) -> Callable[..., list[str]]:
    """Give a function that completes the last of some words in bash, with a module and a process in the server."""
    start("serve").port()
    (project / "page.py").write_text("x = 1\n")
    run("load", str(project / "page.py"))
    with RemoteServer.attach(project) as client:
        session = client.call("shell/open")["session"]
        client.call("shell/eval", session, "spawn(receive, name='reader')")

    def words(*typed: str) -> list[str]:
        script = BASH.format(
            python=sys.executable, words=" ".join(f"'{each}'" for each in ("midflight", *typed)), last=len(typed)
        )
        ran = subprocess.run(
            ["bash", "--norc", "-c", script],
            cwd=project,
            env=environment(runtime_dir),
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
        )
        assert ran.stderr == ""
        return ran.stdout.split()

    return words


def test_bash_completes_commands_and_options(complete: Callable[..., list[str]]) -> None:
    """And the words that an option takes."""
    assert complete("vers") == ["versions"]
    assert complete("load", "--dry") == ["--dry-run"]
    assert complete("ps", "--sort", "mod") == ["module"]
    assert complete("completion", "fi") == ["fish"]


def test_bash_completes_modules_processes_and_files(complete: Callable[..., list[str]]) -> None:
    """As the server knows them now."""
    assert complete("versions", "pa")[0] == "page"
    assert complete("send", "rea") == ["reader"]
    assert complete("load", "pa") == ["page.py"]


def test_without_a_server_nothing_is_said(run: Shell, project: Path) -> None:
    """A person who completes has not asked for a fault."""
    assert run("completion", "--words", "modules").strip() == ""
    assert run.error == ""


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_script_is_one_of_its_shell(run: Shell, project: Path, shell: str) -> None:
    """It is read without a fault."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"no {shell} here")
    path = project / "script"
    path.write_text(run("completion", shell))

    ran = subprocess.run([program, "-n", str(path)], capture_output=True, text=True, timeout=DEADLINE_SECONDS)

    assert (ran.returncode, ran.stderr) == (0, "")
