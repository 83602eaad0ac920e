"""Applications of a project: `midflight serve` starts and stops them, `midflight applications` lists them."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.server_process import Program
from midflight.epc import RemoteServer

Start = Callable[..., Program]

APPLICATIONS = """
[tool.midflight.applications.desk]
module = "desk"
args = "desk"
applications = ["store"]
vsn = "1.2"
restart = "permanent"
env = { port = 80 }

[tool.midflight.applications.store]
module = "desk"
args = "store"
start_phases = { warm = 7 }
"""

DESK = """
from midflight import ChildSpec, GenServer, Supervisor
from midflight.otp import application

class Worker(GenServer):
    def init(self, name):
        print(name, "starts with port", application.get_env(name, "port"), flush=True)

def start(kind, name):
    return Supervisor.start_link([ChildSpec(name, Worker, (name,), name=name)], intensity=0)

def start_phase(phase, kind, args):
    print(phase, args, flush=True)

def stop(state):
    print(application.get_application(), "is stopped", flush=True)
"""


def configure_applications(project: Path, text: str = APPLICATIONS) -> None:
    (project / "pyproject.toml").write_text(text)
    (project / "desk.py").write_text(DESK)


def test_the_project_s_applications_are_started_and_stopped_in_order(start: Start, project: Path, run: Shell) -> None:
    """Each after those that it needs, whatever their order in pyproject.toml; at the end the other way round."""
    configure_applications(project)
    server = start("serve")
    server.port()
    server.line_with("applications.desk] runs")

    rows = run.json("applications")["applications"]
    shown = run("applications")
    server.process.send_signal(signal.SIGTERM)

    assert server.exit_code() == 0
    said = ("store", "warm", "desk")
    assert [line for line in server.lines if line.startswith(said)] == [
        "store starts with port None",
        "warm 7",
        "desk starts with port 80",
        "desk is stopped",
        "store is stopped",
    ]
    assert [(row["name"], row["status"], row["restart"], row["applications"]) for row in rows] == [
        ("store", "running", "temporary", []),
        ("desk", "running", "permanent", ["store"]),
    ]
    assert shown.splitlines()[2].split() == [
        "desk",
        "running",
        "permanent",
        rows[1]["supervisor"],
        "1.2",
        "store",
        "-",
    ]


def test_the_end_of_a_permanent_application_ends_the_server(start: Start, project: Path) -> None:
    """The others are stopped before; why stands in the log."""
    configure_applications(project)
    server = start("serve")
    server.port()
    server.line_with("applications.desk] runs")

    with RemoteServer.attach(project) as client:
        client.submit("process/exit", "desk", "'boom'")  # its answer may not come: the server ends
        server.line_with("application desk (permanent) has ended with 'shutdown'; all other applications are stopped")
        code = server.exit_code()

    assert code == 0
    assert "store is stopped" in server.lines


def test_one_is_stopped_and_started_from_the_command_line(start: Start, project: Path, run: Shell) -> None:
    """The list afterwards is printed."""
    configure_applications(project)
    start("serve").line_with("applications.desk] runs")

    stopped = run.json("applications", "--stop", "desk")["applications"]
    again = run.json("applications", "--start", "desk")["applications"]
    run("applications", "--start", "gone", code=3)

    assert [(row["name"], row["status"]) for row in stopped] == [("store", "running"), ("desk", "loaded")]
    assert [(row["name"], row["status"]) for row in again] == [("store", "running"), ("desk", "running")]
    assert "('not_loaded', 'gone')" in run.error


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("applications = 3", "applications must be tables"),
        ("[tool.midflight.applications.desk]\nmodul = 'desk'", "an application has no modul"),
        ("[tool.midflight.applications.desk]\nmodule = 'gone'", "gone not loaded"),
        ("[tool.midflight.applications.desk]\napplications = ['gone']", "'not_loaded', 'gone'"),
    ],
)
def test_an_application_that_fails_is_told_and_the_server_runs(
    start: Start, project: Path, table: str, says: str
) -> None:
    """What is wrong stands in the log, and editors can mend it."""
    configure_applications(project, f"[tool.midflight]\n{table}\n")
    server = start("serve")
    server.port()

    server.line_with(says)

    with RemoteServer.attach(project) as client:
        assert client.call("ping") == "pong"
