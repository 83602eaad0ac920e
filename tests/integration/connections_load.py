"""The load of test_connections.py: many WebSocket clients in a process of their own. Prints one JSON object.

python connections_load.py URL CLIENTS MESSAGES CRASH_EVERY
"""

import asyncio
import json
import sys

import aiohttp


async def client(session, url, number, messages, crashes):
    """Send `messages`, each awaited back with the right count; return how it ended."""
    async with session.ws_connect(url) as socket:
        for index in range(1, messages + 1):
            if crashes and index == messages // 2:
                await socket.send_str("crash")
                message = await socket.receive(timeout=10)
                return "crashed" if message.type is not aiohttp.WSMsgType.TEXT else "did not crash"
            await socket.send_str(f"{number}")
            answer = await socket.receive(timeout=10)
            if answer.data != f"{index} {number}":
                return f"lost: {answer!r} for message {index}"
    return "served"


async def main(url, clients, messages, crash_every):
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        ends = await asyncio.gather(
            *(client(session, url, n, messages, n % crash_every == 0) for n in range(clients)), return_exceptions=True
        )
    counts = {}
    for end in (end if isinstance(end, str) else repr(end) for end in ends):
        counts[end] = counts.get(end, 0) + 1
    print(json.dumps(counts))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))
