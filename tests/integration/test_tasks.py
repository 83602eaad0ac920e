"""asyncio tasks are listed next to processes, looked into and cancelled from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.server_process import Program

Start = Callable[..., Program]

SHOP = """
import asyncio

async def sell(queue):
    while True:
        print("sold", await queue.get(), flush=True)
"""

APP = """
import asyncio, sys
import shop

async def wait(seller):
    try:
        await seller
    except asyncio.CancelledError:
        print("cancelled", flush=True)

async def main():
    seller = asyncio.create_task(shop.sell(asyncio.Queue()), name="seller")
    waiter = asyncio.create_task(wait(seller), name="waiter")
    await asyncio.sleep(0)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)

if __name__ == "__main__":
    asyncio.run(main())
"""


@pytest.fixture
def program(project: Path, runtime_dir: Path, run: Shell) -> Iterator[Program]:
    """A script that has three tasks, with its module loaded once."""
    (project / "shop.py").write_text(SHOP)
    (project / "app.py").write_text(APP)
    with ExitStack() as stack:
        made = stack.enter_context(Program("run", "app.py", runtime=runtime_dir, cwd=project, says=True))
        made.line_with("ready")
        yield made


def test_a_row_says_where_a_task_is_and_what_it_waits_for(program: Program, project: Path, run: Shell) -> None:
    """Its module, the version of the code that it runs, its line; and how late the event loops are."""
    (project / "shop.py").write_text(SHOP.replace("sold", "gave"))
    run("load", str(project / "shop.py"))

    found = run.json("tasks")

    rows = {row["name"]: row for row in found["tasks"]}
    seller = rows["seller"]
    assert (seller["module"], seller["version"], seller["function"], seller["line"]) == ("shop", 1, "sell", 6)
    assert seller["waiting"] == "asyncio.queues.Queue.get"
    assert rows["waiter"]["waiting"] == "task seller"
    assert rows["waiter"]["module"] in ("app", "__main__")
    assert {row["thread"] for row in found["tasks"]} == {"MainThread"}
    assert all(each["lag_ms"] < 500 for each in found["loops"])


def test_where_shows_the_stack_of_a_task(program: Program, run: Shell) -> None:
    """As a traceback does."""
    (seller,) = [row for row in run.json("tasks")["tasks"] if row["name"] == "seller"]

    said = run("where", seller["id"])

    assert "in sell" in said
    assert 'print("sold", await queue.get(), flush=True)' in said


def test_a_task_is_cancelled_from_outside(program: Program, run: Shell) -> None:
    """The program sees what it sees of `task.cancel()`."""
    (seller,) = [row for row in run.json("tasks")["tasks"] if row["name"] == "seller"]

    run("cancel", seller["id"])

    assert program.line() == "cancelled"


def test_ps_shows_tasks_behind_processes(program: Program, run: Shell) -> None:
    """With the words for a person; its JSON is that of processes alone."""
    said = run("ps")

    assert "WAITS FOR" in said
    assert "seller" in said
    assert run.json("ps") == []


def test_a_task_that_is_not_there_is_told(program: Program, run: Shell) -> None:
    """And where the others are."""
    run("cancel", "t999", code=3)

    assert "No task t999 is there; nothing was done. See midflight tasks." in run.error
