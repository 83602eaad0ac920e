"""`forward`: functions of older versions that others hold become the current ones where that is safe."""

from __future__ import annotations

import asyncio
import gc
import sys

import pytest

from midflight import code
from midflight.testing import TestRuntime

TEXT = """
def index(name="a"): return helper(), N, name
def helper(): return f"help {N}"
async def handler(request): return N, request
def numbers():
    while True: yield N
def make():
    base = 10
    def step(): return base, N
    return step
def counted(f):
    calls = []
    def wrapper(*a):
        calls.append(a)
        return f(*a)
    return wrapper
@counted
def decorated(): return N
class K:
    def on(self): return N
N = 1
"""


@pytest.fixture
def shop(project):
    project.load_text("shop", TEXT)
    return sys.modules["shop"]


KEPT = []  # where the search finds closures; before 3.13 not in the locals of a test


def load(project, text=TEXT, number=2):
    return project.load_text("shop", text.replace("N = 1", f"N = {number}"), forward=True)


def reasons(report):
    return {each.name: each.reason for each in report.not_forwarded}


def test_held_functions_are_the_current_ones(project, shop):
    """Whatever holds them has the same object, and calls the new version with the new defaults."""
    index, handler = shop.index, shop.handler
    held = {index: "router"}

    report = load(project, TEXT.replace('name="a"', 'name="b"'))

    assert report.forwarded == ("index", "handler")
    assert report.not_forwarded == ()
    assert report.held == ()
    assert index() == ("help 2", 2, "b")
    assert asyncio.run(handler("r")) == (2, "r")
    assert held[index] == "router"
    assert index.__globals__ is vars(shop)


def test_it_is_done_again_at_each_load(project, shop):
    """The held object is of the last version that it was forwarded to, and is found there."""
    index = shop.index

    for number in range(2, 6):
        assert load(project, number=number).forwarded == ("index",)
        assert index() == (f"help {number}", number, "a")
    gc.collect()

    assert not code.why_alive("shop", 2).is_alive
    assert project.load_text("shop", f"{TEXT}# old").held == (code.Held("index", 5, 1),)


def test_a_closure_is_forwarded_at_each_load(project, shop):
    """With the captures that it was made with."""
    KEPT[:] = [shop.make()]

    for number in range(2, 5):
        report = load(project, number=number)
        if report.holders is not None:
            report.holders.wait(60)
        assert KEPT[0]() == (10, number)


def test_the_verb_forwards_what_earlier_loads_left(project, shop):
    """Of every older version."""
    first = shop.index
    project.load_text("shop", TEXT.replace("N = 1", "N = 2"))
    second = shop.handler
    project.load_text("shop", TEXT.replace("N = 1", "N = 3"))

    report = code.forward("shop")

    assert (report.version, set(report.forwarded)) == (3, {"index", "handler"})
    assert (first(), asyncio.run(second("r"))) == (("help 3", 3, "a"), (3, "r"))
    assert code.forward("shop").forwarded == ()


def test_without_it_held_functions_stay_old(project, shop):
    """It is asked for."""
    index = shop.index

    report = project.load_text("shop", TEXT.replace("N = 1", "N = 2"))

    assert report.forwarded == ()
    assert index() == ("help 1", 1, "a")


@pytest.mark.parametrize(
    ("old", "new", "name", "reason"),
    [
        ("async def handler", "def handler", "handler", "it is async def, and def now"),
        ("def index(", "async def index(", "index", "it is def, and async def now"),
        ("while True: yield N", "return N", "numbers", "it is a generator, and def now"),
        ("def helper", "def gone", "helper", "the current version has no helper"),
        ("def helper(): ", "helper = 3\ndef other(): ", "helper", "helper is int now, not a function"),
        ('index(name="a")', "index(a, name)", "index", "its parameters are (name='a'), and now (a, name)"),
        ('index(name="a")', "index(*, name='a')", "index", "its parameters are (name='a'), and now (*, name='a')"),
        ('index(name="a")', "index()", "index", "its parameters are (name='a'), and now ()"),
    ],
)
def test_a_function_that_cannot_take_the_place_is_left(project, shop, old, new, name, reason):
    """With the reason."""
    held = getattr(shop, name)

    report = load(project, TEXT.replace(old, new).replace("return helper(), N, name", "return N"))

    assert reasons(report) == {name: reason}
    assert [each.name for each in report.held] == [name]
    assert held.__globals__ is not vars(shop)
    assert reason in code.text(report)


