"""A killed process leaves no child running that only its own code would have ended."""

from __future__ import annotations

import asyncio

import anyio
import pytest

from midflight import exit, spawn


async def in_task_group(child):
    async with asyncio.TaskGroup() as group:
        group.create_task(child())
        group.create_task(child())


async def in_body_of_task_group(child):
    async with asyncio.TaskGroup() as group:
        group.create_task(child())
        await asyncio.Event().wait()


async def in_inner_task_group(child):
    async with asyncio.TaskGroup() as outer:
        outer.create_task(child())
        async with asyncio.TaskGroup() as inner:
            inner.create_task(child())


async def in_anyio_group(child):
    async with anyio.create_task_group() as group:
        group.start_soon(child)


async def in_wait_for(child):
    await asyncio.wait_for(child(), 100)


async def in_gather(child):
    await asyncio.gather(child(), child())


async def behind_a_call(child):
    async def deeper():
        await in_task_group(child)

    await deeper()


async def in_generator(child):
    async def items():
        async with asyncio.TaskGroup() as group:
            group.create_task(child())
            yield 1

    async for _ in items():
        pass


@pytest.mark.parametrize(
    "wait",
    [
        in_task_group,
        in_body_of_task_group,
        in_inner_task_group,
        in_anyio_group,
        in_wait_for,
        in_gather,
        behind_a_call,
        in_generator,
    ],
)
def test_a_kill_ends_the_children_of_the_block_that_waits_for_them(runtime, wait):
    """Else they would work on, without an owner, until the program ends."""
    begun, ended = [], []

    async def child():
        begun.append(1)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    async def main():
        pid = spawn(wait, child)
        for _ in range(10):
            await asyncio.sleep(0)
        exit(pid, "kill")
        for _ in range(10):
            await asyncio.sleep(0)
        return len(begun), len(ended)

    count, count_of_ended = runtime.run(main)

    assert count > 0
    assert count_of_ended == count
