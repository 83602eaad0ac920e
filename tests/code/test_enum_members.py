"""Members of a superseded enum in what a process goes on with become the members of the new one, by their names."""

from __future__ import annotations

import sys

import pytest

from midflight import call, exit

TEXT = """
import enum
VERSION = 1
from midflight import receive
class Mode(enum.Enum):
    FAST = 1
    SLOW = 2
class Flag(enum.Flag):
    A = 1
    B = 2
async def loop(mode, told):
    while True:
        match await receive():
            case "tell":
                told.append((VERSION, mode is Mode.FAST, mode))
"""

NEW = (
    TEXT.replace("    SLOW = 2", "    SLOW = 2\n    NEW = 3")
    .replace("    B = 2", "    B = 2\n    C = 4")
    .replace("VERSION = 1", "VERSION = 2")
)


@pytest.fixture
def thing(project):
    project.load_text("thing", TEXT)
    return sys.modules["thing"]


def moved(project, runtime, mode, text=NEW):
    """Return the report of a load that moves a process with that parameter, and what the process then tells."""
    told = []
    pid = runtime.spawn(sys.modules["thing"].loop, mode, told)
    runtime.run_until_idle()
    report = project.load_text("thing", text, move=True)
    pid << "tell"
    runtime.run_until_idle()
    exit(pid, "kill")
    runtime.run_until_idle()
    return report, told[0]


def test_a_process_that_is_moved_takes_the_branch_of_its_member(project, runtime, thing):
    """Its parameter is the new enum's member of that name."""
    report, (version, is_fast, mode) = moved(project, runtime, thing.Mode.FAST)

    assert (len(report.moved), version, is_fast) == (1, 2, True)
    assert mode is thing.Mode.FAST


def test_a_flag_is_taken_apart(project, runtime, thing):
    """Each of its members by its name."""
    _, (_, _, mode) = moved(project, runtime, thing.Flag.A | thing.Flag.B)

    assert mode is thing.Flag.A | thing.Flag.B


@pytest.mark.parametrize("wrap", [lambda m: [m], lambda m: {"a": (1, m)}, lambda m: {m: 1}, lambda m: [[[m]]]])
def test_a_member_in_a_container_keeps_the_process_where_it_is(project, runtime, thing, wrap):
    """The container may be somebody else's too, so it is not changed; the report says so."""
    report, (version, _, mode) = moved(project, runtime, wrap(thing.Mode.FAST))

    assert version == 1
    assert [each.reason for each in report.not_moved] == [
        "the parameter mode holds a member of Mode, which was superseded"
    ]
    assert mode


def test_a_member_that_is_gone_keeps_the_process_where_it_is(project, runtime, thing):
    """Nobody can tell what it means now."""
    report, (version, _, _) = moved(project, runtime, thing.Mode.SLOW, NEW.replace("    SLOW = 2\n", ""))

    assert version == 1
    assert [each.reason for each in report.not_moved] == [
        "the parameter mode is Mode.SLOW, which the current version lacks"
    ]


SERVER = """
import enum
from midflight import GenServer
class Mode(enum.Enum):
    FAST = 1
    SLOW = 2
class Till(GenServer):
    def init(self):
        self.mode = Mode.FAST
        self.modes = [Mode.FAST, {"a": (Mode.SLOW,)}]
    def handle_call(self, request, client):
        return self.mode is Mode.FAST, self.modes == [Mode.FAST, {"a": (Mode.SLOW,)}], type(self).__name__
"""


def test_the_state_of_a_server_has_the_members_of_the_new_class(project, runtime):
    """At its next message, when it takes the new class; in lists and the like of its attributes, too."""
    project.load_text("till", SERVER)
    answers = []

    async def main():
        till = await sys.modules["till"].Till.start()
        answers.append(await call(till, "modes"))
        project.load_text("till", SERVER.replace("    SLOW = 2", "    SLOW = 2\n    NEW = 3"))
        answers.append(await call(till, "modes"))
        exit(till, "kill")

    runtime.spawn(main)
    runtime.run_until_idle()

    assert answers == [(True, True, "Till"), (True, True, "Till")]
