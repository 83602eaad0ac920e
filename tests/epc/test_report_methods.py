"""The methods about reports of supervisors: which are remembered, for whom, and how long."""

from __future__ import annotations

import logging
from typing import Any

from helpers.epc_peer import DEADLINE_SECONDS
from midflight.epc import RemoteServer

LOGGER = logging.getLogger("midflight.supervisor")


def evaluate(client: RemoteServer, *texts: str) -> None:
    """Evaluate each of `texts` in a shell."""
    session = client.call("shell/open")["session"]
    for text in texts:
        answer = client.call("shell/eval", session, text, timeout_seconds=DEADLINE_SECONDS)
        assert answer["status"] == "ok", answer["error"]


def start_tree(client: RemoteServer) -> None:
    """Start a supervisor with a child that has ended once."""
    evaluate(
        client,
        "async def child(price): await receive('never')\n",
        "tree = await Supervisor.start_link([ChildSpec('till', child, (3,), shutdown=2.0)], name='tree')",
        "(pid,) = [each.pid for each in await Supervisor.which_children(tree)]",
        "_ = monitor(pid), exit(pid, 'boom'), await receive(Down)",
        "_ = await Supervisor.which_children(tree)",
    )


def test_a_report_is_remembered_with_otps_fields(node: Any) -> None:
    """As text: nothing of the program stays in memory for it."""
    client: RemoteServer = node.connect()
    start_tree(client)

    (report,) = client.call("report/list")

    wanted = {
        "context": "child_terminated",
        "name": "tree",
        "reason": "'boom'",
        "then": "it is to be started again",
        "child": "'till'",
        "arguments": "(3,)",
        "restart": "permanent",
        "shutdown": "2.0",
        "type": "worker",
        "significant": None,
    }
    assert {key: report[key] for key in wanted} == wanted
    assert report["start"].endswith("child")
    assert report["child_pid"].startswith("<0.")
    assert report["text"].startswith(f"supervisor {report['supervisor']} (tree): child 'till' {report['child_pid']}")


def test_starts_are_remembered_where_the_program_wants_them(node: Any) -> None:
    """That is, where it lets the logger log at INFO."""
    client: RemoteServer = node.connect()
    LOGGER.setLevel(logging.INFO)
    try:
        start_tree(client)
    finally:
        LOGGER.setLevel(logging.NOTSET)

    contexts = [each["context"] for each in client.call("report/list")]

    assert contexts == ["progress", "child_terminated", "progress"]


def test_reports_are_forgotten_when_it_is_asked(node: Any) -> None:
    """The answer is how many they were."""
    client: RemoteServer = node.connect()
    start_tree(client)

    assert client.call("report/clear") == 1
    assert client.call("report/list") is None


def test_the_oldest_are_forgotten(node: Any) -> None:
    """Two hundred are kept, however many starts are between them."""
    client: RemoteServer = node.connect()
    evaluate(
        client,
        "async def fail(): raise ValueError('broken')\n",
        "_ = trap_exit(True)",
        "tree = await Supervisor.start_link([ChildSpec('till', fail)], intensity=300)",
        "_ = await receive(Exit)",
    )

    numbers = [each["number"] for each in client.call("report/list")]

    assert len(numbers) == 200
    assert numbers == list(range(numbers[0], numbers[0] + 200))
    assert client.call("report/list")[-1]["context"] == "shutdown"
