"""The training: a step whenever somebody asks for one, hours of them in real life."""

import asyncio

import training

asked = asyncio.Queue()
done = asyncio.Queue()


async def start():
    print("ready")
    while True:
        await asked.get()
        training.step()
        done.put_nowait(len(training.history))


async def train(count):
    for _ in range(count):
        asked.put_nowait(None)
        await done.get()
