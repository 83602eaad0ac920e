"""Programs with a main of their own that serve themselves: loaded, listed and ended from outside."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent

import pytest

from helpers.server_process import Program
from midflight.epc import ProjectFiles

Start = Callable[..., Program]

SHOP = "def price():\n    return 1\n"


@pytest.fixture
def program(project: Path, runtime_dir: Path) -> Iterator[Start]:
    """A function that writes a script into the project, which has a module `shop`, and runs it."""
    (project / "shop.py").write_text(SHOP)
    with ExitStack() as stack:

        def start(text: str, name: str = "app.py") -> Program:
            (project / name).write_text(dedent(text))
            made = Program(name, runtime=runtime_dir, cwd=project, command=[sys.executable], says=True)
            return stack.enter_context(made)

        yield start


def edit(project: Path, price: int) -> None:
    """Let the shop ask another price."""
    (project / "shop.py").write_text(SHOP.replace("1", str(price)))


ASYNC = """
    import asyncio, sys
    import midflight, shop

    async def main():
        async with midflight.serve() as server:
            print(server.name, server.port, flush=True)
            while line := await asyncio.to_thread(sys.stdin.readline):
                print(line.strip(), shop.price(), flush=True)
        print("left", flush=True)

    asyncio.run(main())
"""

THREAD = """
    import sys
    import midflight, shop

    server = midflight.serve_in_background()
    print(server.name, server.port, flush=True)
    for line in sys.stdin:
        print(line.strip(), shop.price(), flush=True)
    print("left", flush=True)
