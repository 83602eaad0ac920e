"""The commands against a real server: what they print, as text and as JSON, and their exit codes."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.server_process import Program
from midflight.cli import main
from midflight.epc import RemoteServer
from midflight.kernel import KERNEL

Start = Callable[..., Program]
KEEPER = """\
from midflight import receive
import keeper


async def start():
    return loop([])


async def loop(kept):
    match await receive():
        case "code_switch":
            return keeper.loop(kept)
        case message:
            return loop([*kept, message])
"""

PROGRAM = """\
from midflight import receive, register, self_
import program


async def main(name):
    register(name, self_())
    print('started', flush=True)
    return step()


async def step():
    await receive()
    print('version')
    return program.step()
"""


@pytest.fixture
def keeper(run: Shell, start: Start, project: Path) -> Path:
    """keeper.py, in a server in which one process of it runs under the name `keeper`, in version 1."""
    start("serve").port()
    path = project / "keeper.py"
    path.write_text(KEEPER)
    run("load", str(path))
    with RemoteServer.attach(project) as client:
        session = client.call("shell/open")["session"]
        answer = client.call("shell/eval", session, "pid = spawn(keeper.start, name='keeper')")
        assert answer["status"] == "ok", answer
    return path


def test_load_prints_the_report(run: Shell, keeper: Path) -> None:
    """The summary first, then who still runs the version before."""
    keeper.write_text(KEEPER + "\nextra = 1\n")

    output = run("load", str(keeper))

    assert output.startswith("keeper v2 loaded: extra added; 1 process still runs v1: <0.")
    assert "Processes in older versions" in output
    assert run.json("load", str(keeper))["version"] == 3


def test_a_load_keeps_state_but_for_what_is_to_be_fresh(run: Shell, keeper: Path) -> None:
    """The one line names what it kept."""
    path = str(keeper)
    keeper.write_text(KEEPER + "\nCACHE = {}\nDOORS = {}\n")
    run("load", path)
    with RemoteServer.attach(keeper.parent) as client:
        session = client.call("shell/open")["session"]
        client.call("shell/eval", session, "keeper.CACHE['a'] = keeper.DOORS['a'] = 1")

    kept = run("load", path)
    fresh = run("load", "--fresh", "CACHE", path)

    assert "kept state: CACHE (1), DOORS (1)" in kept
    assert "kept state: DOORS (1)" in fresh
    assert "midflight recover keeper CACHE" in fresh


def test_refused_load_fails(run: Shell, keeper: Path) -> None:
    """Exit code 3, the report on stderr; as JSON it is on stdout, as that of any load."""
    keeper.write_text("def (\n")

    assert run("load", str(keeper), code=3) == ""
    assert run.error.startswith("keeper not loaded: line 1, ")
    assert run.json("load", str(keeper), code=3)["status"] == "failed"


def test_ps_lists_processes(run: Shell, keeper: Path) -> None:
    """Which version of which module each runs, and where."""
    heading, row = run("ps").splitlines()
    assert heading.split() == ["PID", "NAME", "MODULE", "VERSION", "AT", "STATUS", "MESSAGES"]
    assert re.fullmatch(r"<0\.\d+\.0>\s+keeper\s+keeper\s+1\s+loop:10\s+waiting\s+0", row)
    (data,) = run.json("ps")
    assert (data["name"], data["version"], data["links"]) == ("keeper", 1, 0)


def test_idle_processes_are_moved(run: Shell, keeper: Path) -> None:
    """By a load that is asked to, or later; exit code 1 if some stay."""
    assert run("move", "keeper") == "keeper: no process runs an older version\n"
    assert "; 1 process moved (" in run("load", str(keeper), "--move").splitlines()[0]
    run("load", str(keeper))
    assert run.json("move", "keeper")["not_moved"] == []
    keeper.write_text(KEEPER.replace("loop(kept)", "loop(kept, size)").replace("kept, message]", "kept, message], 1"))
    run("load", str(keeper), "--force")

    output = run("move", "keeper", code=1)

    assert output.startswith("keeper: 1 process still runs v3: <0.")
    assert "at loop:10 (parameters changed: v4 also needs size)" in output


def test_several_files_are_loaded_together(run: Shell, keeper: Path, project: Path) -> None:
    """All of them or none; and a load of any kind moves idle processes if it is asked to."""
    shelf = project / "shelf.py"
    shelf.write_text("x = 1\n")

    output = run("load", str(keeper), str(shelf), "--move")
    assert output.startswith("2 modules loaded: keeper v2, shelf v1; 1 process moved\n")
    assert [each["version"] for each in run.json("load", str(keeper), str(shelf))["reports"]] == [3, 2]
    shelf.write_text("def f(): return nonesuch\n")
    run("load", str(keeper), str(shelf), code=3)
    assert run.error.startswith("shelf not loaded: line 1, undefined name")
    assert run.json("load", str(keeper), str(shelf), "--force")["status"] == "loaded"

    assert run.json("rollback", "keeper", "1", "--move")["not_moved"] == []
    assert [each["processes"] for each in run.json("versions", "keeper")] == [0, 0, 0, 0, 1]


def test_versions_diff_and_rollback(run: Shell, keeper: Path) -> None:
    """What there is of a module, how two versions differ, and back again."""
    keeper.write_text(KEEPER + "\nextra = 1\n")
    run("load", str(keeper))

    assert [line.split()[0] for line in run("versions", "keeper").splitlines()] == ["VERSION", "1", "2"]
    assert [each["processes"] for each in run.json("versions", "keeper")] == [1, 0]
    assert "which runs loop, at line" in run("versions", "keeper", "--why", "1")
    assert run.json("versions", "keeper", "--why", "2")["current"] is True
    assert "+extra = 1\n" in run("diff", "keeper", "1", "2")
    assert "+extra = 1\n" in run.json("diff", "keeper", "1", "2")["diff"]
    assert run("rollback", "keeper", "1").startswith("keeper v3 loaded")
    assert run.json("rollback", "keeper")["version"] == 4


def test_messages_and_exits_reach_processes(run: Shell, keeper: Path) -> None:
    """By name or pid; a process that moves when told, and ends when told."""
    keeper.write_text(KEEPER + "\nextra = 1\n")
    run("load", str(keeper))
    assert run("send", "keeper", '"code_switch"') == ""
    (row,) = run.json("ps")
    assert row["version"] == 2

    assert run("exit", row["pid"]) == ""
    assert run.json("ps") == []
    run("exit", row["pid"], code=4)
    assert run.error == f"midflight: {row['pid']} is not alive; nothing was sent. See midflight ps.\n"


def test_a_kill_that_has_not_worked_says_so(run: Shell, keeper: Path, project: Path) -> None:
    """What keeps the process, and what ends it; here it waits in C for a writer of a pipe."""
    begun, gate = project / "begun", project / "gate"
    os.mkfifo(begun)
    os.mkfifo(gate)
    with RemoteServer.attach(project) as client:
        opening = f"map(__import__('os').open, ({str(begun)!r}, {str(gate)!r}), (0, 0))"  # no bytecode between the two
        client.submit("process/send", "keeper", f"register('blocked', spawn(list, {opening}))")
        begun.write_text("")

        run("exit", "blocked", "kill", code=6)

        assert "was killed and has not ended: it runs code that Python cannot interrupt, in C" in run.error
        assert "Other processes wait. It ends as soon as it runs Python code of its own or yields.\n" in run.error
        gate.write_text("")
    assert "blocked" not in run("ps")


def test_purge_kills_and_soft_purge_does_not(run: Shell, keeper: Path) -> None:
    """The exit code says whether old versions are gone; JSON says who was killed."""
    keeper.write_text(KEEPER + "\nextra = 1\n")
    run("load", str(keeper))

    assert "Processes still run old versions" in run("purge", "keeper", "--soft", code=1)
    purged = run.json("purge", "keeper")
    assert purged["purged"] is True
    assert len(purged["killed"]) == 1
    assert run("purge", "keeper", "--soft") == "No old version is left.\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("versions", "nowhere"), 4, "nowhere was never loaded"),
        (("diff", "keeper", "1", "9"), 4, "no version 9"),
        (("send", "nobody", "1"), 4, "'nobody' is neither a pid nor a registered name; nothing was done"),
        (("send", "keeper", "1 +"), 3, "is not one Python expression"),
        (("exit", "keeper 2"), 4, "neither a pid nor a registered name"),
        (("load", "nowhere.py"), 4, "nowhere.py does not exist; nothing was loaded"),
    ],
)
def test_refusals_are_on_stderr(run: Shell, keeper: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    """An exit code that says which kind, nothing on stdout, the server's words after the name of the program."""
    assert keeper.exists()
    assert run(*arguments, code=code) == ""
    assert run.error.startswith("midflight: ")
    assert said in run.error


