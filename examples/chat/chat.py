"""A chat over TCP: `midflight serve` in this folder starts it, `nc 127.0.0.1 7000` enters it.

Each connection is a state machine of its own: it asks for a name, then passes lines on to all others by a hub.
"""

import asyncio
from functools import partial

from midflight import (
    ChildSpec,
    DynamicSupervisor,
    GenServer,
    Next,
    PubSub,
    StateMachine,
    Stop,
    Supervisor,
    self_,
    spawn_link,
)
from midflight.otp import application


def start(kind, args):
    return Chat.start_link()


class Chat(Supervisor):
    def init(self):
        return [
            ChildSpec("hub", PubSub, ("hub",)),
            ChildSpec("connections", DynamicSupervisor, name="connections", type="supervisor"),
            ChildSpec("door", Door),
        ]


class Door(GenServer):
    async def init(self):
        port = application.get_env("chat", "port", 7000)
        self.server = await asyncio.start_server(partial(connected, self_()), "127.0.0.1", port)
        print("The chat is open at port", self.server.sockets[0].getsockname()[1])

    async def handle_info(self, message):
        _, reader, writer = message
        spec = ChildSpec("connection", Connection, (reader, writer), restart="temporary")
        await Supervisor.start_child("connections", spec)

    def terminate(self, reason):
        self.server.close()


def connected(door, reader, writer):
    door << ("connected", reader, writer)


async def read(reader, connection):
    while line := await reader.readline():
        connection << ("line", line.decode("utf-8", "replace").strip())
    connection << "closed"


class Connection(StateMachine):
    def init(self, reader, writer):
        self.writer = writer
        self.said = 0
        spawn_link(read, reader, self_())
        writer.write(b"Your name?\n")
        return "asking"

    def asking(self, kind, content):
        match content:
            case ("line", name):
                self.name = name
                PubSub("hub").subscribe("lobby")
                self.writer.write(f"Welcome, {name}.\n".encode())
                return Next("talking")
            case "closed":
                raise Stop

    def talking(self, kind, content):
        match content:
            case ("line", text):
                self.said += 1
                PubSub("hub").broadcast("lobby", ("said", self.name, text))
            case ("said", name, text):
                self.writer.write(f"{name}: {text}\n".encode())
            case "closed":
                raise Stop

    def terminate(self, reason):
        self.writer.close()
