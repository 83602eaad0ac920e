"""Who is where: a census that is brought up to date says what a new one says, and looks at who ran."""

from __future__ import annotations

import functools
import sys

import pytest

from midflight import Pid, code, exit, receive, register
from midflight.code.census import census
from midflight.code.census.census import Census, Roll, take_census
from midflight.code.report.who_lingers import Rows

WALKER = """
from midflight import receive
import walker

async def start():
    return at_one(0)

async def at_one(steps):
    await receive("go")
    return at_two(steps + 1)

async def at_two(steps):
    match await deeper():
        case "end":
            return None
        case "switch":
            return walker.at_one(steps)
    return at_one(steps + 1)

async def deeper():
    return await receive()

async def crash():
    await receive()
    raise RuntimeError("as it was told to")
"""


def everybody(found: Census) -> tuple[object, ...]:
    """Return all that a census says of the module."""
    by_code = {spot.f_code: sorted(pids) for spot, pids in found.by_code()}
    return list(found.rows("walker")), found.numbers("walker"), by_code


@pytest.fixture
def looked_at(monkeypatch):
    """Give the list of pids that are looked at from now on."""
    seen = []
    look = Roll._look_at

    def note(self, processes):
        processes = list(processes)
        seen.extend(process.pid for process in processes)
        look(self, processes)

    monkeypatch.setattr(Roll, "_look_at", note)
    return seen


@pytest.fixture
def walkers(project, runtime):
    """Give ten processes in version 1 of walker, in three places."""
    project.load_text("walker", WALKER)
    pids = [runtime.spawn(sys.modules["walker"].start) for _ in range(10)]
    runtime.run_until_idle()
    for pid in pids[::3]:
        pid << "go"
    runtime.run_until_idle()
    yield pids
    for pid in pids:
        exit(pid, "kill")
    runtime.run_until_idle()


def test_only_who_ran_is_looked_at(runtime, walkers, looked_at):
    """Of ten that wait one is given a step, one ends, one is spawned, and one of those begins."""
    found = take_census()
    del looked_at[:]
    walkers[1] << "go"
    walkers[0] << "end"
    runtime.run_until_idle()
    unstarted = runtime.spawn(sys.modules["walker"].at_two, 5)

    found.update()

    assert looked_at == [walkers[1], unstarted]
    assert everybody(found) == everybody(take_census())
    walkers.append(unstarted)
    runtime.run_until_idle()
    del looked_at[:]
    found.update()
    assert looked_at == [unstarted]
    assert everybody(found) == everybody(take_census())
    del looked_at[:]
    found.update()
    assert looked_at == []


def test_a_message_that_changes_nothing_is_seen_to_change_nothing(runtime, walkers):
    """Whoever comes back to the same place is still there, once."""
    found = take_census()
    before = everybody(found)
    walkers[1] << "not what it waits for"
    runtime.run_until_idle()

    found.update()

    assert everybody(found) == before == everybody(take_census())


def test_who_is_moved_has_moved(project, runtime, walkers):
    """A move takes no step of the process, and puts it elsewhere nevertheless."""
    found = take_census()
    project.load_text("walker", WALKER)
    moved = code.move("walker").moved

    found.update()

    assert len(moved) == 6
    assert [row.pid for row in found.rows("walker", lambda version: version.number == 2)] == list(moved)
    assert everybody(found) == everybody(take_census())


def test_who_is_killed_or_crashes_is_gone(runtime, walkers, caplog):
    """Whatever ended it."""
    caplog.set_level("CRITICAL", "midflight.crash")
    crashing = runtime.spawn(sys.modules["walker"].crash)
    runtime.run_until_idle()
    found = take_census()
    assert crashing in [row.pid for row in found.rows("walker")]
    exit(walkers[2], "kill")
    exit(walkers[3], "shutdown")
    crashing << "now"
    runtime.run_until_idle()

    found.update()

    assert [row.pid for row in found.rows("walker")] == [*walkers[:2], *walkers[4:]]


