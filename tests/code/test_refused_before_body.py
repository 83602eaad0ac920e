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
