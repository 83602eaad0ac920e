"""Services that are written the ordinary way: after a load their clients are there, and routes answer with new code."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from midflight import Runtime, code, live

CHAT = """
from aiohttp import web

routes = web.RouteTableDef()
clients = set()
GREETING = "hello"

@routes.get("/")
async def index(request):
    return web.Response(text=f"{GREETING} {len(clients)}")

@routes.get("/chat")
async def chat(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    clients.add(socket)
    async for message in socket:
        await say(message.data)
    clients.discard(socket)
    return socket

@routes.post("/say")
async def say_it(request):
    await say(await request.text())
    return web.Response(text="said")

async def say(text):
    for each in list(clients):
        await each.send_str(f"{GREETING}: {text}")

def make_app():
    app = web.Application()
    app.add_routes(routes)
    return app
"""

NEW_CHAT = CHAT.replace('"hello"', '"good day"').replace(
    "async def say(text)",
    '@routes.get("/new")\nasync def new(request):\n    return web.Response(text="new")\n\nasync def say(text)',
)


DB = web.AppKey("db", str)


async def text_of(client: TestClient, path: str) -> str:
    return await (await client.get(path)).text()


async def load(project: Any, name: str, text: str, **options: Any) -> code.LoadReport:
    return await asyncio.to_thread(project.load_text, name, text, **options)


def test_an_aiohttp_chat_goes_on_after_a_load(project):
    """The clients are still there, the new text is sent, routes answer by the new code, an added route answers too."""

    async def main():
        project.load_text("chat", CHAT)
        async with Runtime(), TestClient(TestServer(sys.modules["chat"].make_app())) as client:
            socket = await client.ws_connect("/chat")
            assert await text_of(client, "/") == "hello 1"

            report = await load(project, "chat", NEW_CHAT)
            renewed = [each.renewed for each in await report.holders if each.renewed]

            assert await text_of(client, "/") == "good day 1"
            assert await text_of(client, "/new") == "new"
            assert await (await client.post("/say", data="tea")).text() == "said"
            assert (await socket.receive()).data == "good day: tea"
            await socket.close()
        return report, renewed

    report, renewed = asyncio.run(main())
    assert {each.name for each in report.held} == {"index", "chat", "say_it"}
    assert "aiohttp: GET / calls the current one" in renewed
    assert "aiohttp: GET /new was added" in renewed
    assert any("runs version 1 at chat" in each.message for each in report.warnings)  # the socket that is open


def test_an_aiohttp_application_of_the_module_gets_the_new_router(project):
    """Routes are changed, added and removed; its state stays."""
    text = CHAT.replace("def make_app():\n    app = web.Application()\n", "app = web.Application()\n")
    text = text.replace("    app.add_routes(routes)\n    return app\n", "app.add_routes(routes)\n")
    new = text.replace("hello", "hi").replace('"/say"', '"/tell"')

    async def main():
        project.load_text("chat", text)
        app = sys.modules["chat"].app
        app[DB] = "connection"
        async with TestClient(TestServer(app)) as client:
            report = await load(project, "chat", new)
            answers = (
                await text_of(client, "/"),
                (await client.post("/say")).status,
                (await client.post("/tell")).status,
            )
            return report, app, answers

    report, app, answers = asyncio.run(main())
    assert answers == ("hi 0", 404, 200)
    assert app[DB] == sys.modules["chat"].app[DB] == "connection"
    assert any(each.message.startswith("aiohttp: the running application has the") for each in report.warnings)


def test_handlers_of_aiohttp_answer_by_forward_and_by_live(project):
    """Without any adapter: given to the router in the place of the function, or forwarded by the load."""
    text = "from aiohttp import web\nasync def index(request): return web.Response(text='one')\n"

    async def main():
        project.load_text("shop", text)
        shop = sys.modules["shop"]
        app = web.Application()
        app.add_routes([web.get("/live", live(shop.index)), web.get("/held", shop.index)])
        async with TestClient(TestServer(app)) as client:
            report = await load(project, "shop", text.replace("one", "two"), forward=True)
            return report, [await text_of(client, path) for path in ("/live", "/held")]

    report, answers = asyncio.run(main())
    assert answers == ["two", "two"]
    assert report.forwarded == ("index",)


# --- FastAPI ----------------------------------------------------------------------------------------------------

SERVICE = """
from contextlib import asynccontextmanager
from fastapi import FastAPI, Request, WebSocket

@asynccontextmanager
async def lifespan(app):
    app.state.db = ["opened"]
    yield
    app.state.db.append("closed")

app = FastAPI(lifespan=lifespan)
PRICE = 2

@app.get("/price")
async def price(request: Request, count: int = 1):
    return {"price": PRICE * count, "db": request.app.state.db}

@app.websocket("/feed")
async def feed(socket: WebSocket):
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(f"{PRICE} {text}")
"""

NEW_SERVICE = (
    SERVICE.replace("PRICE = 2", "PRICE = 3")
    + """
@app.get("/new")
async def new():
    return {"db": app.state.db}
"""
)


@pytest.mark.parametrize("held", ["the application", "live"])
def test_a_fastapi_service_goes_on_after_a_load(project, held):
    """Served as the application or by `live`: routes answer by the new code, an added one too, the lifespan's state
    and an open socket stay."""
    testing = pytest.importorskip("fastapi.testclient")
    project.load_text("service", SERVICE)
    service = sys.modules["service"]
    app = service.app if held == "the application" else live(service.app)

    with testing.TestClient(app) as client:
        with client.websocket_connect("/feed") as socket:
            socket.send_text("a")
            assert socket.receive_text() == "2 a"
            assert client.get("/price").json() == {"price": 2, "db": ["opened"]}

            report = project.load_text("service", NEW_SERVICE)

            assert client.get("/price?count=2").json() == {"price": 6, "db": ["opened"]}
            assert client.get("/new").json() == {"db": ["opened"]}
            assert "/new" in client.get("/openapi.json").json()["paths"]
            socket.send_text("b")
            assert socket.receive_text() == "2 b"  # it ends where it began
        database = service.app.state.db

    assert database == ["opened", "closed"]
    assert any("FastAPI: the running application has the" in each.message for each in report.warnings)


def test_a_flask_application_serves_the_new_views(project):
    """A rule that was added answers, and one that was removed does not."""
    pytest.importorskip("flask")
    text = "from flask import Flask\napp = Flask(__name__)\n@app.get('/')\ndef index(): return 'one'\n"
    project.load_text("pages", text)
    client = sys.modules["pages"].app.test_client()
    assert client.get("/").text == "one"

    project.load_text("pages", text.replace("one", "two") + "@app.get('/new')\ndef new(): return 'new'\n")

    assert (client.get("/").text, client.get("/new").text) == ("two", "new")


def test_a_click_command_that_is_held_runs_the_new_callback(project):
    """A group has the commands that were added."""
    click = pytest.importorskip("click")
    testing = pytest.importorskip("click.testing")
    text = "import click\n@click.group()\ndef tool(): pass\n@tool.command()\ndef say(): click.echo('one')\n"
    project.load_text("tools", text)
    held = sys.modules["tools"].tool

    project.load_text("tools", text.replace("one", "two") + "@tool.command()\ndef new(): click.echo('new')\n")

    runner = testing.CliRunner()
    assert isinstance(held, click.Group)
    assert [runner.invoke(held, [name]).output for name in ("say", "new")] == ["two\n", "new\n"]


def test_an_adapter_that_fails_is_a_warning(project, monkeypatch):
    """The load stands."""
    adapter = pytest.importorskip("midflight.adapters.aiohttp")
    monkeypatch.setattr(adapter, "changed", lambda _change: 1 / 0)
    project.load_text("shop", "x = 1")

    report = project.load_text("shop", "x = 2")

    assert aiohttp.__version__
    assert [each.message for each in report.warnings if each.code == "adapter"] == [
        "the adapter for aiohttp failed: ZeroDivisionError: division by zero"
    ]
