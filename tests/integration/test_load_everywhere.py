"""`midflight load --all`: all servers of a project load the same, or none does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from sys import executable as PYTHON

import pytest

from helpers.command_line import Shell
from helpers.server_process import Program
from midflight.cli.everywhere import Everywhere, in_part
from midflight.epc import RemoteServer, running_servers

SHOP = "import os\n\ndef price():\n    return 1\n"

APP = """
import sys
import midflight, shop

server = midflight.serve_in_background(name=sys.argv[1])
print(server.name, flush=True)
for line in sys.stdin:
    print(shop.price(), flush=True)
"""

Ask = Callable[[], list[str]]


@pytest.fixture
def workers(project: Path, runtime_dir: Path) -> Iterator[list[Program]]:
    """Two programs of one project, each with a server and the module `shop`."""
    (project / "shop.py").write_text(SHOP)
    (project / "app.py").write_text(APP)
    with ExitStack() as stack:
        made = [
            stack.enter_context(Program("app.py", name, runtime=runtime_dir, cwd=project, command=[PYTHON], says=True))
            for name in ("one", "two")
        ]
        for each in made:
            each.line()
        yield made


def prices(workers: list[Program]) -> list[str]:
    """Ask each program for its price."""
    for each in workers:
        each.say("")
    return [each.line() for each in workers]


def test_all_servers_load_it(workers: list[Program], project: Path, run: Shell) -> None:
    """Each says so, with the new version."""
    (project / "shop.py").write_text(SHOP.replace("1", "2"))

    said = run("load", "--all", str(project / "shop.py"))

    assert "one: shop v2 loaded: price changed" in said
    assert "two: shop v2 loaded: price changed" in said
    assert "Loaded in 2 servers." in said
    assert prices(workers) == ["2", "2"]


def test_one_that_refuses_keeps_all_from_loading(workers: list[Program], project: Path, run: Shell) -> None:
    """It is named, with its reason; the other one has let go, and can load again."""
    (project / "shop.py").write_text(f"import os\nassert os.getpid() != {workers[1].process.pid}\n{SHOP}2\n")

    run("load", "--all", str(project / "shop.py"), code=3)

    assert "two: shop not loaded: line 2, AssertionError" in run.error
    assert "Nothing was loaded, in none of the 2 servers: two did not take it." in run.error
    assert prices(workers) == ["1", "1"]
    (project / "shop.py").write_text(SHOP.replace("1", "3"))
    run("load", "--all", str(project / "shop.py"))
    assert prices(workers) == ["3", "3"]


def test_a_server_that_ends_between_the_phases_is_named(workers: list[Program], project: Path, run: Shell) -> None:
    """The others have loaded it."""
    (project / "shop.py").write_text(SHOP.replace("1", "2"))
    with Everywhere(running_servers(project)) as everywhere:
        prepared = everywhere.prepare([str(project / "shop.py")], None)
        workers[1].process.kill()
        workers[1].process.wait()

        answers = everywhere.commit()

    assert {each["status"] for each in prepared.values()} == {"prepared"}
    assert {name: each["status"] for name, each in answers.items()} == {"one": "loaded", "two": "lost"}
    assert prices(workers[:1]) == ["2"]
    said = in_part(answers)
    assert "Loaded in one (shop v2)." in said
    assert "two ended, and whether it had loaded is not known" in said
    assert "midflight rollback shop --server one" in said


def test_a_server_that_refuses_after_others_have_committed_is_named(
    workers: list[Program], project: Path, run: Shell
) -> None:
    """With what stands where; the command that it gives takes the others back."""
    (project / "shop.py").write_text(SHOP.replace("1", "2"))
    two = next(each for each in running_servers(project) if each.name == "two")
    with Everywhere(running_servers(project)) as everywhere, RemoteServer.to(two) as other:
        number = everywhere.prepare([str(project / "shop.py")], None)["two"]["load"]
        other.call("code/interrupt", number)

        answers = everywhere.commit()

    assert prices(workers) == ["2", "1"]
    said = in_part(answers)
    assert "Loaded in one (shop v2). In two all is as it was before." in said
    assert said.endswith("go back: midflight rollback shop --server one.")
    run("rollback", "shop", "--server", "one")
    assert prices(workers) == ["1", "1"]


def test_a_client_that_goes_before_it_decides_leaves_all_as_it_was(
    workers: list[Program], project: Path, run: Shell
) -> None:
    """Its prepared loads are broken off, and others may load."""
    (project / "shop.py").write_text(SHOP.replace("1", "2"))
    with Everywhere(running_servers(project)) as everywhere:
        everywhere.prepare([str(project / "shop.py")], None)
    assert prices(workers) == ["1", "1"]

    run("load", "--all", str(project / "shop.py"))

    assert prices(workers) == ["2", "2"]


def test_a_prepared_load_is_listed_and_can_be_broken_off(workers: list[Program], project: Path) -> None:
    """By whoever sees it: it holds up other loads of the module."""
    one = running_servers(project)[0]
    with RemoteServer.to(one) as client, RemoteServer.to(one) as other:
        number = client.call("code/prepare-many", [str(project / "shop.py")], None)["load"]

        (row,) = other.call("code/loading")
        (broken,) = other.call("code/interrupt", number)

    assert (row["number"], row["state"]) == (number, "waiting")
    assert broken["outcome"] == "ended"


def test_it_is_for_files_and_all_servers(run: Shell, project: Path) -> None:
    """Other switches that choose are refused; without a server it says so."""
    run("load", "--all", "--modified", code=3)
    assert "Leave those out" in run.error
    run("load", "--all", str(project / "shop.py"), code=5)
