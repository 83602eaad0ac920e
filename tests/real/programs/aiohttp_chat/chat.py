"""A chat: one room for each topic, everybody hears everything."""

from aiohttp import WSMsgType, web

GREETING = "Welcome"

clients = set()
rooms = {}


class Room:
    """A topic and how often somebody spoke in it."""

    def __init__(self, topic):
        self.topic = topic
        self.said = 0

    def title(self):
        return f"{self.topic} ({self.said})"


def room(topic):
    if topic not in rooms:
        rooms[topic] = Room(topic)
    return rooms[topic]


async def index(request):
    return web.Response(text=f"{GREETING} to the chat")


async def show(request):
    return web.Response(text=room(request.match_info["topic"]).title())


async def talk(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    clients.add(socket)
    try:
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                room("tea").said += 1
                await broadcast(message.data)
    finally:
        clients.discard(socket)
    return socket


async def broadcast(text):
    for client in set(clients):
        await client.send_str(f"{len(clients)} hear: {text}")


app = web.Application()
app.add_routes(
    [
        web.get("/", index),
        web.get("/rooms/{topic}", show),
        web.get("/talk", talk),
    ]
)
