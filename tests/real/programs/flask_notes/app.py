"""The notes under werkzeug's server, in a thread."""

import asyncio
import threading

import notes
from werkzeug.serving import make_server

from midflight import live


async def start():
    server = make_server("127.0.0.1", 0, live(notes.app), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", server.port)
    await asyncio.Event().wait()
