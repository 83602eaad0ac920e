"""The methods about traces, over the wire: who is followed, what is pushed, how it is bounded and ended."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from helpers.epc_peer import DEADLINE_SECONDS
from helpers.servers_of_nodes import forget_module, load
from midflight.epc import RemoteServer
from midflight.errors import RemoteError

TALLY = """
from midflight import receive
import tally
async def loop(total):
    match await receive():
        case ("add", n):
            return loop(total + n)
        case "switch":
            return tally.loop(total)
        case "stop":
            return None
"""


class Tracer:
    """A client with a shell; `events` is all that it was pushed, `dropped` the counts."""

    def __init__(self, node: Any) -> None:
        self.node = node
        self.events: list[dict[str, Any]] = []
        self.dropped: list[int] = []
        self._pushes: queue.Queue[tuple[int, Any, int]] = queue.Queue()
        self.client: RemoteServer = node.connect({"trace/events": lambda *push: self._pushes.put(push)})
        self.session = self.client.call("shell/open")["session"]

    def __call__(self, text: str) -> Any:
        """Evaluate `text` and return the repr of its value."""
        answer = self.client.call("shell/eval", self.session, text, timeout_seconds=DEADLINE_SECONDS)
        assert answer["status"] == "ok", answer["error"]
        return answer["value"]

    def wait(self, is_there: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Wait for an event of which `is_there` is true."""
        while True:
            for event in self.events:
                if is_there(event):
                    return event
            _, events, dropped = self._pushes.get(timeout=DEADLINE_SECONDS)
            self.events += events or []
            self.dropped.append(dropped)


@pytest.fixture
def tracer(node: Any) -> Iterator[Tracer]:
    """A tracer with the module tally loaded."""
    tracer = Tracer(node)
    load(tracer.client, node.root, "tally", TALLY)
    yield tracer
    forget_module("tally")


def test_events_of_a_process_are_pushed(tracer: Tracer) -> None:
    """With wall-clock times, and of a tail call the version that it goes on in and comes from."""
    pid = tracer("spawn(tally.loop, 1, name='one')")
    tracer("await sleep(0)")
    answer = tracer.client.call("trace/start", {"pids": [pid]})
    load(tracer.client, tracer.node.root, "tally", TALLY + "# more\n")

    tracer("whereis('one') << ('add', 1)")
    tracer("whereis('one') << 'switch'")
    tracer("whereis('one') << 'stop'")
    end = tracer.wait(lambda event: event["kind"] == "exit")

    assert answer["followed"] == [pid]
    assert end["text"] == "'normal'"
    calls = [event for event in tracer.events if event["kind"] == "call"]
    assert [(each["text"], each["version"], each.get("from")) for each in calls] == [
        ("loop(total=2)", 1, None),
        ("loop(total=2)", 2, "tally v1"),
    ]
    assert calls[1]["path"] == str(tracer.node.root / "tally.py")
    assert [event["text"] for event in tracer.events if event["kind"] == "in"] == ["('add', 1)", "'switch'", "'stop'"]
    assert all(abs(event["at"] - end["at"]) < 60 for event in tracer.events)


def test_module_follows_those_that_run_it_and_those_that_come(tracer: Tracer) -> None:
    """A process of another module is not followed."""
    first = tracer("spawn(tally.loop, 1, name='one')")
    tracer("async def other(): await receive('never')\n")
    tracer("spawn(other, name='other')")
    tracer("await sleep(0)")

    answer = tracer.client.call("trace/start", {"modules": ["tally"], "kinds": ["in"]})
    second = tracer("spawn(tally.loop, 2)")
    tracer(f"(whereis('other') << 'no') and (whereis('one') << ('add', 2)) and (pid({second!r}) << 'stop') and None")
    tracer.wait(lambda event: event["text"] == "'stop'")

    assert answer["followed"] == [first]
    assert {event["pid"] for event in tracer.events} == {first, second}


