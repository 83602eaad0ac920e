"""`midflight run FILE`: scripts with a main of their own, unchanged, loaded while they run."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent

import pytest

from helpers.command_line import Shell
from helpers.server_process import Program
from midflight.epc import ProjectFiles

Start = Callable[..., Program]

SHOP = """
def answer(line):
    import app

    app.SEEN.append(line)
    return f"{line} {app.price()} {len(app.SEEN)}"
"""

HEAD = """
import asyncio, sys
import shop

SEEN = []


def price():
    return 1


"""

PLAIN = """
if __name__ == "__main__":
    print("ready", *sys.argv[1:], flush=True)
    for line in sys.stdin:
        print(shop.answer(line.strip()), flush=True)
"""

ASYNCIO = """
async def main():
    print("ready", *sys.argv[1:], flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(shop.answer(line.strip()), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
"""

THREAD = """
def serve():
    print("ready", *sys.argv[1:], flush=True)
    for line in sys.stdin:
        print(shop.answer(line.strip()), flush=True)


if __name__ == "__main__":
    import threading

    threading.Thread(target=serve).start()
"""

UVLOOP = ASYNCIO.replace("asyncio.run(main())", "import uvloop\n\n    uvloop.run(main())")

AT_TOP = PLAIN.replace('if __name__ == "__main__":', "if True:")


@pytest.fixture
def program(project: Path, runtime_dir: Path) -> Iterator[Start]:
    """A function that runs `midflight run ARGUMENTS` in the project, with an input; it has a module `shop`."""
    (project / "shop.py").write_text(SHOP)
    with ExitStack() as stack:

        def start(*arguments: str) -> Program:
            made = Program("run", *arguments, runtime=runtime_dir, cwd=project, says=True)
            return stack.enter_context(made)

        yield start


@pytest.mark.parametrize("main", [PLAIN, ASYNCIO, THREAD, UVLOOP], ids=["plain", "asyncio", "thread", "uvloop"])
def test_an_unchanged_script_is_loaded_while_it_runs(program: Start, project: Path, run: Shell, main: str) -> None:
    """Others find in its module the new code and what it has collected; its files go with it."""
    path = project / "app.py"
    path.write_text(HEAD + main)
    app = program("app.py", "--fast", "two words")
    assert app.line() == "ready --fast two words"
    app.say("a")
    assert app.line() == "a 1 1"

    path.write_text((HEAD + main).replace("return 1", "return 2"))
    (project / "shop.py").write_text(SHOP.replace("{line} ", "{line}: "))
    reports = run.json("load", "--modified")["reports"]

    assert sorted((each["module"], each["changed"]) for each in reports) == [("app", ["price"]), ("shop", ["answer"])]
    app.say("b")
    assert app.line() == "b: 2 2"
    assert app.process.stdin is not None
    app.process.stdin.close()
    assert app.exit_code() == 0
    assert ProjectFiles(project).read() is None


def test_its_text_is_known_though_it_is_edited_before_the_first_load(program: Start, project: Path, run: Shell) -> None:
    """Version 1 is the text that runs, not that of the file meanwhile."""
    path = project / "app.py"
    path.write_text(HEAD + PLAIN)
    app = program("app.py")
    app.line()
    path.write_text((HEAD + PLAIN).replace("return 1", "return 2"))

    run("load", str(path))

    assert "-    return 1\n+    return 2" in run("diff", "app", "1", "2")


def test_the_question_is_not_asked_again(program: Start, project: Path, run: Shell) -> None:
    """A change below it is for the next start, and the report says so."""
    path = project / "app.py"
    path.write_text(HEAD + PLAIN)
    app = program("app.py")
    app.line()
    path.write_text(HEAD + PLAIN.replace('"ready"', '"again"'))

    assert "a load does not run it, the next start does" in run("load", str(path))

    app.say("a")
    assert app.line() == "a 1 1"


def test_a_script_that_starts_its_work_at_the_top_is_not_run_twice(program: Start, project: Path, run: Shell) -> None:
    """Its own file is refused while it is at that line; its modules are loaded as ever."""
    path = project / "app.py"
    path.write_text(HEAD + AT_TOP)
    app = program("app.py")
    app.line()
    path.write_text((HEAD + AT_TOP).replace("return 1", "return 2"))
    (project / "shop.py").write_text(SHOP.replace("{line} ", "{line}: "))

    told = run("load", str(path), code=3) + run.error
    run("load", str(project / "shop.py"))

    assert 'Put that below `if __name__ == "__main__":`' in told
    assert "the program is at line 13 of this file, and a load would run that a second time" in told
    app.say("a")
    assert app.line() == "a: 1 1"


def test_the_program_goes_on_when_its_server_is_stopped(program: Start, project: Path, run: Shell) -> None:
    """As one that serves itself does."""
    (project / "app.py").write_text(HEAD + PLAIN)
    app = program("app.py")
    app.line()

    run("stop")

    app.say("a")
    assert app.line() == "a 1 1"


def test_it_is_served_as_the_project_of_its_file(program: Start, project: Path, tmp_path: Path) -> None:
    """Wherever it was started from; `--root` says otherwise."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    text = "import midflight\nprint(midflight.serve_in_background(ROOT).root, flush=True)\n"
    (folder / "app.py").write_text(text.replace("ROOT", ""))

    assert program(str(folder / "app.py")).line() == str(folder)
    (folder / "app.py").write_text(text.replace("ROOT", repr(str(project))))
    assert program("--root", str(project), str(folder / "app.py")).line() == str(project)


def test_a_module_of_a_package_is_loaded_while_it_runs(program: Start, project: Path, run: Shell) -> None:
    """By its dotted name, under which others import it."""
    (project / "stand").mkdir()
    (project / "stand" / "__init__.py").touch()
    path = project / "stand" / "desk.py"
    text = """
        import sys
        def price():
            return 1
        if __name__ == "__main__":
            from stand import desk
            print("ready", flush=True)
            for line in sys.stdin:
                print(line.strip(), desk.price(), flush=True)
    """
    path.write_text(dedent(text))
    app = program("-m", "stand.desk")
    app.line()
    path.write_text(dedent(text).replace("return 1", "return 2"))

    assert "stand.desk v2 loaded: price changed" in run("load", str(path))

    app.say("a")
    assert app.line() == "a 2"


def test_an_error_in_a_loaded_version_names_the_file_that_people_edit(
    program: Start, project: Path, run: Shell
) -> None:
    """And the version, as every traceback of Midflight does."""
    (project / "app.py").write_text(HEAD + PLAIN)
    app = program("app.py")
    app.line()
    (project / "shop.py").write_text("def answer(line):\n    return 1 / 0\n")
    run("load", str(project / "shop.py"))

    app.say("a")

    assert f'File "{project / "shop.py"}", line 2, in answer (version 2)' in app.line_with("in answer")
    assert app.exit_code() == 1


def test_ctrl_c_ends_a_script_as_it_does_under_python(program: Start, project: Path, runtime_dir: Path) -> None:
    """Its parent sees the signal, and no file of its server is left."""
    (project / "app.py").write_text(HEAD + PLAIN)
    app = program("app.py")
    app.line()

    app.signal(signal.SIGINT)

    assert app.exit_code() == -signal.SIGINT
    assert app.lines[-1].startswith("KeyboardInterrupt")
    assert [path for path in runtime_dir.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nofile.py"], "nofile.py cannot be read (No such file or directory); nothing was run"),
        (["-m", "nowhere.at.all"], "nowhere.at.all cannot be run (No module named 'nowhere'); nothing was run"),
        (["-m", "sys"], "no module named sys can be run; nothing was run"),
    ],
)
def test_a_target_that_cannot_be_run_is_told(run: Shell, arguments: list[str], said: str) -> None:
    """With the forms that a target can have."""
    result = run.piped("run", *arguments)

    assert result.returncode == 3
    assert result.stderr.startswith(f"midflight: {said}")


def test_options_after_a_function_are_those_of_the_command(run: Shell, project: Path) -> None:
    """A function has arguments alone; a script gets all that stands behind it."""
    (project / "p.py").write_text("def main(*all):\n    print(all)\n")

    assert run.piped("run", "p.py:main", "a", "b", "--root", str(project)).stdout == "('a', 'b')\n"
