"""The commands that look at processes: ps with a choice, the tree, states, crashes and starting them again."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.server_process import Program
from midflight.epc import RemoteServer

SHOP = """\
from midflight import ChildSpec, GenServer, Supervisor, receive


class Till(GenServer):
    def init(self):
        self.total = 7

    def handle_cast(self, message):
        1 / 0


async def loop(count):
    await receive()
    return loop(count)


async def tops():
    await Supervisor.start_link([ChildSpec("till", Till, ())])
    await receive()
"""


@pytest.fixture
def server(run: Shell, start: Callable[..., Program], project: Path) -> RemoteServer:
    """A server in which a supervised till, two loops and a till by the name `till` run."""
    start("serve").port()
    path = project / "shop.py"
    path.write_text(SHOP)
    run("load", str(path))
    with RemoteServer.attach(project) as client:
        session = client.call("shell/open")["session"]
        for text in (
            "spawn(shop.tops, name='tops')",
            "one = spawn(shop.loop, 1, name='one')",
            "two = spawn(shop.loop, 2)",
            "till = await shop.Till.start(name='till')",
        ):
            answer = client.call("shell/eval", session, text)
            assert answer["status"] == "ok", answer
    return client


def names(run: Shell, *arguments: str) -> list[str | None]:
    """Return the names of the processes that `ps` shows."""
    return [row["name"] for row in run.json("ps", *arguments)]


def test_ps_shows_a_choice(run: Shell, server: RemoteServer) -> None:
    """By name, module or any text, sorted, and no more than are wanted."""
    assert names(run, "--name", "one") == ["one"]
    assert names(run, "--module", "midflight.otp.supervisor") == [None]
    assert names(run, "--text", "shop", "--name", "till") == ["till"]
    assert names(run, "--sort", "name", "--name", "t")[:2] == ["till", "tops"]
    assert names(run, "--sort", "name", "--name", "t", "--reverse")[:2] == ["tops", "till"]
    assert len(names(run, "--limit", "2")) == 2


def test_ps_says_how_many_it_leaves_out(run: Shell, server: RemoteServer) -> None:
    """On stderr, as text only."""
    assert len(run("ps", "--limit", "2").splitlines()) == 3
    assert run.error == "4 more; --limit 0 shows all, and --module, --name and --text choose some.\n"
    assert len(run("ps", "--limit", "0").splitlines()) == 7


def test_ps_shows_those_in_older_versions(run: Shell, server: RemoteServer, project: Path) -> None:
    """A load leaves loops in the version before."""
    assert names(run, "--old") == []

    run("load", str(project / "shop.py"))

    assert set(names(run, "--old", "--module", "shop")) == {"tops", "one", None}


def test_tree_shows_children_below_their_supervisor(run: Shell, server: RemoteServer) -> None:
    """With the strategy, and the child's own name for it."""
    lines = run("tree").splitlines()

    (above,) = (index for index, line in enumerate(lines) if "(one_for_one)" in line)
    indent = len(lines[above]) - len(lines[above].lstrip())
    assert lines[above + 1].startswith(" " * (indent + 2) + "till <0.")
    assert "shop v1 Till:" in lines[above + 1]


def test_state_is_text_that_can_be_put_back(run: Shell, server: RemoteServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a server; all of it or nothing."""
    assert run("state", "till") == "total = 7\n"

    monkeypatch.setattr("sys.stdin", io.StringIO("total = 40 + 2\n"))
    assert run("state", "till", "--put", "-").endswith("total changed.\n")

    assert run("state", "till") == "total = 42\n"
    monkeypatch.setattr("sys.stdin", io.StringIO("total = 1 +\n"))
    run("state", "till", "--put", "-", code=3)
    assert run("state", "till") == "total = 42\n"


def test_state_of_a_plain_process_is_its_variables(run: Shell, server: RemoteServer) -> None:
    """With the line where it waits."""
    assert run("state", "one") == "shop v1 loop, line 13: await receive()\n  count = 1\n"


def test_a_crashed_process_is_started_again(run: Shell, server: RemoteServer, project: Path) -> None:
    """With the state that it had; the list names it, and a number shows it whole."""
    assert run("crashes") == "No crash is remembered.\n"
    with RemoteServer.attach(project) as client:
        session = client.call("shell/open")["session"]
        client.call("shell/eval", session, "cast(whereis('till'), 'go')\nawait sleep(0)")

    (crash,) = run.json("crashes")
    assert "division by zero" in run("crashes")
    shown = run("crashes", str(crash["crash"]))
    assert "total = 7" in shown
    assert f"midflight crashes {crash['crash']} --restart" in shown
    assert "with the state it had" in run("crashes", str(crash["crash"]), "--restart")
    assert run("state", "till") == "total = 7\n"
    assert run("crashes", "--dismiss") == "1 forgotten.\n"
    run("crashes", "--restart", code=3)
    run("crashes", "99", code=4)


def test_check_and_dry_run_change_nothing(run: Shell, server: RemoteServer, project: Path) -> None:
    """They say what a load would do, and whether it would be refused."""
    path = project / "shop.py"
    path.write_text(SHOP + "\nprice = 3\n")

    assert run("check", str(path)).startswith("shop")
    shown = run("load", "--dry-run", str(path))
    assert shown.startswith("shop v2 would be loaded: price added")
    assert "+price = 3" in shown
    path.write_text(SHOP + "\ndef f(): return nowhere\n")
    assert "undefined name 'nowhere'" in run("check", str(path), code=3)
    assert "undefined name 'nowhere'" in run("load", "--dry-run", str(path), code=3)
    assert [each["version"] for each in run.json("versions", "shop")] == [1]


def test_the_log_of_a_server_in_the_background_is_shown(run: Shell) -> None:
    """Its end, and where it is; a restart is another server."""
    assert run.piped("log").returncode == 4
    port = run.piped("serve", "--detach").stdout
    try:
        assert run.piped("log", "--path").stdout.endswith("server.log\n")
        assert run.piped("log", "-n", "1").stdout == port
        (before,) = run.json("servers")
        assert run.piped("restart").stdout.strip().isdigit()
        (after,) = run.json("servers")
        assert after["pid"] != before["pid"]
    finally:
        run("stop")


def test_reports_lists_what_a_supervisor_did(run: Shell, server: RemoteServer, project: Path) -> None:
    """Which child, why, and what is done about it; --clear forgets them."""
    run("reports", "--clear")
    assert run("reports") == "No report is remembered.\n"
    with RemoteServer.attach(project) as client:
        session = client.call("shell/open")["session"]
        for text in (
            "(tree,) = process_info(whereis('tops'))['links']",
            "children = await Supervisor.which_children(tree)",
            "_ = [(monitor(each.pid), exit(each.pid, 'boom')) for each in children] and await receive(Down)",
            "_ = await Supervisor.which_children(tree)",
        ):
            answer = client.call("shell/eval", session, text)
            assert answer["status"] == "ok", answer

    said = run("reports").splitlines()

    assert said[0].split() == ["AT", "SUPERVISOR", "NAME", "CHILD", "PID", "WHAT", "REASON", "THEN"]
    assert "'till'" in said[1]
    assert "child terminated  'boom'  it is to be started again" in said[1]
    ended, started = run.json("reports")
    assert (ended["context"], ended["child"]) == ("child_terminated", "'till'")
    assert (started["context"], started["child"]) == ("progress", "'till'")
    assert run("reports", "--clear") == "2 forgotten.\n"
    assert run.json("reports") == []
