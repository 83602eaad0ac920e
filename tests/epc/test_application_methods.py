"""The methods about applications: what is listed, started and stopped, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.epc_peer import DEADLINE_SECONDS
from midflight.epc import RemoteServer
from midflight.errors import RemoteError

APPLICATIONS = """\
from midflight.otp import application
class Desk:
    def start(kind, args):
        if args is not None: raise OSError(args)
        return Supervisor.start_link([])
application.load(application.ApplicationSpec("store"))
application.load(application.ApplicationSpec("desk", Desk, applications=["store"], vsn="2", description="Sells."))
application.load(application.ApplicationSpec("bad", Desk, "no port", applications=["store"]))
"""


@pytest.fixture
def client(node: Any) -> RemoteServer:
    """A client of a server in which three applications are loaded."""
    found: RemoteServer = node.connect()
    session = found.call("shell/open")["session"]
    answer = found.call("shell/eval", session, APPLICATIONS, timeout_seconds=DEADLINE_SECONDS)
    assert answer["status"] == "ok", answer["error"]
    return found


def running(client: RemoteServer) -> list[str]:
    return [each["name"] for each in client.call("application/list") if each["status"] == "running"]


def test_one_is_started_with_all_that_it_needs(client: RemoteServer) -> None:
    """The answer has the names in the order of their start; the list has them first."""
    assert client.call("application/start", "desk") == ["store", "desk"]

    store, desk, bad = client.call("application/list")
    assert (store["name"], store["supervisor"], bad["status"]) == ("store", None, "loaded")
    assert (desk["name"], desk["applications"], desk["vsn"]) == ("desk", ["store"], "2")
    assert desk["supervisor"].startswith("<0.")


def test_what_needs_a_stopped_one_runs_on(client: RemoteServer) -> None:
    """As in OTP."""
    client.call("application/start", "desk")

    client.call("application/stop", "store")

    assert running(client) == ["desk"]


@pytest.mark.parametrize(
    ("method", "name", "says"),
    [
        ("start", "nobody", "('not_loaded', 'nobody')"),
        ("start", "bad", "no port"),
        ("start", "desk", "desk runs already"),
        ("start", "", "no process can have the name"),
        ("start", 5, "NAME"),
        ("stop", "bad", "('not_started', 'bad')"),
    ],
)
def test_what_cannot_be_done_is_an_error_with_the_reason(
    client: RemoteServer, method: str, name: object, says: str
) -> None:
    """Those that were started for one that fails are stopped again."""
    client.call("application/start", "desk")
    client.call("application/stop", "store")

    with pytest.raises(RemoteError) as caught:
        client.call(f"application/{method}", name)

    assert says in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert running(client) == ["desk"]
