"""The methods about processes: the list by what changed, one process, the tree, moving one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from helpers.epc_peer import DEADLINE_SECONDS
from helpers.servers_of_nodes import Told, forget_module, load
from midflight.epc import RemoteServer
from midflight.errors import RemoteError

TALLY = """
from midflight import receive, trap_exit
async def start():
    return loop(0)
async def loop(total):
    match await receive():
        case ("add", n):
            return loop(total + n)
        case ("fail", why):
            raise ValueError(why)
        case message:
            return loop(total)
"""

BANK = """
from midflight import GenServer, Supervisor, ChildSpec, receive
class Account(GenServer):
    def init(self, total=0):
        self.total = total
    def handle_call(self, request, client):
        self.total += request
        return self.total
async def idle():
    await receive("stop")
async def tree():
    await Supervisor.start_link([
        ChildSpec("account", Account, (5,), name="account"),
        ChildSpec("idle", idle, restart="temporary"),
    ], strategy="rest_for_one", name="top")
    await receive("stop")
"""

NEXT_BANK = BANK.replace("+= request", "+= 2 * request")  # a class that has changed is another class
SLOW = "from midflight import sleep\nasync def slow():\n    await sleep(3600)\n"


@pytest.fixture(autouse=True)
def modules() -> Iterator[None]:
    """Take the modules that a test loads away again."""
    yield
    forget_module("tally")
    forget_module("bank")


# --- The list ---------------------------------------------------------------------------------------------


def test_first_answer_has_everything_and_the_next_only_what_changed(
    node: Any, client: RemoteServer, shell: Any
) -> None:
    """A row is sent again when it is another; one that is gone is named; a silent runtime is said to be unchanged."""
    load(client, node.root, "tally", TALLY)
    one, two = shell("spawn(tally.start, name='one')"), shell("spawn(tally.start)")
    told = Told(client)

    assert told.ask()["all"] is True
    assert told.rows[one][:7] == [one, "one", "tally", 1, "loop", 6, "waiting"]
    assert told.current == {"tally": 1}

    shell("whereis('one') << ('add', 1)")
    shell(f"exit(pid({two!r}), 'kill')")
    answer = told.ask()

    assert two in answer["gone"]
    assert two not in told.rows
    assert not answer["all"]
    assert one not in [row[0] for row in answer["rows"] or []], "it waits where it did"
    told.ask_until_unchanged()


def test_list_that_is_unchanged_costs_the_runtime_nothing(node: Any, client: RemoteServer, shell: Any) -> None:
    """When no turn was taken since, none is taken for the answer either."""
    load(client, node.root, "tally", TALLY)
    shell("[spawn(tally.start) for _ in range(100)]")
    told = Told(client)
    told.ask()
    told.ask_until_unchanged()
    turns = node.scheduler.turns

    for _ in range(10):
        assert told.ask()["unchanged"] is True

    assert node.scheduler.turns == turns


def test_row_says_what_runs_old_code(node: Any, client: RemoteServer, shell: Any) -> None:
    """A load changes no row of a process that waits; the current version of its module is told."""
    load(client, node.root, "tally", TALLY)
    pid = shell("spawn(tally.start)")
    told = Told(client)
    told.ask()

    load(client, node.root, "tally", TALLY)
    answer = told.ask()

    assert ["tally", 2] in answer["current"]
    assert told.rows[pid][3] == 1


def test_long_list_comes_in_parts(node: Any, client: RemoteServer, shell: Any) -> None:
    """2000 rows an answer, until `more` is nil; each process once."""
    load(client, node.root, "tally", TALLY)
    shell("[spawn(tally.start) for _ in range(4500)][0]")
    told = Told(client)

    answers = [told.ask()]
    while answers[-1]["more"]:
        answers.append(told.ask())

    assert [len(answer["rows"]) for answer in answers[:2]] == [2000, 2000]
    assert len(told.rows) == len(node.scheduler.processes)
    assert sum(len(answer["rows"] or ()) for answer in answers) <= len(told.rows) + 5


def test_unknown_stamp_gets_everything(node: Any, client: RemoteServer, shell: Any) -> None:
    """An answer that was lost, or another server: the list begins anew."""
    shell("1")
    told = Told(client)
    told.ask()

    for known in ({"watch": 99, "stamp": 1}, {"watch": told.watch, "stamp": 0}, None):
        answer = client.call("process/changes", known)
        assert answer["all"] is True
        assert len(answer["rows"]) == len(node.scheduler.processes)


def test_stuck_process_is_seen_in_the_list(node: Any, client: RemoteServer) -> None:
    """One that never yields is running, and the list does not wait for it."""
    told = Told(client)
    told.ask()
    has_begun, go_on = threading.Event(), threading.Event()

    async def spin() -> None:
        has_begun.set()
        go_on.wait(DEADLINE_SECONDS)

    pid = repr(node.scheduler.spawn(spin, ()).pid)
    try:
        assert has_begun.wait(DEADLINE_SECONDS)
        told.ask()
        assert told.rows[pid][6] == "running"
    finally:
        go_on.set()


# --- The tree ---------------------------------------------------------------------------------------------


def test_tree_shows_supervisors_over_their_children(node: Any, client: RemoteServer, shell: Any) -> None:
    """With strategy, id, restart type and state; the others under who they are linked to."""
    load(client, node.root, "bank", BANK)
    top = shell("spawn(bank.tree, name='main')")
    shell("while whereis('account') is None: await sleep(0)\n")

    nodes = client.call("process/tree")["nodes"]
    lines = [
        (each["depth"], each["row"] and each["row"][1], each["strategy"], each.get("id"), each.get("restart"))
        for each in nodes
    ]
    start = next(index for index, each in enumerate(nodes) if each["row"][0] == top)

    assert lines[start : start + 4] == [
        (0, "main", None, None, None),
        (1, "top", "rest_for_one", None, None),
        (2, "account", None, "account", "permanent"),
        (2, None, None, "idle", "temporary"),
    ]
    assert [each["row"][10] for each in nodes[start : start + 3]] == [None, "supervisor", "server"]
    assert len({each["row"][0] for each in nodes}) == len(node.scheduler.processes)


def test_tree_shows_children_that_do_not_run(node: Any, client: RemoteServer, shell: Any) -> None:
    """A child that was stopped has no row, and its state says so."""
    load(client, node.root, "bank", BANK)
    shell("spawn(bank.tree)")
    shell("while whereis('account') is None: await sleep(0)\n")
    shell("await Supervisor.terminate_child('top', 'account')")

    nodes = client.call("process/tree")["nodes"]

    assert [(each["id"], each["state"], each["row"]) for each in nodes if each.get("id") == "account"] == [
        ("account", "stopped", None)
    ]


# --- One process --------------------------------------------------------------------------------------------


def test_view_shows_frames_of_their_version_with_locals(node: Any, client: RemoteServer, shell: Any) -> None:
    """The line's text is that of the version that runs, though the file has changed since."""
    load(client, node.root, "tally", TALLY)
    pid = shell("spawn(tally.loop, 41)")
    shell("await sleep(0)")
    load(client, node.root, "tally", "# moved\n" + TALLY)

    view = client.call("process/view", pid)

    (frame,) = [each for each in view["frames"] if not each["ours"]]
    assert (frame["function"], frame["line"], frame["version"], frame["current"]) == ("loop", 6, 1, False)
    assert frame["text"] == "match await receive():"
    assert frame["path"] == str(node.root / "tally.py")
    assert frame["locals"] == [["total", "41"]]
    assert view["initial_call"] == "tally.loop"


