"""A WebSocket server on aiohttp that is loadable by one line.

    python examples/web_aiohttp.py 8080
    midflight load examples/web_answers.py

Needs aiohttp.
"""

import sys

from aiohttp import WSMsgType, web

import midflight

midflight.serve_in_background()  # the one line: before the program's own modules, so that their texts are known

import web_answers  # noqa: E402


async def talk(request):
    """Answer one client. The dotted call reaches the current version, however long the client has been here."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(web_answers.answer(message.data))
    return socket


app = web.Application()
app.router.add_get("/talk", talk)

if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]))
