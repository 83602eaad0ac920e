"""The report of a load says which functions of older versions others hold, how many times, and then who."""

from __future__ import annotations

import asyncio
import atexit
import functools
import gc
import signal
import sys
import types
import weakref

import pytest

from midflight import code
from midflight.code.held.search import WHERE_ELSE

TEXT = """
import functools
N = 1

def deco(f):
    @functools.wraps(f)
    def wrapper(*a): return f(*a)
    return wrapper

@deco
def index(): return N
def plain(x=index): return N
def free(): pass
def numbers():
    while True: yield N
def make():
    n = 1
    def handler(): return n
    return handler
TABLE = [plain, free]
class K:
    def on(self): return N
    def free(self): return N
    @staticmethod
    def static(): return N
    @functools.cached_property
    def lazy(self): return N
class L(K): pass
once = make()
short = lambda: N
"""


@pytest.fixture
def shop(project):
    project.load_text("shop", TEXT)
    return sys.modules["shop"]


def load(project, text=TEXT):
    return project.load_text("shop", text.replace("N = 1", "N = 2"))


def held(report):
    return {(each.name, each.version): each.count for each in report.held}


def test_a_load_that_nobody_is_touched_by_names_nothing(project, shop):
    """Functions that the module itself has, in tables, classes, closures and defaults, are nobody else's."""
    report = load(project)

    assert report.held == ()
    assert report.holders is None


def test_functions_that_others_hold_are_counted(project, shop):
    """However they are held: in a list, an attribute, a partial, a default, a class, as a bound method."""
    k = shop.K()

    class Holder:
        at = shop.K.static

        def f(self, default=shop.short):
            return default

    holders = [Holder, [shop.index, shop.index], functools.partial(shop.free), k.on, {"a": (shop.plain,)}, k.free]

    report = load(project)

    assert held(report) == {
        ("index", 1): 2,
        ("plain", 1): 1,
        ("free", 1): 1,
        ("K.on", 1): 1,
        ("K.free", 1): 1,
        ("K.static", 1): 1,
        ("<lambda>", 1): 1,
    }
    assert holders


def test_a_method_that_comes_back_by_a_weak_reference_is_held(project):
    """Nobody held anything of its version when loads looked at that, and the garbage collector has not come since."""
    text = TEXT.replace("class K:", "class K:\n    number = {0}").replace("N = 1", "N = {0}")
    gc.disable()
    try:
        project.load_text("shop", text.format(1))
        reference = weakref.ref(sys.modules["shop"].K)
        for number in range(2, 5):
            assert project.load_text("shop", text.format(number)).held == ()

        holder = [reference()().on]

        assert held(project.load_text("shop", text.format(5))) == {("K.on", 1): 1}
        assert holder
    finally:
        gc.enable()


def test_a_function_in_a_copy_of_a_container_of_the_module_is_held(project, shop):
    """The container itself is state, which has the new functions."""
    table, copy = shop.TABLE, list(shop.TABLE)

    report = load(project)

    assert held(report) == {("plain", 1): 1, ("free", 1): 1}
    assert copy
    assert table == [shop.plain, shop.free]


DECORATED = """
import other
@other.wrapped
def index(): pass
@other.Command
def command(): pass
"""
OTHER = """
import functools
def wrapped(f):
    @functools.wraps(f)
    def wrapper(*a): return f(*a)
    return wrapper
class Command:
    def __init__(self, f): self.f = f
"""


def test_a_function_that_another_modules_decorator_wraps_is_the_modules_own(project):
    """A wrapper or an object that only the version has is no holder; if somebody else has it, it is one."""
    project.load_text("other", OTHER)
    project.load_text("shop", DECORATED)
    shop = sys.modules["shop"]
    assert project.load_text("shop", f"{DECORATED}# 2").held == ()

    router = [shop.index, [shop.command]]
    report = project.load_text("shop", f"{DECORATED}# 3")

    assert held(report) == {("index", 2): 2, ("command", 2): 1}  # a wrapper has it twice
    assert router


def test_closures_are_counted(project, shop):
    """Nobody has their function but who was given it; that the module has one itself is not told."""
    handlers = [shop.make(), shop.make()]

    report = load(project)

    assert [(each.name, each.count, each.is_closure) for each in report.held] == [("make.<locals>.handler", 2, True)]
    assert handlers


def test_a_suspended_call_is_held(project, shop):
    """A generator refers to its function."""
    generator = shop.numbers()
    next(generator)

    report = load(project)

    assert held(report) == {("numbers", 1): 1}


