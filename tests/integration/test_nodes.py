"""Servers that are nodes: `midflight serve --name`, `midflight nodes`, and a pid of another node in the shell."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.server_process import Program

Start = Callable[..., Program]


@pytest.fixture(autouse=True)
def cookie(monkeypatch: pytest.MonkeyPatch) -> None:
    """The nodes of a test have a cookie of their own."""
    monkeypatch.setenv("MIDFLIGHT_COOKIE", "a cookie for the tests of servers")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_two_servers_of_a_project_are_nodes(start: Start, project: Path, run: Shell) -> None:
    """Each is found by its name; both are listed by both, and a call goes across."""
    endpoint = f"tcp/127.0.0.1:{free_port()}"
    a = start("serve", "--name", "a", "--listen", endpoint)
    a.port()
    b = start("serve", "--name", "b", "--join", endpoint)
    b.port()
    a.line_with("Node b is connected")
    b.line_with("Node a is connected")

    assert [each["name"] for each in run.json("servers")] == ["a", "b"]
    assert run.json("nodes", "--server", "a") == {
        "nodes": [{"name": "a", "shown": "<0.N.0>", "here": True}, {"name": "b", "shown": "<1.N.0>", "here": False}]
    }
    assert run("nodes", "--server", "b").splitlines()[1].split() == ["b", "<0.N.0>", "this", "one"]
    asked = "from midflight import cluster; await cluster.call_function('b', sum, [1, 2])"
    shown = run("shell", "--server", "a", "-c", asked)
    assert shown.strip() == "3"
    number = run("shell", "--server", "b", "-c", "whereis('midflight.net')").strip()
    other = run("shell", "--server", "a", "-c", f"pid({number.replace('<0.', '<1.')!r})").strip()
    assert other == number.replace("<0.", "<1.")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--join", "tcp/127.0.0.1:1"], "--listen and --join are for a node"),
        (["--name", "a", "--join", "tcp/10.0.0.1:7447"], "is not of this machine"),
        (["--name", "9 lives"], "is not a name of a node"),
    ],
)
def test_what_cannot_be_a_node_is_not_started(run: Shell, options: list[str], says: str) -> None:
    """The command says why, and no server is left."""
    run("serve", *options, code=3)

    assert says in run.error
    assert run.json("servers") == []


def test_a_server_that_is_not_a_node_says_so(start: Start, run: Shell) -> None:
    """It lists none, and tells how to start one."""
    start("serve").port()

    assert run.json("nodes") == {"nodes": []}
    run("shell", "-c", "pid('1.5.0')", code=1)
    assert "no node is connected that is shown as <1.N.0>" in run.error
    assert "not a node of a cluster: midflight serve --name NODE" in run("nodes")
