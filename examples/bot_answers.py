"""The answers of bot.py."""


async def answer(heard):
    return f"{heard[-1]}, you say? That was line {len(heard)}."
