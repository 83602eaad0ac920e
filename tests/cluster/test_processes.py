"""Processes across two nodes: sends, monitors, links, exits, calls, aliases, names; and what a break does to them."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.node_worlds import Member, World
from midflight import (
    CallError,
    CallTimeout,
    Down,
    Exit,
    GenServer,
    Pid,
    ProcessExit,
    alias,
    call,
    exit,
    is_alive,
    link,
    monitor,
    process_info,
    receive,
    self_,
    send,
    send_after,
    spawn,
    trap_exit,
    unlink,
)
from midflight import demonitor as stop_monitor
from midflight.otp import sys as otp_sys


async def echo() -> Any:
    """Send what comes back to who sent it."""
    match await receive():
        case (sender, word):
            sender << (self_(), word)
            return echo()
        case "end":
            return None
        case "fail":
            raise ProcessExit("no reason")


class Double(GenServer):
    """Doubles what it is asked, ends at "end", and says nothing to "silence"."""

    async def handle_call(self, request: Any, client: Any) -> Any:
        if request == "end":
            raise ProcessExit("over")
        if request == "wait":
            await receive("never")
        return request * 2


def there(one: Member, two: Member, pid: Pid) -> Pid:
    """Return what `pid`, a process of node `one`, is on node `two`."""
    return two.node.pid_at(*one.node.address_of(pid))


def named_on(member: Member, function: Any) -> Pid:
    return member.spawn(function, name="known")


def test_a_message_goes_there_and_back(world: World) -> None:
    """A pid works on another node, and comes home as itself."""
    a, b = world.pair()
    far = there(b, a, b.spawn(echo))

    async def main() -> Any:
        far << (self_(), "hello")
        return await receive() == (far, "hello")

    assert a.run(main)


def test_a_pid_of_another_node_shows_it(world: World) -> None:
    """As in OTP the first number says that it is of another node; at home it is 0."""
    a, b = world.pair()
    pid = b.spawn(echo)
    far = there(b, a, pid)

    assert (repr(pid), repr(far)) == (f"<0.{pid.number}.0>", f"<1.{pid.number}.0>")
    assert there(b, a, pid) is far
    assert a.node.name_of(far) == "b"


def test_messages_keep_their_order(world: World) -> None:
    """Ten thousand messages of one process come in the order in which they were sent."""
    a, b = world.pair()
    got: list[int] = []

    async def take() -> None:
        while len(got) < 10_000:
            got.append(await receive())

    far = there(b, a, b.spawn(take))

    async def main() -> None:
        for number in range(10_000):
            far << number

    a.run(main)
    world.until(lambda: len(got) == 10_000)
    assert got == list(range(10_000))


def test_a_name_of_another_node_takes_messages(world: World) -> None:
    """(name, node) is a destination; a name that nobody has over there drops what is sent."""
    a, b = world.pair()
    b.spawn(echo, name="echo")

    async def main() -> Any:
        send(("nobody", "b"), "dropped")
        send(("echo", "b"), (self_(), 1))
        (_, word) = await receive()
        send_after(0, ("echo", "b"), (self_(), 2))
        return word, (await receive())[1]

    assert a.run(main) == (1, 2)


def test_a_monitor_tells_of_the_end_over_there(world: World) -> None:
    """With the reason, by pid and by name; a dead process is "noproc"."""
    a, b = world.pair()
    far = there(b, a, b.spawn(echo))
    b.spawn(echo, name="echo")
    dead = there(b, a, b.spawn(lambda: None))

    async def main() -> Any:
        one, two, three, four = monitor(far), monitor(("echo", "b")), monitor(dead), monitor(("nobody", "b"))
        found = [await receive((ref, ..., ...)) for ref in (three, four)]
        far << "fail"
        send(("echo", "b"), "end")
        found += [await receive((ref, ..., ...)) for ref in (one, two)]
        return [(down.pid if type(down.pid) is tuple else "pid", down.reason) for down in found]

    assert a.run(main) == [
        ("pid", "noproc"),
        (("nobody", "b"), "noproc"),
        ("pid", "no reason"),
        (("echo", "b"), "normal"),
    ]


def test_a_monitor_can_be_taken_back(world: World) -> None:
    """After demonitor nothing comes, and the other node has forgotten it."""
    a, b = world.pair()
    near = b.spawn(echo)
    far = there(b, a, near)

    async def main() -> Any:
        ref = monitor(far)
        far << (self_(), "there")
        await receive()
        assert near.process is not None
        was_watched = dict(near.process.monitored_by or {})
        stop_monitor(ref)
        other = monitor(far)
        far << "end"
        return len(was_watched), (await receive()).ref is other, await receive(timeout=0, default="nothing")

    assert a.run(main) == (1, True, "nothing")
    assert a.node.watching == {}
    assert b.node.peers["a"].serving == {}


@pytest.mark.parametrize("traps", [True, False])
def test_a_link_ends_the_other_side(world: World, traps: bool) -> None:
    """In both directions, as an Exit message to a process that traps exits."""
    a, b = world.pair()
    found: list[Any] = []

    async def linked(far: Pid) -> None:
        if traps:
            trap_exit(True)
        link(far)
        far << (self_(), "linked")
        await receive()
        far << "fail"
        found.append(await receive())

    far = there(b, a, b.spawn(echo))
    pid = a.spawn(linked, far)
    world.until(lambda: not a.do(is_alive, pid))

    assert found == ([Exit(far, "no reason")] if traps else [])


def test_the_end_of_the_linking_process_ends_the_linked_one(world: World) -> None:
    """The signal goes to where the link was made to."""
    a, b = world.pair()
    near = b.spawn(echo)
    far = there(b, a, near)

    async def main() -> None:
        link(far)
        raise ProcessExit("gone")

    a.spawn(main)
    world.until(lambda: not b.do(is_alive, near))


def test_an_unlinked_process_lives_on(world: World) -> None:
    """unlink is told to the other side before the end is."""
    a, b = world.pair()
    near = b.spawn(echo)
    far = there(b, a, near)

    async def main() -> Any:
        link(far)
        link(far)
        unlink(far)
        far << (self_(), "still there")
        return (await receive())[1]

    assert a.run(main) == "still there"
    world.step()
    assert b.do(is_alive, near)


def test_a_link_to_a_dead_process_is_noproc(world: World) -> None:
    """It comes as an exit signal from over there, as in OTP."""
    a, b = world.pair()
    dead = there(b, a, b.spawn(lambda: None))
    world.step()

    async def main() -> Any:
        trap_exit(True)
        link(dead)
        return await receive()

    assert a.run(main) == Exit(dead, "noproc")


def test_exit_signals_and_kill_reach_another_node(world: World) -> None:
    """exit/2: "normal" is ignored, "kill" is "killed", others are themselves."""
    a, b = world.pair()
    far = [there(b, a, b.spawn(echo)) for _ in range(2)]

    async def main() -> Any:
        refs = [monitor(each) for each in far]
        exit(far[0], "normal")
        exit(far[0], "kill")
        exit(far[1], "enough")
        return [(await receive((ref, ..., ...))).reason for ref in refs]

    assert a.run(main) == ["killed", "enough"]


def test_calls_are_answered(world: World) -> None:
    """By pid and by name, with the end of the server and a time limit as at home."""
    a, b = world.pair()

    async def start() -> Any:
        return await Double.start(name="double")

    near = b.run(start)
    far = there(b, a, near)

    async def main() -> Any:
        found: list[Any] = [await call(far, 21), await call(("double", "b"), "ab"), await otp_sys.get_status(far)]
        found[2] = found[2]["status"]
        try:
            await call(far, "wait", timeout=0)
        except CallTimeout:
            found.append("late")
        exit(far, "kill")
        try:
            await call(("double", "b"), 1)
        except CallError as error:
            found.append(error.reason)
        try:
            await call(("nobody", "b"), 1)
        except CallError as error:
            found.append(error.reason)
        return found

    assert a.run(main) == [42, "abab", "running", "late", "noproc", "noproc"]
    world.step()
    assert a.node.watching == {}
    assert b.node.peers["a"].serving == {}


def test_an_alias_takes_messages_from_another_node(world: World) -> None:
    """Until it is closed; then they are dropped."""
    a, b = world.pair()
    b.spawn(echo, name="echo")

    async def main() -> Any:
        once = alias(once=True)
        send(("echo", "b"), (once, 1))
        send(("echo", "b"), (once, 2))
        send(("echo", "b"), (self_(), 3))
        return [(await receive())[1], (await receive())[1], await receive(timeout=0, default=None)]

    assert a.run(main) == [1, 3, None]


def test_questions_about_a_process_of_another_node_say_where_to_ask(world: World) -> None:
    """OTP: badarg."""
    a, b = world.pair()
    far = there(b, a, b.spawn(echo))

    for ask in (is_alive, process_info):
        with pytest.raises(ValueError, match=r"is of another one; nothing was done\. Ask there"):
            a.do(ask, far)


@pytest.mark.parametrize("how", ["cut", "stop"])
def test_a_break_is_noconnection(world: World, how: str) -> None:
    """Links, monitors by pid and name, and calls in flight hear of it, each once; node monitors too."""
    from midflight import cluster

    a, b = world.pair()
    pids = [b.spawn(echo) for _ in range(2)]
    far = [there(b, a, pid) for pid in pids]
    b.spawn(echo, name="echo")

    async def start() -> Any:
        return await Double.start()

    server = there(b, a, b.run(start))
    found: dict[str, Any] = {}

    async def watcher() -> None:
        trap_exit(True)
        link(far[0])
        refs = {monitor(far[0]): "pid", monitor(("echo", "b")): "name"}
        cluster.monitor_node("b")
        found["ready"] = True
        for _ in range(4):
            match await receive():
                case Exit(pid, reason):
                    found["link"] = (pid is far[0], reason)
                case Down(ref, _, reason):
                    found[refs[ref]] = reason
                case other:
                    found["node"] = other
        found["more"] = await receive(timeout=0, default=None)

    async def caller() -> None:
        try:
            await call(server, "wait", timeout=None)
        except CallError as error:
            found["call"] = error.reason

    async def ends_with_it() -> None:
        link(far[1])
        await receive()

    a.spawn(watcher)
    a.spawn(caller)
    doomed = a.spawn(ends_with_it)
    world.until(lambda: "ready" in found and len(b.node.peers["a"].serving) == 3)
    if how == "cut":
        world.network.cut("a", "b")
    else:
        b.stop()
    world.until(lambda: "more" in found and "call" in found and not a.do(is_alive, doomed))

    assert found == {
        "ready": True,
        "link": (True, "noconnection"),
        "pid": "noconnection",
        "name": "noconnection",
        "node": ("nodedown", "b"),
        "call": ("nodedown", "b"),
        "more": None,
    }
    assert a.node.watching == {}


def test_what_is_asked_of_a_lost_node_is_answered_at_once(world: World) -> None:
    """A monitor and a link are "noconnection", a call is ("nodedown", node), a message is dropped."""
    a, b = world.pair()
    far = there(b, a, b.spawn(echo))
    b.stop()
    world.until(lambda: not a.node.peers)

    async def main() -> Any:
        trap_exit(True)
        far << "dropped"
        found: list[Any] = []
        for dest in (far, ("echo", "b")):
            monitor(dest)
            found.append((await receive()).reason)
            try:
                await call(dest, 1)
            except CallError as error:
                found.append(error.reason)
        link(far)
        return [*found, await receive()]

    assert a.run(main) == [*["noconnection", ("nodedown", "b")] * 2, Exit(far, "noconnection")]


def test_pids_of_the_same_life_work_again_after_a_break(world: World) -> None:
    """And those of a life before are dead for ever, though the new one gives the same numbers."""
    a, b = world.pair()
    near = b.spawn(echo)
    far = there(b, a, near)
    world.network.cut("a", "b")
    world.until(lambda: not a.node.peers and not b.node.peers)
    world.network.heal("a", "b")
    world.meet()

    async def main(reason: bool = False) -> Any:
        ref = monitor(far)
        far << (self_(), "again")
        message = await receive()
        return message.reason if message[0] is ref else message[1]

    assert a.run(main) == "again"

    b.stop()
    b = world.add("b")
    world.meet()
    while b.spawn(echo).number < near.number:
        pass

    assert a.run(main) == "noproc"
    assert far.process is None
    assert there(b, a, b.scheduler.processes[near.number].pid) is not far


def test_a_third_node_gets_pids_that_work(world: World) -> None:
    """A pid that a sends to b is, on c, the process of b; the answer to a call may come from a third node."""
    a, b = world.pair()
    c = world.add("c")
    world.meet()
    near = b.spawn(echo)
    c.spawn(echo, name="echo")

    async def main() -> Any:
        far = there(b, a, near)
        send(("echo", "c"), (self_(), far))
        _, back = await receive()
        back << (self_(), "direct")
        return back is far, (await receive())[1]

    assert a.run(main) == (True, "direct")


def test_a_process_that_spawns_is_not_slowed_by_what_it_does_not_send(world: World) -> None:
    """A process of this node takes the way it always took: its core is of its thread."""
    a, _ = world.pair()
    pid = a.spawn(echo)

    async def main() -> Any:
        child = spawn(echo)
        child << (self_(), 1)
        return (await receive())[1]

    assert a.run(main) == 1
    assert pid.process is not None
    assert pid.process.core is a.scheduler
    assert a.scheduler.fast_thread == a.scheduler.thread
