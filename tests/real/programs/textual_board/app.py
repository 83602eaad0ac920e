"""The board, without a terminal."""

import asyncio

import board


async def start():
    task = asyncio.create_task(board.Board().run_async(headless=True))
    while "board" not in board.running:
        await asyncio.sleep(0.01)
    print("ready")
    await task
