"""A service on FastAPI and uvicorn: routes by decorators, pydantic models, a websocket, items in a dict."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from real.harness import DEADLINE_SECONDS, Edit, EveryEdit, Running, Start


class Service(Running):
    """The service with one item, one sale and one listener."""

    folder = "fastapi_service"

    def begin(self) -> None:
        self._stack = ExitStack()
        address = f"127.0.0.1:{self.port}"
        self._http = self._stack.enter_context(httpx.Client(base_url=f"http://{address}", trust_env=False))
        self.news = self._stack.enter_context(connect(f"ws://{address}/news", proxy=None))
        self.put("tea", name="Tea", price=3)
        self.post("/sell/tea")

    def end(self) -> None:
        self._stack.close()

    def put(self, key: str, **fields: object) -> tuple[Any, str | bytes]:
        """Put an item there; return the answer and what the listener hears."""
        answer = self._http.post(f"/items/{key}", json=fields)
        return answer.json(), self.news.recv(DEADLINE_SECONDS)

    def post(self, path: str) -> str:
        """Return the text of the answer."""
        return str(self._http.post(path).json()["text"])

    def get(self, path: str) -> str:
        """Return the text of a page, or the status of what has none."""
        answer = self._http.get(path)
        return str(answer.json()["text"]) if answer.status_code == 200 else str(answer.status_code)

    def state(self) -> object:
        """The item and the sum are there, and the listener still hears of what is new."""
        _, heard = self.put("milk", name="Milk", price=1)
        return self.get("/items/tea")[:3], self.get("/tills/EUR")[-1], str(heard)[-4:]


class LiveService(Service):
    """The service, of which uvicorn has the live application."""

    def __init__(self, place: Path, runtime: Path, *, forward: bool = True) -> None:
        super().__init__(place, runtime, forward=forward)
        app = self.root / "app.py"
        text = app.read_text(encoding="utf-8").replace("Config(service.app,", "Config(live(service.app),")
        assert "live(" in text
        app.write_text(f"{text}\n\nfrom midflight import live\n", encoding="utf-8")


def tea(service: Service) -> str:
    return service.get("/items/tea")


TAX = """\
@app.get("/taxes/{key}")
def tax(key: str):
    return {"text": str(items[key].tax)}


"""


class ServiceOfItsOwn(Service):
    """The service as `python own_main.py`, which has one line for Midflight: `midflight.serve_in_background()`."""

    command = (sys.executable, "own_main.py")


class TestService(EveryEdit):
    """The list, for the service."""

    program = Service
    handler = Edit(
        "service.py",
        ((".name} at {", ".name} for {"),),
        look=tea,
        before="Tea at 3 EUR",
        after="Tea for 3 EUR",
        changed=("read_item",),
        says=("items",),
    )
    again = Edit(
        "service.py",
        ((".name} for {", ".name}: {"),),
        look=tea,
        before="Tea for 3 EUR",
        after="Tea: 3 EUR",
        changed=("read_item",),
        says=("items",),
    )
    method = Edit(
        "service.py",
        (('f"sum {self', 'f"total {self'),),
        look=lambda service: service.get("/tills/EUR"),
        before="sum 3",
        after="total 3",
        changed=("Till.shown",),
        says=("tills",),
    )
    constant = Edit(
        "service.py",
        (('CURRENCY = "EUR"', 'CURRENCY = "CHF"'),),
        look=tea,
        before="Tea at 3 EUR",
        after="Tea at 3 CHF",
        changed=("CURRENCY",),
    )
    added = Edit(
        "service.py",
        (
            ("    price: float\n", "    price: float\n    tax: int = 19\n"),
            ('@app.websocket("/news")', TAX + '@app.websocket("/news")'),
        ),
        look=lambda service: (service.put("oil", name="Oil", price=2)[0].get("tax"), service.get("/taxes/tea")),
        before=(None, "404"),
        after=(19, "19"),
        added=("tax",),
        changed=("Item",),
        says=("Item",),
    )
    renamed = Edit(
        "service.py",
        (("async def read_item", "async def show_item"), (".name} at {", ".name} costs {")),
        look=tea,
        before="Tea at 3 EUR",
        after="Tea costs 3 EUR",
        added=("show_item",),
        removed=("read_item",),
    )


@pytest.mark.parametrize("forward", [True, False])
def test_a_live_application_takes_websockets(start: Start, forward: bool) -> None:
    """Uvicorn calls an application without arguments, to learn whether it is a factory; a handshake comes after."""
    handler, added = TestService.handler, TestService.added
    with start(LiveService, forward=forward) as service:
        state = service.state()
        for edit in (handler, added):
            service.write(edit)
            assert service.load(edit.file)["status"] == "loaded"

        assert tea(service) == "Tea for 3 EUR"
        assert added.look(service) == added.after
        assert service.state() == state


class TestServiceOfItsOwn(TestService):
    """The same list for the program that serves itself: no websocket is dropped, and everything is told."""

    program = ServiceOfItsOwn
