"""What the body of a refused load registered with other modules of the project is taken out again, or named."""

from __future__ import annotations

import sys

import pytest

from helpers.gates import Loader
from midflight import code

BASE = """
import functools
from collections import deque


class Base:
    plugins = []
    by_name = {}
    last = None

    def __init_subclass__(cls):
        Base.plugins.append(cls)
        Base.by_name[cls.__name__] = cls
        Base.last = cls


ROUTES = {}
ORDER = []
EVENTS = {"sold": []}
QUEUE = deque()
ALL = set()
LAST = None


class Route:
    def __init__(self, path, function):
        self.path, self.function = path, function


def route(path):
    def register(function):
        global LAST
        ROUTES[path] = function
        ORDER.append(Route(path, function))
        QUEUE.append((path, function))
        ALL.add(functools.partial(function))
        LAST = function
        return function

    return register


def closed():
    hidden = []

    def add(function):
        hidden.append(function)
        return function

    return add, lambda: list(hidden)


add, hidden = closed()


def on(event):
    def register(function):
        EVENTS.setdefault(event, []).append(function)
        return function

    return register


class Bus:
    def __init__(self):
        self.handlers = []

    def add(self, function):
        self.handlers.append(function)


BUS = Bus()


@functools.singledispatch
def show(value):
    return "any"
"""

SHOP = """
from base import Base, add, on, route, show, BUS
import base


class Shop(Base):
    pass


@route("/")
def index():
    return 1


@route("/new")
def new():
    return 2


@on("sold")
def sold():
    pass


@on("bought")
def bought():
    pass


@add
def closed():
    pass


BUS.add(index)


@show.register
def show_int(value: int):
    return "int"
"""


def state(base):
    """What is registered with the base."""
    return (
        list(base.Base.plugins),
        dict(base.Base.by_name),
        base.Base.last,
        dict(base.ROUTES),
        list(base.ORDER),
        {key: list(value) for key, value in base.EVENTS.items()},
        list(base.QUEUE),
        set(base.ALL),
        base.LAST,
        base.hidden(),
        list(base.BUS.handlers),
        dict(base.show.registry),
        base.show(1),
    )


@pytest.fixture
def base(project):
    """Load a base with registries."""
    project.load_text("base", BASE)
    return sys.modules["base"]


def notes(caught, kind):
    """The notes of a refusal on what its body has done."""
    return [each.message for each in caught.value.report.refusals if each.code == kind]


ENDS = ["1 / 0\n", "def f():\n    return nonesuch, globals()\n"]


@pytest.mark.parametrize("end", ENDS)
def test_the_registries_of_others_hold_what_they_held(project, base, end):
    """A list, a dictionary, a set, a variable, of a class, an object, a closure: each is as it was."""
    project.load_text("shop", SHOP)
    before = state(base)

    with pytest.raises(code.LoadError) as caught:
        project.load_text("shop", SHOP.replace("pass", "x = 1").replace("return", "return 5 +") + end)

    assert state(base) == before
    assert notes(caught, "left-behind") == []
    (taken,) = notes(caught, "taken-back")
    for word in ("base.Base.plugins", "base.ROUTES", "base.ORDER", "base.LAST", "base.BUS.handlers", "base.show"):
        assert word in taken


@pytest.mark.parametrize("end", ENDS)
def test_so_it_is_at_a_first_load(project, base, end):
    """Nothing of the module is left with others."""
    before = state(base)

    with pytest.raises(code.LoadError):
        project.load_text("shop", SHOP + end)

    assert state(base) == before
    assert "shop" not in sys.modules


def test_a_load_that_is_done_registers(project, base):
    """The text, mended, is loaded as ever."""
    with pytest.raises(code.LoadError):
        project.load_text("shop", SHOP + "1 / 0\n")

    project.load_text("shop", SHOP)

    assert base.ROUTES["/"]() == 1
    assert len(base.Base.plugins) == 1
    assert base.show(1) == "int"


def test_what_others_register_meanwhile_stays(project, base, gates):
    """In the same containers, while the body runs."""
    text = SHOP + "GATES['body'].wait()\n1 / 0\n"
    found = Loader(lambda: project.load_text("shop", text))
    gates["body"].reached.wait(10)
    base.add(len)
    base.on("bought")(len)
    base.route("/other")(len)
    gates["body"].opened.set()

    error = found.outcome()

    assert isinstance(error, code.LoadError)
    assert base.hidden() == [len]
    assert len in base.EVENTS["bought"]
    assert {"/other": len} == base.ROUTES
    assert base.LAST is len
    assert [each.path for each in base.ORDER] == ["/other"]


def test_a_word_that_the_body_put_there_is_named(project, base):
    """A process may have put it there as well, so it stays."""
    project.load_text("conf", "SETTINGS = {}\n")

    with pytest.raises(code.LoadError) as caught:
        project.load_text("shop", "import conf\nconf.SETTINGS['debug'] = True\n1 / 0\n")

    (left,) = notes(caught, "left-behind")
    assert "conf.SETTINGS['debug']" in left
    assert sys.modules["conf"].SETTINGS == {"debug": True}


def test_a_patched_attribute_of_another_module_is_that_of_before(project, base):
    """As for a variable that its own function binds."""
    before = base.route

    with pytest.raises(code.LoadError):
        project.load_text("shop", "import base\ndef route(path): pass\nbase.route = route\n1 / 0\n")

    assert base.route is before


def test_a_dictionary_that_somebody_iterates_over_keeps_its_size(project, base):
    """Else the loop would end with an error; it is named."""
    base.ROUTES["/old"] = len
    loop = iter(base.ROUTES)
    next(loop)

    with pytest.raises(code.LoadError) as caught:
        project.load_text("shop", SHOP + "1 / 0\n")

    assert any("base.ROUTES" in each for each in notes(caught, "left-behind"))
    assert "/new" in base.ROUTES
