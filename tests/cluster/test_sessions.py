"""Sessions of two nodes: the cookie, what an intruder can do, a frame that is missing, a node that is slow."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.node_worlds import COOKIE, World
from midflight import Down, call, exit, monitor, receive, self_, sleep
from midflight.cluster import Unsendable
from midflight.cluster.frames import FrameReader, FrameWriter, session_of
from midflight.cluster.handshake import HELLO, PROOF, WELCOME, Greeting, new_nonce, read_greeting
from midflight.cluster.outbox import HIGH_BYTES
from midflight.kernel import OUTSIDE


async def take(into: list[Any]) -> Any:
    into.append(await receive())
    return take(into)


def greeting(kind: int = HELLO) -> Greeting:
    return Greeting(kind, "a", 7, "b", 9, new_nonce())


@pytest.mark.parametrize("kind", [HELLO, WELCOME, PROOF])
def test_a_greeting_is_read_with_its_cookie_only(kind: int) -> None:
    """Whole, not with another cookie, not with any byte changed, not cut, not longer."""
    packet = greeting(kind).packed(COOKIE)

    found = read_greeting(packet, COOKIE)

    assert found is not None
    assert found.packed(COOKIE) == packet
    assert read_greeting(packet, COOKIE + b"x") is None
    for at in range(len(packet)):
        assert read_greeting(packet[:at], COOKIE) is None
        assert read_greeting(packet[:at] + bytes([packet[at] ^ 1]) + packet[at + 1 :], COOKIE) is None
    assert read_greeting(packet + b"\0", COOKIE) is None


def test_a_signed_greeting_of_another_shape_is_ignored() -> None:
    """Also one whose names are cut short, which only a faulty node with the cookie can send."""
    from midflight.cluster import handshake

    whole = greeting().packed(COOKIE)[33:]
    for body in (b"", whole[:-1], whole + b"x", b"\x09" + whole[1:], whole[:-1] + b"\xff"):
        assert read_greeting(b"H" + handshake._mac(COOKIE, body) + body, COOKIE) is None


def test_frames_are_read_in_their_order_only() -> None:
    """Another session's, a changed one and one that comes twice are not read; after a gap nothing is."""
    proof = greeting(PROOF)
    writer, reader = FrameWriter(proof.keys(COOKIE, "a")), FrameReader(proof.keys(COOKIE, "b"))
    frames = [writer.frame([b"one", b""]), writer.frame([b"two"]), writer.frame([b"three"])]

    assert reader.read(frames[0]) == [b"one", b""]
    assert session_of(frames[0]) == proof.keys(COOKIE, "b").id
    for at in range(len(frames[1])):
        assert reader.read(frames[1][:at] + bytes([frames[1][at] ^ 1]) + frames[1][at + 1 :]) is None
    assert FrameReader(greeting(PROOF).keys(COOKIE, "b")).read(frames[0]) is None
    assert FrameReader(proof.keys(COOKIE, "a")).read(frames[0]) is None  # sent back to who wrote it
    with pytest.raises(EOFError, match="frame 1 is missing, 2 came"):
        reader.read(frames[2])


def test_nodes_with_two_cookies_do_not_meet(world: World) -> None:
    """They see that the other is there, and nothing that it says."""
    a, b = world.add("a"), world.add("b", b"another cookie")
    c = world.add("c")
    world.until(lambda: list(a.node.peers) == ["c"] and list(c.node.peers) == ["a"])
    for _ in range(3):
        a.clock.advance(1)
        b.clock.advance(1)
        world.step()

    assert b.node.peers == {}
    assert list(a.node.peers) == ["c"]
    assert all(packet[:1] == b"H" for packet in b.link.sent)


def test_hello_is_said_again_until_it_is_answered(world: World) -> None:
    """A packet that is lost on the way does not keep nodes apart."""
    a = world.add("a")
    a.link.spoil = lambda packet: None
    b = world.add("b")
    world.until(lambda: len(a.link.sent) == 1)
    assert b.node.peers == {}
    a.link.spoil = lambda packet: packet

    a.clock.advance(1)

    world.meet()


def test_a_proof_that_is_lost_does_not_leave_one_side_alone(world: World) -> None:
    """The other side says so at the first frame; what was sent is "noconnection", and the two meet again."""
    a = world.add("a")
    b = world.add("b")
    a.link.spoil = lambda packet: None if packet[33:34] == bytes([PROOF]) else packet
    world.until(lambda: "b" in a.node.peers)
    assert b.node.peers == {}
    a.link.spoil = lambda packet: packet
    downs: list[Any] = []

    async def watch() -> None:
        ref = monitor(("nobody", "b"))
        downs.append((await receive((ref, ..., ...))).reason)

    a.spawn(watch)
    world.until(lambda: bool(downs))

    assert downs == ["noconnection"]
    world.meet()


def test_what_an_intruder_sends_again_or_changes_does_nothing(world: World) -> None:
    """Old greetings and frames, whole or changed, neither end the session nor arrive twice."""
    a, b = world.pair()
    got: list[Any] = []
    far = a.node.pid_at(*b.node.address_of(b.spawn(take, got)))
    a.do(lambda: far << "once")
    world.until(lambda: got == ["once"])
    session = a.node.peers["b"].session
    old = list(a.link.sent)

    def replay() -> None:
        for packet in old:
            for at in (0, 5, len(packet) - 1):
                b.link.heard(("packet", packet[:at] + bytes([packet[at] ^ 1]) + packet[at + 1 :]), 0)
        for packet in old:
            if packet[:1] == b"H":
                b.link.heard(("packet", packet), 0)

    replay()
    world.step()
    a.do(lambda: far << "twice")
    world.until(lambda: len(got) == 2)

    assert got == ["once", "twice"]
    assert a.node.peers["b"].session == session


