"""Search for references that the compiled kernel never gives back: `python scripts/kernel_leaks.py`.

Each way through the kernel is walked again and again, and what the interpreter has allocated is counted after each
round. Red if a way leaves more with every round. A count too many shows itself so; one too few is for
AddressSanitizer, in scripts/test-kernels.
"""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import midflight
from midflight import (
    Down,
    GenServer,
    Pid,
    alias,
    call,
    cancel_timer,
    cast,
    exit,
    kernel,
    make_ref,
    process_info,
    receive,
    self_,
    send_after,
    sleep,
    spawn,
    spawn_link,
    spawn_monitor,
    unalias,
)

ROUNDS, WALKS = 12, 200
ALLOWED = 0.05  # blocks a walk: the interpreter has caches of its own

Way = Callable[[], Awaitable[Any]]


class Sum(GenServer):
    """Adds up what it is called and cast."""

    def init(self) -> None:
        """Begin at 0."""
        self.sum = 0

    def handle_call(self, request: int, _client: object) -> int:
        """Answer the sum."""
        if request == 0:
            raise ArithmeticError("nothing to add")
        self.sum += request
        return self.sum

    def handle_cast(self, message: int) -> None:
        """Add."""
        self.sum += message


class Slow(Sum):
    """The same with a callback that awaits."""

    async def handle_call(self, request: int, _client: object) -> int:
        """Answer after others have run."""
        await sleep(0)
        return super().handle_call(request, _client)


async def _wait() -> None:
    await receive()


async def _go_on(left: int) -> Any:
    if left:
        return _go_on(left - 1)
    return None


async def _echo(to: Pid) -> None:
    to << await receive(tuple, 5, timeout=10)


async def messages() -> None:
    """Spawn, send, receive with and without patterns, by a pid and by an alias."""
    pid = spawn(_echo, self_())
    pid << "in the way"
    pid << 5
    await receive(int)
    ref = alias()
    ref << "through an alias"
    await receive("through an alias", timeout=1)
    unalias(ref)
    await receive(timeout=0, default=None)
    await sleep(0)


async def ends() -> None:
    """Links, monitors, exit signals, tail calls, an error and a kill."""
    spawn(_go_on, 20)
    pid, ref = spawn_monitor(_wait)
    exit(pid, "kill")
    await receive(Down)
    linked = spawn_link(_wait)
    linked << "end"
    _, ref = spawn_monitor(_fails)
    await receive((ref, ..., ...))


async def _fails() -> None:
    raise ArithmeticError("no sum")


async def timers() -> None:
    """Timers that are cancelled, and one that rings."""
    for timer in [send_after(100, self_(), "late") for _ in range(5)]:
        cancel_timer(timer)
    send_after(0, self_(), "soon")
    await receive("soon")
    make_ref()


async def calls() -> None:
    """Calls that are answered, that time out, and whose server ends."""
    pid = await Sum.start()
    await call(pid, 5)
    cast(pid, 2)
    await call(pid, 1, timeout=10)
    try:
        await call(pid, 0)
    except midflight.CallError:
        pass
    slow = await Slow.start()
    await call(slow, 1)
    await call(slow, 2, 10)
    await call(pid := await Sum.start(name="sum"), 1)
    await call("sum", 1)
    exit(slow, "kill")
    exit(pid, "kill")
    spawn(call, slow, 1)
    silent = spawn(_wait)
    waiting = spawn(call, silent, 1)
    await sleep(0)
    process_info(silent)
    exit(waiting, "kill")
    try:
        await call(silent, 1, timeout=0)
    except midflight.CallTimeout:
        pass


async def blocks_after(way: Way) -> int:
    """Walk `way` many times; return what is allocated then."""
    for _ in range(WALKS):
        await way()
    await sleep(0.01)
    gc.collect()
    return sys.getallocatedblocks()


async def search() -> int:
    """Walk each way, say what each leaves, and return how many leave something."""
    leaking = 0
    for way in (messages, ends, timers, calls):
        for _ in range(3):
            await blocks_after(way)
        counts = [await blocks_after(way) for _ in range(ROUNDS)]
        grown = (min(counts[-3:]) - min(counts[:3])) / ((ROUNDS - 3) * WALKS)
        leaking += grown > ALLOWED
        print(
            f"{way.__name__:10} {grown:8.4f} blocks a walk{'' if grown <= ALLOWED else ', which is a leak'}", flush=True
        )
    return leaking


if __name__ == "__main__":
    logging.disable()
    print(f"the kernel: {kernel.KERNEL}")
    sys.exit(midflight.run(search))