def test_doctor_says_what_it_finds(run: Shell, start: Start, project: Path, runtime_dir: Path) -> None:
    """With and without a server, and when the runtime folder is refused."""
    assert "none runs" in run("doctor")
    start("serve").port()
    found = run.json("doctor")
    assert found["root"] == str(project)
    assert found["runtime folder"] == str(runtime_dir)
    assert "protocol 1" in found["server"]
    assert "0 processes" in found["answer"]
    assert f"kernel {KERNEL}" in found["answer"]
    assert found["kernel"].startswith(f"{KERNEL}: ")
    assert found["trouble"] is None
    runtime_dir.chmod(0o777)

    assert "has mode 0777" in run.json("doctor", code=1)["trouble"]


def test_shell_evaluates_piped_input(run: Shell, start: Start) -> None:
    """Values and output on stdout, tracebacks on stderr, no prompts; statements may take several lines."""
    start("serve").port()

    result = run.piped("shell", given="x = 20\nfor i in range(2):\n    print(i + x)\n\nnowhere\n[\n1,\n]\nx + 1")

    assert result.stdout.splitlines() == ["20", "20", "21", "[1]", "21"]
    assert "NameError: name 'nowhere' is not defined" in result.stderr
    assert result.returncode == 0


def test_shell_without_a_server_has_one_of_its_own(run: Shell, project: Path) -> None:
    """It says so, works, and leaves no server behind."""
    result = run.piped("shell", given="6 * 7\n")

    assert (result.returncode, result.stdout) == (0, "42\n")
    assert "starts one, which ends with it" in result.stderr
    run("ps", code=5)
    assert f"No server runs for {project}" in run.error


