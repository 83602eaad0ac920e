"""A real server that is killed and started again: versions of before, which text runs, states that it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.durable_counter import APP, CONFIGURED
from helpers.server_process import Program
from midflight.epc import RemoteServer

Start = Callable[..., Program]

NEWER = """\
    def code_change(self, old_vsn, extra):
        self.counts = [self.total]
        del self.total

    def handle_call(self, count, client):
        self.counts.append(count)
        return sum(self.counts)
"""
UNSAVED = APP[: APP.index("    def handle_call")] + NEWER + APP[APP.index("\n\nasync def start") :]
UNSAVED = UNSAVED.replace("self.total = 0", "self.counts = []").replace("self.total, flush", "sum(self.counts), flush")


def started(start: Start, *options: str) -> Program:
    """Return a server whose program is up."""
    server = start("serve", *options)
    server.line_with("up")
    return server


@pytest.fixture
def killed(start: Start, project: Path, run: Shell) -> None:
    """A server with 3 in its counter, upgraded by an unsaved text to another shape, and killed."""
    (project / "pyproject.toml").write_text(CONFIGURED)
    (project / "app.py").write_text(APP)
    server = started(start)
    run("call", "counter", "3")
    with RemoteServer.attach(project, name="Emacs of Ada") as client:
        assert client.call("code/load", str(project / "app.py"), UNSAVED, None)["status"] == "loaded"
    assert run("call", "counter", "4").strip() == "7"
    server.process.kill()
    server.process.wait()


@pytest.mark.usefixtures("killed")
def test_the_file_runs_and_the_server_says_what_ran_last(start: Start, project: Path, run: Shell) -> None:
    """The counter is not started by the file, whose state has another shape; a rollback takes it up again."""
    server = started(start)
    said = "\n".join(server.lines)
    assert "app: its file was changed since version 2 (of 20" in said
    assert "by Emacs of Ada, connection" in said
    assert "'counter' is not started: this code does not take its state" in said
    assert "restored" not in server.lines

    rows = run.json("versions", "app")
    assert [(row["version"], bool(row["current"]), bool(row["earlier"])) for row in rows] == [
        (1, False, True),
        (2, False, True),
        (3, True, False),
    ]
    assert rows[1]["by"].startswith("Emacs of Ada")
    assert run("versions", "app").count("earlier") == 2
    assert "+        self.counts = [self.total]" in run("diff", "app", "3", "2")
    doctor = run.json("doctor", code=1)
    assert "counter is not started, its state is refused" in doctor["store"]
    assert doctor["trouble"] == "the code does not take the states of some durable servers; see store"
    run("rollback", "app", "2")
    run("shell", "-c", 'await Supervisor.restart_child("top", "counter")')
    assert run("call", "counter", "5").strip() == "12"
    assert run.json("doctor")["trouble"] is None


@pytest.mark.usefixtures("killed")
def test_last_runs_what_ran_last(start: Start, project: Path, run: Shell) -> None:
    """By an option or the project's table. The version is the same one, and its state goes on."""
    started(start, "--code", "last").process.kill()
    (project / "pyproject.toml").write_text(CONFIGURED + 'code = "last"\n')
    server = started(start)

    assert run("call", "counter", "5").strip() == "12"
    assert "that version runs again. To take the file: midflight load" in "\n".join(server.lines)
    assert [(row["version"], bool(row["current"])) for row in run.json("versions", "app")] == [(1, False), (2, True)]


@pytest.mark.usefixtures("killed")
def test_a_required_start_without_all_states_ends_with_a_code_of_its_own(start: Start, run: Shell) -> None:
    """Seven: a service manager is told not to try again. All states are as they were."""
    server = start("serve", "--require-start")

    assert server.exit_code() == 7
    assert "states were not taken by this code, and their servers not started: 'counter'" in "\n".join(server.lines)
    assert run("state", "show", "counter") == "counts = [3, 4]\n"


def test_another_word_than_disk_or_last_is_refused(start: Start, project: Path) -> None:
    """In the table; nothing is started, and no store is made."""
    (project / "pyproject.toml").write_text(CONFIGURED + 'code = "newest"\n')
    server = start("serve")

    assert server.exit_code() == 3
    assert 'code must be "disk" or "last", not \'newest\'; nothing was started' in "\n".join(server.lines)
    assert not (project / "state-main.sqlite").exists()
