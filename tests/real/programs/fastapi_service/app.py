"""The service under uvicorn."""

import asyncio

import service
import uvicorn


async def start():
    server = uvicorn.Server(uvicorn.Config(service.app, port=0, log_config=None))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print("ready", server.servers[0].sockets[0].getsockname()[1])
    await serving
