"""Actions that wait: a player awaits something of asyncio's or ours, and is let go on, cancelled, or torn out of it.

Each wait is an async function of the player and its Wait. It says how it can be released by `wait.release`, or when
time will do it by `wait.due`; then it waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from chaos.ledger import Letter, Wait
from chaos.player import Player
from chaos.world import World
from midflight import ProcessExit, receive, run_process, sleep

__all__ = ["ACTIONS", "PURE", "Body", "in_wait"]

BLUE = (..., "blue", ...)
Body = Callable[[Player, Wait], Awaitable[None]]


async def in_wait(kind: str, body: Body, number: int, me: Player) -> None:
    """Let the running player wait, and keep the books of it: how it ended, and that it was unwound once."""
    ledger = me.ledger
    wait = me.wait = ledger.waits[number] = Wait(number, kind, me.number)
    try:
        await body(me, wait)
        if not wait.is_released and not wait.is_open and (wait.due is None or ledger.now() < wait.due - 1e-6):
            ledger.fault(f"{me!r} came out of its wait for {kind}, and nothing had let it")
        wait.state = "done"
    finally:
        wait.clean_ups += 1
        wait.release = None
        if wait.state == "waiting":
            wait.state = "unwound"
        me.wait = None
        ledger.counts["waits"] += 1


# --- Ours -----------------------------------------------------------------------------------------------------


async def hear_late_ones(me: Player) -> None:
    """Take the blue letters that came when nobody waited for them any more, so that the next wait finds none."""
    while isinstance(letter := await receive(BLUE, timeout=0, default=None), Letter):
        me.ledger.take_letter(me.number, letter)


async def receive_blue(me: Player, wait: Wait) -> None:
    """A selective receive, with all other messages left in the mailbox."""
    await hear_late_ones(me)
    wait.release = partial(send_blue, me)
    me.ledger.take_letter(me.number, await receive(BLUE))


def send_blue(me: Player) -> None:
    """Send the player the letter that it waits for."""
    if me.pid is not None and me.is_alive:
        me.pid << me.ledger.next_letter(0, me.number, "blue")


async def receive_or_time_out(me: Player, wait: Wait) -> None:
    """A selective receive with a timeout: a blue letter or the time, whichever is first."""
    await hear_late_ones(me)
    wait.due = me.ledger.now() + 0.03
    wait.release = partial(send_blue, me)
    letter = await receive(BLUE, timeout=0.03, default=None)
    if isinstance(letter, Letter):
        me.ledger.take_letter(me.number, letter)


async def receive_under_timeout(me: Player, wait: Wait) -> None:
    """A receive inside of asyncio.timeout: the letter is not lost, whichever is first."""
    await hear_late_ones(me)
    wait.due = me.ledger.now() + 0.02
    wait.release = partial(send_blue, me)
    try:
        async with asyncio.timeout(0.02):
            letter = await receive(BLUE)
            me.ledger.take_letter(me.number, letter)
    except TimeoutError:
        pass


async def sleep_ours(me: Player, wait: Wait) -> None:
    """midflight.sleep."""
    wait.due = me.ledger.now() + 0.02
    await sleep(0.02)


# --- asyncio's ------------------------------------------------------------------------------------------------


async def sleep_of_asyncio(me: Player, wait: Wait) -> None:
    """asyncio.sleep."""
    wait.due = me.ledger.now() + 0.02
    await asyncio.sleep(0.02)


async def event(me: Player, wait: Wait) -> None:
    """asyncio.Event."""
    gate = asyncio.Event()
    wait.release = gate.set
    await gate.wait()


async def lock(me: Player, wait: Wait) -> None:
    """asyncio.Lock, held by nobody's process."""
    held = asyncio.Lock()
    await held.acquire()
    wait.release = held.release
    async with held:
        pass


async def queue(me: Player, wait: Wait) -> None:
    """asyncio.Queue."""
    items: asyncio.Queue[int] = asyncio.Queue()
    wait.release = partial(items.put_nowait, 17)
    if await items.get() != 17:
        me.ledger.fault("a queue gave what was not put into it")


async def condition(me: Player, wait: Wait) -> None:
    """asyncio.Condition, with the lock held again afterwards."""
    changed, seen = asyncio.Condition(), []

    async def notify() -> None:
        async with changed:
            seen.append(1)
            changed.notify_all()

    loop = asyncio.get_running_loop()
    wait.release = lambda: loop.create_task(notify())
    async with changed:
        await changed.wait_for(lambda: seen)


async def semaphore(me: Player, wait: Wait) -> None:
    """asyncio.Semaphore."""
    places = asyncio.Semaphore(0)
    wait.release = places.release
    async with places:
        pass


async def future(me: Player, wait: Wait) -> None:
    """A bare future, set from a callback of the loop."""
    result: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    wait.release = lambda: None if result.done() else result.set_result(5)
    if await result != 5:
        me.ledger.fault("a future gave what was not set")


async def gather(me: Player, wait: Wait) -> None:
    """asyncio.gather of children, one of which raises."""
    gate = asyncio.Event()
    wait.release = gate.set

    async def child(number: int) -> int:
        await gate.wait()
        if number == 2:
            raise LookupError(number)
        return number

    results = await asyncio.gather(*(child(number) for number in range(4)), return_exceptions=True)
    if [each for each in results if isinstance(each, int)] != [0, 1, 3]:
        me.ledger.fault(f"gather gave {results}")