"""

LOOP = """
    import asyncio, sys
    import midflight, shop

    async def main():
        server = midflight.serve_in_background()
        print(server.name, server.port, flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(line.strip(), shop.price(), flush=True)

    asyncio.run(main())
    print("left", flush=True)
"""

UVLOOP = LOOP.replace("import asyncio, sys", "import asyncio, sys, uvloop").replace("asyncio.run", "uvloop.run")


@pytest.mark.parametrize("text", [ASYNC, THREAD, LOOP, UVLOOP], ids=["serve", "thread", "loop", "uvloop"])
def test_a_program_is_loaded_while_it_runs_and_leaves_nothing_behind(program, project, run, text):
    """Its next call is the new code; a front end finds it by its project; its files go with it."""
    app = program(text)
    assert app.line() == "main None"

    app.say("a")
    assert app.line() == "a 1"
    edit(project, 2)
    assert "shop v2 loaded: price changed" in run("load", str(project / "shop.py"))
    app.say("b")
    assert app.line() == "b 2"

    assert app.process.stdin is not None
    app.process.stdin.close()
    assert app.line_with("left")
    assert app.exit_code() == 0
    assert ProjectFiles(project).read() is None


def test_the_program_s_own_file_is_loaded_as_its_module(program, project, run):
    """A front end finds it by its path; what the program does below its question is not done again."""
    text = """
        import sys
        import midflight

        def price():
            return 1

        if __name__ == "__main__":
            server = midflight.serve_in_background()
            import app
            print(server.name, app.price(), flush=True)
            for line in sys.stdin:
                print(line.strip(), app.price(), flush=True)
    """
    app = program(text)
    assert app.line() == "main 1"
    (project / "app.py").write_text(dedent(text).replace("return 1", "return 2"))

    assert "app v2 loaded: price changed; kept state: server (" in run("load", str(project / "app.py"))

    app.say("a")
    assert app.line() == "a 2"
    assert "current" in run("versions", "app")


@pytest.mark.parametrize("text", [ASYNC, THREAD, LOOP], ids=["serve", "thread", "loop"])
def test_a_front_end_ends_the_server_and_the_program_goes_on(program, project, run, text):
    """`midflight stop` takes the server away alone."""
    app = program(text)
    app.line()

    run("stop")

    app.say("still")
    assert app.line() == "still 1"
    assert "No server runs" in run("ps", code=5) + run.error


def test_processes_are_spawned_from_any_thread_and_listed(program, run):
    """They run in the thread of the server; what they print goes to the program's output."""
    app = program(
        """
        import sys
        import midflight

        async def echo():
            while True:
                print("got", await midflight.receive(), flush=True)

        midflight.serve_in_background()
        pid = midflight.spawn(echo, name="echo")
        print("ready", flush=True)
        for line in sys.stdin:
            pid << line.strip()
        """
    )
    app.line()

    assert "echo" in run("ps")
    app.say("hello")
    assert app.line() == "got hello"
    run("send", "echo", "'from outside'")
    assert app.line() == "got from outside"


def test_the_runtime_that_runs_is_served(program, run):
    """Inside of `midflight.run` no second one is started, and its processes are those that are listed."""
    app = program(
        """
        import asyncio, sys
        import midflight
        from midflight import serve  # here: a slow machine takes a while for it, and a process would hold up the others

        async def main():
            midflight.register("first", midflight.self_())
            async with serve():
                print("ready", flush=True)
                await asyncio.to_thread(sys.stdin.readline)

        midflight.run(main)
        print("left", flush=True)
        """
    )
    app.line()

    assert "first" in run("ps")
    app.say("")
    assert app.line() == "left"


def test_the_second_process_of_a_project_is_a_worker(program, project):
    """By default; a name that was asked for and is taken is an error, and nothing is started."""
    first = program(THREAD)
    assert first.line() == "main None"

    second = program(THREAD, "other.py")
    third = program(THREAD.replace("background()", "background(name='main')"), "third.py")

    assert second.line() == f"worker-{second.process.pid} None"
    assert ProjectFiles(project, f"worker-{second.process.pid}").read() is not None
    assert "ServerRunning" in third.line_with("ServerRunning")
    assert third.exit_code() == 1


def test_the_command_line_finds_the_only_server_and_asks_which_of_several(program, project, run):
    """Whatever its name; `servers` lists them, `ps --all` shows all their processes."""
    only = program(THREAD.replace("background()", "background(name='one')"))
    assert only.line() == "one None"
    assert run("ps")

    two = program(THREAD.replace("background()", "background(name='two')"), "two.py")
    assert two.line() == "two None"

    run("ps", code=5)
    assert "No server main runs" in run.error
    assert "There are one, two: name one, as in --server one" in run.error
    assert run("ps", "--server", "two")
    run("ps", "--server", "three", code=5)
    assert "No server three runs" in run.error
    assert [row["name"] for row in run.json("servers")] == ["one", "two"]
    assert run("ps", "--all").startswith("SERVER")
    run("ps", "--all", "--server", "one", code=3)
    edit(project, 3)
    assert "shop v2" in run("load", str(project / "shop.py"), "--server", "two")
    only.say("a")
    two.say("a")
    assert (only.line(), two.line()) == ("a 1", "a 3")


def test_no_server_at_all(run):
    """`servers` says so, and `ps --all` is an error as `ps` is."""
    assert run("servers") == "No server runs for this project.\n"
    run("ps", "--all", code=5)
    assert "Start one with: midflight serve" in run.error


def test_it_is_started_once(program, project):
    """Again for the same project is the same server; for another it is refused; after `stop` it may start anew."""
    app = program(
        """
        import midflight, tempfile, os
        one = midflight.serve_in_background()
        print(midflight.serve_in_background() is one)
        other = tempfile.mkdtemp()
        try:
            midflight.serve_in_background(other)
        except RuntimeError as error:
            print(error)
        one.stop()
        one.stop()
        print(one.is_open)
        two = midflight.serve_in_background(other, port=0)
        print(two is one, two.is_open, two.root == __import__("pathlib").Path(other).resolve(), two.port > 0)
        """
    )

    assert app.line() == "True"
    assert f"this program is served as main of {project} already, and goes on" in app.line()
    assert app.line() == "False"
    assert app.line() == "False True True True"
    assert app.exit_code() == 0


def test_a_forked_child_has_no_server_and_may_start_one(program, project):
    """The parent's goes on; the child's has a name of its own."""
    app = program(
        """
        import os, sys
        import midflight

        server = midflight.serve_in_background()
        child = os.fork()
        if child == 0:
            print("child", midflight.serve_in_background().name == f"worker-{os.getpid()}", flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        print("parent", server.is_open, midflight.serve_in_background() is server, flush=True)
        """
    )

    assert sorted([app.line_with("child"), app.line_with("parent")]) == ["child True", "parent True True"]
    assert app.exit_code() == 0


def test_a_load_while_the_main_thread_is_in_the_old_code_names_it(program, project, run):
    """A thread is no process: it is told of, and goes on where it is."""
    (project / "shop.py").write_text(
        "import sys\n\ndef sell():\n    for line in sys.stdin:\n        print(1, flush=True)\n"
    )
    app = program(
        """
        import midflight, shop
        midflight.serve_in_background()
        print("ready", flush=True)
        shop.sell()
        """
    )
    (project / "shop.py").write_text(
        "import sys\n\ndef sell():\n    for line in sys.stdin:\n        print(1, flush=True)\n"
    )
    app.line()
    app.say("a")
    assert app.line() == "1"

    (project / "shop.py").write_text((project / "shop.py").read_text().replace("print(1", "print(2"))
    said = run("load", str(project / "shop.py"))

    assert "runs version 1 at sell:" in said
    app.say("b")
    assert app.line() == "1"
