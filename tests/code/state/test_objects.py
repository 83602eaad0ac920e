"""Objects in a module's state: locks, sockets, what refers to them."""

from __future__ import annotations

import asyncio

import pytest

from midflight import code

from .conftest import kept, told

OBJECTS = """
import threading, socket
CALLS = []
class Cache:
    def __init__(self):
        self.items = {}
    def get(self): return 1
def make():
    return threading.Lock()
LOCK = threading.Lock()
made = make()
cache = Cache()
pair, other = threading.Lock(), threading.Lock()
def f(): return 1
"""


def test_an_object_is_kept_and_its_statement_does_not_run_again(thing):
    """A lock, what a function of the module makes, an object of a class of the module."""
    thing.load(OBJECTS)
    names = ("LOCK", "made", "cache", "pair", "other")
    before = [getattr(thing.module, name) for name in names]

    report = thing.edit("def f(): return 1", "def f(): return 2")

    assert [getattr(thing.module, name) for name in names] == before
    assert all(getattr(thing.module, name) is old for name, old in zip(names, before, strict=True))
    assert kept(report) == list(names)


def test_its_statement_does_not_run_again_and_so_opens_nothing_twice(thing):
    """A port can be bound once only."""
    thing.load("import socket\nSERVER = socket.create_server(('127.0.0.1', 0))\nPORT = SERVER.getsockname()[1]\n")
    server = thing.module.SERVER
    text = f"import socket\nSERVER = socket.create_server(('127.0.0.1', {thing.module.PORT + 0}))\n"
    server.close()
    thing.load(text)
    server = thing.module.SERVER

    thing.again()

    assert thing.module.SERVER is server
    server.close()


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("def make():\n    return threading.Lock()", "def make():\n    return threading.RLock()", "made"),
        ("LOCK = threading.Lock()", "LOCK = threading.RLock()", "LOCK"),
        ("self.items = {}", "self.items = {}; self.more = []", "cache"),
    ],
)
def test_an_object_that_would_be_made_otherwise_is_new_and_the_old_one_is_left_behind(thing, old, new, name):
    """The others stay."""
    thing.load(OBJECTS)
    before = getattr(thing.module, name)

    report = thing.edit(old, new)

    assert getattr(thing.module, name) is not before
    assert told(report, name)[0][0] == "left"
    assert code.recover("thing", name) is before


def test_an_object_that_is_made_with_a_value_that_differs_is_new(thing):
    """By value, whatever made it differ."""
    thing.load("import threading\nSLOTS = 2\nSEMAPHORE = threading.Semaphore(SLOTS)\n")
    old = thing.module.SEMAPHORE

    report = thing.edit("SLOTS = 2", "SLOTS = 3")

    assert thing.module.SEMAPHORE is not old
    assert "it is made with SLOTS, which differs" in told(report, "SEMAPHORE")[0][1]


def test_an_object_made_with_a_number_that_only_runs_on_is_kept(thing):
    """The running value of that stays, too."""
    thing.load("import threading\nSLOTS = 2\nSEMAPHORE = threading.Semaphore(SLOTS)\n")
    old = thing.module.SEMAPHORE
    thing.module.SLOTS = 5

    thing.again()

    assert thing.module.SEMAPHORE is old
    assert thing.module.SLOTS == 5


def test_an_object_whose_name_a_decorator_uses_is_made_again_and_it_is_said(thing):
    """As an application under `@app.get`."""
    thing.load(
        "class App:\n    def __init__(self): self.routes = {}\n    def get(self, path):\n        def add(f):\n"
        "            self.routes[path] = f\n            return f\n        return add\n"
        "app = App()\n@app.get('/')\ndef index(): return 1\n"
    )
    old = thing.module.app

    report = thing.edit("return 1", "return 2")

    assert thing.module.app is not old
    assert thing.module.app.routes["/"]() == 2
    ((outcome, why),) = told(report, "app")
    assert outcome == "new"
    assert "the body uses it at line 9" in why


def test_names_that_refer_to_each_other_are_kept_together(thing):
    """A store and the sessions in it; one object with two names."""
    thing.load(
        "SESSIONS = {}\nclass Store:\n    def __init__(self, s): self.s = s\nstore = Store(SESSIONS)\nA = B = {}\n"
        "def f(): return 1\n"
    )
    store, sessions = thing.module.store, thing.module.SESSIONS
    sessions["ada"] = 1
    thing.module.A["x"] = 1

    thing.edit("return 1", "return 2")

    assert thing.module.store is store
    assert thing.module.SESSIONS is sessions is store.s
    assert thing.module.A is thing.module.B
    assert thing.module.A == {"x": 1}


@pytest.mark.parametrize("held", ["self.s = s", "self.s = [s]", "self.s = {'s': s}", "self.get = lambda: s"])
def test_names_that_refer_to_each_other_are_never_one_old_and_one_new(thing, held):
    """The store is made otherwise: the new one has the sessions that the name has."""
    thing.load(
        f"SESSIONS = {{}}\nclass Store:\n    def __init__(self, s): {held}\nstore = Store(SESSIONS)\n"
        "def sessions():\n    found = store.get() if hasattr(store, 'get') else store.s\n"
        "    found = found[0] if type(found) is list else found\n    return found.get('s', found)\n"
    )
    sessions = thing.module.SESSIONS
    sessions["ada"] = 1

    thing.edit("Store(SESSIONS)", "Store(s=SESSIONS)")

    assert thing.module.SESSIONS is sessions
    assert thing.module.sessions() is sessions


def test_a_container_that_others_hold_out_of_reach_is_new_together_with_them(thing):
    """And the report says so."""
    thing.load("import itertools\nX = {}\nhold = itertools.repeat(X)\nhandle = hold\nuse = [].append\nuse(X)\n")
    old = thing.module.X
    old["a"] = 1

    report = thing.edit("repeat(X)", "repeat(X, 2)")

    assert thing.module.X is not old
    assert "other objects that the body made hold the new one" in told(report, "X")[0][1]


def test_an_asyncio_object_of_a_closed_loop_is_made_again_and_it_is_said(thing):
    """It could not be used any more."""
    thing.load("import asyncio\nEVENT = asyncio.Event()\nother = asyncio.Event()\n")
    old, other = thing.module.EVENT, thing.module.other

    async def wait():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(old.wait(), 0.001)

    asyncio.run(wait())
    report = thing.again()

    assert thing.module.EVENT is not old
    assert "it belongs to an event loop that is closed" in told(report, "EVENT")[0][1]
    assert thing.module.other is other
