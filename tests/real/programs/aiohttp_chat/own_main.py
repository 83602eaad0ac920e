"""The chat with a main of its own, and one line more."""

import socket

import chat
from aiohttp import web

import midflight

if __name__ == "__main__":
    midflight.serve_in_background()
    listener = socket.create_server(("127.0.0.1", 0))
    print("ready", listener.getsockname()[1], flush=True)
    web.run_app(chat.app, sock=listener, print=None)
