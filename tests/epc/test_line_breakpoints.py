"""Breakpoints that a client sets at lines: where they stop, in which version, and what is left when none is set."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.debugging import Person
from helpers.epc_peer import DEADLINE_SECONDS
from helpers.gates import wait_for
from helpers.servers_of_nodes import forget_module
from midflight.errors import RemoteError

V1 = """from midflight import receive
import halted

def doubled(count):
    \"\"\"Twice as many.\"\"\"
    return count * 2

async def loop(total):
    count = await receive()
    if count == "switch":
        return halted.loop(total)
    total += doubled(count)
    return loop(total)
"""
ADDING = 12  # the line that adds in V1


class Halting:
    """A person whose process `p` runs `loop` of version 1."""

    def __init__(self, node: Any, file: Path) -> None:
        self.person, self.file = Person(node), file
        file.write_text(V1)
        self.load(V1)
        self("p = spawn(halted.loop, 0)")

    def __call__(self, text: str) -> Any:
        """Evaluate `text`."""
        return self.person.eval(text).result(DEADLINE_SECONDS)["value"]

    def begin(self, text: str) -> None:
        """Evaluate `text`, by which a process stops: all stand then, and the answer comes later."""
        self.person.eval(text)

    def load(self, text: str) -> None:
        """Load `text`."""
        self.person.client.call("code/load", str(self.file), text, None)

    def set(self, *lines: int | tuple[int, str], text: str = V1) -> list[Any]:
        """Set all breakpoints of the file."""
        wanted = [[each, None] if isinstance(each, int) else list(each) for each in lines]
        return list(self.person.client.call("breakpoint/set", str(self.file), text, wanted) or ())

    def stopped(self) -> tuple[int, str, int]:
        """Return where it stops: version, function and line; the process goes on."""
        place = self.person.stopped()
        self.person.command(place, "c")
        return place["version"], place["function"], place["line"]

    def list(self) -> list[dict[str, Any]]:
        """Return all breakpoints."""
        return list(self.person.client.call("breakpoint/list") or ())


@pytest.fixture
def halting(node: Any, tmp_path: Path) -> Iterator[Halting]:
    """A person, a module and a process of it that waits."""
    yield Halting(node, tmp_path / "halted.py")
    forget_module("halted")


def is_traced() -> bool:
    """Say whether anything is installed in this program that sees lines."""
    if sys.version_info >= (3, 12):
        return any(sys.monitoring.get_tool(tool) == "midflight breakpoints" for tool in range(6))
    return False


def test_a_process_that_waits_stops_at_the_line(halting: Halting) -> None:
    """Also though it waits in the function since before; each time, until it is taken away."""
    (point,) = halting.set(ADDING)
    assert (point["line"], point["function"], point["text"]) == (ADDING, "loop", "total += doubled(count)")

    for _ in range(2):
        halting.begin("p << 1")
        assert halting.stopped() == (1, "loop", ADDING)

    assert [each["hits"] for each in halting.list()] == [2]
    halting.set()
    halting("p << 1")
    assert halting.list() == []
    assert halting("process_info(p)['status'] in ('waiting', 'runnable', 'running')") == "True"
    assert halting.person.questions.empty()
    assert halting("__import__('sys').gettrace()") is None
    assert not is_traced()


def test_the_line_is_that_before_it_runs_and_steps_go_on_from_there(halting: Halting) -> None:
    """The commands of the debugger act on the frame; `s` steps into the call in the line."""
    halting.set(ADDING)
    halting.begin("p << 20")
    person = halting.person

    place = person.step(person.stopped(), "p total, count")
    assert "(0, 20)\n" in person.output
    place = person.step(place, "s")
    assert place["function"] == "doubled"
    place = person.step(place, "r")
    place = person.step(place, "n")
    assert (place["function"], place["line"]) == ("loop", ADDING + 1)
    person.command(place, "c")


def test_a_step_over_a_call_stops_at_the_breakpoint_in_it(halting: Halting) -> None:
    """Once: the debugger that steps is the one that stops."""
    halting.set(ADDING, 6)
    halting.begin("p << 1")
    person = halting.person

    place = person.step(person.stopped(), "n")
    assert (place["function"], place["line"]) == ("doubled", 6)
    person.command(place, "c")

    halting.begin("p << 1")
    assert [halting.stopped()[1], halting.stopped()[1]] == ["loop", "doubled"]


def test_versions_old_and_new_have_the_breakpoint_where_the_line_is(halting: Halting) -> None:
    """One is set in the text of version 1; version 2 has two lines more above. The old one still stops too."""
    halting.set(ADDING)
    halting.load("# a line\n# another\n" + V1)

    halting.begin("p << 1")
    assert halting.stopped() == (1, "loop", ADDING)
    halting("p << 'switch'")
    halting.begin("p << 1")
    assert halting.stopped() == (2, "loop", ADDING + 2)


def test_a_breakpoint_stays_at_a_line_that_is_edited(halting: Halting) -> None:
    """By its function; if that is gone, it stops nowhere in the new version."""
    halting.set(ADDING)
    halting.load(V1.replace("total += doubled(count)", "total += doubled(count) + 1"))
    halting.begin("p << 'switch'; p << 1")
    assert halting.stopped() == (2, "loop", ADDING)

    halting.load(V1.replace("loop", "other"))
    halting("q = spawn(halted.other, 0)")
    halting("q << 1")
    assert halting.person.questions.empty()


@pytest.mark.parametrize(
    ("line", "at"), [(4, 6), (5, 6), (7, 9), (8, 9), (2, 2)], ids=["def", "docstring", "blank", "async def", "module"]
)
def test_a_line_without_code_means_the_next_that_has_some(halting: Halting, line: int, at: int) -> None:
    """The line of a `def` means the first line of its body."""
    (point,) = halting.set(line)

    assert point["line"] == at


def test_no_code_follows(halting: Halting) -> None:
    """Then there is no breakpoint, and the others are set."""
    assert [each and each["line"] for each in halting.set(99, ADDING)] == [None, ADDING]


def test_a_condition_is_of_the_frame(halting: Halting) -> None:
    """One that raises stops: so the person sees why."""
    halting.set((ADDING, "count > 3"))
    halting.begin("p << 1; p << 2; p << 5")
    assert halting.stopped() == (1, "loop", ADDING)
    assert halting.list()[0]["hits"] == 1

    halting.set((ADDING, "nothing"))
    halting.begin("p << 1")
    assert halting.stopped() == (1, "loop", ADDING)


def test_what_is_no_python_changes_nothing(halting: Halting) -> None:
    """A text, or a condition."""
    halting.set(ADDING)

    with pytest.raises(RemoteError, match=r"not Python .*; no breakpoint was changed"):
        halting.set(1, text="def")
    with pytest.raises(RemoteError, match=r"not one Python expression .*; no breakpoint was changed"):
        halting.set((ADDING, "a ="))
    with pytest.raises(RemoteError, match="LINES must be a list"):
        halting.set(-3)

    assert [each["line"] for each in halting.list()] == [ADDING]


def test_going_on_from_a_step_stops_at_the_next_breakpoint_of_the_same_call(halting: Halting) -> None:
    """The debugger has traced all frames meanwhile."""
    halting.set(6, ADDING + 1)
    halting.begin("p << 1")
    person = halting.person

    place = person.step(person.stopped(), "n")
    assert (place["function"], place["line"]) == ("doubled", 6)  # at its return
    person.command(place, "c")
    assert halting.stopped() == (1, "loop", ADDING + 1)

    halting.begin("p << 1")
    assert [halting.stopped()[2], halting.stopped()[2]] == [6, ADDING + 1]


def test_they_end_with_the_connection(halting: Halting, node: Any) -> None:
    """Those of another client are listed, and stay."""
    other = node.connect()
    other.call("breakpoint/set", str(halting.file), V1, [[6, None]])
    halting.set(ADDING)
    assert [(each["line"], each["own"]) for each in halting.list()] == [(6, None), (ADDING, True)]

    other.call("breakpoint/clear")
    assert [each["line"] for each in halting.list()] == [ADDING]
    halting.person.client.close()
    wait_for(lambda: not other.call("breakpoint/list"))


def test_the_one_who_set_it_is_asked_for_a_process_that_nobody_started(halting: Halting) -> None:
    """As one that a supervision tree of the project starts."""
    halting("q = spawn(halted.loop, 0, group_leader=__import__('sys').__stdout__)")
    halting.set(ADDING)
    halting.begin("q << 1")
    assert halting.stopped() == (1, "loop", ADDING)


def test_the_end_of_the_process_in_the_debugger_leaves_the_breakpoint(halting: Halting) -> None:
    """By `q`: the next process stops there too."""
    halting.set(ADDING)
    halting.begin("p << 1")
    halting.person.command(halting.person.stopped(), "q")

    halting("p = spawn(halted.loop, 0)")
    halting.begin("p << 1")
    assert halting.stopped() == (1, "loop", ADDING)
