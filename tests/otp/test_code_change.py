"""Servers and new versions of their module. Statement H36."""

from __future__ import annotations

import os
import sys

import pytest

from helpers.servers import settle
from helpers.versions import text_of
from midflight import (
    call,
    code,
    processes,
    receive,
    self_,
    sleep,
    spawn,
)
from midflight.otp import sys as otp_sys


@pytest.fixture
def tally(project):
    """Load version 1 of the server and give its module."""
    project.load("tally_v1")
    return sys.modules["tally"]


def load(project, version):
    """Load another version of the server."""
    return code.load(project.write("tally.py", text_of(version)))


async def ask_and_tell(pid, top):
    """Call a server and send its reply to `top`."""
    top << ("answer", await call(pid, "get", timeout=None))


def test_the_next_message_runs_the_new_version(project, tally, runtime):
    """H36: the new callbacks, the old state, no code_change."""

    async def main():
        pid = await tally.Tally.start(7)
        first = await call(pid, "get")
        load(project, "tally_v2")
        return first, await call(pid, "get"), (await otp_sys.get_state(pid)).log

    assert runtime.run(main) == ((1, 7), (2, 7), ["get"])


def test_an_idle_server_is_in_no_old_code(project, tally, runtime):
    """H36: it waits in the behaviour's loop, so a soft purge goes through and a purge kills nobody."""

    async def main():
        pid = await tally.Tally.start(7)
        report = load(project, "tally_v2")
        checks = code.check_process_code(pid, "tally"), report.lingering
        purged = code.soft_purge("tally"), code.purge("tally")
        return checks, purged, await call(pid, "get")

    assert runtime.run(main) == ((False, ()), (True, ()), (2, 7))


def test_a_message_that_is_being_handled_stays_in_its_version(project, runtime):
    """H36: a version changes between two messages only."""
    text = """
        from midflight import GenServer, receive

        class Slow(GenServer):
            async def handle_call(self, request, client):
                await receive("go on")
                return VERSION
        """
    project.load_text("slow", text.replace("VERSION", "1"))

    async def ask_twice(pid):
        for version in ("2", "3"):
            spawn(ask_and_tell, pid, self_())
            await sleep(0)
            await sleep(0)
            project.load_text("slow", text.replace("VERSION", version))
            pid << "go on"
            yield await receive()

    async def main():
        pid = await sys.modules["slow"].Slow.start()
        return [answer async for answer in ask_twice(pid)]

    assert runtime.run(main) == [("answer", 1), ("answer", 2)]


def test_a_version_that_fails_to_load_changes_nothing(project, tally, runtime):
    """The server goes on in the version that it has."""

    async def main():
        pid = await tally.Tally.start(7)
        with pytest.raises(code.LoadError):
            code.load(project.path("tally.py"), source="class Tally(:")
        return await call(pid, "get")

    assert runtime.run(main) == (1, 7)


def test_a_server_whose_class_is_gone_stays_what_it_is(project, tally, runtime):
    """A LookupError of the name is no reason to lose a state."""

    async def main():
        pid = await tally.Tally.start(7)
        load(project, "tally_without_class")
        gone = await call(pid, "get")
        load(project, "tally_v2")
        return gone, await call(pid, "get")

    assert runtime.run(main) == ((1, 7), (2, 7))


def test_a_server_whose_module_is_deleted_stays_what_it_is(project, tally, runtime):
    """Neither the module's name nor its file is needed to go on."""

    async def main():
        pid = await tally.Tally.start(7)
        assert code.delete("tally")
        os.remove(project.path("tally.py"))
        return await call(pid, "get"), await call(pid, "get")

    assert runtime.run(main) == ((1, 7), (1, 7))


def test_a_load_during_init_is_seen(project, runtime):
    """The first message runs the newest version already."""
    text = """
        from midflight import GenServer, receive

        class Slow(GenServer):
            async def init(self):
                await receive("go on")

            def handle_call(self, request, client):
                return VERSION
        """
    project.load_text("slow", text.replace("VERSION", "1"))

    async def start(top):
        top << await sys.modules["slow"].Slow.start()

    async def main():
        spawn(start, self_())
        await settle()
        project.load_text("slow", text.replace("VERSION", "2"))
        processes()[-1] << "go on"
        return await call(await receive(), None)

    assert runtime.run(main) == 2


def test_a_start_runs_the_newest_version(project, tally, runtime):
    """Also from a class that was taken before the load: its objects would be of the newest at once anyway."""

    async def main():
        pinned = tally.Tally
        load(project, "tally_v2")
        return await call(await pinned.start(7), "get")

    assert runtime.run(main) == (2, {"sum": 7})


def test_many_loads_move_a_server_each_time(project, tally, runtime):
    """The check for a new version is made at every message."""

    async def main():
        pid = await tally.Tally.start(7)
        answers = []
        for version in ("tally_v2", "tally_v1", "tally_v1", "tally_v2"):
            load(project, version)
            answers.append(await call(pid, "get"))
        return answers

    assert runtime.run(main) == [(2, 7), (1, 7), (1, 7), (2, 7)]


def test_a_class_with_other_slots_takes_over_the_attributes(project, runtime):
    """Python allows no change of __class__ then; the server is another object, with the same state."""
    text = """
        from midflight import GenServer

        class Slotted(GenServer):
            __slots__ = ("a", SLOTS)

            def init(self):
                self.a = "kept"

            def handle_call(self, request, client):
                return self.a, VERSION
        """
    project.load_text("slotted", text.replace("SLOTS", "'b'").replace("VERSION", "1"))

    async def main():
        pid = await sys.modules["slotted"].Slotted.start()
        first = await call(pid, None)
        project.load_text("slotted", text.replace("SLOTS", "'c', 'd'").replace("VERSION", "2"))
        return first, await call(pid, None)

    assert runtime.run(main) == (("kept", 1), ("kept", 2))
