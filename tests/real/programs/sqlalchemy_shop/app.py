"""The shop, opened; its users call it."""

import asyncio

import shop


async def start():
    shop.open_shop()
    print("ready")
    await asyncio.Event().wait()
