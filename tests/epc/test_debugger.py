"""`breakpoint()` in a process: the front end gets pdb's prompt and the place, and its answers are the commands."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from helpers.debugging import Person
from helpers.epc_peer import DEADLINE_SECONDS
from helpers.shells import RunningRuntime
from midflight.line_input import no_lines

V1 = """from midflight import receive
import stepped

async def loop(total):
    count = await receive()
    breakpoint()
    total += count
    return stepped.loop(total)
"""


@pytest.fixture
def person(node: Any) -> Person:
    """A person at a shell."""
    return Person(node)


@pytest.mark.parametrize("call", ["breakpoint()", "import pdb; pdb.set_trace()"])
def test_an_evaluation_stops_and_goes_on(person: Person, call: str) -> None:
    """pdb's commands act on its frame; after the end of the input nothing is traced."""
    person.eval(f"def f(a):\n    {call}\n    b = a + 1\n    return b\n").result(DEADLINE_SECONDS)
    future = person.eval("f(1)")

    place = person.step(person.begun(), "!a = 10")
    place = person.step(place, "n")
    place = person.step(place, "p b")
    person.command(place, "c")

    assert future.result(DEADLINE_SECONDS)["value"] == "11"
    assert "\n11\n" in person.output
    assert person.eval("__import__('sys').gettrace()").result(DEADLINE_SECONDS)["value"] is None


def test_the_place_is_of_the_version_that_runs(person: Person, tmp_path: Path) -> None:
    """A process in version 1, while version 2 is current and the file has its text."""
    file = tmp_path / "stepped.py"
    file.write_text(V1)
    person.client.call("code/load", str(file), V1, None)
    person.eval("p = spawn(stepped.loop, 1)").result(DEADLINE_SECONDS)
    changed = "\n\n" + V1
    file.write_text(changed)
    person.client.call("code/load", str(file), changed, None)

    person.eval("p << 2")
    place = person.begun()

    assert (place["file"], place["version"], place["function"], place["line"]) == (str(file), 1, "loop", 7)
    assert Path(place["text_file"]).read_text() == V1
    place = person.step(person.step(place, "n"), "s")
    person.command(place, "c")


def test_a_step_at_a_tail_call_goes_on_in_the_next_version(person: Person, tmp_path: Path) -> None:
    """The process becomes another coroutine: the debugger stops where that begins, and in no other process."""
    file, text = tmp_path / "walked.py", V1.replace("stepped", "walked")
    file.write_text(text)
    person.client.call("code/load", str(file), text, None)
    person.eval("q = spawn(receive); p = spawn(walked.loop, 1)").result(DEADLINE_SECONDS)
    person.eval("p << 2; q << 1")
    place = person.begun()
    lines = []

    for _ in range(3):
        place = person.step(place, "n")
        lines.append((place["function"], place["line"]))

    assert lines == [("loop", 8), ("loop", 4), ("loop", 5)]
    person.command(place, "c")


def test_the_end_of_the_input_lets_the_process_go_on(person: Person) -> None:
    """So does a front end that goes away."""
    future = person.eval("def f():\n    breakpoint()\n    return 'done'\n")
    future.result(DEADLINE_SECONDS)
    future = person.eval("f()")

    person.command(person.stopped(), None)

    assert future.result(DEADLINE_SECONDS)["value"] == "'done'"


def test_quitting_ends_the_process(person: Person) -> None:
    """With BdbQuit as its reason."""
    person.eval("def f():\n    breakpoint()\n    return 1\n").result(DEADLINE_SECONDS)
    future = person.eval("f()")

    person.command(person.stopped(), "q")

    assert future.result(DEADLINE_SECONDS)["error"].strip().endswith("bdb.BdbQuit: it was ended in the debugger, by q")


def test_without_a_front_end_it_is_passed(caplog: pytest.LogCaptureFixture) -> None:
    """The log says where, and the process goes on."""
    with no_lines():
        running = RunningRuntime()
        try:
            future = running.scheduler.call_threadsafe(breakpoint)
            with caplog.at_level(logging.WARNING):
                future.result(DEADLINE_SECONDS)
        finally:
            running.stop()

    assert "breakpoint() in a thread or task" in caplog.text
    assert "was passed: no front end has started it" in caplog.text