@pytest.mark.parametrize("who", ["a", "b"])
def test_a_missing_frame_ends_the_session_and_both_hear_of_it(world: World, who: str) -> None:
    """Nothing is lost in silence: monitors on both sides fire, then the nodes meet again."""
    a, b = world.pair()
    sender, other = (a, b) if who == "a" else (b, a)
    near = other.spawn(take, [])
    far = sender.node.pid_at(*other.node.address_of(near))
    watched_there = other.node.pid_at(*sender.node.address_of(sender.spawn(take, [])))
    downs: list[Any] = []

    async def watch(pid: Any) -> None:
        ref = monitor(pid)
        downs.append("ready")
        downs.append((await receive((ref, ..., ...))).reason)

    sender.spawn(watch, far)
    other.spawn(watch, watched_there)
    world.until(lambda: bool(other.node.peers[who].serving) and bool(sender.node.peers[other.node.name].serving))
    session = sender.node.peers[other.node.name].session
    sender.link.spoil = lambda packet: None if packet[:1] == b"F" else packet
    count = len(sender.link.sent)
    sender.do(lambda: far << "lost")
    world.until(lambda: len(sender.link.sent) > count)
    sender.link.spoil = lambda packet: packet
    sender.do(lambda: far << "too late")
    world.until(lambda: downs.count("noconnection") == 2)

    world.meet()
    assert sender.node.peers[other.node.name].session != session


def test_a_slow_node_slows_its_senders_and_nobody_else(world: World) -> None:
    """A process that sends more than waits is held until little waits; others run; nothing is lost or out of order."""
    world.is_timeless = False
    a, b = world.pair()
    got: list[int] = []

    async def count() -> None:
        while True:
            got.append((await receive())[0])

    far = a.node.pid_at(*b.node.address_of(b.spawn(count)))
    sent: list[int] = []
    ran: list[int] = []

    async def send_much() -> None:
        block = b"x" * 10_000
        for number in range(3000):
            far << (number, block)
            sent.append(number)
            await sleep(0)

    async def other() -> None:
        for number in range(5000):
            ran.append(number)
            await sleep(0)

    a.link.gate.clear()
    a.spawn(send_much)
    a.spawn(other)
    world.until(lambda: len(ran) == 5000)
    world.step()
    held_at = len(sent)

    assert HIGH_BYTES // 10_000 < held_at < 1000
    assert len(a.node.peers["b"].holding) == 1

    a.link.gate.set()
    world.until(lambda: len(got) == 3000)
    assert got == list(range(3000))


@pytest.mark.parametrize("reason", ["enough", "kill"])
def test_a_process_that_is_held_can_be_ended(world: World, reason: str) -> None:
    """Its exit signal does not wait for the other node."""
    world.is_timeless = False
    a, b = world.pair()
    far = a.node.pid_at(*b.node.address_of(b.spawn(take, [])))
    downs: list[Any] = []

    async def send_much() -> None:
        while True:
            far << b"x" * 100_000
            await sleep(0)

    async def watch() -> None:
        monitor(pid)
        downs.append((await receive(Down)).reason)

    a.link.gate.clear()
    pid = a.spawn(send_much)
    a.spawn(watch)
    world.until(lambda: len(a.node.peers["b"].holding) == 1)
    b.do(lambda: exit(b.node.pid_at(*a.node.address_of(pid)), reason))
    world.until(lambda: bool(downs))

    assert downs == ["killed" if reason == "kill" else "enough"]
    a.link.gate.set()


def test_a_process_that_relays_is_held_as_well(world: World) -> None:
    """One that sends once for each message it gets waits in receive when it is held, and loses no message."""
    world.is_timeless = False
    a, b = world.pair()
    got: list[Any] = []
    far = a.node.pid_at(*b.node.address_of(b.spawn(take, got)))

    async def relay() -> Any:
        number = await receive()
        far << (number, b"x" * 50_000)
        return relay()

    a.link.gate.clear()
    pid = a.spawn(relay)

    async def feed() -> None:
        for number in range(400):
            pid << number
            await sleep(0)

    a.spawn(feed)
    world.until(lambda: len(a.node.peers["b"].holding) == 1)
    assert len(got) == 0
    a.link.gate.set()
    world.until(lambda: len(got) == 400)
    assert [each[0] for each in got] == list(range(400))


def test_what_cannot_be_sent_is_an_error_of_the_sender(world: World) -> None:
    """It says what, and that nothing was sent; a call leaves nothing behind; the answer of a server is an error."""
    a, b = world.pair()
    got: list[Any] = []
    far = a.node.pid_at(*b.node.address_of(b.spawn(take, got)))

    async def main() -> Any:
        with pytest.raises(Unsendable, match=r"cannot be sent to node b: .*; nothing was sent"):
            far << (lambda: None)
        with pytest.raises(Unsendable, match=r"too large for node b, which takes 67,108,864; nothing was sent"):
            far << bytes(65 * 1024 * 1024)
        with pytest.raises(Unsendable):
            await call(far, lambda: None)
        far << ("fits", self_())
        return far

    a.run(main)
    world.until(lambda: len(got) == 1)
    assert got[0][0] == "fits"
    assert a.node.watching == {}


def test_another_node_of_the_same_name_is_told_of(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Neither reaches the other, and both say why."""
    world.add("a")
    world.add("a")
    world.step()

    assert caplog.text.count("Another node is called a, too") == 2
    assert OUTSIDE.node == 0