async def task_group(me: Player, wait: Wait) -> None:
    """asyncio.TaskGroup, one child of which fails: the others are cancelled, none is left behind.

    Before Python 3.13 a TaskGroup that is ending because of an error swallows a cancellation that comes then.
    """
    gate = asyncio.Event()
    wait.release = gate.set
    children: list[asyncio.Task[None]] = []

    async def child(fails: bool) -> None:
        await gate.wait()
        if fails:
            raise LookupError("child")
        await asyncio.Event().wait()

    try:
        async with asyncio.TaskGroup() as group:
            children += [group.create_task(child(number == 1)) for number in range(3)]
    except* LookupError:
        pass
    if not all(each.done() for each in children):
        me.ledger.fault("a TaskGroup left children behind")


async def wait_for(me: Player, wait: Wait) -> None:
    """asyncio.wait_for, which runs out of time or is released before."""
    wait.due = me.ledger.now() + 0.02
    gate = asyncio.Event()
    wait.release = gate.set
    try:
        await asyncio.wait_for(gate.wait(), 0.02)
    except TimeoutError:
        pass


async def nested_timeouts(me: Player, wait: Wait) -> None:
    """A timeout inside of a timeout: each error belongs to its own."""
    wait.due = me.ledger.now() + 0.01
    gate = asyncio.Event()
    wait.release = gate.set
    async with asyncio.timeout(30):
        try:
            async with asyncio.timeout(0.01):
                await gate.wait()
        except TimeoutError:
            pass


async def wait_first(me: Player, wait: Wait) -> None:
    """asyncio.wait for the first of some tasks; the rest is cancelled by hand."""
    gate = asyncio.Event()
    wait.release = gate.set
    tasks = [asyncio.ensure_future(gate.wait()), asyncio.ensure_future(asyncio.Event().wait())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in tasks:
            each.cancel()


async def shield(me: Player, wait: Wait) -> None:
    """asyncio.shield: the inner task goes on when the player is torn out."""
    gate = asyncio.Event()
    wait.release = gate.set
    inner = asyncio.ensure_future(gate.wait())
    try:
        await asyncio.shield(inner)
    finally:
        gate.set()


async def generator(me: Player, wait: Wait) -> None:
    """`async for` over a generator with a `finally`, inside of an asynchronous context."""
    gate = asyncio.Event()
    wait.release = gate.set
    closed = []

    async def items():
        try:
            yield 1
            await gate.wait()
            yield 2
        finally:
            closed.append("generator")

    @asynccontextmanager
    async def context():
        try:
            yield
        finally:
            closed.append("context")

    async with context():
        async for _ in items():
            pass
    if closed != ["generator", "context"]:
        me.ledger.fault(f"asynchronous blocks were left in the order {closed}")


async def process_of_a_task(me: Player, wait: Wait) -> None:
    """A task of the player that runs a process to its end, by run_process."""
    gate = asyncio.Event()
    wait.release = gate.set

    async def work() -> str:
        await gate.wait()
        return "worked"

    if await asyncio.ensure_future(run_process(work)) != "worked":
        me.ledger.fault("run_process gave what was not returned")


PURE: dict[str, Body] = {
    "receive": receive_blue,
    "receive, timeout": receive_or_time_out,
    "receive in asyncio.timeout": receive_under_timeout,
    "sleep": sleep_ours,
    "asyncio.sleep": sleep_of_asyncio,
    "Event": event,
    "Lock": lock,
    "Queue": queue,
    "Condition": condition,
    "Semaphore": semaphore,
    "Future": future,
    "gather": gather,
    "TaskGroup": task_group,
    "wait_for": wait_for,
    "timeouts": nested_timeouts,
    "wait": wait_first,
    "shield": shield,
    "async for": generator,
    "run_process": process_of_a_task,
}
"""The waits that need no socket, thread or other program: those of a round that can be played again exactly."""


def begin_wait(world: World) -> str:
    """Have a player wait for something."""
    return begin(world, PURE)


def begin(world: World, bodies: dict[str, Body]) -> str:
    """Have a player wait by one of `bodies`."""
    player = world.pick(idle=True)
    if player is None:
        return ""
    kind, number = world.rng.choice(sorted(bodies)), world.ledger.tag()
    world.order(player, kind, partial(in_wait, kind, bodies[kind], number))
    return f"{player.number}: waits for {kind} ({number})"


def let_go_on(world: World) -> str:
    """Release some waits, twice as many as are begun at most."""
    found = [each for each in world.ledger.waits.values() if each.state == "waiting" and each.release is not None]
    if not found:
        return ""
    chosen = world.rng.sample(found, min(len(found), world.rng.randrange(1, 4)))
    for each in chosen:
        world.release(each)
    return f"release {[each.number for each in chosen]}"


def cancel(world: World) -> str:
    """Have a player take what comes as a cancellation of asyncio's while it waits for a letter; the letter is kept."""
    player = world.pick(idle=True)
    if player is None:
        return ""
    number, at_once = world.ledger.tag(), world.rng.random() < 0.5

    async def body(me: Player, wait: Wait) -> None:
        await hear_late_ones(me)
        task = asyncio.current_task()
        assert task is not None
        wait.release = partial(cancel_and_send, me, task)
        try:
            me.ledger.take_letter(me.number, await receive(BLUE))
        except ProcessExit:
            raise
        except asyncio.CancelledError:
            task.uncancel()

    def cancel_and_send(me: Player, task: asyncio.Task[None]) -> None:
        if at_once:
            send_blue(me)
        if me.is_alive:
            task.cancel()

    world.order(player, "cancel", partial(in_wait, "cancel", body, number))
    return f"{player.number}: waits for a cancellation ({number})"


ACTIONS = ((begin_wait, 22), (let_go_on, 14), (cancel, 3))