def test_view_shows_the_first_messages_and_counts_all(node: Any, client: RemoteServer, shell: Any) -> None:
    """100 of them; the others page by page."""
    shell("async def deaf(): await receive('never')\n")
    pid = shell("spawn(deaf)")
    shell(f"for n in range(250): pid({pid!r}) << ('message', n)\n")

    view = client.call("process/view", pid)
    page = client.call("process/messages", pid, 200)

    assert len(view["messages"]) == 100
    assert view["messages"][99] == "('message', 99)"
    assert view["counts"]["messages"] == 250
    assert page["messages"][0] == "('message', 200)"
    assert (len(page["messages"]), page["total"]) == (50, 250)


def test_view_shows_the_state_of_a_server_and_whom_it_is_tied_to(node: Any, client: RemoteServer, shell: Any) -> None:
    """Attributes by name, the class's version and the one to come; links with names."""
    load(client, node.root, "bank", BANK)
    shell("spawn(bank.tree)")
    shell("while whereis('account') is None: await sleep(0)\n")
    load(client, node.root, "bank", NEXT_BANK)

    view = client.call("process/view", "account")

    assert view["state"]["class"] == "Account"
    assert view["state"]["attributes"] == [["total", "5"]]
    assert (view["state"]["version"], view["state"]["current"]) == (1, 2)
    assert [name for _, name in view["links"]] == ["top"]


