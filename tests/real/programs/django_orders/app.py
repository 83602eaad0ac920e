"""The orders; their users call them."""

import asyncio

import orders


async def start():
    orders.subscribe("ada")
    print("ready")
    await asyncio.Event().wait()
