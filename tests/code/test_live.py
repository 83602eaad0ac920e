"""`live`: a callable that is always the current version, of the kind and with the signature of what it is."""

from __future__ import annotations

import asyncio
import gc
import inspect
import sys
from functools import partial

import pytest

from midflight import code, live
from midflight.testing import TestRuntime

TEXT = """
from midflight import live

def plain(a, b=1): return NUMBER, a, b

async def coroutine(request): return NUMBER, request

def generator(count):
    for _ in range(count): yield NUMBER
    return "end"

async def agenerator(count):
    for _ in range(count):
        try:
            sent = yield NUMBER
        except KeyError:
            sent = "caught"
        if sent: yield sent

@live
def decorated(): return NUMBER

class View:
    def __init__(self, request): self.request = request
    def get(self): return NUMBER, self.request

class App:
    def __init__(self): self.routes = [NUMBER]
    def __call__(self, environ, start): return [NUMBER, environ]

app = App()
short = lambda: NUMBER
"""

ASYNC_APP = """
class AsyncApp:
    async def __call__(self, scope, receive, send): return NUMBER
async_app = AsyncApp()
"""


def load(project, number, text=TEXT):
    return project.load_text("shop", f"NUMBER = {number}\n{text}")


@pytest.fixture
def shop(project):
    load(project, 1)
    return sys.modules["shop"]


def test_a_live_function_of_each_kind_calls_the_current_version(project, shop):
    """And is of that kind, for those who look once."""
    found = [live(each) for each in (shop.plain, shop.coroutine, shop.generator, shop.agenerator)]

    load(project, 2)

    async def collect(generator):
        return [each async for each in generator]

    plain, coroutine, generator, agenerator = found
    assert plain("x", b=3) == (2, "x", 3)
    assert asyncio.run(coroutine("r")) == (2, "r")
    assert list(generator(2)) == [2, 2]
    assert asyncio.run(collect(agenerator(2))) == [2, 2]
    assert inspect.iscoroutinefunction(coroutine)
    assert inspect.isgeneratorfunction(generator)
    assert inspect.isasyncgenfunction(agenerator)
    assert not inspect.iscoroutinefunction(plain)


def test_a_live_function_has_the_signature_of_the_current_version(project, shop):
    """Its documentation and its attributes, too."""
    found = live(shop.plain)
    assert str(inspect.signature(found)) == "(a, b=1)"

    load(
        project,
        2,
        TEXT.replace("def plain(a, b=1): return", 'def plain(a, *, c: int): "Doc."; return').replace(
            "a, b\n", "a, c\n", 1
        ),
    )

    assert str(inspect.signature(found)) == "(a, *, c: int)"
    assert (found.__name__, found.__doc__) == ("plain", "Doc.")
    assert found(1, c=2) == (2, 1, 2)


def test_there_is_one_live_callable_for_a_name(project, shop):
    """So `signal.disconnect(live(f))` finds it, whichever version of `f` it is given."""
    held = shop.plain
    found = live(held)

    load(project, 2)

    assert live(shop.plain) is found
    assert live(held) is found
    assert live("shop:plain") is found
    assert live(found) is found


def test_the_decorator_makes_the_name_itself_live(project, shop):
    """Who imported the name, and code of the version before, call the current version."""
    imported = shop.decorated
    assert imported() == 1

    load(project, 2)
    assert imported() == 2
    assert shop.decorated is imported

    load(project, 3, TEXT.replace("@live\n", ""))
    assert imported() == 3


def test_a_load_that_fails_leaves_the_decorated_function_as_it_was(project, shop):
    """The body has run the decorator by then."""
    with pytest.raises(code.LoadError):
        load(project, 2, f"{TEXT}\n1 / 0\n")

    assert shop.decorated() == 1


def test_a_live_class_makes_objects_of_the_current_one(project, shop):
    """As a router calls a view."""
    view = live(shop.View)

    load(project, 2)

    assert view("r").get() == (2, "r")


def test_a_live_method_and_partial_are_looked_up_too(project, shop):
    """A method of a class that was superseded is the new class's, bound to the same object."""
    method, part = live(shop.View("r").get), live(partial(shop.plain, 7))

    load(project, 2, TEXT.replace("return NUMBER, self.request", "return 'new', NUMBER"))

    assert method() == ("new", 2)
    assert part() == (2, 7, 1)


def test_a_live_application_is_the_one_that_the_name_means(project, shop):
    """Its attributes, too; what a lambda or an object is called is found by who binds it."""
    app, short = live(shop.app), live(shop.short)

    load(project, 2)

    assert app({}, None) == [2, {}]
    assert app.routes == [2]
    assert short() == 2
    assert repr(app) == "live('shop:app')"


def test_an_application_that_another_module_has_imported_is_the_first_ones(project, shop):
    """The module whose text makes it says what it is now, not the one that asks."""
    project.load_text("main", "from shop import app\nfrom midflight import live\nserver = live(app)\n")

    load(project, 2)

    assert sys.modules["main"].server({}, None) == [2, {}]


