"""What becomes of a process that is moved without its help, and what is said of it."""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from typing import Any

import pytest

from helpers.stage import LOOP, V1, V2, body
from midflight import code, exit, link, monitor, process_info, receive, send_after


def test_an_idle_process_moves_with_its_state(stage):
    """It goes on in the new version, with what its parameters are now."""
    stage.load(V1)
    pid = stage.begin()
    stage.send(pid, ("add", 3))

    report = stage.load(V2, move=True)

    assert (report.moved, report.not_moved, report.lingering) == ((pid,), (), ())
    assert stage.tell(pid) == [2, 3]


def test_without_being_asked_nobody_moves(stage):
    """Moving is opt-in."""
    stage.load(V1)
    pid = stage.begin()

    report = stage.load(V2)

    assert (report.moved, report.not_moved, len(report.lingering)) == ((), (), 1)
    assert stage.tell(pid) == [1, 0]


def test_move_does_it_later(stage):
    """For all old versions at once; who is in the current one stays there."""
    stage.load(V1)
    first = stage.begin(1)
    stage.load(V1)
    second = stage.begin(2)
    stage.load(V2)
    third = stage.begin(3)

    report = code.move("thing")

    assert report == code.MoveReport("thing", 3, (first, second), ())
    assert [stage.tell(pid) for pid in (first, second, third)] == [[2, 1], [2, 2], [2, 3]]
    assert code.move("thing") == code.MoveReport("thing", 3)


def test_what_is_in_the_mailbox_stays_there(stage, capsys):
    """No message is consumed by the move. What the old receive passed over, the new one may take, oldest first."""
    text = "while True:\n    message = await receive({})\n    print({}, message)"
    stage.load(body(text.format("int", 1)))
    pid = stage.begin()
    stage.send(pid, "a", 7, "b", b"c")

    assert stage.load(body(text.format("str", 2)), move=True).not_moved == ()
    kept = process_info(pid)["messages"]
    stage.runtime.run_until_idle()

    assert kept == ["a", "b", b"c"]
    assert capsys.readouterr().out == "1 7\n2 a\n2 b\n"
    assert process_info(pid)["messages"] == [b"c"]


def test_what_others_know_of_it_stays(stage):
    """Its pid, name, links, monitors, dictionary and group leader."""
    stage.load(V1)
    pid = stage.begin(name="counter")
    heard: list[Any] = []

    async def watch():
        monitor(pid)
        link(pid)
        heard.append(await receive())

    watcher = stage.begin_in(watch)
    before = process_info(pid)

    stage.load(V2, move=True)
    after = process_info(pid)
    stage.send(pid, "die")

    kept = ("links", "monitored_by", "registered_name", "dictionary", "group_leader", "parent", "initial_call")
    assert [after[key] for key in kept] == [before[key] for key in kept]
    assert before["monitored_by"] == before["links"] == [watcher]
    assert heard[0][1:] == (pid, "normal")


def test_its_timers_stay(stage, clock):
    """A message that was to come at some time comes then."""
    stage.load(V1)
    pid = stage.begin()
    send_after(5, pid, ("add", 7))

    stage.load(V2, move=True)
    clock.advance(5)
    stage.runtime.run_until_idle()

    assert stage.tell(pid) == [2, 7]


@pytest.mark.parametrize(("old", "new", "rings"), [(10, 10, [16]), (10, 2, [8]), (7, 20, [26]), (10, None, [])])
def test_a_timeout_starts_anew(stage, clock, old, new, rings):
    """It is the new version's, from the move on. Here that is after 6 seconds."""
    text = "sink = []\n\n\n" + body("message = await receive(timeout={}, default='late')\nsink.append(message)", "sink")
    found: list[object] = []
    stage.load(text.format(old))
    stage.begin(found)
    clock.advance(6)
    stage.runtime.run_until_idle()

    report = stage.load(text.format(new), move=True)
    times = []
    for _ in range(30):
        stage.runtime.run_until_idle()
        times += [clock.now()] * len(found)
        found.clear()
        clock.advance(1)

    assert len(report.moved) == 1
    assert times == rings


def test_nothing_of_the_old_version_runs(stage):
    """The old frame is left where it waits, with no step to another line."""
    stage.load(V1)
    pid = stage.begin()
    at = process_info(pid)["line"]
    stage.load(V2)
    steps = set()

    def trace(frame, event, _argument):
        if "thing@1" in frame.f_code.co_filename:
            steps.add((frame.f_code.co_name, frame.f_lineno))
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        code.move("thing")
    finally:
        sys.settrace(before)

    assert steps == {("f", at)}  # the exception that closes it comes and goes there
    assert stage.tell(pid) == [2, 0]


class Message:
    """A message whose end can be seen."""


@pytest.mark.parametrize("by_load", [True, False])
def test_what_the_old_frame_held_goes_at_once(stage, by_load):
    """A dead local: the garbage collector is not needed to find it."""
    stage.load(body("while True:\n    message = await receive()"))
    pid = stage.begin()
    message = Message()
    gone = weakref.ref(message)
    pid << message
    del message
    stage.runtime.run_until_idle()
    gc.disable()
    try:
        if by_load:
            stage.load(V2, move=True)
        else:
            stage.load(V2)
            code.move("thing")
        left = gone()
    finally:
        gc.enable()

    assert left is None


def test_the_old_version_goes_with_the_last_process(stage):
    """As when that moves by itself."""
    stage.load(V1)
    pid = stage.begin()
    gone = weakref.ref(sys.modules["thing"].f)

    stage.load(V2, move=True)
    gc.collect()

    assert gone() is None
    assert [version.version for version in code.versions("thing")] == [2]
    assert stage.tell(pid) == [2, 0]


