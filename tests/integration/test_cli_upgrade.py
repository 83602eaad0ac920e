"""`midflight upgrade`, and the loads that upgrade: code and states of live servers together, from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.server_process import Program
from midflight.cli import main
from midflight.epc import RemoteServer

SERVER = """\
from midflight import GenServer


class Keeper(GenServer):
    def init(self):
        self.kept = []
"""
CHANGE = """
    def code_change(self, old_vsn, extra):
        self.kept = extra
"""


@pytest.fixture(autouse=True)
def server(start: Callable[..., Program]) -> None:
    """A server of the project."""
    start("serve").port()


def test_upgrade_changes_the_states_of_servers(run: Shell, project: Path) -> None:
    """A dry run shows it, and changes nothing; exit code 3 if it would fail, or does."""
    path = project / "server.py"
    path.write_text(SERVER)
    run("load", str(path))
    with RemoteServer.attach(project) as client:
        session = client.call("shell/open")["session"]
        client.call("shell/eval", session, "pid = await server.Keeper.start(name='server')")
    path.write_text(SERVER + CHANGE)

    shown = run("upgrade", str(path), "--extra", "{'a': 1}", "--dry-run")
    done = run.json("upgrade", "server", "--extra", "{'a': 1}")
    path.write_text(SERVER + CHANGE.replace("extra\n", "missing\n"))
    failed = run("upgrade", "server", "--force", code=3)
    errors = run.error

    assert shown.startswith("server v2 would load: Keeper.code_change added; 1 server would be upgraded by code_change")
    assert "    kept=[]\n    -> kept={'a': 1}\n" in shown
    assert (done["version"], done["upgraded"][0]["after"]) == (2, "kept={'a': 1}")
    assert failed == ""
    assert errors.startswith("server not upgraded: line 9, code_change of <0.")
    assert run("upgrade", "server", "--to", "1").startswith("server v3 loaded: ")


@pytest.fixture
def two_servers(run: Shell, project: Path) -> tuple[Path, Path]:
    """Two modules with a live server each, whose texts bring a code_change that is not loaded yet."""
    paths = project / "first.py", project / "second.py"
    for path in paths:
        path.write_text(SERVER)
    run("load", *map(str, paths))
    with RemoteServer.attach(project) as client:
        session = client.call("shell/open")["session"]
        for path in paths:
            client.call("shell/eval", session, f"await {path.stem}.Keeper.start(name={path.stem!r})")
    for path in paths:
        path.write_text(SERVER + CHANGE)
    return paths


def test_upgrade_takes_several_modules(run: Shell, two_servers: tuple[Path, Path]) -> None:
    """A dry run shows it, and changes nothing; all or nothing, exit code 3 if it would fail, or does."""
    first, second = two_servers

    shown = run("upgrade", str(first), "second", "--extra", "{'a': 1}", "--dry-run")
    done = run.json("upgrade", str(first), "second", "--extra", "{'a': 1}")
    second.write_text(SERVER + CHANGE.replace("extra\n", "missing\n"))
    failed = run("upgrade", "first", "second", "--force", code=3)
    errors = run.error
    run("upgrade", "first", "second", "--to", "1", code=3)

    said = "2 modules would load: first v2, second v2; 2 servers would be upgraded by code_change\n"
    assert shown.startswith(said)
    assert shown.count("    kept=[]\n    -> kept={'a': 1}\n") == 2
    assert (done["status"], [each["version"] for each in done["reports"]]) == ("loaded", [2, 2])
    assert [each["upgraded"][0]["after"] for each in done["reports"]] == ["kept={'a': 1}"] * 2
    assert failed == ""
    assert errors.startswith("second not upgraded: line 9, code_change of <0.")
    assert "With it none of the modules was loaded." in errors
    assert "--to takes one module back, not several; nothing was done." in run.error
    assert run.json("versions", "first")[-1]["version"] == 2


@pytest.mark.parametrize("arguments", [("first.py", "second.py"), ("--modified",)])
def test_a_load_of_several_upgrades_their_servers(
    run: Shell, two_servers: tuple[Path, Path], arguments: tuple[str, ...]
) -> None:
    """So that no server is left with its old state under the new code."""
    folder = two_servers[0].parent
    given = [str(folder / each) if each.endswith(".py") else each for each in arguments]

    report = run.json("load", *given)

    assert [(each["module"], len(each["upgraded"])) for each in report["reports"]] == [("first", 1), ("second", 1)]
    assert run("load", "--modified") == "No loaded module differs from its file; nothing was loaded\n"


@pytest.mark.parametrize("arguments", [(), ("x.py", "--modified"), ("--modified", "x.py")])
def test_load_is_told_what_to_load(arguments: tuple[str, ...]) -> None:
    """Files, or what was modified."""
    with pytest.raises(SystemExit) as end:
        main(["load", *arguments])

    assert end.value.code == 2
