"""The mail, ready to be called."""

import asyncio

import mail


async def start():
    mail.write("Ada")
    print("ready")
    await asyncio.Event().wait()
