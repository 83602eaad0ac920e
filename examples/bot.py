"""A bot, as one for a chat is: a connection that stays open, and answers that are changed meanwhile.

    midflight run --watch bot.py

Here the chat is the terminal: type a line. Then edit bot_answers.py, save it, and type another one.
"""

import asyncio
import sys

import bot_answers  # a dotted call through the module is a call of its current version


async def main():
    print("connected", flush=True)
    heard = []
    while line := await asyncio.to_thread(sys.stdin.readline):
        heard.append(line.strip())
        print(await bot_answers.answer(heard), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
