"""Registries: keys and who has them."""

from __future__ import annotations

import pytest

from helpers.servers import Recorder
from midflight import (
    AlreadyStarted,
    ChildSpec,
    NoSuchName,
    NotInProcess,
    RegistrationError,
    Registry,
    Supervisor,
    call,
    cast,
    exit,
    is_alive,
    monitor,
    process_info,
    receive,
    self_,
    sleep,
    spawn,
    stop,
    trap_exit,
    whereis,
)

rooms = Registry("rooms")


async def member(*keys, value=None):
    """Register under the keys, then do as told."""
    for key in keys:
        rooms.register(key, value)
    while True:
        match await receive():
            case "leave", key:
                rooms.unregister(key)
            case "update", key, function:
                rooms.update(key, function)


async def start(keys="unique"):
    """Start the registry of these tests."""
    return await Registry.start_link("rooms", keys)


async def join(*keys):
    """Start a process that has the keys."""
    pid = spawn(member, *keys)
    await sleep(0)
    return pid


def test_a_key_is_looked_up(runtime):
    """The pid with its value; nobody has another key."""

    async def main():
        await start()
        rooms.register("lobby", "guest")
        return rooms.lookup("lobby"), rooms.lookup("attic"), rooms.whereis("lobby"), rooms.whereis("attic"), self_()

    lobby, attic, here, nobody, me = runtime.run(main)
    assert lobby == [(me, "guest")]
    assert (attic, here, nobody) == ([], me, None)


def test_unique_keys_have_one_process(runtime):
    """Another one is refused, and so is the same one; it keeps its value."""

    async def main():
        await start()
        pid = await join("lobby")
        with pytest.raises(RegistrationError, match="'lobby' is the key of"):
            rooms.register("lobby", "mine")
        rooms.register("attic", 1)
        with pytest.raises(RegistrationError):
            rooms.register("attic", 2)
        return rooms.lookup("lobby") == [(pid, None)], rooms.lookup("attic")[0][1]

    assert runtime.run(main) == (True, 1)


def test_duplicate_keys_have_many(runtime):
    """In the order in which they came; each process once."""

    async def main():
        await start("duplicate")
        pids = [await join("lobby") for _ in range(3)]
        rooms.register("lobby", "me")
        with pytest.raises(RegistrationError):
            rooms.register("lobby", "me again")
        return rooms.lookup("lobby") == [*((pid, None) for pid in pids), (self_(), "me")], rooms.count()

    assert runtime.run(main) == (True, 4)


@pytest.mark.parametrize("keys", ["unique", "duplicate"])
def test_entries_go_with_their_process(runtime, keys):
    """All its keys, at once: even before the registry has heard of its end."""

    async def main():
        registry = await start(keys)
        pid = await join("lobby", "attic")
        exit(pid, "kill")
        at_once = rooms.lookup("lobby"), rooms.keys(pid), rooms.count()
        rooms.register("lobby", "mine")
        await sleep(0)
        return at_once, rooms.lookup("lobby"), rooms.lookup("attic"), process_info(registry)["links"], self_()

    at_once, lobby, attic, links, me = runtime.run(main)
    assert at_once == ([], [], 0)
    assert lobby == [(me, "mine")]
    assert attic == []
    assert links == [me]


def test_a_process_has_keys(runtime):
    """In the order in which it registered; it takes them back one by one."""

    async def main():
        registry = await start()
        pid = await join("a", "b", "c")
        before = rooms.keys(pid)
        for key in ("b", "unknown", "a"):
            pid << ("leave", key)
        await sleep(0)
        after, links = rooms.keys(pid), process_info(pid)["links"] == [registry]
        pid << ("leave", "c")
        await sleep(0)
        return before, after, links, rooms.keys(pid), process_info(pid)["links"], is_alive(pid)

    assert runtime.run(main) == (["a", "b", "c"], ["c"], True, [], [], True)


def test_a_key_that_was_taken_back_is_free(runtime):
    """For another process."""

    async def main():
        await start()
        pid = await join("lobby")
        pid << ("leave", "lobby")
        await sleep(0)
        rooms.register("lobby", "mine")
        exit(pid, "kill")
        await sleep(0)
        return rooms.lookup("lobby") == [(self_(), "mine")]

    assert runtime.run(main)


def test_the_parent_of_a_registry_keeps_its_link(runtime):
    """To have registered and unregistered does not cut it off."""

    async def main():
        registry = await start()
        rooms.register("lobby")
        rooms.unregister("lobby")
        return process_info(registry)["links"] == [self_()]

    assert runtime.run(main)


