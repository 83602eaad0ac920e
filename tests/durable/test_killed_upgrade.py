"""An upgrade whose program is killed between its transaction and the swap: the transaction decides."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.versions import text_of

PROGRAM = """
import asyncio, os, signal, sys
from midflight import Runtime, call, code
from midflight.durable.journal import StoreJournal
from midflight.errors import NotDurable

folder, what, choice = sys.argv[1:]
sys.path.append(folder)
write = StoreJournal.write

def killed_after(self, servers, versions):
    write(self, servers, versions)
    print("written", code.current_version("till"), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

def killed_before(self, servers, versions):
    print("before", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

async def upgrade():
    import till
    await till.Till.start(5, name="till")
    StoreJournal.write = killed_after if what == "after" else killed_before
    await code.upgrade("till", open(f"{folder}/new.txt").read())

async def look():
    import till
    try:
        pid = await till.Till.start(name="till")
    except NotDurable as error:
        print("refused", error)
    else:
        print("state", sorted((await call(pid, "all")).items()))
    for each in code.version_history("till"):
        text = code.source("till", each.version)
        print("version", each.version, each.is_current, each.is_earlier, text.count("code_change"))

async def main():
    async with Runtime(store=f"{folder}/state.sqlite", code=choice) as runtime:
        await runtime.run(look if what == "look" else upgrade)

asyncio.run(main())
"""


def run(folder: Path, what: str, choice: str = "disk") -> tuple[int, list[str]]:
    """Run the program; return its exit code and its lines."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), what, choice], capture_output=True, text=True, timeout=60
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode, done.stdout.splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with version 1 of the till, and a text of version 2 that is not saved."""
    (tmp_path / "till.py").write_text(text_of("till_v1"))
    (tmp_path / "new.txt").write_text(text_of("till_v2"))
    return tmp_path


def test_a_kill_after_the_transaction_leaves_an_upgraded_program(folder: Path) -> None:
    """States, text and the current version are the new ones; code_change does not run a second time."""
    assert run(folder, "after") == (-signal.SIGKILL, ["written 1"])

    code, lines = run(folder, "look", "last")

    assert code == 0
    assert lines == [
        "state [('amounts', [5]), ('begun', 'restored')]",
        "version 1 False True 0",
        "version 2 True False 1",
    ]


def test_a_kill_after_the_transaction_and_the_file_of_before(folder: Path) -> None:
    """It does not take the new states: they are named, with the version that does, and none is changed."""
    run(folder, "after")

    for _ in range(2):
        _, lines = run(folder, "look")
        assert lines[0].startswith("refused the state of 'till' is too new: it was made by version 2 of till")
        assert [line.split()[:3] for line in lines[1:]] == [
            ["version", "1", "False"],
            ["version", "2", "False"],
            ["version", "3", "True"],
        ]
    (folder / "till.py").write_text(text_of("till_v2"))
    assert run(folder, "look")[1][0] == "state [('amounts', [5]), ('begun', 'restored')]"


def test_a_kill_before_the_transaction_leaves_the_program_as_it_was(folder: Path) -> None:
    """Nothing of the new version is in the store."""
    assert run(folder, "before") == (-signal.SIGKILL, ["before"])

    for choice in ("disk", "last"):
        assert run(folder, "look", choice)[1] == [
            "state [('begun', 'restored'), ('total', 5)]",
            "version 1 True False 0",
        ]