def test_functions_of_every_older_version_are_named(project, shop):
    """What was held before the last load is old still."""
    first = shop.free
    load(project)
    second = shop.index
    report = load(project, f"{TEXT}\n# other")

    assert held(report) == {("index", 2): 1, ("free", 1): 1}
    assert first is not second


def test_a_function_stays_named_while_newer_versions_wait_for_the_garbage_collector(project):
    """However many they are: nobody holds anything of those, so they are not looked at again."""
    project.load_text("shop", "def handler(): return 0")
    router = [sys.modules["shop"].handler]
    gc.disable()
    try:
        reports = [project.load_text("shop", f"def handler(): return {number}") for number in range(1, 13)]
    finally:
        gc.enable()

    assert [held(report) for report in reports] == [{("handler", 1): 1}] * 12
    assert router[0]() == 0


def test_what_nobody_holds_any_more_is_not_named(project, shop):
    """The count is that of the moment."""
    function = shop.free
    load(project)
    del function

    assert load(project, f"{TEXT}\n# other").held == ()


def test_processes_that_run_a_function_do_not_hold_it(project, runtime):
    """They are named as those who linger."""
    text = "from midflight import receive\nasync def loop():\n    await receive()\n    await helper()\n"
    text += "async def helper():\n    await receive()\n"
    project.load_text("shop", text)
    pids = [runtime.spawn(sys.modules["shop"].loop) for _ in range(3)]
    runtime.run_until_idle()
    pids[0] << "go"
    runtime.run_until_idle()

    report = project.load_text("shop", f"{text}#")

    assert len(report.lingering) == 3
    assert report.held == ()
    for _ in range(2):
        for pid in pids:
            pid << "end"
        runtime.run_until_idle()


def test_processes_in_another_version_of_a_function_do_not_count_as_its_frames(project, runtime):
    """Its text is the same there, so the code objects are equal: they are told apart all the same."""
    text = "from midflight import receive\nasync def loop():\n    await receive()\nN = {}\n"
    project.load_text("shop", text.format(1))
    router = [sys.modules["shop"].loop]
    project.load_text("shop", text.format(2))
    pids = [runtime.spawn(sys.modules["shop"].loop) for _ in range(3)]
    runtime.run_until_idle()

    report = project.load_text("shop", text.format(3))

    assert held(report) == {("loop", 1): 1}
    assert router[0].__globals__["N"] == 1
    for pid in pids:
        pid << "stop"
    runtime.run_until_idle()


def test_a_function_of_the_same_text_is_counted_in_each_version_by_itself(project):
    """One that others hold, and closures."""
    text = "N = {}\ndef g(): return 1\ndef make():\n    def inner(): return 1\n    return inner\n"
    held_by_others = []
    for number in range(1, 4):
        project.load_text("shop", text.format(number))
        shop = sys.modules["shop"]
        held_by_others += [shop.g] * number + [shop.make() for _ in range(number)]

    report = project.load_text("shop", text.format(4))

    names = ("g", "make.<locals>.inner")
    assert held(report) == {(name, number): number for name in names for number in (1, 2, 3)}
    assert len(held_by_others) == 12


NESTED = """
import told
from midflight import code
@code.on_load
def again():
    if DEPTH < 6:
        told.load(DEPTH + 1)
"""


@pytest.mark.parametrize("where", ["no runtime", "a process", "another thread"])
def test_a_load_hook_that_loads_is_held_by_nobody(project, runtime, monkeypatch, where):
    """It runs in each of the versions, whose frames wait for each other; they are no holders."""
    reports = []
    path = project.write("thing.py", "")

    def load(depth=1):
        reports.append(code.load(path, f"DEPTH = {depth}\n{NESTED}"))

    async def main():
        load() if where == "a process" else await asyncio.to_thread(load)

    monkeypatch.setitem(sys.modules, "told", types.SimpleNamespace(load=load))
    load() if where == "no runtime" else runtime.run(main)

    assert sys.modules["thing"].DEPTH == 6
    assert [held(report) for report in reports] == [{}] * 6


def test_a_load_by_an_old_function_does_not_hold_it(project):
    """A function that runs on a thread is not held by its own frame."""
    text = "def load(): return LOAD()\nLOAD = None\n"
    project.load_text("shop", text)
    shop = sys.modules["shop"]
    shop.LOAD = lambda: project.load_text("shop", f"{text}#")

    report = shop.load()

    assert report.held == ()


# --- Who ------------------------------------------------------------------------------------------------------


def texts(report):
    return sorted((f"{each.name}: {each.text}" for each in report.holders.wait(60)), reverse=True)


