"""`midflight run FILE`: a script that starts a runtime of its own is served there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.server_process import Program
from midflight.epc import running_servers

Start = Callable[[str], Program]

HEAD = """
import asyncio, sys
import midflight

def price():
    return 1

async def answer():
    import app
    midflight.register("seller", midflight.self_())
    print("ready", flush=True)
    while True:
        await midflight.receive("go")
        print(app.price(), flush=True)

async def end():
    seller = midflight.spawn(answer)
    print(await asyncio.to_thread(sys.stdin.readline), flush=True)

if __name__ == "__main__":
"""

RUN = """
    midflight.run(end)
    print("left", flush=True)
    sys.stdin.readline()
"""

RUNTIME = """
    async def main():
        async with midflight.Runtime() as runtime:
            await runtime.run(end)
        print("left", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
    asyncio.run(main())
"""

SERVE = RUNTIME.replace("midflight.Runtime() as runtime", "midflight.serve() as runtime").replace(
    "runtime.run(end)", "runtime.runtime.run(end)"
)


@pytest.fixture
def program(project: Path, runtime_dir: Path) -> Iterator[Start]:
    """A function that writes a script into the project and has `midflight run` run it."""
    with ExitStack() as stack:

        def start(main: str) -> Program:
            (project / "app.py").write_text(HEAD + main)
            return stack.enter_context(Program("run", "app.py", runtime=runtime_dir, cwd=project, says=True))

        yield start


@pytest.mark.parametrize("main", [RUN, RUNTIME, SERVE], ids=["run", "runtime", "serve"])
def test_its_processes_are_listed_and_loaded(program: Start, project: Path, run: Shell, main: str) -> None:
    """By one server; and when that runtime has ended the program is served as before."""
    app = program(main)
    app.line_with("ready")
    assert [server.name for server in running_servers(project)] == ["main"]
    assert "seller" in run("ps")
    run("send", "seller", "'go'")
    assert app.line() == "1"

    (project / "app.py").write_text((HEAD + main).replace("return 1", "return 2"))
    run("load", str(project / "app.py"))
    run("send", "seller", "'go'")
    assert app.line() == "2"

    app.say("over")
    app.line_with("left")
    assert [server.name for server in running_servers(project)] == ["main"]
    assert [row["version"] for row in run.json("versions", "app") if row["current"]] == [2]
    app.say("end")
    assert app.exit_code() == 0
