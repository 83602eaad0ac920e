"""A program that is killed and started again goes on where it was. DESIGN section 10."""

from __future__ import annotations

import queue
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.durable_counter import APP, CONFIGURED
from helpers.server_process import DEADLINE_SECONDS, Program
from midflight.epc import RemoteServer
from midflight.errors import RemoteError

Start = Callable[..., Program]


def started(start: Start, *options: str) -> Program:
    """Return a server whose program is up."""
    server = start("serve", *options)
    server.line_with("up")
    return server


def test_a_killed_server_goes_on_where_it_was(start: Start, project: Path, run: Shell) -> None:
    """A reply of a "sync" server was given, so its change is there after kill -9, also in a new version."""
    (project / "pyproject.toml").write_text(CONFIGURED)
    (project / "app.py").write_text(APP)
    server = started(start)
    assert run("call", "counter", "3").strip() == "3"
    server.process.kill()
    server.process.wait()

    server = started(start)
    assert run("call", "counter", "4").strip() == "7"
    assert "restored 3" in server.lines
    server.process.kill()
    server.process.wait()

    (project / "app.py").write_text(APP.replace("self.total += count", "self.total += 100 * count"))
    started(start)
    assert run("call", "counter", "1").strip() == "107"
    assert (project / "state-main.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_no_store_is_said_and_left(start: Start, project: Path) -> None:
    """The server does not start: without its store the states would be lost."""
    (project / "notes.txt").write_text("not a store")
    server = start("serve", "--store", "notes.txt")

    assert "is not a store of Midflight" in server.line_with("notes.txt")
    assert server.process.wait() == 3
    assert (project / "notes.txt").read_text() == "not a store"


def test_a_second_server_on_the_store_is_refused(start: Start, project: Path, tmp_path: Path) -> None:
    """Each would overwrite the states of the other."""
    (project / "app.py").write_text(APP)
    (project / "pyproject.toml").write_text(CONFIGURED)
    first = started(start)
    other = tmp_path / "other"
    other.mkdir()
    (other / "pyproject.toml").touch()
    second = start("serve", "--root", str(other), "--store", str(project / "state-main.sqlite"))

    assert f"is used by the process {first.process.pid}" in second.line_with("state-main.sqlite")
    assert second.process.wait() == 3


def test_the_store_is_looked_into_and_changed(start: Start, project: Path, run: Shell) -> None:
    """Looked into while the server runs; changed when it is down. Nothing of the project is imported."""
    (project / "pyproject.toml").write_text(CONFIGURED)
    (project / "app.py").write_text(APP)
    server = started(start)
    run("call", "counter", "3")
    (row,) = run.json("state", "list")
    assert (row["name"], row["module"], row["class_name"]) == ("counter", "app", "Counter")
    assert run("state", "show", "counter") == "total = 3\n"
    assert "total = 3" in run("state", "counter"), "of the live process"
    run("state", "delete", "counter", code=3)
    assert f"is used by the process {server.process.pid}" in run.error
    run("stop")
    server.process.wait()

    assert "starts by init" in run("state", "delete", "counter")
    assert run.json("state", "list") == []
    earlier = next(each for each in run.json("state", "history", "counter") if each["why"] == "deleted")
    assert run("state", "show", "counter", str(earlier["number"])) == "total = 3\n"
    assert "It had none." in run("state", "restore", "counter", str(earlier["number"]))
    started(start)
    assert run("call", "counter", "4").strip() == "7"


def test_the_store_of_a_live_server_is_seen_over_the_wire(start: Start, project: Path, run: Shell) -> None:
    """Its states with who lives with them, the window, and an earlier state for a server that goes on."""
    (project / "pyproject.toml").write_text(CONFIGURED)
    (project / "app.py").write_text(APP)
    server = started(start)
    run("call", "counter", "3")
    server.process.kill()
    server.process.wait()
    started(start)
    run("call", "counter", "4")  # the first change of a life keeps the state before
    assert "a kill would lose the changes of the last 0.00 s" in run("state", "list")
    assert "pickling takes 1/20 of the time" in str(run.json("doctor")["store"])

    with RemoteServer.attach(project) as client:
        listed = client.call("store/list")
        (row,) = listed["states"]
        assert (row["name"], row["class"], listed["total"]) == ("counter", "app.Counter", 1)
        assert listed["path"] == str(project / "state-main.sqlite")
        (first,) = client.call("store/history", "counter")
        page = client.call("inspect/stored", "counter", first["number"])
        assert page["parts"][0]["label"] == "'total'"
        restored = client.call("store/restore", "counter", first["number"])
        assert restored["pid"] == row["pid"]
        assert run("call", "counter", "1").strip() == "4"
        aside = client.call("store/history", "counter")[0]
        assert (aside["number"], aside["why"]) == (restored["aside"], f"state {first['number']} was restored")
        client.call("store/restore", "counter", aside["number"])
        with pytest.raises(RemoteError, match="lives, as"):
            client.call("store/delete", "counter")
        with pytest.raises(RemoteError, match="has no earlier state"):
            client.call("store/restore", "counter", 99)
    assert run("call", "counter", "1").strip() == "8"


def test_a_server_without_a_store_says_so(start: Start, project: Path, run: Shell) -> None:
    """With what to do."""
    start("serve").line()
    assert run.json("doctor")["store"] is None
    with RemoteServer.attach(project) as client, pytest.raises(RemoteError, match="This server has no store"):
        client.call("store/list")


def test_states_go_to_another_machine_as_text(start: Start, project: Path, run: Shell) -> None:
    """Dumped while the server runs, loaded while it is down."""
    (project / "pyproject.toml").write_text(CONFIGURED)
    (project / "app.py").write_text(APP)
    server = started(start)
    run("call", "counter", "3")
    (project / "states.txt").write_text(run("state", "dump"))
    run("call", "counter", "4")
    run("state", "load", str(project / "states.txt"), code=3)
    assert f"is used by the process {server.process.pid}" in run.error
    run("stop")
    server.process.wait()

    assert "1 states were loaded" in run("state", "load", str(project / "states.txt"))
    (row,) = run.json("state", "list")
    assert row["name"] == "counter"
    assert run("state", "show", "counter") == "total = 3\n"
    assert run("state", "show", "counter", str(run.json("state", "history", "counter")[0]["number"])) == "total = 7\n"
    run("state", "load", str(project / "app.py"), code=3)
    assert "it is not a dump of states; nothing was loaded" in run.error
    run("state", "load", str(project / "none.txt"), code=4)
    run("state", "dump", "nobody", code=4)
    run("state", "restore", "counter", "9" * 30, code=4)
    run("state", "history", "nobody", code=4)
    run("state", "list", "counter", code=3)
    run("state", "delete", "counter", "3", code=3)


def test_a_state_that_is_not_in_the_store_is_said(project: Path, run: Shell) -> None:
    """With what to do, and an exit code of its own."""
    run("state", "list", code=3)
    assert "names no store" in run.error
    run("state", "list", "--store", str(project / "none.sqlite"), code=4)
    assert "there is no store" in run.error
    (project / "notes.txt").write_text("notes")
    run("state", "list", "--store", str(project / "notes.txt"), code=3)
    assert "is not a store of Midflight" in run.error
    run("state", "counter", "--store", "x", code=3)
    assert "takes no store" in run.error


def test_a_full_disk_is_told_to_every_front_end_and_the_store_catches_up(start: Start, project: Path) -> None:
    """The servers run on; a reply of a "sync" one is an error meanwhile. Files may not grow, as on a full disk."""
    (project / "pyproject.toml").write_text(CONFIGURED)
    (project / "app.py").write_text(APP)
    server = started(start)
    told: queue.Queue[dict[str, object]] = queue.Queue()
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({}, resource.RLIM_INFINITY))"

    with RemoteServer.attach(project, {"store/trouble": told.put}) as client:
        session = client.call("shell/open")["session"]

        def evaluate(text: str) -> str:
            answer = client.call("shell/eval", session, text)
            return str(answer.get("value") or answer)

        assert evaluate('await call("counter", 1)') == "1"
        evaluate(limit.format(1000))
        failed = evaluate('await call("counter", 1)')
        trouble = told.get(timeout=DEADLINE_SECONDS)
        evaluate(limit.format("resource.RLIM_INFINITY"))
        assert evaluate('await call("counter", 1)') == "3"
        again = told.get(timeout=DEADLINE_SECONDS)

    assert "the change is made in memory alone" in failed
    assert "cannot be written" in str(trouble["text"])
    assert "is written again, with all states that waited" in str(again["text"])
    server.process.kill()
    server.process.wait()
    server = started(start)
    assert "restored 3" in server.lines
