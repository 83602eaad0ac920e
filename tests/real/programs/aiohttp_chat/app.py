"""The chat's server."""

import asyncio

import chat
from aiohttp import web


async def start():
    runner = web.AppRunner(chat.app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print("ready", runner.addresses[0][1])
    await asyncio.Event().wait()
