"""A move of many processes in parts: what those do meanwhile whose turn is to come."""

from __future__ import annotations

import importlib
import signal
import typing
from functools import partial

import pytest

from helpers.stage import V1, V2
from midflight import code, exit, process_info
from midflight.code.version.modules import module_of

move_module = importlib.import_module("midflight.code.move.move")

V3 = V2.replace("[2,", "[3,")
SWITCHING = """\
async def f(total=0):
    while True:
        match await receive():
            case "switch":
                return thing.f(total)
            case ("tell", sink):
                sink.append([{version}, total])
"""
CALLING = """\
async def f(total=0):
    while True:
        match await receive():
            case ("tell", sink):
                sink.append([{version}, {what}])
"""


@pytest.fixture
def parts(stage):
    """Return a move that has had one process's turn, of three that idle in version 1; and who they are."""
    stage.load(V1)
    pids = [stage.begin(number) for number in range(3)]
    stage.load(V2)
    move = move_module.Move(module_of("thing"))
    assert not move.go_on(0)
    return move, pids


def test_each_part_moves_at_least_one_oldest_first(stage, parts):
    """However little time there is, it comes to its end."""
    move, pids = parts

    assert [stage.tell(pid) for pid in pids] == [[2, 0], [1, 1], [1, 2]]
    assert [move.go_on(0), move.go_on(0)] == [False, True]
    assert [stage.tell(pid) for pid in pids] == [[2, 0], [2, 1], [2, 2]]
    assert move.report() == code.MoveReport("thing", 2, tuple(pids), ())


def test_who_ends_meanwhile_is_in_no_report(stage, parts):
    """Nor is its end in anybody's way."""
    move, pids = parts
    exit(pids[1], "kill")
    stage.runtime.run_until_idle()

    assert move.go_on()
    assert move.report() == code.MoveReport("thing", 2, (pids[0], pids[2]), ())


def test_who_gets_a_message_meanwhile_is_judged_as_it_is_then(stage, parts):
    """It has been handled in the old version, or is on its way, and then the process stays. It is not lost."""
    move, pids = parts
    sink = []
    stage.send(pids[1], ("add", 5))
    pids[2] << ("tell", sink)

    assert move.go_on()
    stage.runtime.run_until_idle()

    report = move.report()
    assert report.moved == (pids[0], pids[1])
    assert [(each.pid, each.reason) for each in report.not_moved] == [(pids[2], "a message is on its way to it")]
    assert sink == [[1, 2]]
    assert stage.tell(pids[1]) == [2, 6]


def test_who_moves_itself_meanwhile_is_let_alone(stage):
    """It is in the current version, where its timeout must not begin anew."""
    stage.load(SWITCHING.format(version=1))
    pids = [stage.begin(number) for number in range(2)]
    stage.load(SWITCHING.format(version=2))
    move = move_module.Move(module_of("thing"))
    assert not move.go_on(0)

    stage.send(pids[1], "switch")
    steps = process_info(pids[1])["reductions"]

    assert move.go_on()
    assert move.report() == code.MoveReport("thing", 2, (pids[0],), ())
    assert process_info(pids[1])["reductions"] == steps
    assert stage.tell(pids[1]) == [2, 1]


def test_a_load_meanwhile_becomes_the_aim(stage, parts):
    """All come to the version that is current in the end, those too that had been moved before."""
    move, pids = parts
    stage.runtime.run_until_idle()
    stage.load(V3)

    assert move.go_on()
    assert [stage.tell(pid)[0] for pid in pids] == [3, 3, 3]
    report = move.report()
    assert report == code.MoveReport("thing", 3, tuple(pids), ())


def test_a_module_that_is_deleted_meanwhile_moves_nobody_more(stage, parts):
    """They stay, and the report says why."""
    move, pids = parts
    code.delete("thing")

    assert move.go_on()
    report = move.report()
    assert report.version is None
    assert [each.pid for each in report.not_moved] == pids
    assert {each.reason for each in report.not_moved} == {"the module has no current version"}


def test_who_must_take_no_step_in_old_code_moves_with_the_swap(stage, monkeypatch):
    """Its old code uses what the new version lacks: between two parts a message could end it."""
    stage.load("def helper():\n    return 1\n\n\n" + CALLING.format(version=1, what="thing.helper()"))
    pid = stage.begin()
    parts = []
    monkeypatch.setattr(move_module.Move, "go_on", _noted(move_module.Move.go_on, parts))

    report = stage.load(CALLING.format(version=2, what="total"), move=True)

    assert (report.moved, report.not_moved) == ((pid,), ())
    assert all(seconds == () for seconds in parts)  # none of the calls had a limit
    assert stage.tell(pid) == [2, 0]


def test_a_fault_in_it_is_a_warning(stage, monkeypatch):
    """The version is current by then."""

    def fail(*_):
        raise MemoryError

    stage.load(V1)
    pid = stage.begin()
    monkeypatch.setattr(move_module.Move, "report", fail)

    report = stage.load(V2, move=True)

    assert report.version == 2
    assert "which processes were moved is not known" in report.warnings[0].message
    assert stage.tell(pid) == [2, 0]


def test_a_ctrl_c_amid_the_commit_waits_for_the_moves_too(stage, monkeypatch):
    """As for all from the swap on."""
    stage.load(V1)
    pids = [stage.begin() for _ in range(3)]
    monkeypatch.setattr(move_module, "PART_SECONDS", 0)
    strike = partial(signal.raise_signal, signal.SIGINT)  # written in C: the innermost code is the commit's
    monkeypatch.setattr(typing, "_cleanups", [strike])

    with pytest.raises(KeyboardInterrupt):
        stage.load(V2, move=True)

    assert [stage.tell(pid)[0] for pid in pids] == [2, 2, 2]


def test_a_load_that_is_refused_moves_nobody(stage):
    """There is nothing to move to."""
    stage.load(V1)
    stage.begin()
    with pytest.raises(code.LoadError):
        stage.load("def f(:\n", move=True)

    assert len(code.processes("thing", 1)) == 1


def _noted(function, calls):
    def call(self, *arguments):
        calls.append(arguments)
        return function(self, *arguments)

    return call
