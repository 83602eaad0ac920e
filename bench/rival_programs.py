"""Edits of programs as people have them that rivals are compared by: routers, registries, locks, state, packages."""

from __future__ import annotations

import asyncio
import gc
import pickle
import weakref

from rival_edit import age, edit, tried, until
from rival_edits import EDITS, MIDFLIGHT

__all__ = ["EDITS", "MIDFLIGHT"]  # of both files, those of one module first


@edit("a router holds a handler", "def index():\n    return 1\n", "def index():\n    return 2\n")
class router_handler:
    async def before(m, kept):
        kept.routes = {"/": m.index}

    async def after(m, kept):
        return f"its route answers: {tried(kept.routes['/'])}"


SESSIONS = "SESSIONS = {}\nLIMIT = 1\n\ndef enter(name):\n    SESSIONS[name] = LIMIT\n    return LIMIT\n"


@edit("a dictionary of the module was filled", SESSIONS, SESSIONS.replace("LIMIT = 1", "LIMIT = 2"))
class filled_dictionary:
    async def before(m, _):
        m.enter("Ada")

    async def after(m, _):
        answer = tried(lambda: m.enter("Bob"))
        return f"m.enter: {answer}; sessions {'kept' if 'Ada' in m.SESSIONS else 'lost'}"


LOCKED = """
import asyncio

LOCK = asyncio.Lock()

async def work(inside, leave):
    async with LOCK:
        inside.append({})
        await leave.wait()
"""


@edit("a task holds a lock of the module", LOCKED.format(1), LOCKED.format(2))
class lock:
    async def before(m, kept):
        kept.inside, kept.leave = [], asyncio.Event()
        kept.tasks = [asyncio.ensure_future(m.work(kept.inside, kept.leave))]
        await until(lambda: kept.inside)

    async def after(m, kept):
        kept.tasks.append(asyncio.ensure_future(m.work(kept.inside, kept.leave)))
        for _ in range(5):
            await asyncio.sleep(0)
        both = len(kept.inside) == 2
        kept.leave.set()
        await asyncio.gather(*kept.tasks)
        return f"{'two tasks are inside at once' if both else 'the next one waits'}; then {age(kept.inside[1])}"


REGISTRY = """
PLUGINS = {{}}

def plugin(function):
    PLUGINS[function.__name__] = function
    return function

@plugin
def own():
    return {}
"""


@edit("a registry, which others fill too", REGISTRY.format(1), REGISTRY.format(2))
class registry:
    async def before(m, kept):
        kept.plugins = m.PLUGINS

        @m.plugin
        def other():
            return 1

    async def after(m, kept):
        others = "there" if "other" in m.PLUGINS else "gone"
        return f"PLUGINS: {tried(m.PLUGINS['own'])}; where it is held: {tried(kept.plugins['own'])}; others' {others}"


LISTENER = """
class Listener:
    def on(self):
        return 1

def size():
    return {}
"""


@edit("a bound method listens, held weakly", LISTENER.format(1), LISTENER.format(2))
class listener:
    async def before(m, kept):
        kept.object = m.Listener()
        kept.weak, kept.listeners = weakref.WeakMethod(kept.object.on), [kept.object.on]

    async def after(m, kept):
        gc.collect()
        heard = "hears" if kept.weak() is not None else "is gone"
        found = "found" if kept.object.on in kept.listeners else "not found"
        return f"m.size: {tried(m.size)}; the listener {heard}; to remove it: {found}"


IMPORTED = """
import enum

class Kind(enum.Enum):
    TEA = 1

class Price:
    def __init__(self, net):
        self.net = net

    def gross(self):
        return self.net * {}
"""


@edit("the first edit of a module that was imported", IMPORTED.format(1), IMPORTED.format(2))
class first_edit:
    async def before(m, kept):
        kept.tea, kept.price = m.Kind.TEA, m.Price(1)

    async def after(m, kept):
        same = "equals" if kept.tea == m.Kind.TEA else "differs from"
        try:
            pickled = "pickles" if pickle.loads(pickle.dumps(kept.tea)) is m.Kind.TEA else "pickles to another"
        except pickle.PicklingError:
            pickled = "does not pickle"
        return f"new objects: {tried(m.Price(1).gross)}; kept TEA {same} TEA and {pickled}"


ENUM_STATE = """
import enum

class Light(enum.Enum):
    RED = 1
    GREEN = 2

STATE = {{}}

def stop():
    STATE["light"] = Light.RED

def answer():
    return {} if STATE.get("light") is Light.RED else "another branch"
"""


@edit("a member of an enum is in the module's state", ENUM_STATE.format(1), ENUM_STATE.format(2))
class enum_in_state:
    async def before(m, _):
        m.stop()

    async def after(m, _):
        return f"m.answer: {tried(m.answer)}"


def _package(number: int) -> dict[str, str]:
    return {
        "m.py": "from shop import total\n\ndef answer():\n    return total()\n",
        "shop/__init__.py": "from shop.bill import total\n",
        "shop/bill.py": f"from shop.tax import tax\n\ndef total():\n    return ({number}, tax())\n",
        "shop/tax.py": f"def tax():\n    return {number}\n",
    }


@edit("two modules of a package, which import from each other", _package(1), _package(2))
class package:
    async def before(m, kept):
        import shop

        kept.shop = shop

    async def after(m, kept):
        parts = dict(zip(("bill", "tax"), kept.shop.total(), strict=True))
        return f"by the package: {', '.join(f'{name} {age(part)}' for name, part in parts.items())}"


LIVING = """
ROBOTS = []

class Robot:
    def answer(self):
        return {}

def build():
    ROBOTS.append(Robot())
"""


@edit("a method, whose objects are in a global list", LIVING.format(1), LIVING.format(2))
class method_of_living:
    async def before(m, kept):
        m.build()
        kept.robots = m.ROBOTS

    async def after(m, kept):
        if not m.ROBOTS:
            return "the list is empty"
        robot = m.ROBOTS[0]
        same = "the same list" if kept.robots is m.ROBOTS else "another list"
        return f"the object there: {tried(robot.answer)}, is a Robot: {isinstance(robot, m.Robot)}; {same}"


CACHED = """
import functools

def rate():
    return {}

@functools.cache
def price(name):
    return rate()
"""


@edit("results are cached, what they are made of is changed", CACHED.format(1), CACHED.format(2))
class result_cache:
    async def before(m, _):
        m.price("tea")

    async def after(m, _):
        return f"a result cached before: {tried(lambda: m.price('tea'))}"
