"""`midflight debug`: debugpy itself, in a real server, from a front end that speaks its protocol."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.command_line import Shell
from helpers.dap_client import Dap
from helpers.server_process import DEADLINE_SECONDS, Program

pytest.importorskip("debugpy")

V1 = """from midflight import receive
import counter

async def start():
    return loop(0)

async def loop(total):
    match await receive():
        case ("add", count):
            total += count
            return loop(total)
        case "code_switch":
            return counter.loop(total)
"""
V2 = V1.replace("async def start", "# a line more\n\nasync def start").replace("total += count", "total += 2 * count")


@pytest.fixture
def counter(project: Path) -> Path:
    """The file of a module with a process."""
    path = project / "counter.py"
    path.write_text(V1)
    return path


@pytest.fixture
def served(start: Callable[..., Program], run: Shell, counter: Path) -> Program:
    """A server that runs the process `till` in version 1 of the module."""
    server = start("serve")
    server.port()
    run("load", str(counter))
    run("shell", "-c", "spawn(counter.start, name='till')")
    return server


@pytest.fixture
def attach(served: Program, start: Callable[..., Program]) -> Iterator[Callable[[], Dap]]:
    """A function that opens one more connection to the port of `midflight debug`."""
    listener = start("debug", "--port", "0")
    port = int(listener.line().split("port ")[1].split(".")[0])
    opened: list[Dap] = []

    def connect() -> Dap:
        opened.append(Dap.at_port(port))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


@pytest.fixture
def add(start: Callable[..., Program]) -> Callable[[], object]:
    """A function that sends `till` what a breakpoint stops it at, and does not wait: no answer comes meanwhile."""
    return lambda: start("send", "till", "('add', 3)")


def place(frame: dict[str, Any]) -> tuple[str, int, str]:
    """Return file, line and name of a frame's source as a front end shows it."""
    return frame["source"]["path"], frame["line"], frame["source"]["name"]


def test_a_breakpoint_of_the_file_stops_in_the_version_that_runs(
    attach: Callable[[], Dap], add: Callable[[], object], run: Shell, counter: Path
) -> None:
    """It is verified at its line, the stop is shown in the file that people edit, and a value is there to see."""
    dap = attach()
    found = dap.begin({str(counter): [10]})
    add()
    thread, frame = dap.stopped()

    assert [(each["verified"], each["line"]) for each in found[str(counter)]] == [(True, 10)]
    assert place(frame) == (str(counter), 10, "counter.py")
    assert dap.value(frame, "count") == "3"

    dap.body("continue", threadId=thread)
    dap.body("disconnect")
    assert '"waiting"' in run("ps", "--json")


def test_an_edited_file_stops_where_the_text_that_runs_is_the_same(attach: Callable[[], Dap], counter: Path) -> None:
    """Before the load a line of the file is where it is in the running text; a changed line is nowhere, and says so."""
    counter.write_text(V2)
    dap = attach()
    changed, same = dap.begin({str(counter): [12, 13]})[str(counter)]

    assert (changed["verified"], changed["line"]) == (False, 12)
    assert "Load the file" in changed["message"]
    assert (same["verified"], same["line"]) == (True, 13)


def test_a_load_sets_breakpoints_in_the_new_version_and_the_old_keeps_its_text(
    attach: Callable[[], Dap], add: Callable[[], object], run: Shell, counter: Path
) -> None:
    """A process in version 1 stops in the text of version 1; once it has switched it stops in the file."""
    dap = attach()
    counter.write_text(V2)
    dap.begin({str(counter): [12, 13]})
    run("load", str(counter))
    told = [dap.event("breakpoint")["breakpoint"] for _ in range(2)]
    add()
    thread, old = dap.stopped()
    text_of_old = Path(old["source"]["path"]).read_text()
    dap.body("continue", threadId=thread)
    run("send", "till", "'code_switch'")
    add()
    _, new = dap.stopped()

    assert [(each["verified"], each["line"]) for each in told] == [(True, 12), (True, 13)]
    assert (text_of_old, old["line"], old["source"]["name"]) == (V1, 11, "counter.py (version 1)")
    assert place(new) == (str(counter), 12, "counter.py")


def test_other_front_ends_are_answered_while_it_stands_and_let_it_go_on(
    attach: Callable[[], Dap], add: Callable[[], object], run: Shell, counter: Path
) -> None:
    """The list says who holds everybody; `continue` lets the process go, and `kill` ends it."""
    dap = attach()
    dap.begin({str(counter): [10]})
    add()
    dap.stopped()
    shown = run("ps")
    run("continue", "till")
    dap.event("continued")
    add()
    dap.stopped()
    run("kill", "till")

    assert "midflight debug, connection" in shown
    assert "till" not in run("ps")


def test_a_second_front_end_is_refused_and_the_next_one_finds_no_breakpoint(
    attach: Callable[[], Dap], add: Callable[[], object], run: Shell, counter: Path
) -> None:
    """One debugs at a time; a front end that hangs up takes its breakpoints along, and everybody goes on."""
    first = attach()
    first.begin({str(counter): [10]})
    add()
    first.stopped()
    first.close()
    second = attach()
    second.begin({})

    assert "waiting" in run("ps")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_program_of_another_user_is_turned_away(served: Program, start: Callable[..., Program]) -> None:
    """It gets no answer, and the command says who it was."""
    listener = start("debug", "--port", "0")
    port = listener.line().split("port ")[1].split(".")[0]
    script = (
        "import os, socket\n"
        "os.setuid(65534)\n"
        "s = socket.socket()\n"
        f"s.connect(('127.0.0.1', {port}))\n"
        "try:\n    print(s.recv(9))\n"
        "except ConnectionResetError:\n    print(b'')\n"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=DEADLINE_SECONDS)

    assert found.stdout == "b''\n"
    assert "user 65534 of this machine was turned away" in listener.line()


def test_without_debugpy_the_editor_is_told_what_to_install(
    start: Callable[..., Program], project: Path, runtime_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first request is refused with the command to run; the server goes on."""
    (project / "debugpy.py").write_text("raise ImportError('not here', name='debugpy')\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(project), os.environ.get("PYTHONPATH", "")]))
    start("serve").port()
    dap = Dap.of_command(project, runtime_dir)
    try:
        answer = dap.ask("initialize", adapterID="test")
    finally:
        dap.close()

    assert answer["success"] is False
    assert "pip install 'midflight[debug]'" in answer["message"]


def test_breakpoint_in_the_text_stops_in_the_debugger(
    attach: Callable[[], Dap], start: Callable[..., Program], run: Shell, counter: Path
) -> None:
    """While an editor debugs, `breakpoint()` is its own; afterwards it is the front end's that started the process."""
    counter.write_text(V1.replace("total += count", "breakpoint()\n            total += count"))
    run("load", str(counter))
    run("send", "till", "'code_switch'")
    dap = attach()
    dap.begin({})
    start("send", "till", "('add', 3)")
    _, frame = dap.stopped()

    assert place(frame) == (str(counter), 11, "counter.py")


def test_an_editor_that_starts_the_command_speaks_over_its_input_and_output(
    served: Program, project: Path, runtime_dir: Path, counter: Path
) -> None:
    """It is the same session without a port, and a folder of another machine can stand for the project."""
    dap = Dap.of_command(project, runtime_dir)
    try:
        mapping = {"localRoot": "/far/project", "remoteRoot": str(project)}
        found = dap.begin({"/far/project/counter.py": [10]}, pathMappings=[mapping])
        dap.body("disconnect")
    finally:
        dap.close()

    assert [each["verified"] for each in found["/far/project/counter.py"]] == [True]
