"""Process groups, and hubs: who is in, who is told, and who goes."""

from __future__ import annotations

import pytest

from helpers.servers import end_of, settle, wait_for_ever
from midflight import (
    CallError,
    ChildSpec,
    NoSuchName,
    PubSub,
    Supervisor,
    process_info,
    receive,
    self_,
    spawn,
    whereis,
)
from midflight.otp import pg


def test_a_scope_in_a_tree(runtime):
    """Under its default name."""

    async def main():
        await Supervisor.start_link([ChildSpec("pg", pg.start_link)])
        await pg.join("room", self_())
        return pg.get_members("room") == [self_()]

    assert runtime.run(main)


def test_without_a_scope(runtime):
    """Reading is NoSuchName, changing a CallError."""

    async def main():
        with pytest.raises(NoSuchName):
            pg.get_members("room")
        with pytest.raises(NoSuchName):
            pg.which_groups()
        with pytest.raises(CallError):
            await pg.leave("room", self_())

    runtime.run(main)


def test_what_is_no_pid_is_refused(runtime):
    """In the caller; nobody has joined."""

    async def main():
        await pg.start()
        with pytest.raises(TypeError):
            await pg.join("room", ["me"])
        with pytest.raises(TypeError):
            await pg.join("room", 5)
        return pg.which_groups()

    assert runtime.run(main) == []


def test_a_process_that_was_dead_is_out_at_once(runtime):
    """It joins, and is taken out."""

    async def main():
        scope = await pg.start()
        dead = spawn(settle)
        await end_of(dead)
        await pg.join("room", dead)
        await settle()
        return pg.which_groups(), process_info(scope)["monitors"]

    assert runtime.run(main) == ([], [])


def test_a_scope_forgets_who_has_left(runtime):
    """It monitors those that are in a group, or are told of changes, and nobody else."""

    async def main():
        scope = await pg.start()
        await pg.join("room", [self_(), self_()])
        ref, _ = await pg.monitor("room")
        await pg.leave("room", [self_(), self_()])
        during = len(process_info(scope)["monitors"])
        await pg.demonitor(ref)
        return during, process_info(scope)["monitors"]

    assert runtime.run(main) == (1, [])


def test_who_is_told_and_ends(runtime):
    """It is forgotten; the groups go on."""

    async def watcher():
        await pg.monitor("room")
        await receive("end")

    async def main():
        scope = await pg.start()
        pid = spawn(watcher)
        await settle()
        await end_of(pid, "boom")
        await settle()
        await pg.join("room", self_())
        return len(process_info(scope)["monitors"])

    assert runtime.run(main) == 1


def test_a_subscriber_once_is_told_once(runtime):
    """To subscribe again changes nothing."""

    async def main():
        await PubSub.start_link("news")
        news = PubSub("news")
        news.subscribe("rain", "first")
        news.subscribe("rain", "second")
        return news.broadcast("rain", "it rains"), await receive(), news.subscribers("rain") == [(self_(), "first")]

    assert runtime.run(main) == (1, "it rains", True)


def test_a_broadcast_to_the_others(runtime):
    """All but the caller."""

    async def main():
        await PubSub.start_link("news")
        news = PubSub("news")

        async def other(pid):
            news.subscribe("rain")
            pid << "ready"
            pid << ("other", await receive())

        news.subscribe("rain")
        spawn(other, self_())
        await receive("ready")
        told = news.broadcast_from("rain", "it rains")
        return told, await receive(), await receive(timeout=0, default="nothing")

    assert runtime.run(main) == (1, ("other", "it rains"), "nothing")


def test_a_topic_without_subscribers(runtime):
    """Nobody is told, which is not an error."""

    async def main():
        await PubSub.start_link("news")
        return PubSub("news").broadcast("rain", "it rains"), PubSub("news").subscribers("rain")

    assert runtime.run(main) == (0, [])


def test_a_hub_that_is_not_there(runtime):
    """NoSuchName, and a hub ends those that have subscribed."""

    async def subscriber():
        PubSub("news").subscribe("rain")
        await wait_for_ever()

    async def main():
        with pytest.raises(NoSuchName):
            PubSub("news").broadcast("rain", "it rains")
        await Supervisor.start_link([ChildSpec("news", PubSub, ("news",))])
        pid = spawn(subscriber)
        await settle()
        hub = whereis("news")
        await end_of(hub, "kill")
        await settle()
        return pid.process is None, repr(PubSub("news"))

    assert runtime.run(main) == (True, "PubSub('news')")
