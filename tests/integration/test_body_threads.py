"""A module that makes a connection of sqlite3 at its top, under a real server: it works in processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.server_process import Program
from midflight.epc import RemoteServer

Start = Callable[..., Program]

BASE = """\
import sqlite3

conn = sqlite3.connect(":memory:")


def visit():
    conn.execute("create table if not exists visits (n)")
    conn.execute("insert into visits values (1)")
    return conn.execute("select count(*) from visits").fetchone()[0]
"""

APP = "import base\n\n\nasync def start():\n    print('visits', base.visit(), flush=True)\n"


def visits(client: RemoteServer) -> str:
    """Visit in a shell, whose inputs are evaluated in a process."""
    session = client.call("shell/open")["session"]
    answer = client.call("shell/eval", session, "import base; base.visit()")
    return str(answer["value"])


def test_what_start_names_is_loaded_where_processes_run(start: Start, project: Path, run: Shell) -> None:
    """The connection works in them; an edit keeps it, and the body does not connect again."""
    (project / "base.py").write_text(BASE)
    (project / "app.py").write_text(APP)
    (project / "pyproject.toml").write_text('[tool.midflight]\nstart = "app:start"\n')
    server = start("serve")
    server.port()
    server.line_with("visits 1")

    (project / "base.py").write_text(BASE.replace("return conn", "return 100 + conn"))
    report = run.json("load", "--modified")["reports"][0]
    with RemoteServer.attach(project) as client:
        value = visits(client)

    assert report["module"] == "base"
    assert report["version"] == 2
    assert [each["name"] for each in report["state"] if each["outcome"] == "kept"] == ["conn"]
    assert value == "102"


@pytest.mark.parametrize("how", ["the project", "the command line"])
def test_a_load_runs_its_body_there_if_asked(start: Start, project: Path, run: Shell, how: str) -> None:
    """By `body = "runtime"` or by `--thread runtime`."""
    if how == "the project":
        (project / "pyproject.toml").write_text('[tool.midflight]\nbody = "runtime"\n')
    (project / "base.py").write_text(BASE)
    start("serve").port()

    said = run("load", *(["--thread", "runtime"] if how == "the command line" else []), str(project / "base.py"))
    with RemoteServer.attach(project) as client:
        value = visits(client)

    assert "held up all processes for" in said
    assert value == "1"


def test_a_load_that_does_not_is_told_so(start: Start, project: Path, run: Shell) -> None:
    """Before anybody meets an error of sqlite3."""
    (project / "base.py").write_text(BASE)
    start("serve").port()

    said = run("load", str(project / "base.py"))

    assert "sqlite3.connect makes a connection that only its own thread may use" in said
    assert 'set body = "runtime" in [tool.midflight]' in said


def test_a_setting_that_is_none_is_told_and_the_server_runs(start: Start, project: Path) -> None:
    """In the log."""
    (project / "pyproject.toml").write_text('[tool.midflight]\nbody = "elsewhere"\n')
    server = start("serve")
    server.port()

    assert 'body must be "runtime"' in server.line_with("body must be")
