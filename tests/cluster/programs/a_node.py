"""A node as a program: prints each change of the other nodes, and does what the lines of its input say."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from midflight import Down, GenServer, Pid, Runtime, call, cluster, receive, self_, sleep


class Double(GenServer):
    """Doubles what it is asked."""

    def handle_call(self, request: Any, client: Any) -> Any:
        return request * 2


async def waiting() -> None:
    await receive()


async def count_messages(count: int, sender: Pid) -> None:
    for number in range(count):
        found, _ = await receive()
        if found != number:
            sender << f"{found} came after {number - 1}"
            return
    sender << "in order"


async def watch_nodes() -> None:
    cluster.monitor_nodes()
    for name in cluster.nodes():
        print("nodeup", name)
    while True:
        match await receive():
            case (kind, str() as name):
                print(kind, name)


async def obey(line: str) -> None:
    match line.split():
        case ["spawn", name]:
            pid = await cluster.spawn(name, start_double)
            server = await cluster.call_function(name, start_double)
            print(f"spawned on {cluster.node(pid)}, answers {await call(server, 21)}")
        case ["watch", name]:
            await cluster.spawn(name, waiting, monitor=True)
            print("watching")
            match await receive():
                case Down(_, _, reason):
                    print("down", reason)
        case ["flood", name, count]:
            pid = await cluster.spawn(name, count_messages, int(count), self_())
            print("flooding")
            for number in range(int(count)):
                pid << (number, b"x" * 10_000)
                await sleep(0)
            print("flooded", await receive())
        case ["nodes"]:
            print(" ".join(["nodes", *cluster.nodes()]))


async def start_double() -> Any:
    return await Double.start()


async def main() -> None:
    _, name, endpoint, cookie, how = sys.argv
    where = {"listen": [endpoint]} if how == "listen" else {"join": [endpoint]}
    async with Runtime(node=name, cookie=cookie, **where) as runtime:
        runtime.spawn(watch_nodes)
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := (await reader.readline()).decode():
            runtime.spawn(obey, line)


if __name__ == "__main__":
    sys.modules["a_node"] = sys.modules["__main__"]
    asyncio.run(main())