def test_two_names_for_one_object_are_refused(project):
    """Nobody can tell which of them is meant; one is said as a text."""
    project.load_text("shop", "class A:\n    def __call__(self): return 1\none = two = A()\n")
    shop = sys.modules["shop"]

    with pytest.raises(LookupError, match=r"Say which: live\('shop:one'\)"):
        live(shop.one)
    assert live("shop:two")() == 1


@pytest.mark.parametrize("value", ["shop", "shop:", "shop:nothing", "nowhere:f"])
def test_a_name_that_means_nothing_is_refused(shop, value):
    """When it is written, not when it is called."""
    with pytest.raises(LookupError):
        live(value)


def test_what_has_no_name_in_a_module_is_refused(shop):
    """A local function, and what cannot be called."""
    with pytest.raises(LookupError):
        live(lambda: None)
    with pytest.raises(TypeError, match="nothing was made"):
        live(3)


def test_a_name_that_is_gone_is_a_warning_and_an_error_of_the_call(project, shop):
    """The report says so at the load."""
    found = live(shop.plain)

    report = load(project, 2, TEXT.replace("def plain", "def other"))

    assert [each.message for each in report.warnings if each.code == "live"] == [
        "live(plain): shop has no plain any more; load it with that name, or register another one"
    ]
    with pytest.raises(LookupError, match="shop has no plain any more"):
        found(1)


def test_another_kind_is_a_warning(project, shop):
    """A framework looked at the kind when it was registered; a call of what was async still works."""
    found = live(shop.coroutine)

    report = load(project, 2, TEXT.replace("async def coroutine", "def coroutine"))

    assert "live(coroutine): it was registered as async def and is def now; register it again" in [
        each.message for each in report.warnings
    ]
    assert asyncio.run(found("r")) == (2, "r")


@pytest.mark.parametrize("name", ["plain", "coroutine", "generator", "agenerator", "View", "app", "async_app"])
def test_a_call_that_does_not_fit_raises_at_the_call(project, shop, name):
    """As one of the function itself does: not when its result is awaited or iterated."""
    load(project, 2, TEXT + ASYNC_APP)
    function = sys.modules["shop"].__dict__[name]
    for each in (function, live(function)):
        with pytest.raises(TypeError, match=r"missing \d required positional argument|takes .* positional argument"):
            each()


def test_a_live_asynchronous_application_is_one_for_those_who_ask(project):
    """Servers ask its `__call__`, or the call itself, without arguments."""
    load(project, 1, TEXT + ASYNC_APP)
    app = live("shop:async_app")

    load(project, 2, TEXT + ASYNC_APP)

    assert inspect.iscoroutinefunction(app.__call__)
    assert asyncio.run(app({"type": "http"}, None, None)) == 2


def test_a_live_async_function_is_awaited_whatever_the_current_one_returns(project, shop):
    """A generator stays one: the code that registered it expects that kind."""
    coroutine, generator = live(shop.coroutine), live(shop.generator)
    text = TEXT.replace("async def coroutine(request): return", "def coroutine(request): return asyncio.sleep(0,")
    text = text.replace("NUMBER, request\n", "(NUMBER, request))\n", 1)

    load(project, 2, f"import asyncio\n{text}\ndef generator(count): return [NUMBER] * count\n")

    assert asyncio.run(coroutine("r")) == (2, "r")
    assert list(generator(2)) == [2, 2]


def test_a_generator_ends_where_it_began(project, shop):
    """What is sent and thrown into an async one reaches it."""

    async def use():
        generator = live(shop.agenerator)(3)
        assert await anext(generator) == 1
        load(project, 2)
        assert await generator.asend("sent") == "sent"
        assert await anext(generator) == 1
        assert await generator.athrow(KeyError()) == "caught"
        await generator.aclose()
        plain = live(shop.generator)(1)
        assert next(plain) == 2
        with pytest.raises(StopIteration, match="end"):
            next(plain)

    asyncio.run(use())


def test_the_version_before_goes_though_it_was_live(project, shop):
    """A live callable keeps the current version only."""
    found = live(shop.plain)

    report = load(project, 2)
    for each in report.state:
        if each.outcome == "left":  # recoverable on purpose
            code.forget("shop", each.name)
    gc.collect()

    assert found(1) == (2, 1, 1)
    assert code.why_alive("shop", 1).is_alive is False


def test_a_process_that_old_code_runs_calls_a_live_function(project, runtime: TestRuntime):
    """`@live` is for code that must never be old, in whatever version its caller is."""
    text = """
    from midflight import live, receive
    @live
    def tell(): return NUMBER
    async def loop(told):
        while await receive() != "stop":
            told.append(tell())
    """
    told = []
    load(project, 1, inspect.cleandoc(text))
    pid = runtime.spawn(sys.modules["shop"].loop, told)
    runtime.run_until_idle()
    load(project, 2, inspect.cleandoc(text))

    pid << "go"
    pid << "stop"
    runtime.run_until_idle()

    assert told == [2]