def test_what_only_a_dead_local_kept_goes(stage):
    """And what that does may end the process itself; the move goes on."""

    class Fuse:
        def __del__(self) -> None:
            exit(first, "kill")

    text = body("while True:\n    message = await receive()")
    stage.load(text)
    first, second = stage.begin(), stage.begin()
    stage.send(second, Fuse())
    stage.load(V2)
    stage.runtime.run_until_idle()

    report = code.move("thing")
    stage.runtime.run_until_idle()

    assert report.moved == (first, second)
    assert process_info(first) is None
    assert stage.tell(second) == [2, 0]


def test_a_message_that_comes_in_the_midst_of_it_is_not_lost(stage, monkeypatch):
    """What the garbage collector runs may send one at any time: then the process stays."""
    stage.load(V1)
    pid = stage.begin()
    stage.load(V2)
    sink: list[object] = []
    whole = sys.modules["midflight.code.move.rule"].live_after

    def live_after(*arguments):
        pid << ("tell", sink)
        return whole(*arguments)

    monkeypatch.setattr(sys.modules["midflight.code.move.rule"], "live_after", live_after)
    report = code.move("thing")
    stage.runtime.run_until_idle()

    assert report.not_moved[0].reason == "a message is on its way to it"
    assert sink == [[1, 0]]


@pytest.mark.parametrize("reason", ["kill", "shutdown"])
def test_a_process_can_end_before_it_goes_on(stage, reason):
    """Between the move and its next turn it is a process as any."""
    stage.load(V1)
    pid = stage.begin()
    stage.load(V2, move=True)

    exit(pid, reason)
    stage.runtime.run_until_idle()

    assert process_info(pid) is None
    assert stage.runtime.crashes == []


def test_a_process_moves_again_and_again(stage):
    """Once it waits: before that it is about to begin in the version that it was moved to."""
    stage.load(V1)
    pid = stage.begin(5)

    stage.load(LOOP.format(version=2), move=True)
    report = stage.load(LOOP.format(version=3), move=True)

    assert report.not_moved[0].reason == "it is about to run"
    assert stage.tell(pid) == [2, 5]
    stage.load(LOOP.format(version=4), move=True)
    assert stage.tell(pid) == [4, 5]


def test_a_load_in_another_thread_moves(stage):
    """On the runtime's thread, between two steps; so does a move."""
    stage.load(V1)
    pid = stage.begin(4)
    path = stage.write(V2)

    async def load():
        report = await asyncio.to_thread(code.load, path, move=True)
        await asyncio.to_thread(code.load, path)
        again = await asyncio.to_thread(code.move, "thing")
        exit(pid, "kill")
        return report.moved, again.moved

    assert stage.runtime.run(load) == ((pid,), (pid,))


def test_load_hooks_come_first(stage, capsys):
    """What a version registers in on_load is there when processes come into it."""
    stage.load(V1)
    pid = stage.begin()
    hook = "\n\n@midflight.code.on_load\ndef begin():\n    print(midflight.code.processes('thing', 2))\n"

    report = stage.load(V2 + hook, move=True)

    assert capsys.readouterr().out == "()\n"
    assert report.moved == (pid,)


def test_parameters_go_with_it_live_or_not(stage):
    """All of them, with their values of now: by position, by keyword, defaults."""
    stage.load(body("while True:\n    message = await receive()\n    a, b = message", "a, b=2, *, c=3"))
    pid = stage.begin(1)
    stage.send(pid, (7, 8))
    sink: list[object] = []

    stage.load(body("sink = await receive()\nsink.append((a, b, c, d))", "c, a, b, d=4"), move=True)
    stage.send(pid, sink)

    assert sink == [(7, 8, 3, 4)]


def test_names_beyond_ascii(stage):
    """Columns are bytes, in the text and in the code."""
    text = body("été = await receive('é', 'è'); print(été)\nreturn f(é=é)", "é='è'")

    assert stage.moved(text, text) == "moved"


# --- Processes that are not moved, loads that are refused ------------------------------------------------------------


def test_a_load_that_is_refused_moves_nobody(stage):
    """And leaves them as they were."""
    stage.load(V1)
    pid = stage.begin()

    with pytest.raises(code.LoadError):
        stage.load("async def f(:\n", move=True)

    assert stage.tell(pid) == [1, 0]


def test_the_report_counts_and_gives_the_reason(stage):
    """Who moved; who did not, where it is, and why."""
    stage.load(body("while True:\n    n = await receive()\n    if n:\n        last = n\n    print(last)"))
    pids = [stage.begin() for _ in range(4)]
    stage.send(pids[1], 2)

    report = stage.load(V2, move=True)

    assert report.moved == (pids[0], pids[2], pids[3])
    assert report.not_moved == (code.NotMoved(pids[1], None, 1, "f", 9, "a live local: last"),)
    assert f"; 3 processes moved, 1 still runs v1: {pids[1]!r} at f:9 (a live local: last) (" in code.summary(report)


def test_after_delete_there_is_nowhere_to_go(stage):
    """It says so, and leaves them."""
    stage.load(V1)
    pid = stage.begin()
    code.delete("thing")

    report = code.move("thing")

    assert report.version is None
    assert [(each.pid, each.reason) for each in report.not_moved] == [(pid, "the module has no current version")]
    assert stage.tell(pid) == [1, 0]


def test_a_module_that_was_never_loaded(project):
    """There is nothing to say of it."""
    with pytest.raises(code.UnknownModuleError):
        code.move("nobody")


def test_without_a_runtime_nobody_is_there(project):
    """Nothing to move."""
    project.load_text("thing", "x = 1\n")

    assert project.load_text("thing", "x = 2\n", move=True).moved == ()
    assert code.move("thing") == code.MoveReport("thing", 2)
