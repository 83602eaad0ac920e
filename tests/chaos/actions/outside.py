"""Actions that take sockets, threads and other programs; what they do when cannot be played again exactly."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time

from chaos.actions.waits import begin
from chaos.ledger import Wait
from chaos.player import Player
from chaos.world import World
from midflight import exit

__all__ = ["ACTIONS"]


async def in_thread(me: Player, wait: Wait) -> None:
    """asyncio.to_thread: a thread that waits for a threading.Event."""
    gate = threading.Event()
    wait.release = gate.set
    try:
        if await asyncio.to_thread(gate.wait, 30.0) is not True:
            me.ledger.fault("a thread was not woken within 30 s")
    finally:
        gate.set()


async def from_thread(me: Player, wait: Wait) -> None:
    """A future that another thread sets by call_soon_threadsafe."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[int] = loop.create_future()

    def set_it() -> None:
        if not result.done():
            result.set_result(3)

    wait.release = lambda: threading.Thread(target=loop.call_soon_threadsafe, args=(set_it,)).start()
    if await result != 3:
        me.ledger.fault("a future set from a thread gave another value")


async def streams(me: Player, wait: Wait) -> None:
    """A line over a pair of sockets, by asyncio's streams."""
    here, there = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=here)
    try:
        wait.release = lambda: there.send(b"line\n")
        if await reader.readline() != b"line\n":
            me.ledger.fault("a stream gave what was not sent")
    finally:
        writer.close()
        there.close()


async def program(me: Player, wait: Wait) -> None:
    """Another program, which ends when its input does."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-S", "-c", "input()", stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        assert child.stdin is not None
        wait.release = child.stdin.close
        await child.wait()
    finally:
        if child.returncode is None:
            child.kill()


OUTSIDE = {"to_thread": in_thread, "thread": from_thread, "streams": streams}
RARE = {"program": program}


def begin_wait(world: World) -> str:
    """Have a player wait for something outside of the loop, or by asyncio's own means."""
    return begin(world, OUTSIDE)


def begin_program(world: World) -> str:
    """Have a player wait for another program."""
    return begin(world, RARE)


def send_from_thread(world: World) -> str:
    """Send a player letters from a thread: in their order, each once."""
    player = world.pick()
    if player is None or player.pid is None:
        return ""
    pid = player.pid
    colour = f"thread {world.ledger.tag()}"
    letters = [world.ledger.next_letter(0, player.number, colour) for _ in range(world.rng.randrange(1, 30))]

    def send_all() -> None:
        for letter in letters:
            pid << letter

    threading.Thread(target=send_all).start()
    return f"{len(letters)} letters to {player.number} from a thread"


def kill_from_thread(world: World) -> str:
    """Kill a player from a thread."""
    player = world.pick()
    if player is None or player.pid is None:
        return ""
    player.causes.add("killed")
    player.must_end = True
    world.ledger.counts["kills"] += 1
    threading.Thread(target=exit, args=(player.pid, "kill")).start()
    return f"kill {player.number} from a thread"


def hold_up(world: World) -> str:
    """Have a player keep the loop for a moment, and all others wait."""
    player, seconds = world.pick(idle=True), world.rng.choice((0.002, 0.01, 0.03))
    if player is None:
        return ""
    world.order(player, "hold up", lambda me: time.sleep(seconds))
    return f"{player.number}: holds the loop for {seconds} s"


ACTIONS = ((begin_wait, 12), (begin_program, 1), (send_from_thread, 6), (kill_from_thread, 2), (hold_up, 2))