def test_more_parameters_with_defaults_are_taken(project, shop):
    """All calls of the old one work."""
    index = shop.index

    assert load(project, TEXT.replace('index(name="a")', 'index(name="a", *more, count=1)')).forwarded == ("index",)
    assert index("b") == ("help 2", 2, "b")


def test_what_old_code_reads_is_not_forwarded(project, shop):
    """A held function that stays old would call half of the new version."""
    index, helper = shop.index, shop.helper

    report = load(project, TEXT.replace('index(name="a")', "index(name)"))

    assert reasons(report) == {
        "index": "its parameters are (name='a'), and now (name)",
        "helper": "index stays old and reads it: versions would mix",
    }
    assert index() == ("help 1", 1, "a")
    assert helper() == "help 1"


def test_what_old_code_reads_through_others_is_not_forwarded_either(project):
    """By a function that nobody holds."""
    text = "def a(x): return b()\ndef b(): return c()\ndef c(): return N\nN = 1\n"
    project.load_text("shop", text)
    shop = sys.modules["shop"]
    held = [shop.a, shop.c]

    report = project.load_text("shop", text.replace("a(x)", "a()").replace("N = 1", "N = 2"), forward=True)

    assert reasons(report)["c"] == "b stays old and reads it: versions would mix"
    assert held[0](0) == 1


def test_what_a_process_in_the_old_version_reads_is_not_forwarded(project, runtime: TestRuntime):
    """It calls what it always called."""
    text = "from midflight import receive\nasync def loop(told):\n    while await receive() != 'stop':\n"
    text += "        told.append(helper())\ndef helper(): return N\ndef other(): return N\nN = 1\n"
    project.load_text("shop", text)
    shop = sys.modules["shop"]
    helper, other, told = shop.helper, shop.other, []
    pid = runtime.spawn(shop.loop, told)
    runtime.run_until_idle()

    report = project.load_text("shop", text.replace("N = 1", "N = 2"), forward=True)

    assert (report.forwarded, reasons(report)) == (
        ("other",),
        {"helper": "loop runs and reads it: versions would mix"},
    )
    pid << "tell"
    pid << "stop"
    runtime.run_until_idle()
    assert (told, helper(), other()) == ([1], 1, 2)


def test_what_methods_of_old_objects_read_is_not_forwarded(project):
    """An object of a superseded class runs old code, whenever somebody calls it."""
    text = "class K:\n    def on(self): return helper()\ndef helper(): return N\nN = 1\n"
    project.load_text("shop", text)
    shop = sys.modules["shop"]
    k, helper = shop.K(), shop.helper

    report = project.load_text("shop", text.replace("N = 1", "N = 2"), forward=True)

    assert reasons(report) == {"helper": "K.on is a method of an old class and reads it: versions would mix"}
    assert (k.on(), helper()) == (1, 1)


def test_a_bound_method_of_an_old_object_is_left(project, shop):
    """Its object is of the old class."""
    on = shop.K().on

    report = load(project)

    assert reasons(report) == {"K.on": "it is a method of K, which was superseded: migrate its objects"}
    assert on() == 1


def test_a_decorated_function_is_forwarded_with_what_it_wraps(project, shop):
    """The wrapper that somebody holds has the cells of the current one."""
    held = shop.decorated

    report = load(project)

    assert report.forwarded == ("counted.<locals>.wrapper",)
    assert held() == 2


def test_a_closure_gets_the_new_code_with_its_own_captures(project, shop):
    """When it is found: the search begins with the load."""
    KEPT[:] = [shop.make(), shop.make()]

    report = load(project, TEXT.replace("return base, N", "return N, base + 1"))

    assert {each.renewed for each in report.holders.wait(60) if each.renewed} == {"forwarded"}
    assert [step() for step in KEPT] == [(2, 11), (2, 11)]


def test_a_closure_whose_captures_changed_is_left(project, shop):
    """By their names: the new code would find nothing in its cells."""
    step = shop.make()

    report = load(
        project, TEXT.replace("base = 10", "base = other = 10").replace("return base, N", "return base, other")
    )

    assert reasons(report) == {"make.<locals>.step": "its captures changed: (base), now (base, other)"}
    assert step() == (10, 1)