def test_unfinished_input_is_told(run: Shell, start: Start) -> None:
    """The end of the input in the middle of a statement is a failure, and nothing of it runs."""
    start("serve").port()

    result = run.piped("shell", given="print('ran',")

    assert (result.returncode, result.stdout) == (1, "")
    assert "ended in the middle of a statement, which was not run" in result.stderr


def test_run_is_a_program_with_a_server_around_it(run: Shell, start: Start, project: Path) -> None:
    """The function is the first process; while it runs, code can be loaded into it."""
    path = project / "program.py"
    path.write_text(PROGRAM)
    running = start("run", "program.py:main", "the-program")
    running.line_with("started")

    path.write_text(PROGRAM.replace("'version'", "'new version'").replace("return program.step()", "return 'done'"))
    run("load", str(path))
    run("send", "the-program", "1")
    assert running.line_with("version") == "version"
    run("send", "the-program", "1")
    assert running.line_with("version") == "new version"

    assert running.exit_code() == 0


@pytest.mark.parametrize(
    ("source", "target", "code", "said"),
    [
        ("def main():\n    raise ValueError('boom')\n", "p.py:main", 1, "ValueError: boom"),
        ("from midflight import ProcessExit\ndef main():\n    raise ProcessExit('enough')\n", "p.py:main", 1,
         "p.py:main ended with exit reason 'enough'"),
        ("import sys\ndef main():\n    sys.exit(3)\n", "p.py:main", 3, ""),
        ("import sys\nasync def main():\n    sys.exit('no luck')\n", "p.py:main", 1, "no luck\n"),
        ("x = (\n", "p.py:main", 3, "p not loaded: line 1"),
        ("x = 1\n", "p.py:main", 3, "p has no function main; nothing was run"),
        ("def main():\n    print('in a module')\n", "p:main", 0, "in a module"),
        ("", "p.py:", 3, "names no function; nothing was run"),
    ],
)  # fmt: skip
def test_run_says_how_it_ended(run: Shell, project: Path, source: str, target: str, code: int, said: str) -> None:
    """The exit code, and the reason where one expects it."""
    (project / "p.py").write_text(source)

    result = run.piped("run", target)

    assert result.returncode == code
    assert said in result.stdout + result.stderr
    assert "event loop raised" not in result.stderr


def test_ctrl_c_ends_a_program_that_runs(run: Shell, start: Start, project: Path, runtime_dir: Path) -> None:
    """It unwinds, as all processes do, and no server is left."""
    (project / "p.py").write_text(
        "from midflight import receive\n\nasync def main():\n    print('started')\n    try:\n"
        "        await receive()\n    finally:\n        print('unwound')\n"
    )
    program = start("run", "p.py:main")
    program.line_with("started")

    program.signal(signal.SIGINT)

    assert program.exit_code() == 130
    assert program.lines == ["started", "unwound"]
    assert [path for path in runtime_dir.rglob("*") if path.is_file()] == []
    run("ps", code=5)


def test_run_beside_a_server_goes_on_without_one(run: Shell, start: Start, project: Path) -> None:
    """The program is what matters; that editors cannot reach it is said."""
    start("serve").port()
    (project / "p.py").write_text("def main():\n    print('done')\n")

    result = run.piped("run", "p.py:main")

    assert (result.returncode, result.stdout) == (0, "done\n")
    assert "runs already" in result.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["load", "--help"], ["run", "--help"]])
def test_help_reads_well(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Help is there for each command and says what its arguments are."""
    with pytest.raises(SystemExit) as end:
        main(arguments)

    assert end.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith("usage: midflight")
    assert "None" not in text


@pytest.mark.parametrize(
    "arguments", [[], ["nowhere"], ["load"], ["diff", "m", "1", "b"], ["serve", "--port", "99999"]]
)
def test_wrong_arguments_are_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """As every program has it."""
    with pytest.raises(SystemExit) as end:
        main(arguments)

    assert end.value.code == 2
    assert "usage: midflight" in capsys.readouterr().err
