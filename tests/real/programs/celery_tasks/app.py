"""The tasks, ready to be called."""

import asyncio

import tasks


async def start():
    tasks.app.finalize()
    print("ready")
    await asyncio.Event().wait()