def test_the_holders_are_found_by_names_that_people_know(project, shop):
    """Module and name, a class, an object, a bound method."""
    project.load_text(
        "main",
        """
        import shop
        handlers = {"/": shop.index}
        class Route:
            def __init__(self, handler): self._handler = handler
        class Server:
            default = shop.free
        class Router:
            def __init__(self): self.routes = [Route(shop.plain)]
        router = Router()
        on = shop.K().on
        """,
    )

    report = load(project)

    assert texts(report) == [
        "plain: main.router, in an object of Route",
        "index: main.handlers",
        "free: main.Server, in class Server",
        "K.on: main.on, as a bound method",
    ]


def test_closures_are_found_too(project, shop):
    """By their code."""
    project.load_text("main", "import shop\nhandlers = [shop.make(), shop.make()]\n")

    assert texts(load(project)) == ["make.<locals>.handler: main.handlers"] * 2


def test_timers_callbacks_and_signals_are_found(project, shop):
    """The event loop has them, and the signal module in C."""

    async def main():
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(asyncio.sleep(60))
        task.add_done_callback(shop.index)
        timer = loop.call_later(60, shop.free)
        before = signal.signal(signal.SIGUSR1, shop.plain)
        report = await asyncio.to_thread(load, project)
        try:
            return sorted({f"{each.name}: {each.text}" for each in await report.holders})
        finally:
            signal.signal(signal.SIGUSR1, before)
            timer.cancel()
            task.cancel()

    found = asyncio.run(main())
    assert found[-1] == "plain: the handler of SIGUSR1"
    assert [each.partition(":")[0] for each in found] == ["free", "index", "plain"]


def test_the_frames_of_a_traceback_hold_nothing(project, shop):
    """They are over. A shell's history has tracebacks, and so has a supervisor's last message."""
    project.load_text("till", "def pay(amount):\n    return 1 / amount\n")
    with pytest.raises(ZeroDivisionError) as caught:
        sys.modules["till"].pay(0)

    report = project.load_text("till", "def pay(amount):\n    return 2 / amount\n")

    assert caught.value.__traceback__ is not None
    assert report.held == ()


def test_the_frame_of_a_traceback_does_not_count_beside_who_holds_the_method(project):
    """Nor does one whose function somebody else has, too."""
    text = "class Till:\n    def pay(self): return 1 / 0\n    N = 1\ndef pay(): return 1 / 0\n"
    project.load_text("till", text)
    till = sys.modules["till"].Till()
    router = [till.pay, sys.modules["till"].pay]
    errors = []
    for pay in router:
        with pytest.raises(ZeroDivisionError) as caught:
            pay()
        errors.append(caught.value)
    del pay

    report = project.load_text("till", text.replace("N = 1", "N = 2").replace("1 / 0", "2 / 0"))

    assert [each.__traceback__ is not None for each in errors] == [True, True]
    assert held(report) == {("Till.pay", 1): 1, ("pay", 1): 1}


KEPT: list[object] = []


def test_what_python_does_not_show_is_said(project, shop):
    """atexit keeps its functions in C."""
    KEPT[:] = [atexit.register(shop.free)]
    try:
        report = load(project)

        assert held(report) == {("free", 1): 2}
        shown, hidden = texts(report)
        assert hidden == f"free: 1 that Python does not show ({WHERE_ELSE})"
        assert shown == f"free: {__name__}.KEPT"
    finally:
        atexit.unregister(KEPT.pop())


def test_the_search_keeps_no_version_alive(project, shop):
    """Nor does a report that nobody asks for the holders."""
    function = [shop.free]
    report = load(project)
    report.holders.wait(60)

    function.clear()
    gc.collect()

    assert not code.why_alive("shop", 1).is_alive


# --- Subclasses elsewhere --------------------------------------------------------------------------------------


def test_subclasses_of_a_superseded_class_are_named(project, shop):
    """They inherit the old methods until their own module is loaded, which the report says how to do."""
    project.load_text("main", "import shop\nclass M(shop.K): pass\nclass Kept: pass\n")

    report = load(project, TEXT.replace("def on(self): return N", "def on(self): return -N"))

    assert [(each.module, each.name, each.base) for each in report.subclasses] == [("main", "M", "K")]
    assert "M in main, of K" in code.text(report)
    assert "load_many(['shop', 'main'])" in code.text(report)
    code.load_many([("shop", TEXT), "main"])
    assert sys.modules["main"].M.__base__ is shop.K
    assert project.load_text("shop", f"{TEXT}\n# moved").subclasses == ()


def test_the_words_of_a_report_name_what_is_held(project, shop):
    """The line says how many, the text which, and what to do."""
    function = shop.free

    report = load(project)

    assert "1 held function" in code.summary(report)
    assert "  free, v1: 1 reference\n" in code.text(report)
    assert "  Register live(shop.free) in its place" in code.text(report)
    assert function
