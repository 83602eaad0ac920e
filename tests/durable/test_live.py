"""The store of a runtime that runs: what it has, earlier states for servers that live, what a kill would lose."""

from __future__ import annotations

import sys
import threading
from textwrap import dedent

import pytest

from helpers.versions import text_of
from midflight import NotDurable, call, stop
from midflight.durable import LiveStore, Shelf
from midflight.errors import NotFound, RequestError


@pytest.fixture
def till(project):
    """Load version 1 of the till and give its module."""
    project.load("till_v1")
    return sys.modules["till"]


def store_of(lives):
    return LiveStore(lives.runtime.scheduler.states)


def written(lives):
    """Wait until the disk has all that was put before."""
    lives.runtime.scheduler.states.store.writer.do(lambda _: None).result(timeout=30)


async def with_history(till, lives):
    """Start a till that has 5 and, in its history, 3."""
    pid = await till.Till.start(name="till")
    await call(pid, ("add", 3))
    written(lives)
    await stop(pid)
    lives.runtime.scheduler.states.store.writer.archive.__init__()  # as if a minute had passed
    pid = await till.Till.start(name="till")
    await call(pid, ("add", 2))
    written(lives)
    return pid


def number_of(store, total):
    (found,) = [
        each.number for each in store.history("till") if store.attributes("till", each.number)["total"] == total
    ]
    return found


def test_states_are_listed_with_their_servers(till, lives):
    """One that lives has a pid."""

    async def main():
        pid = await till.Till.start(name="till")
        await till.Till.start(name="other")
        await stop("other")
        written(lives)
        return pid, store_of(lives).rows()

    pid, rows = lives.run(main)
    assert [(row.name, row.class_name, live) for row, live in rows] == [("other", "Till", None), ("till", "Till", pid)]


def test_a_live_server_takes_an_earlier_state(till, lives):
    """Between two messages; the one that it had goes into the history, and what it has then is stored."""

    async def main():
        pid = await with_history(till, lives)
        store = store_of(lives)
        change = await store.restore("till", number_of(store, 3))
        written(lives)
        return pid, change, await call(pid, "total"), store.attributes("till", change.aside)["total"]

    pid, change, total, before = lives.run(main)
    assert (change.pid, total, before) == (pid, 3, 5)
    assert Shelf(lives.path).attributes("till")["total"] == 3
    assert Shelf(lives.path).history("till")[0].why.endswith("was restored")


def test_a_live_server_of_a_later_version_takes_it_through_code_change(project, till, lives):
    """The state is of version 1, and the server of version 2."""

    async def first():
        await with_history(till, lives)

    lives.run(first)
    project.load("till_v2")

    async def later():
        pid = await sys.modules["till"].Till.start(name="till")
        store = store_of(lives)
        await store.restore("till", number_of_old(store))
        return await call(pid, "all")

    def number_of_old(store):
        return next(each.number for each in store.history("till") if "total" in store.attributes("till", each.number))

    assert lives.run(later)["amounts"] in ([3], [5])


def test_what_is_not_stored_stays(project, lives):
    """A lock of the live server is not in the earlier state, and `restored` does not run."""
    text = text_of("till_v1").replace("durable = True", 'durable = True\n    durable_attributes = ("total",)')
    project.load_text("till", text)
    till = sys.modules["till"]

    async def main():
        pid = await with_history(till, lives)
        lock = threading.Lock()
        await call(pid, ("set", "lock", lock))
        store = store_of(lives)
        await store.restore("till", number_of(store, 3))
        return lock, await call(pid, "all")

    lock, state = lives.run(main)
    assert (state["total"], state["lock"]) == (3, lock)


def test_a_restoration_that_fails_changes_nothing(project, till, lives):
    """The state of another class, a code_change that raises, a number that is not there."""
    other = dedent(text_of("till_v1")).replace("class Till", "class Shelf")

    async def main():
        pid = await with_history(till, lives)
        store = store_of(lives)
        number = number_of(store, 3)
        with pytest.raises(NotFound, match="has no earlier state 99"):
            await store.restore("till", 99)
        project.load_text("till", text_of("till_v2").replace("[self.total]", "[self.totals]"))
        with pytest.raises(AttributeError, match="totals"):
            await store.restore("till", number)
        await stop(pid)
        store.delete("till")
        project.load_text("shelf", other)
        await sys.modules["shelf"].Shelf.start(name="till")
        with pytest.raises(
            NotDurable, match=r"is of a till\.Till, and the server is a shelf\.Shelf; nothing was changed"
        ):
            await store.restore("till", number)
        return await call("till", "total")

    assert lives.run(main) == 0


def test_a_server_that_does_not_live_takes_it_at_its_start(till, lives):
    """As the command does while nothing runs."""

    async def main():
        pid = await with_history(till, lives)
        await stop(pid)
        written(lives)
        store = store_of(lives)
        change = store.put_back("till", number_of(store, 3))
        return change.pid, await call(await till.Till.start(name="till"), "total")

    assert lives.run(main) == (None, 3)


def test_a_live_server_keeps_its_state(till, lives):
    """A deletion would be undone by its next change, so it is refused."""

    async def main():
        pid = await with_history(till, lives)
        store = store_of(lives)
        with pytest.raises(RequestError, match=r"lives, as .* nothing was deleted"):
            store.delete("till")
        await stop(pid)
        aside = store.delete("till").aside
        with pytest.raises(NotFound):
            store.delete("till")
        return store.attributes("till", aside)["total"], await call(await till.Till.start(name="till"), "total")

    assert lives.run(main) == (5, 0)


def test_the_window_says_what_a_kill_would_lose(till, lives):
    """Now, and at most since the start."""
    now = [0.0]

    def slowly(_=None):
        now[0] += 0.001
        return now[0]

    async def main():
        pid = await till.Till.start(name="till")
        lives.runtime.scheduler.states.work_seconds = slowly
        for _ in range(100):
            await call(pid, ("add", 1))
        lives.clock.advance(0.5)
        return store_of(lives).window()

    window = lives.run(main)
    assert (window.seconds, window.waiting, window.share, window.trouble) == (0.5, 1, 20, "")
    assert "a kill would lose the changes of the last 0.50 s (1 states wait to be pickled" in window.text
