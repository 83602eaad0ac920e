"""An upgrade of durable servers: all their new states are on the disk with the new code, or none. DESIGN section 10."""

from __future__ import annotations

import sqlite3
import sys

import pytest

from helpers.versions import text_of
from midflight import call, code
from midflight.errors import LoadError


@pytest.fixture
def till(project):
    """Load version 1 of the till and give its module."""
    project.load("till_v1")
    return sys.modules["till"]


async def three(till):
    """Start three tills with 5 in each."""
    pids = [await till.Till.start(5, name=f"till-{number}") for number in range(3)]
    return [await call(pid, "total") for pid in pids]


async def amounts(till):
    """Return what is in each till; version 1 has a total."""
    found = [await call(await till.Till.start(name=f"till-{number}"), "all") for number in range(3)]
    return [each.get("amounts", each.get("total")) for each in found]


def test_an_upgrade_writes_the_new_states_with_the_code(project, till, lives):
    """After a power cut code_change is not run again: it would take what it has made for what was before."""

    async def main():
        await three(till)
        await code.upgrade(project.write("till.py", text_of("till_v2")))
        lives.lose_power()
        return await call("till-0", ("add", 2))

    assert lives.run(main) == 7
    assert lives.after_power_cut().run(amounts, sys.modules["till"]) == [[5]] * 3
    assert lives.run(amounts, sys.modules["till"]) == [[5, 2], [5], [5]]


def test_an_upgrade_whose_states_cannot_be_written_is_refused(project, till, lives):
    """The code, the states in memory and those on the disk are as they were."""

    async def main():
        await three(till)
        writer = lives.runtime.scheduler.states.store.writer
        writer.do(lambda _: None).result(timeout=30)
        before, error = writer.archive.write, sqlite3.OperationalError("database or disk is full")

        def write(connection, rows):
            raise error

        writer.archive.write = write
        with pytest.raises(LoadError, match=r"the new states could not be stored.*disk is full") as caught:
            await code.upgrade(project.write("till.py", text_of("till_v2")))
        writer.archive.write = before
        assert caught.value.reports[0].refusals[0].code == "durable"
        return (await call("till-0", "all"))["total"], code.current_version("till")

    assert lives.run(main) == (5, 1)
    assert lives.run(amounts, till) == [5] * 3


def test_an_upgrade_whose_new_state_cannot_be_stored_is_refused(project, till, lives):
    """It names the server and the attribute."""
    text = text_of("till_v2").replace("del self.total", "del self.total; self.key = lambda: 1")

    async def main():
        await three(till)
        with pytest.raises(LoadError, match=r"till-0.*self\.key cannot be stored"):
            await code.upgrade(project.write("till.py", text))
        return (await call("till-0", "all"))["total"]

    assert lives.run(main) == 5


@pytest.mark.parametrize("dry_run", [False, True])
def test_states_of_servers_that_do_not_live_are_named(project, till, lives, dry_run):
    """They are changed when their servers start."""
    lives.run(three, till)

    async def main():
        await till.Till.start(name="till-1")
        report = await code.upgrade(project.write("till.py", text_of("till_v2")), dry_run=dry_run)
        return [each.message for each in report.warnings if each.code == "durable"]

    (said,) = lives.run(main)
    assert said.startswith("the store has states of servers that do not live now: 'till-0', 'till-2'. They are changed")


def test_a_load_names_the_state_that_cannot_be_stored(project, till, lives):
    """By a dry pickle of the live servers, before somebody needs the row."""

    async def main():
        pid = await till.Till.start(name="till")
        await call(pid, ("set", "fault", lambda: 1))
        report = project.load_text("till", text_of("till_v1") + "\nADDED = 1\n")
        return [each.message for each in report.warnings if each.code == "durable"]

    (said,) = lives.run(main)
    assert "'till' (Till): self.fault cannot be stored" in said
