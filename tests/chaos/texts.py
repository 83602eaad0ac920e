"""Texts of module versions: good ones, and those that a load must refuse without changing anything."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["BAD", "bad_text", "good_text", "text_number"]

GOOD = '''\
"""Players of {name}, text {text}."""

import {name}
from chaos.player import Switch
from midflight import GenServer, receive

TEXT = {text}
{extra}

async def start_tail(player):
    player.begin(TEXT)
    return loop(player)


async def loop(player):
    match await receive():
        case Switch():
            player.switch(TEXT)
            return {name}.loop(player)
        case message:
            await player.take(message, TEXT)
            return loop(player)


async def start_while(player):
    player.begin(TEXT)
    return loop_while(player)


async def loop_while(player):
    while True:
        message = await receive()
        if isinstance(message, Switch):
            player.switch(TEXT)
            return {name}.loop_while(player)
        await player.take(message, TEXT)


async def start_newest(player):
    player.begin(TEXT)
    return {name}.newest(player)


async def newest(player):
    message = await receive()
    if not isinstance(message, Switch):
        await player.take(message, TEXT)
    else:
        player.switch(TEXT)
    return {name}.newest(player)


class Server(GenServer):
    def init(self, player):
        self.player = player
        self.changes = 0
        player.begin(TEXT)

    async def handle_call(self, request, client):
        self.player.see(TEXT)
        return request, TEXT, self.changes

    async def handle_info(self, message):
        if isinstance(message, Switch):
            self.player.switch(TEXT)
        else:
            await self.player.take(message, TEXT)

    async def handle_cast(self, message):
        await self.handle_info(message)

    def terminate(self, reason):
        self.player = None

    def code_change(self, old_vsn, extra):
        {change}
'''

EXTRA = (
    "",
    "\nLIMITS = {'a': 1, 'b': [1, 2, 3]}\n",
    "\nfrom dataclasses import dataclass\n\n\n@dataclass(frozen=True)\nclass Point:\n    x: int\n    y: int = 0\n",
    "\nfrom enum import Enum\n\n\nclass Colour(Enum):\n    RED = 1\n    BLUE = 2\n",
    "\nimport asyncio\n\nGATE = asyncio.Lock()\n",
    "\nfrom midflight import code\n\n\n@code.on_load\ndef loaded():\n    COUNTS.append(TEXT)\n\n\nCOUNTS = []\n",
    "\nfrom midflight import code\n\nTABLE = code.once('table', dict)\n",
    "\nfrom midflight import code\n\n\n@code.on_load\ndef loaded():\n    raise RuntimeError('on_load')\n",
    "\nfrom midflight import code\n\n\n@code.on_unload\ndef unloaded():\n    raise RuntimeError('on_unload')\n",
    "\nclass Tree:\n    def __init__(self, *children):\n        self.children = children\n\n\nROOT = Tree(Tree())\n",
)
"""What a version may have beside its players; the choice changes from version to version."""

CHANGE = "self.changes += 1"
FAILING_CHANGE = "raise ValueError('this code_change fails')"


def good_text(name: str, text: int, extra: int = 0, *, change_fails: bool = False) -> str:
    """Return a text that loads. `extra` chooses what else is in it; `change_fails` makes its code_change raise."""
    change = FAILING_CHANGE if change_fails else CHANGE
    return GOOD.format(name=name, text=text, extra=EXTRA[extra % len(EXTRA)], change=change)


ODD_CASE = "        case ('odd', _):\n            surely()\n        case Switch():"
LAST_CALL = "return {name}.newest(player)\n\n\nclass"

BAD: dict[str, Callable[[str], str]] = {
    "syntax": lambda text: text + "\ndef broken(:\n    pass\n",
    "indentation": lambda text: text + "\n  def broken():\n pass\n",
    "nul": lambda text: text + "\nx = '\0'\n",
    "body raises": lambda text: text + "\nraise RuntimeError('the body')\n",
    "body exits": lambda text: text + "\nraise SystemExit(3)\n",
    "import of nothing": lambda text: text + "\nimport a_module_that_nobody_has\n",
    "half a body": lambda text: text.replace("class Server", "undefined_at_all()\n\n\nclass Server"),
    "undefined name": lambda text: text.replace("        case Switch():", ODD_CASE),
    "not awaited": lambda text: text.replace(LAST_CALL.format(name=_name(text)), "loop(player)\n\n\nclass"),
    "no loop": lambda text: text.replace("async def loop(player)", "async def another(player)"),
}
"""How a good text is spoilt, by what is wrong then. Each must be refused."""


def text_number(source: str) -> int:
    """Return the number of a text."""
    return int(source.partition("\nTEXT = ")[2].partition("\n")[0])


def _name(text: str) -> str:
    return text.partition("import ")[2].partition("\n")[0]


def bad_text(name: str, text: int, what: str) -> str:
    """Return a text that must be refused, for the reason `what` of BAD."""
    return BAD[what](good_text(name, text))