def test_rows_are_oldest_first_whatever_their_place(runtime, walkers):
    """With the names that they had, which a process keeps though it ends before somebody reads them."""
    register("seven", walkers[7])
    rows = take_census().rows("walker")
    exit(walkers[7], "kill")
    runtime.run_until_idle()

    assert [row.pid for row in rows] == walkers
    assert [row.name for row in rows if row.name] == ["seven"]
    assert len(rows) == 10
    assert rows[7].name == "seven"


def test_who_takes_it_is_where_it_calls(runtime, walkers, project):
    """The process that runs is looked at each time, with the plain functions that it is in the midst of."""
    project.load_text(
        "taker",
        """
        from midflight.code.census.census import take_census

        async def start(sink):
            found = take_census()
            sink.append([row.function for row in found.rows("taker")])
            return plain(found, sink)

        def plain(found, sink):
            found.update()
            sink.append([row.function for row in found.rows("taker")])
        """,
    )
    sink: list[object] = []

    runtime.spawn(sys.modules["taker"].start, sink)
    runtime.run_until_idle()

    assert sink == [["start"], ["plain"]]


def test_one_that_has_not_begun_is_where_it_will_begin(runtime, walkers):
    """Also as a partial, or a method of an object that can be called."""
    module = sys.modules["walker"]
    pid = runtime.spawn(functools.partial(module.at_two, 3))
    walkers.append(pid)

    (row,) = (row for row in take_census().rows("walker") if row.pid is pid)

    assert (row.function, row.line) == ("at_two", module.at_two.__code__.co_firstlineno)
    assert [row.pid for row in census.census_of(pid).rows("walker")] == [pid]


def test_servers_are_known(project, runtime):
    """Those that have begun and not ended, with the object that is their state."""
    project.load_text("desk", "from midflight import GenServer\n\nclass Desk(GenServer):\n    pass\n")
    desk = sys.modules["desk"].Desk
    found = take_census()
    started: list[Pid] = []

    async def start() -> None:
        started.append(await desk.start())

    runtime.spawn(start)
    runtime.run_until_idle()
    (pid,) = started
    found.update()
    (known,) = found.servers()

    exit(pid, "kill")
    runtime.run_until_idle()
    found.update()

    assert (known[0], type(known[1])) == (pid, desk)
    assert list(found.servers()) == []


def test_a_census_holds_no_frame(runtime, walkers):
    """What a process has let go of is gone, though a census knows where it was."""
    sink: list[object] = []

    class Held:
        def __del__(self) -> None:
            sink.append("gone")

    async def hold(held: object) -> None:
        await receive()
        del held

    pid = runtime.spawn(hold, Held())
    runtime.run_until_idle()
    found = take_census()
    pid << "go on"
    runtime.run_until_idle()

    assert sink == ["gone"]
    assert found.by_code()


def test_a_commit_makes_no_row_of_the_many_that_linger(runtime, walkers, monkeypatch):
    """It takes as long as nobody runs, so a row is made when somebody reads it; nor does it ask each for its pid."""
    monkeypatch.setattr(census, "MANY", 5)
    made = []
    make = Rows._make
    monkeypatch.setattr(Rows, "_make", lambda self, count: made.append(count) or make(self, count))

    report = code.load("walker", WALKER + "# edited\n")

    assert len(report.lingering) == 10
    assert made == []
    assert [row.pid for row in report.lingering] == walkers
    assert made != []


def test_pids_are_read_ahead_of_the_commit(runtime, walkers, monkeypatch):
    """Those of a place where nobody came or went meanwhile are known then."""
    found = take_census()
    found.read_ahead()
    before = everybody(found)
    monkeypatch.setattr(census, "_pid", None)  # what tells the pid of a process

    found.update()

    assert everybody(found) == before
    walkers[1] << "go"
    runtime.run_until_idle()
    found.update()
    with pytest.raises(TypeError):
        everybody(found)
