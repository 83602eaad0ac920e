"""A chat on aiohttp: handlers in a router, websockets in a module-level set, rooms in a module-level dict."""

from __future__ import annotations

import sys
from contextlib import ExitStack

import httpx
from websockets.sync.client import ClientConnection, connect

from real.harness import DEADLINE_SECONDS, Edit, EveryEdit, Running


class Chat(Running):
    """The chat with two clients, who have said something."""

    folder = "aiohttp_chat"

    def begin(self) -> None:
        self._stack = ExitStack()
        self.ada, self.bob = self._client_of("talk"), self._client_of("talk")
        self.say("tea?")

    def end(self) -> None:
        self._stack.close()

    def _client_of(self, path: str) -> ClientConnection:
        return self._stack.enter_context(connect(f"ws://127.0.0.1:{self.port}/{path}", proxy=None))

    def say(self, text: str) -> list[str | bytes]:
        """Let one client say something; return what both hear."""
        self.ada.send(text)
        return [each.recv(DEADLINE_SECONDS) for each in (self.ada, self.bob)]

    def get(self, path: str) -> str:
        """Return the text of a page, or the status of what has none."""
        answer = httpx.get(f"http://127.0.0.1:{self.port}{path}", trust_env=False)
        return answer.text if answer.status_code == 200 else str(answer.status_code)

    def state(self) -> object:
        """Both clients are there, and everybody hears what is said."""
        return self.say("still here?")


def index(chat: Chat) -> str:
    return chat.get("/")


class ChatOfItsOwn(Chat):
    """The chat as `python own_main.py`, which has one line for Midflight: `midflight.serve_in_background()`."""

    command = (sys.executable, "own_main.py")


class TestChat(EveryEdit):
    """The list, for the chat."""

    program = Chat
    handler = Edit(
        "chat.py",
        ((" to the chat", " to our chat"),),
        look=index,
        before="Welcome to the chat",
        after="Welcome to our chat",
        changed=("index",),
        says=("clients",),
    )
    again = Edit(
        "chat.py",
        ((" to our chat", " back"),),
        look=index,
        before="Welcome to our chat",
        after="Welcome back",
        changed=("index",),
        says=("clients",),
    )
    method = Edit(
        "chat.py",
        (('f"{self.topic} ({self.said})"', 'f"{self.topic}: {self.said > 0}"'),),
        look=lambda chat: chat.get("/rooms/tea").split()[0],
        before="tea",
        after="tea:",
        changed=("Room.title",),
        says=("rooms",),
    )
    constant = Edit(
        "chat.py",
        (('"Welcome"', '"Hello"'),),
        look=index,
        before="Welcome to the chat",
        after="Hello to the chat",
        changed=("GREETING",),
    )
    added = Edit(
        "chat.py",
        (
            (
                '        web.get("/talk", talk),\n',
                '        web.get("/talk", talk),\n        web.get("/help", show_help),\n',
            ),
            (
                "async def broadcast",
                'async def show_help(request):\n    return web.Response(text="Help")\n\n\nasync def broadcast',
            ),
        ),
        look=lambda chat: chat.get("/help"),
        before="404",
        after="Help",
        added=("show_help",),
        changed=("<module>",),
    )
    renamed = Edit(
        "chat.py",
        (
            ("async def index", "async def front"),
            (" to the chat", " at the front"),
            ('web.get("/", index)', 'web.get("/", front)'),
        ),
        look=index,
        before="Welcome to the chat",
        after="Welcome at the front",
        added=("front",),
        changed=("<module>",),
        removed=("index",),
    )


class TestChatOfItsOwn(TestChat):
    """The same list for the program that serves itself: no websocket is dropped, and everything is told."""

    program = ChatOfItsOwn
