"""A durable server goes on, in the next life of its program, with the state that it had. DESIGN section 10."""

from __future__ import annotations

import asyncio
import sys

import pytest

from helpers.versions import text_of
from midflight import AlreadyStarted, ChildSpec, NotDurable, Runtime, Supervisor, call, exit, stop, whereis
from midflight.durable import Shelf
from midflight.errors import CallError


@pytest.fixture
def till(project):
    """Load version 1 of the till and give its module."""
    project.load("till_v1")
    return sys.modules["till"]


def in_new_program(project, version):
    """Have the program's next life run another text, as if the file was edited while it was down."""
    project.load(version)
    return sys.modules["till"]


async def added(till, *amounts, name="till"):
    """Start the till and add amounts; return the sum."""
    pid = await till.Till.start(name=name)
    for amount in amounts:
        await call(pid, ("add", amount))
    return await call(pid, "total")


async def state_of(till, name="till"):
    return await call(await till.Till.start(name=name), "all")


def test_a_server_goes_on_with_its_state(till, lives):
    """`restored(*args)` runs in place of `init`."""
    assert lives.run(added, till, 3, 4) == 7
    assert lives.run(state_of, till) == {"total": 7, "begun": "restored"}


def test_ten_restarts_leave_the_state_equal_though_a_comment_changes(project, lives):
    """A comment runs no code_change, and changes nothing."""
    project.load("till_v2")
    lives.run(added, sys.modules["till"], 5)
    found = []
    for number in range(10):
        project.load_text("till", text_of("till_v2") + f"\n# edited {number} times\n")
        found.append(lives.run(state_of, sys.modules["till"])["amounts"])

    assert found == [[0, 5]] * 10


def test_code_change_runs_once_if_it_is_due(project, till, lives):
    """The class has a code_change that the one of the row had not; the next start has it already."""
    lives.run(added, till, 3)
    newer = in_new_program(project, "till_v2")

    assert lives.run(added, newer, 2) == 5
    assert lives.run(state_of, newer) == {"amounts": [3, 2], "begun": "restored"}


def test_a_code_change_that_raises_leaves_the_row(project, till, lives):
    """The start raises it; the state is there for the text that is mended."""
    lives.run(added, till, 3)
    project.load_text("till", text_of("till_v2").replace("[self.total]", "[self.totals]"))
    with pytest.raises(AttributeError, match="totals"):
        lives.run(added, sys.modules["till"])

    assert lives.run(added, in_new_program(project, "till_v2")) == 3


def test_a_restored_that_raises_leaves_the_row(project, till, lives):
    """As an init that raises: start raises it, and nothing is lost."""
    lives.run(added, till, 3)
    project.load_text("till", text_of("till_v1").replace('self.begun = "restored"', "self.total = 1 / 0"))
    with pytest.raises(ZeroDivisionError):
        lives.run(added, sys.modules["till"])

    assert lives.run(added, in_new_program(project, "till_v1")) == 3


def test_code_change_runs_once_though_the_vsn_is_of_the_project(project, lives):
    """It is stored as the value of Python's that it equals."""
    head = "import enum\n\n\nclass V(enum.IntEnum):\n    TWO = 2\n\n\n__vsn__ = V.TWO\n\n\n"
    text = text_of("till_v2").replace("= [self.total]", "= [*self.amounts, 1]").replace("del self.total", "")
    project.load_text("till", head + text)
    lives.run(added, sys.modules["till"], 5)

    assert lives.run(state_of, sys.modules["till"])["amounts"] == [0, 5]


def test_a_key_of_its_own(project, lives):
    """A class says by durable_key which state is that of a server without a name."""
    text = (
        text_of("till_v1") + "\n    @classmethod\n    def durable_key(cls, number):\n        return f'till-{number}'\n"
    )
    project.load_text("till", text)
    till = sys.modules["till"]

    async def main(amount):
        first, second = await till.Till.start(1), await till.Till.start(2)
        await call(first, ("add", amount))
        with pytest.raises(AlreadyStarted) as caught:
            await till.Till.start(1)
        assert caught.value.pid == first
        return await call(first, "total"), await call(second, "total")

    assert lives.run(main, 10) == (11, 2)
    assert lives.run(main, 10) == (21, 2)


