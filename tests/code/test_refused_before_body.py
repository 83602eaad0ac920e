"""A load that the text alone refuses has run no body, and one whose body has run says what that has touched."""

from __future__ import annotations

import sys

import pytest

from midflight import code

BASE = """
class Base:
    plugins = []

    def __init_subclass__(cls):
        Base.plugins.append(cls)


ROUTES = {}


def route(path):
    def register(function):
        ROUTES[path] = function
        return function

    return register
"""

SHOP = """
from base import Base, route


class Shop(Base):
    pass


@route("/")
def index():
    return 1
"""


@pytest.fixture
def shop(project):
    """Load a base with registries, and a module that fills them."""
    project.load_text("base", BASE)
    project.load_text("shop", SHOP)
    return project


@pytest.mark.parametrize(
    "line",
    ["def f():\n    return nonesuch\n", "async def loop():\n    return loop()\nasync def g():\n    loop()\n"],
)
def test_what_the_text_alone_refuses_runs_no_body(shop, line):
    """The registries of others hold what they held."""
    base = sys.modules["base"]
    before = list(base.Base.plugins), dict(base.ROUTES)

    with pytest.raises(code.LoadError):
        code.load("shop", SHOP.replace("pass", "x = 1") + line)

    assert (base.Base.plugins, base.ROUTES) == before


def test_of_several_none_runs_if_the_text_of_one_is_refused(shop):
    """Though the others would come first."""
    base = sys.modules["base"]
    before = list(base.Base.plugins)

    with pytest.raises(code.LoadError):
        code.load_many(
            [("shop", SHOP.replace("pass", "x = 1")), ("desk", "import shop\ndef f():\n    return nonesuch\n")]
        )

    assert base.Base.plugins == before


@pytest.mark.parametrize(
    "text",
    [
        "globals()['late'] = 1\ndef f():\n    return late\n",
        "exec('late = 1')\ndef f():\n    return late\n",
        "from os.path import *\ndef f():\n    return join\n",
        "import enum\n@enum.global_enum\nclass C(enum.Enum):\n    RED = 1\ndef f():\n    return RED\n",
        "import sys\nsetattr(sys.modules[__name__], 'late', 1)\ndef f():\n    return late\n",
    ],
)
def test_names_that_only_the_run_of_the_body_makes_are_no_reason(project, text):
    """They are there when the checks look again."""
    assert project.load_text("thing", text).version == 1


# --- A body that has run -------------------------------------------------------------------------------------


def left(report):
    """The notes of a refusal on what its body has left behind."""
    return [each.message for each in report.refusals if each.code == "left-behind"]


@pytest.fixture
def installed(project, monkeypatch):
    """Give a function that writes a module as an installed one, whose containers nobody changes but itself."""
    monkeypatch.syspath_prepend(project.path("site-packages"))
    return lambda name, text: project.write(f"site-packages/{name}.py", text)


@pytest.mark.parametrize("end", ["1 / 0\n", "def f():\n    return nonesuch, globals()\n"])
def test_a_refusal_says_where_libraries_hold_what_the_body_made(project, installed, end):
    """A list that a base class keeps, and a dictionary of a decorator; a reader of that can take it out."""
    installed("base", BASE)
    project.load_text("shop", SHOP)

    with pytest.raises(code.LoadError) as caught:
        code.load("shop", SHOP.replace("pass", "x = 1") + end)

    (note,) = left(caught.value.report)
    assert "base.Base.plugins" in note
    assert "base.ROUTES" in note
    assert note.startswith("the body of shop had run")
    assert "left-behind" not in str(caught.value)


OBJECT = """
class Bus:
    def __init__(self):
        self.handlers = []

BUS = Bus()

def add(f):
    BUS.handlers.append(f)
"""


@pytest.mark.parametrize(
    ("held", "where"),
    [
        (
            OBJECT,
            "base.BUS",
        ),
        ("class Bus:\n    handlers = {}\ndef add(f):\n    Bus.handlers[f] = 1\n", "base.Bus.handlers"),
        ("LAST = None\ndef add(f):\n    global LAST\n    LAST = f\n", "base.LAST"),
        ("import functools\nALL = set()\ndef add(f):\n    ALL.add(functools.partial(f))\n", "base.ALL"),
    ],
)
def test_each_kind_of_registry_is_named(project, installed, held, where):
    """An attribute of an object, of a class, a name, a set of partials."""
    installed("base", held)

    with pytest.raises(code.LoadError) as caught:
        project.load_text("shop", "from base import add\ndef f():\n    pass\nadd(f)\n1 / 0\n")

    (note,) = left(caught.value.report)
    assert where in note


def test_a_body_that_touched_nobody_leaves_no_note(project):
    """What it made goes with it."""
    project.load_text("shop", "class K:\n    pass\n")

    with pytest.raises(code.LoadError) as caught:
        project.load_text("shop", "import json\nclass K:\n    x = 1\nALL = [K]\ndef f(): pass\n1 / 0\n")

    assert left(caught.value.report) == []
