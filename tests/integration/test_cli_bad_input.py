"""Arguments that mean nothing are refused at once, in words of the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.server_process import Program
from midflight.cli import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("load", ""), "argument FILE: an empty text names nothing"),
        (("versions", ""), "argument MODULE: an empty text names nothing"),
        (("send", " ", "1"), "argument PID: an empty text names nothing"),
        (("trace", "--count", "-1", "--all"), "argument --count: -1 is not 1 or more"),
        (("trace", "--seconds", "0", "--all"), "argument --seconds: '0' is not a positive number of seconds"),
        (("call", "p", "1", "--timeout", "x"), "argument --timeout: 'x' is not a positive number of seconds"),
        (("load", "--holders", "-1", "a.py"), "argument --holders: -1 is not 0 or more"),
        (("serve", "--port", "x"), "argument --port: 'x' is not a whole number"),
        (("serve", "--port", "99999"), "argument --port: 99999 is not a port, which are 0 to 65535"),
        (("diff", "m", "1", "b"), "argument B: 'b' is not a whole number"),
    ],
    ids=repr,
)
def test_a_wrong_argument_is_named(arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, with the argument as --help names it, and no name of Python's."""
    with pytest.raises(SystemExit) as end:
        main(arguments)

    assert end.value.code == 2
    assert said in capsys.readouterr().err


def test_a_trace_of_nobody_is_refused(run: Shell, start: Callable[..., Program]) -> None:
    """Else it would wait for ever for a name that was mistyped; --later waits."""
    start("serve").port()

    run("trace", "nobody", code=4)
    assert run.error == "midflight: No process has the name nobody; nothing is traced. See midflight ps.\n"
    run("trace", "nobody", "--later", "--seconds", "0.01")
    assert "tracing nobody" in run.error


def test_a_rollback_of_the_first_version_says_so(run: Shell, start: Callable[..., Program], project: Path) -> None:
    """Nothing is before it."""
    start("serve").port()
    (project / "page.py").write_text("x = 1\n")
    run("load", str(project / "page.py"))

    run("rollback", "page", code=4)

    assert run.error == (
        "midflight: page has no version before 1, the current one; nothing was changed. Load a new one first\n"
    )


def test_a_refusal_names_options_and_commands(run: Shell, start: Callable[..., Program], project: Path) -> None:
    """--force, and not force=True; the report of a load that was refused is on stderr."""
    start("serve").port()
    path = project / "page.py"
    path.write_text("def f(): return nowhere\n")

    assert run("load", str(path), code=3) == ""

    assert "load with --force" in run.error
    assert "force=True" not in run.error


def test_versions_are_those_that_a_rollback_takes(run: Shell, start: Callable[..., Program], project: Path) -> None:
    """Also the ones that nobody runs any more."""
    start("serve").port()
    path = project / "page.py"
    for number in (1, 2, 3):
        path.write_text(f"x = {number}\n")
        run("load", str(path))

    rows = [line.split() for line in run("versions", "page").splitlines()[1:]]

    assert [(row[0], row[2]) for row in rows] == [("1", "kept"), ("2", "kept"), ("3", "current")]
    assert run("rollback", "page", "1").startswith("page v4 loaded")