@pytest.mark.parametrize(
    ("body", "error", "said"),
    [
        ("return 5", NotDurable, r"durable_key returned 5, not a name; it was not started"),
        ("return ''", NotDurable, r"durable_key returned '', not a name"),
        ("return ['till']", NotDurable, r"durable_key returned \['till'\], not a name"),
        ("return b'till'", NotDurable, r"durable_key returned b'till', not a name"),
        ("return None", NotDurable, r"has no key; it was not started"),
        ("raise ValueError('no key today')", ValueError, r"no key today"),
    ],
)
def test_a_key_that_is_not_one_is_refused(project, lives, body, error, said):
    """And the next start, with a name, is as if nothing had been."""
    text = text_of("till_v1") + f"\n    @classmethod\n    def durable_key(cls):\n        {body}\n"
    project.load_text("till", text)
    till = sys.modules["till"]

    async def main():
        with pytest.raises(error, match=said):
            await till.Till.start()
        return await added(till, 3)

    assert lives.run(main) == 3


@pytest.mark.parametrize("now", [0.0, -5.0, 1e18])
def test_a_clock_that_was_set_changes_nothing(till, lives, monkeypatch, now):
    """The time of a state is for people; its order is that of its writing."""
    lives.run(added, till, 3)
    monkeypatch.setattr("midflight.durable.kept.time.time", lambda: now)

    assert lives.run(added, till, 4) == 7
    assert lives.run(added, till) == 7
    (earlier, *_) = Shelf(lives.path).history("till")
    assert Shelf(lives.path).attributes("till", earlier.number)["total"] == 3


def test_a_state_that_is_too_large_is_refused(till, lives, monkeypatch, caplog):
    """A store takes less than a billion bytes a state; the one before stays, and a smaller one is stored again."""
    monkeypatch.setattr("midflight.durable.pickling.MOST_BYTES", 100_000)

    async def main():
        pid = await till.Till.start(name="till")
        await call(pid, ("set", "slips", "x" * 200_000))
        await call(pid, ("add", 1))
        said = caplog.text
        lives.runtime.scheduler.states.store.writer.do(lambda _: None).result(timeout=30)
        before = Shelf(lives.path).attributes("till")["total"]
        await call(pid, ("set", "slips", ""))
        return before, said

    before, said = lives.run(main)
    assert "its state has 200," in said
    assert "and a store takes 100,000. The store keeps the state before" in said
    assert (before, lives.run(state_of, till)["total"]) == (0, 1)


def test_a_server_without_a_key_is_refused(till, lives):
    """There would be nothing to find its state by."""

    async def main():
        await till.Till.start()

    with pytest.raises(NotDurable, match="Start it with a name, or define durable_key"):
        lives.run(main)
    assert lives.crashes == []


def test_a_durable_server_without_a_store_is_refused(till, runtime):
    """Its state would be lost in silence."""

    async def main():
        await till.Till.start(name="till")

    with pytest.raises(NotDurable, match=r"the runtime has no store.*midflight serve --store"):
        runtime.run(main)


def test_the_state_of_another_class_is_refused(project, till, lives):
    """The key is taken by a state of another kind; it stays."""
    lives.run(added, till, 3)
    project.load_text("shelf", text_of("till_v1").replace("class Till", "class Shelf"))

    async def main():
        await sys.modules["shelf"].Shelf.start(name="till")

    with pytest.raises(NotDurable, match=r"'till' is the state of a till\.Till in the store, and a shelf\.Shelf"):
        lives.run(main)
    assert lives.run(added, till) == 3


def test_a_killed_server_loses_nothing_that_it_had_between_two_messages(till, lives):
    """Its object is looked at after its end, unless a message was being handled."""

    async def main():
        pid = await till.Till.start(name="till")
        await call(pid, ("add", 5))
        exit(pid, "kill")
        return await added(till)

    assert lives.run(main) == 5


