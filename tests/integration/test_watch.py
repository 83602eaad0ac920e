"""Saved files are loaded by themselves: `midflight watch`, and `--watch` of `serve` and `run`."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from helpers.command_line import Shell
from helpers.server_process import DEADLINE_SECONDS, MIDFLIGHT, Program
from midflight.cli import main
from midflight.epc import RemoteServer

Start = Callable[..., Program]

SHOP = "def price():\n    return 1\n"
DESK = "import shop\n\n\ndef bill():\n    return shop.price()\n"
WITHOUT_WATCHFILES = [
    MIDFLIGHT[0],
    "-c",
    "import sys; sys.modules['watchfiles'] = None; import midflight.cli as c; c.main()",
]


@pytest.fixture
def begin(project: Path, runtime_dir: Path) -> Iterator[Start]:
    """A function that starts `midflight ARGUMENTS` in a project with two modules."""
    (project / "shop.py").write_text(SHOP)
    (project / "desk.py").write_text(DESK)
    (project / "other.py").write_text("raise SystemExit('not to be run')\n")
    with ExitStack() as stack:

        def start(*arguments: str, **how: Any) -> Program:
            return stack.enter_context(Program(*arguments, runtime=runtime_dir, cwd=project, **how))

        yield start


@pytest.fixture
def watching(begin: Start, run: Shell, project: Path) -> Program:
    """A server that runs both modules, and `midflight watch` in another terminal."""
    begin("serve").port()
    run("load", str(project / "shop.py"), str(project / "desk.py"))
    program = begin("watch")
    program.line_with("Watching")
    return program


def test_a_saved_file_is_loaded(watching: Program, project: Path) -> None:
    """Written in place; a file that nobody runs is left alone."""
    (project / "other.py").write_text("raise SystemExit('nor now')\n")
    (project / "shop.py").write_text(SHOP.replace("1", "2"))

    assert watching.line().startswith("shop v2 loaded: price changed")


def test_a_file_that_was_moved_into_place_is_loaded(watching: Program, project: Path) -> None:
    """As editors write: another file first, which then takes the name."""
    (project / "shop.py~new").write_text(SHOP.replace("1", "2"))
    os.replace(project / "shop.py~new", project / "shop.py")

    assert watching.line().startswith("shop v2 loaded: price changed")


def test_files_that_were_saved_together_are_loaded_together(watching: Program, project: Path, run: Shell) -> None:
    """In one load: alone, the first of them would have been refused."""
    (project / "desk.py").write_text(DESK.replace("price()", "cost()"))
    (project / "shop.py").write_text(SHOP.replace("price", "cost"))

    line = watching.line()

    assert "shop v2" in line
    assert "desk v2" in line


def test_an_error_is_shown_and_the_mended_file_is_loaded(watching: Program, project: Path, run: Shell) -> None:
    """With what was saved with it; meanwhile all runs as it did."""
    (project / "shop.py").write_text("def price(:\n")
    (project / "desk.py").write_text(DESK + "\n\ndef more():\n    pass\n")
    assert "shop not loaded: line 1" in watching.line_with("not loaded")

    (project / "shop.py").write_text(SHOP.replace("1", "2"))

    line = watching.line_with("v2")
    assert "shop v2" in line
    assert "desk v2" in line


def test_a_deleted_file_is_named_and_goes_on(watching: Program, project: Path, run: Shell) -> None:
    """Its module runs what was loaded; a file of its name is the next version."""
    (project / "shop.py").unlink()
    assert f"shop: its file {project / 'shop.py'} is gone" in watching.line()

    (project / "shop.py").write_text(SHOP.replace("1", "3"))

    assert watching.line().startswith("shop v2 loaded: price changed")


def test_it_goes_on_without_a_server_and_with_the_next_one(watching: Program, project: Path, run: Shell) -> None:
    """What is saved meanwhile is named."""
    run("stop")
    (project / "shop.py").write_text(SHOP.replace("1", "2"))

    said = watching.line()

    assert "No server runs" in said
    assert f"Saved and not loaded: {project / 'shop.py'}" in said


def test_without_watchfiles_the_files_are_looked_at(begin: Start, project: Path, run: Shell) -> None:
    """One line says so, and what would be better."""
    begin("serve").port()
    run("load", str(project / "shop.py"))
    program = begin("watch", command=WITHOUT_WATCHFILES)
    assert "looked at every 0.3 s; with the package watchfiles (pip install 'midflight[terminal]')" in program.line()

    (project / "shop.py").write_text(SHOP.replace("1", "2"))

    assert program.line().startswith("shop v2 loaded: price changed")


def test_the_other_connections_hear_of_a_refusal(watching: Program, project: Path, run: Shell) -> None:
    """So an editor shows the error where it is."""
    heard: Queue[dict[str, Any]] = Queue()
    with RemoteServer.attach(project, {"code/refused": heard.put}):
        (project / "shop.py").write_text("def price(:\n")

        report = heard.get(timeout=DEADLINE_SECONDS)

    assert (report["module"], report["diagnostics"][0]["line"]) == ("shop", 1)
    assert report["by"].startswith("midflight watch")


def test_without_a_server_there_is_nothing_to_watch_for(run: Shell) -> None:
    """It says how to start one."""
    run("watch", code=5)

    assert "midflight serve" in run.error


def test_ctrl_c_ends_it(watching: Program) -> None:
    """As any command."""
    watching.signal(signal.SIGINT)

    assert watching.exit_code() == 130


def test_serve_watches(begin: Start, project: Path, run: Shell) -> None:
    """Its first line is the port all the same."""
    server = begin("serve", "--watch")
    server.port()
    server.line_with("Watching")
    run("load", str(project / "shop.py"))

    (project / "shop.py").write_text(SHOP.replace("1", "2"))

    assert server.line_with("shop v2 loaded: price changed")


def test_run_watches_a_script(begin: Start, project: Path) -> None:
    """Its own file and its modules."""
    text = (
        "import shop, sys\ndef add(): return 'old'\nif __name__ == '__main__':\n    print('ready', flush=True)\n"
        "    for line in sys.stdin: print(shop.price(), sys.modules['app'].add(), flush=True)\n"
    )
    (project / "app.py").write_text(text)
    app = begin("run", "--watch", "app.py", says=True)
    app.line_with("ready")

    (project / "shop.py").write_text(SHOP.replace("1", "2"))
    (project / "app.py").write_text(text.replace("'old'", "'new'"))

    app.line_with("shop v2")
    app.say("")
    assert app.line() == "2 new"


def test_ctrl_c_ends_it_amid_an_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a class is made: Python 3.11 has it as a RuntimeError there."""

    class Name:
        def __set_name__(self, owner: type[object], name: str) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr("midflight.cli.watch.watch", lambda _: type("Made", (), {"name": Name()}))

    assert main(["watch"]) == 130


def test_ctrl_c_as_a_command_ends_is_no_other_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its output is flushed then."""

    class Output(io.StringIO):
        def flush(self) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr("midflight.cli.watch.watch", lambda _: 0)
    monkeypatch.setattr(sys, "stdout", Output())

    assert main(["watch"]) == 130


def test_ctrl_c_ends_it_amid_a_text_that_is_run(tmp_path: Path) -> None:
    """As a namedtuple is made: `python -m` would end by the signal, though somebody has caught it."""
    (tmp_path / "program.py").write_text(
        "import sys, midflight.cli as cli, midflight.cli.watch as watch\n"
        "watch.watch = lambda _: exec('raise KeyboardInterrupt')\n"
        "sys.exit(cli.main(['watch']))\n"
    )

    done = subprocess.run([MIDFLIGHT[0], "-m", "program"], cwd=tmp_path, check=False)

    assert done.returncode == 130
