"""A service for items, with a websocket that hears of each new one."""

from fastapi import FastAPI, HTTPException, WebSocket, WebSocketDisconnect
from pydantic import BaseModel

CURRENCY = "EUR"

app = FastAPI()
items = {}


class Item(BaseModel):
    """Something with a price."""

    name: str
    price: float


class Listeners:
    """Those who hear of new items."""

    def __init__(self):
        self.active = []

    async def connect(self, socket):
        await socket.accept()
        self.active.append(socket)

    def disconnect(self, socket):
        self.active.remove(socket)

    async def tell(self, text):
        for socket in self.active:
            await socket.send_text(text)


listeners = Listeners()


class Till:
    """What was sold, one till for each currency."""

    def __init__(self):
        self.total = 0.0

    def shown(self):
        return f"sum {self.total:g}"


tills = {}


@app.get("/items/{key}")
async def read_item(key: str):
    if key not in items:
        raise HTTPException(404)
    return {"text": f"{items[key].name} at {items[key].price:g} {CURRENCY}"}


@app.post("/items/{key}")
async def put_item(key: str, item: Item):
    items[key] = item
    await listeners.tell(f"new: {item.name}")
    return item.model_dump()


@app.post("/sell/{key}")
def sell(key: str):
    till = tills.setdefault(CURRENCY, Till())
    till.total += items[key].price
    return {"text": till.shown()}


@app.get("/tills/{currency}")
def show_till(currency: str):
    return {"text": tills[currency].shown()}


@app.websocket("/news")
async def news(socket: WebSocket):
    await listeners.connect(socket)
    try:
        while True:
            await socket.receive_text()
    except WebSocketDisconnect:
        listeners.disconnect(socket)