def test_after_a_crash_the_last_state_is_taken(till, lives):
    """restart_from is "last" unless the class says otherwise."""

    async def main():
        await Supervisor.start_link([ChildSpec("till", till.Till, name="till")], intensity=5)
        await call("till", ("add", 5))
        with pytest.raises(CallError, match="the drawer is stuck"):
            await call("till", "crash")
        return await call("till", "all")

    assert lives.run(main) == {"total": 5, "begun": "restored"}


def test_after_a_crash_init_is_run_if_the_class_says_so(project, lives, caplog):
    """The state is put aside, and the log says so."""
    project.load_text("till", text_of("till_v1").replace("durable = True", 'durable = True\n    restart_from = "init"'))
    till = sys.modules["till"]

    async def main():
        await Supervisor.start_link([ChildSpec("till", till.Till, name="till")], intensity=5)
        await call("till", ("add", 5))
        with pytest.raises(CallError):
            await call("till", "crash")
        return await call("till", "all")

    assert lives.run(main) == {"total": 0, "begun": "init"}
    assert "begins by init: it crashed, and its class says restart_from = 'init'" in caplog.text


def test_a_state_that_crashes_does_not_crash_for_ever(till, lives, caplog):
    """With the last restart that the supervisor allows the server begins by init."""

    async def main():
        await Supervisor.start_link([ChildSpec("till", till.Till, name="till")], intensity=3, period=5)
        found = []
        for _ in range(3):
            await call("till", ("add", 5))
            with pytest.raises(CallError):
                await call("till", "crash")
            found.append((await call("till", "all"))["begun"])
        return found

    assert lives.run(main) == ["restored", "restored", "init"]
    assert "3 crashes in 5 s" in caplog.text


def test_a_normal_end_keeps_the_row(till, lives):
    """A stop is no reason to forget."""

    async def main():
        await added(till, 5)
        await stop("till")
        return whereis("till"), await added(till, 1)

    assert lives.run(main) == (None, 6)


def test_a_change_is_on_the_disk_soon(till, lives):
    """A power cut then loses nothing of it: the files are copied while the program runs."""

    async def main():
        await added(till, 5)
        keeper = lives.runtime.scheduler.states
        keeper.store.writer.do(lambda _: None).result(timeout=30)
        lives.lose_power()

    lives.run(main)
    assert lives.after_power_cut().run(added, till) == 5


def test_pickling_takes_a_twentieth_of_the_time(till, lives):
    """What changes beyond that waits, and is kept later; the window says since when."""
    now = [0.0]

    def slowly(_=None):
        now[0] += 0.001
        return now[0]

    async def main():
        pid = await till.Till.start(name="till")
        keeper = lives.runtime.scheduler.states
        keeper.work_seconds = slowly
        for _ in range(100):
            await call(pid, ("add", 1))
        lives.clock.advance(0.5)
        waited, put = keeper.window_seconds(), keeper.puts
        lives.clock.advance(5)
        await asyncio.sleep(0)  # the loop takes a turn, in which the timer rings
        return waited, put < 30, keeper.window_seconds()

    assert lives.run(main) == (0.5, True, 0.0)
    assert lives.run(added, till) == 100


def test_pids_of_an_earlier_life_are_dead_for_ever(till, lives):
    """They are nobody's, though the number is given again, and stay one and the same pid."""

    async def first():
        pid = await till.Till.start(name="till")
        await call(pid, ("set", "other", [pid, pid]))
        assert (await call(pid, "all"))["other"][0] is pid

    async def later():
        pid = await till.Till.start(name="till")
        found = (await call(pid, "all"))["other"]
        found[0] << "to nobody"
        return found[0] is found[1], found[0] is pid, found[0].process, repr(found[0]) == repr(pid)

    lives.run(first)
    assert lives.run(later) == (True, False, None, True)
    assert lives.run(later) == (True, False, None, True)


def test_a_runtime_opens_its_store_or_does_not_start(tmp_path):
    """Nothing is left behind by one that did not."""
    (tmp_path / "folder").mkdir()

    async def main():
        async with Runtime(store=tmp_path / "folder"):
            raise AssertionError("it was started")

    with pytest.raises(OSError, match="is a folder, not a file"):
        asyncio.run(main())
    assert Runtime.here() is None
