"""A WebSocket server whose every connection is a process: one that crashes takes nobody else with it.

    python examples/connections.py 8080

Each connection counts what it is sent and answers with the count. "crash" makes it raise; "who" lists the others.
Needs aiohttp.
"""

import sys

from aiohttp import WSMsgType, web

from midflight import process_info, processes, receive, run, run_process, self_


async def connection(request):
    """Be one connection: aiohttp works in a process as it does in a task."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    count = 0
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            continue
        if message.data == "crash":
            raise RuntimeError(f"{self_()} was told to crash after {count} messages")
        if message.data == "who":
            calls = [process_info(pid)["initial_call"] for pid in processes()]
            await socket.send_str(f"{calls.count(f'{__name__}.connection')} connections")
            continue
        count += 1
        await socket.send_str(f"{count} {message.data}")
    return socket


async def accept(request):
    """Hand a request, which comes in a task of aiohttp's, to a process of its own."""
    return await run_process(connection, request)


async def serve(port=0):
    """Serve on `port` of the loopback interface, 0 for a free one, until told to stop; print where."""
    app = web.Application()
    app.router.add_get("/", accept)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        print(f"ws://127.0.0.1:{runner.addresses[0][1]}/", flush=True)
        await receive("stop")
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    try:
        run(serve, int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    except KeyboardInterrupt:
        pass
