"""Registries that class statements and decorators fill: filled after a load, whether the class was kept or not."""

from __future__ import annotations

import sys

import pytest

from midflight import code

STATE = "REG = {}\nORDER = []\nSEEN = set()\n"
BASE = """
import state


class Base:
    def __init_subclass__(cls):
        state.REG[cls.__name__] = cls
        state.ORDER.append(cls)
        state.SEEN.add(cls)
"""
PLUGIN = "from base import Base\n\n\nclass First(Base):\n    pass\n\n\nclass Second(Base):\n    pass\n"


def checked():
    """Assert that the registries hold the current classes, each once."""
    state, plugin = sys.modules["state"], sys.modules["plugin"]
    classes = [plugin.First, plugin.Second]
    assert dict(state.REG) == dict(zip(["First", "Second"], classes, strict=True))
    assert [state.ORDER.count(each) for each in classes] == [1, 1]
    assert {each for each in state.SEEN if each in classes} == set(classes)


@pytest.fixture
def loaded(project):
    """Load a registry, a base class that fills it, and two plugins."""
    for name, text in (("state", STATE), ("base", BASE), ("plugin", PLUGIN)):
        project.load_text(name, text)
    checked()
    return project


TEXTS = {"state": STATE, "base": BASE, "plugin": PLUGIN}


@pytest.mark.parametrize(
    ("names", "changed"),
    [
        (["state", "base", "plugin"], {}),
        (["plugin", "base", "state"], {}),
        (["state", "base", "plugin"], {"plugin": PLUGIN.replace("pass", "x = 1", 1)}),
        (["state", "base", "plugin"], {"plugin": PLUGIN.replace("pass", "x = 1")}),
        (["state", "base", "plugin"], {"base": BASE.replace("class Base:", "class Base:\n    x = 1")}),
        (["state", "base", "plugin"], {"state": STATE.replace("{}", "dict()")}),
        (
            ["state", "base", "plugin"],
            {"state": "import collections\n" + STATE.replace("{}", "collections.OrderedDict()")},
        ),
        (["state", "plugin"], {}),
        (["state"], {}),
        (["state"], {"state": STATE + "x = 1\n"}),
        (["plugin"], {"plugin": PLUGIN.replace("pass", "x = 1")}),
        (["base", "plugin"], {"base": BASE.replace("class Base:", "class Base:\n    x = 1")}),
    ],
)
def test_a_registry_in_another_module_is_filled(loaded, names, changed):
    """Whichever of the modules are loaded, and whichever of the classes are kept."""
    code.load_many([(name, changed.get(name, TEXTS[name])) for name in names])

    checked()


OWN = """
REG = {}
HANDLERS = []


class Meta(type):
    def __init__(cls, name, bases, namespace):
        super().__init__(name, bases, namespace)
        REG[name] = cls


def handler(cls):
    HANDLERS.append(cls)
    return cls


@handler
class First(metaclass=Meta):
    pass


class Base:
    subclasses = []

    def __init_subclass__(cls):
        Base.subclasses.append(cls)


class Second(Base):
    pass
"""


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text,
        lambda text: text + "x = 1\n",
        lambda text: text.replace("REG = {}", "REG = dict()").replace("HANDLERS = []", "HANDLERS = list()"),
        lambda text: text.replace("class First(metaclass=Meta):\n    pass", "class First(metaclass=Meta):\n    x = 1"),
        lambda text: text.replace("class Second(Base):\n    pass", "class Second(Base):\n    x = 1"),
        lambda text: text.replace("    subclasses = []", "    x = 1\n    subclasses = []"),
    ],
)
def test_a_registry_of_the_module_itself_is_filled(project, edit):
    """By a metaclass, a decorator, a base class."""
    project.load_text("thing", OWN)

    project.load_text("thing", edit(OWN))

    thing = sys.modules["thing"]
    first = thing.First
    assert ({"First": first}, [first]) == (thing.REG, thing.HANDLERS)
    assert [each for each in thing.Base.subclasses if each is thing.Second] == [thing.Second]