def test_followed_processes_and_kinds_can_be_changed(tracer: Tracer) -> None:
    """Add, remove, pause: each answer says who is followed."""
    one, two = tracer("spawn(tally.loop, 1)"), tracer("spawn(tally.loop, 1)")
    trace = tracer.client.call("trace/start", {"pids": [one]})["trace"]

    answer = tracer.client.call("trace/change", trace, {"add": [two], "remove": [one], "kinds": ["in"]})
    tracer(f"(pid({one!r}) << ('add', 1)) and (pid({two!r}) << ('add', 2)) and None")
    tracer.wait(lambda event: event["text"] == "('add', 2)")
    paused = tracer.client.call("trace/change", trace, {"paused": True})
    tracer(f"pid({two!r}) << ('add', 3)")
    tracer.client.call("trace/change", trace, {"paused": None})
    tracer(f"pid({two!r}) << ('add', 4)")
    tracer.wait(lambda event: event["text"] == "('add', 4)")

    assert (answer["followed"], answer["kinds"]) == ([two], ["in"])
    assert paused["paused"] is True
    assert [event["text"] for event in tracer.events] == ["('add', 2)", "('add', 4)"]


def test_flood_is_bounded_and_its_loss_counted(tracer: Tracer) -> None:
    """What was dropped and what came make up all there was."""
    tracer("async def sink():\n    for n in range(50_000): await receive()\n    return None\n")
    pid = tracer("spawn(sink)")
    tracer.client.call("trace/start", {"pids": [pid], "kinds": ["in", "exit"]})

    tracer(f"p = pid({pid!r})\nfor n in range(50_000): p << n\n")
    tracer("while is_alive(p): await sleep(0.01)\n")
    tracer.client.call("ping")
    while sum(tracer.dropped) + len(tracer.events) < 50_001:
        _, events, dropped = tracer._pushes.get(timeout=DEADLINE_SECONDS)
        tracer.events += events or []
        tracer.dropped.append(dropped)

    assert sum(tracer.dropped) + len(tracer.events) == 50_001
    assert len(tracer.events) < 20_000


def test_stop_ends_it(tracer: Tracer) -> None:
    """Nothing is swapped in the scheduler any more, and the number is free."""
    pid = tracer("spawn(tally.loop, 1)")
    trace = tracer.client.call("trace/start", {"pids": [pid]})["trace"]

    assert tracer.client.call("trace/stop", trace) is True

    tracer("1")
    assert tracer.node.scheduler.tracer is None
    with pytest.raises(RemoteError, match="has no trace 1; nothing was done"):
        tracer.client.call("trace/stop", trace)


def test_trace_ends_with_its_connection(tracer: Tracer) -> None:
    """An editor that is gone costs nothing."""
    other = Tracer(tracer.node)
    other.client.call("trace/start", {"all": True})
    assert tracer.node.scheduler.tracer is not None

    other.client.close()
    changed = tracer.node.server._changed
    with changed:
        assert changed.wait_for(lambda: len(tracer.node.server._peers) == 1, DEADLINE_SECONDS)
    tracer.node.scheduler.call_threadsafe(lambda: None).result(DEADLINE_SECONDS)  # behind what the end asked for

    assert tracer.node.scheduler.tracer is None


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (None, "No process is chosen; nothing is traced"),
        ({"pids": ["<0.99999.0>"]}, "is not alive; it is not traced"),
        ({"all": True, "kinds": ["smells"]}, ":kinds are of in out call spawn link exit, received 'smells'"),
        ({"every": True}, "OPTIONS must be nil or a property list"),
    ],
)
def test_wrong_requests_are_refused(tracer: Tracer, options: Any, text: str) -> None:
    """With what is wrong; nothing is traced."""
    with pytest.raises(RemoteError) as caught:
        tracer.client.call("trace/start", options)

    assert text in str(caught.value)
    assert tracer.node.scheduler.tracer is None