def test_a_value_is_updated(runtime):
    """By its own process only."""

    async def main():
        await start()
        rooms.register("lobby", 1)
        updated = rooms.update("lobby", lambda value: value + 1)
        await join("attic")
        for key in ("attic", "nobody's"):
            with pytest.raises(KeyError):
                rooms.update(key, str)
        return updated, rooms.lookup("lobby")[0][1]

    assert runtime.run(main) == (2, 2)


def test_dispatch_calls_with_all_entries(runtime):
    """Once, in the caller; not at all for a key that nobody has."""
    seen = []

    async def main():
        await start("duplicate")
        rooms.register("lobby", 1)
        pid = await join("lobby")
        rooms.dispatch("lobby", seen.append)
        rooms.dispatch("attic", seen.append)
        return [(self_(), 1), (pid, None)]

    assert runtime.run(main) == seen[0]
    assert len(seen) == 1


def test_registered_processes_end_with_the_registry(runtime):
    """Their names are gone; those that trap exits are told."""

    async def main():
        trap_exit(True)
        registry = await start()
        pid = await join("lobby")
        rooms.register("attic")
        ref = monitor(pid)
        exit(registry, "kill")
        message = await receive()
        return (await receive((ref, ..., ...))).reason, message.pid is registry

    assert runtime.run(main) == ("killed", True)


def test_a_registry_under_a_supervisor(runtime):
    """It starts anew, empty."""

    async def main():
        await Supervisor.start_link([ChildSpec("rooms", Registry, ("rooms", "duplicate"))])
        await join("lobby")
        exit(whereis("rooms"), "kill")
        for _ in range(5):
            await sleep(0)
        return rooms.count()

    assert runtime.run(main) == 0


def test_without_a_registry_every_function_raises(runtime):
    """A handle is no registry; nor is a process of another kind by that name."""

    async def main():
        texts = []
        for use in (rooms.lookup, rooms.register, rooms.unregister, rooms.whereis):
            with pytest.raises(NoSuchName) as caught:
                use("lobby")
            texts.append(str(caught.value))
        await Recorder.start(name="rooms")
        with pytest.raises(NoSuchName):
            rooms.count()
        return texts

    assert all("'rooms'" in text for text in runtime.run(main))


def test_registering_outside_a_process_is_refused(runtime):
    """Looking up is not."""

    async def wait():
        await start()
        await receive()

    pid = runtime.spawn(wait)
    runtime.run_until_idle()

    assert rooms.lookup("lobby") == []
    with pytest.raises(NotInProcess):
        rooms.register("lobby")
    pid << "end"
    runtime.run_until_idle()


def test_bad_keys_are_refused(runtime):
    """Before anything is started."""
    with pytest.raises(ValueError, match="'unique', 'duplicate'"):
        Registry.start_link("rooms", "many")


def test_a_second_registry_of_that_name_is_already_started(runtime):
    """As any server."""

    async def main():
        await start()
        with pytest.raises(AlreadyStarted):
            await start()

    runtime.run(main)


# --- As names of servers ------------------------------------------------------------------------------------


def test_a_server_is_found_by_a_key(runtime):
    """In start, call, cast and stop; the name goes with the server."""
    name = rooms.via(("room", 7))

    async def main():
        await start()
        pid = await Recorder.start(name=name)
        cast(name, "hello")
        heard = await call(name, "heard")
        with pytest.raises(AlreadyStarted) as caught:
            await Recorder.start_link(name=name)
        await stop(name)
        return heard, caught.value.pid is pid, name.whereis(), repr(name)

    assert runtime.run(main) == ([("cast", "hello")], True, None, "Registry('rooms').via(('room', 7))")


def test_a_key_that_is_taken_during_the_start_is_already_started(runtime):
    """Two that start at once: the second is refused by the registry itself."""

    class Slow(Recorder):
        async def init(self):
            await sleep(0)
            super().init()

    async def tell(top):
        try:
            top << await Slow.start(name=rooms.via("lobby"))
        except AlreadyStarted as error:
            top << error

    async def main():
        await start()
        spawn(tell, self_())
        spawn(tell, self_())
        answers = [await receive(), await receive()]
        (error,) = [answer for answer in answers if isinstance(answer, AlreadyStarted)]
        return error.pid in answers

    assert runtime.run(main)
    assert runtime.crashes == []


def test_a_duplicate_key_is_no_name(runtime):
    """Nobody could say who is meant."""

    async def main():
        await start("duplicate")
        with pytest.raises(RegistrationError, match="cannot be a name"):
            await Recorder.start(name=rooms.via("lobby"))

    runtime.run(main)