def test_view_survives_values_that_cannot_be_printed(client: RemoteServer, shell: Any) -> None:
    """A __repr__ that raises is told of in its place; a long value is cut and says by how much."""
    shell("class Bad:\n    def __repr__(self): raise KeyError('no')\n")
    shell("async def hold(bad, long): await receive('never')\n")
    pid = shell("spawn(hold, [Bad()], 'x' * 100_000)")
    shell("await sleep(0)")

    (frame,) = [each for each in client.call("process/view", pid)["frames"] if not each["ours"]]
    values = dict(frame["locals"])

    assert "Bad" in values["bad"]
    assert len(values["long"]) < 10_000


def test_view_of_a_dead_process_is_nil(client: RemoteServer, shell: Any) -> None:
    """It is not an error: somebody may have just seen it alive."""
    assert client.call("process/view", "<0.99999.0>") is None
    assert client.call("process/messages", "<0.99999.0>", 0) is None


# --- Moving one ---------------------------------------------------------------------------------------------


def test_move_moves_that_process_only(node: Any, client: RemoteServer, shell: Any) -> None:
    """The others stay in their version."""
    load(client, node.root, "tally", TALLY)
    one, two = shell("spawn(tally.start)"), shell("spawn(tally.start)")
    shell("await sleep(0)")
    load(client, node.root, "tally", TALLY)

    answer = client.call("process/move", one)

    assert (answer["moved"], answer["module"], answer["version"]) == (True, "tally", 2)
    told = Told(client)
    told.ask()
    assert (told.rows[one][3], told.rows[two][3]) == (2, 1)


@pytest.mark.parametrize(
    ("which", "reason"),
    [
        ("tally", "no old version"),
        ("account", "a server: it takes v2 at its next message"),
        ("busy", "awaits something else"),
        ("<0.99999.0>", "dead"),
    ],
)
def test_move_says_why_not(node: Any, client: RemoteServer, shell: Any, which: str, reason: str) -> None:
    """And changes nothing."""
    load(client, node.root, "bank", BANK + SLOW)
    shell("spawn(bank.slow, name='busy')")
    shell("spawn(bank.tree)")
    shell("while whereis('account') is None: await sleep(0)\n")
    load(client, node.root, "bank", NEXT_BANK + SLOW)
    load(client, node.root, "tally", TALLY)
    shell("spawn(tally.start, name='tally')")
    shell("await sleep(0)")

    answer = client.call("process/move", which)

    assert not answer["moved"]
    assert reason in answer["reason"]


def test_methods_refuse_what_is_no_pid(client: RemoteServer) -> None:
    """With what a pid looks like."""
    for method in ("process/view", "process/move"):
        with pytest.raises(RemoteError, match=r"neither a pid nor a registered name; nothing was done"):
            client.call(method, "nobody at all")
