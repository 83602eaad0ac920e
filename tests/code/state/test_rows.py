"""Module state over a load, row by row: each test is one row of the table in docs/state.md."""

from __future__ import annotations

import asyncio
import functools
import sys
import threading
from collections import Counter, OrderedDict, defaultdict, deque
from unittest import mock

import pytest

from midflight import code
from midflight.code.lowlevel import watch_imports


def told(report, name):
    """Return outcome and words for a name of state."""
    return [(each.outcome, each.why) for each in report.state if each.name == name]


def kept(report):
    """Return the names that were kept, as the one line shows them."""
    return [each.sized() for each in report.state if each.outcome == "kept"]


# --- The binding statements changed -------------------------------------------------------------------------------


def test_a_changed_statement_wins_and_what_is_left_behind_is_named_and_comes_back(thing):
    """With its size before and after the load."""
    thing.load("CACHE = {}\n")
    old = thing.module.CACHE
    old.update(a=1, b=2)

    report = thing.edit("{}", "{'z': 0}")

    assert thing.module.CACHE == {"z": 0}
    ((outcome, why),) = told(report, "CACHE")
    assert outcome == "left"
    assert "its statement changed, so it is new, with 1 item; the old one (2 items) is left behind" in why
    assert "code.recover('thing', 'CACHE')" in code.text(report)
    assert code.recover("thing", "CACHE") is old
    assert thing.module.CACHE is old


def test_all_the_statements_count_and_their_order(thing):
    """A second one that is added makes the name new."""
    thing.load("hits = 1\n")
    thing.module.hits = 50

    report = thing.load("hits = 1\nhits += 1\n")

    assert thing.module.hits == 2
    assert told(report, "hits")[0][0] == "left"
    assert "the old one (50)" in told(report, "hits")[0][1]


def test_a_constant_that_changes_leaves_nothing_behind(thing):
    """Nor does a container that nobody has touched."""
    thing.load("PRICE = 2\nNAMES = ['a']\n")

    report = thing.load("PRICE = 3\nNAMES = ['b']\n")

    assert report.state == ()
    assert (thing.module.PRICE, thing.module.NAMES) == (3, ["b"])


def test_a_name_that_is_gone_leaves_its_value_behind(thing):
    """It comes back under that name."""
    thing.load("CACHE = {}\n")
    thing.module.CACHE["a"] = 1

    report = thing.load("x = 1\n")

    assert not hasattr(thing.module, "CACHE")
    assert "it is gone from the text" in told(report, "CACHE")[0][1]
    assert code.recover("thing", "CACHE") == {"a": 1}


def test_what_is_left_behind_goes_with_the_load_after_the_next(thing):
    """It stays recoverable until then."""
    thing.load("CACHE = {}\n")
    thing.module.CACHE["a"] = 1
    thing.load("CACHE = dict()\n")
    thing.again()
    assert code.recover("thing", "CACHE") == {"a": 1}
    code.recover("thing", "CACHE")
    thing.again()

    with pytest.raises(LookupError, match=r"no load has left a value of thing\.CACHE behind"):
        code.recover("thing", "CACHE")


# --- Which names are state ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "X = {}\n",
        "X: dict = {}\n",
        "X, y = {}, 1\n",
        "[X] = [{}]\n",
        "y = X = {}\n",
        "X = {}\nX |= {}\n",
        "if True:\n    X = {}\nelse:\n    X = {1: 1}\n",
        "try:\n    X = {}\nexcept ValueError:\n    X = None\n",
        "for y in range(2):\n    X = {}\n",
        "match 1:\n    case 1:\n        X = {}\n",
        "(X := {})\n",
        "if (X := {}) == {}:\n    y = 1\n",
        "print(end='') or (X := {})\n",
        "[X := {} for y in range(1)]\n",
        "def init():\n    global X\n    X = {}\ninit()\n",
        "class Init:\n    def __init__(self):\n        global X\n        X = {}\nInit()\n",
    ],
)
def test_a_name_is_state_whatever_form_of_statement_binds_it(thing, text):
    """A walrus and a function that the body calls as well."""
    thing.load(f"{text}def f(): return 1\n")
    X = thing.module.X
    X["a"] = 1

    report = thing.edit("return 1", "return 2")

    assert thing.module.X is X
    assert X == {"a": 1}
    assert "X (1)" in kept(report)


@pytest.mark.parametrize(
    ("old", "new"), [("(X := {})\n", "(X := {2: 2})\n"), ("def init():\n    global X\n    X = {}\ninit()\n",) * 2]
)
def test_a_name_whose_statement_of_another_form_changed_is_left_behind(thing, old, new):
    """And the report names it."""
    thing.load(f"{old}def f(): return 1\n")
    thing.module.X["a"] = 1

    new = new.replace("X = {}", "X = {2: 2}")
    report = thing.load(f"{new}def f(): return 1\n")

    assert thing.module.X == {2: 2}
    assert told(report, "X")[0][0] == "left"
    code.recover("thing", "X")
    assert thing.module.X == {"a": 1}


def test_an_expression_that_binds_an_object_runs_again(thing):
    """It does more than that, so it cannot be left out; the new object is named."""
    thing.load("import threading\nCALLS = []\nCALLS.append(X := threading.Lock())\ndef f(): return 1\n")

    report = thing.edit("return 1", "return 2")

    ((outcome, why),) = told(report, "X")
    assert outcome == "new"
    assert "a statement that does more" in why


# --- Containers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "fill"),
    [
        ("{}", lambda x: x.update(a=1)),
        ("set()", lambda x: x.add(1)),
        ("[]", lambda x: x.append(1)),
        ("deque()", lambda x: x.append(1)),
        ("deque(maxlen=3)", lambda x: x.extend([1, 2, 3, 4])),
        ("bytearray()", lambda x: x.extend(b"a")),
        ("defaultdict(list)", lambda x: x["a"].append(1)),
        ("OrderedDict()", lambda x: x.update(a=1)),
        ("Counter()", lambda x: x.update("aab")),
        ("WeakValueDictionary()", lambda x: x.update(a=threading)),
        ("WeakSet()", lambda x: x.add(threading)),
        ("ChainMap()", lambda x: x.update(a=1)),
        ("UserDict()", lambda x: x.update(a=1)),
        ("{'a': {'b': []}}", lambda x: x["a"]["b"].append(1)),
    ],
)
@pytest.mark.parametrize("rest", ["", "use(X)\n", "def use_it(x=X): return x\n"])
def test_a_container_that_was_filled_stays_the_same_object(thing, made, fill, rest):
    """Whatever else the body does with it: what the program put in is in it."""
    head = "from collections import *\nfrom collections import UserDict\nfrom weakref import *\ndef use(x): len(x)\n"
    thing.load(f"{head}X = {made}\n{rest}def f(): return 1\n")
    old = thing.module.X
    fill(old)
    before = repr(old)

    report = thing.edit("return 1", "return 2")

    if rest.startswith("use") and type(old).__name__ == "ChainMap":
        assert told(report, "X")[0][0] == "new"  # an object that the body does more with
        return
    assert thing.module.X is old
    assert repr(old) == before
    assert "X" in " ".join(kept(report))
    if "use_it" in rest:
        assert thing.module.use_it() is old


def test_the_one_line_names_what_was_kept(thing):
    """With sizes."""
    thing.load("CACHE = {}\nhits = 0\ndef f(): return 1\n")
    thing.module.CACHE.update(dict.fromkeys(range(412)))
    thing.module.hits = 3

    report = thing.edit("return 1", "return 2")

    assert code.summary(report).partition(" (")[0] == "thing v2 loaded: f changed; kept state: CACHE"
    assert "kept state: CACHE (412), hits (" in code.summary(report)


def test_containers_are_merged_at_every_depth(thing):
    """What the body makes otherwise comes; what the program did stays."""
    thing.load("LIMIT = 1\nCONFIG = {'a': {'limit': LIMIT, 'x': 1}, 'b': [LIMIT]}\n")
    config = thing.module.CONFIG
    config["a"]["x"], config["late"] = 5, 1
    config["b"].append("late")
    inner = config["a"]

    thing.edit("LIMIT = 1", "LIMIT = 2")

    assert thing.module.CONFIG is config
    assert config == {"a": {"limit": 2, "x": 5}, "b": [2, "late"], "late": 1}
    assert config["a"] is inner
    thing.edit("LIMIT = 2", "LIMIT = 3")
    assert config == {"a": {"limit": 3, "x": 5}, "b": [3, "late"], "late": 1}


def test_an_item_that_all_three_make_otherwise_stays_and_is_named(thing):
    """By its path."""
    thing.load("LIMIT = 1\nCONFIG = {'a': {'limit': LIMIT}}\n")
    thing.module.CONFIG["a"]["limit"] = 7

    report = thing.edit("LIMIT = 1", "LIMIT = 2")

    assert thing.module.CONFIG == {"a": {"limit": 7}}
    assert (
        "conflict",
        "CONFIG['a']['limit'] was changed at run time and in the text: the running value stays",
    ) in told(report, "CONFIG")


REGISTRY = """
HANDLERS = {}
def on(name):
    def register(function):
        HANDLERS.setdefault(name, []).append(function)
        return function
    return register
@on("a")
def first(): return 1
@on("a")
def second(): return 1
"""


def test_a_registry_has_the_new_functions_and_what_others_put_in(thing):
    """None is there twice; one that is gone from the text is gone; one that is added comes in its place."""
    thing.load(REGISTRY)
    handlers = thing.module.HANDLERS
    handlers["a"].append(len)
    handlers["theirs"] = [len]

    thing.edit("return 1", "return 2")
    assert [each() if each is not len else each for each in handlers["a"]] == [2, 2, len]
    assert thing.module.HANDLERS is handlers

    thing.edit('@on("a")\ndef first', "def first")
    assert [each.__name__ for each in handlers["a"]] == ["second", "len"]
    thing.edit("def first", '@on("b")\ndef first')
    assert {name: len(each) for name, each in handlers.items()} == {"b": 1, "a": 2, "theirs": 1}
    assert handlers["theirs"] == [len]


def test_a_registry_of_classes_by_init_subclass(thing):
    """Its classes are the current ones."""
    thing.load(
        "PLUGINS = []\nclass Base:\n    def __init_subclass__(cls): PLUGINS.append(cls)\n"
        "class A(Base):\n    def f(self): return 1\nclass B(Base): pass\n"
    )
    plugins = thing.module.PLUGINS

    thing.edit("return 1", "return 2")

    assert thing.module.PLUGINS is plugins
    assert [each is getattr(thing.module, each.__name__) for each in plugins] == [True, True]
    assert [each.__name__ for each in plugins] == ["A", "B"]


def test_the_order_is_the_new_body_s_and_then_the_rest(thing):
    """First match wins."""
    thing.load("ROUTES = {}\ndef get(path):\n    ROUTES[path] = 1\nget('/a')\nget('/')\n")
    routes = thing.module.ROUTES
    routes["/late"] = 1

    thing.edit("get('/a')", "get('/b')\nget('/a')")

    assert list(routes) == ["/b", "/a", "/", "/late"]


def test_elements_that_cannot_be_told_apart_stay_and_it_is_said(thing):
    """Equal ones, moved at run time."""
    thing.load("N = 1\nX = [N, N]\n")
    x = thing.module.X
    x.insert(0, 5)

    report = thing.edit("N = 1", "N = 2")

    assert thing.module.X is x
    assert x == [5, 1, 1]
    assert "cannot be told" in told(report, "X")[0][1]


def test_an_item_deleted_at_run_time_stays_deleted_and_a_deleted_name_is_bound_again(thing):
    """The second is told."""
    thing.load("X = {'a': 1, 'b': 1}\nY = []\ndef f(): return 1\nX['c'] = f\n")
    x = thing.module.X
    del x["a"], thing.module.Y

    report = thing.edit("return 1", "return 2")

    assert list(x) == ["b", "c"]
    assert thing.module.Y == []
    assert told(report, "Y") == [("note", "it was deleted at run time, and is bound again")]


def test_a_container_of_more_than_ten_thousand_items_is_kept_whole_and_it_is_said(thing):
    """Nobody can tell its items apart."""
    thing.load("def f(): return 1\nX = {n: f for n in range(10_001)}\n")
    x = thing.module.X

    report = thing.edit("return 1", "return 2")

    assert thing.module.X is x
    assert "more than 10,000 items" in told(report, "X")[0][1]


def test_a_loop_that_is_in_the_midst_of_a_container_makes_it_wait(thing):
    """Its size must not change; the next load merges."""
    thing.load("X = {}\ndef add(n): X[n] = 1\nadd('a')\n")
    x = thing.module.X
    x["late"] = 1

    def walk():
        yield from x

    loop = walk()
    assert next(loop) == "a"
    report = thing.edit("add('a')", "add('a')\nadd('b')")

    assert thing.module.X is x
    assert told(report, "X") == [
        ("waits", "it waits: a loop is in the midst of it, so the new body's items are not in it; load once more")
    ]
    assert list(loop) == ["late"]
    thing.again()
    assert list(x) == ["a", "b", "late"]


def test_a_name_bound_to_another_container_at_run_time_keeps_that(thing):
    """`global CACHE; CACHE = {}`."""
    thing.load("CACHE = {}\ndef clear():\n    global CACHE\n    CACHE = {'fresh': 1}\ndef f(): return 1\n")
    thing.module.clear()
    now = thing.module.CACHE

    report = thing.edit("return 1", "return 2")

    assert thing.module.CACHE is now
    assert kept(report) == ["CACHE (1)"]


# --- Scalars ------------------------------------------------------------------------------------------------------

SCALARS = (
    "hits = 0\nconn = None\nready = False\ndef hit():\n    global hits, conn\n    hits += 1\n    conn = object()\n"
)


def test_scalars_that_changed_at_run_time_keep_the_running_value(thing):
    """By `global`, and from outside; over several loads."""
    thing.load(SCALARS)
    thing.module.hit()
    thing.module.ready = True
    conn = thing.module.conn

    report = thing.again()

    assert (thing.module.hits, thing.module.ready) == (1, True)
    assert thing.module.conn is conn
    assert kept(report) == ["hits", "conn", "ready"]
    thing.module.hit()
    thing.again()
    assert thing.module.hits == 2


def test_a_scalar_that_nobody_changed_and_differs_is_new_and_named(thing):
    """`STARTED = time()`."""
    thing.load("import itertools\nSTARTED = next(COUNT)\n".replace("COUNT", "itertools.count(id(object()))"))

    thing.load("import time\nSTARTED = time.perf_counter_ns()\n")
    before = thing.module.STARTED
    report = thing.again()

    assert before < thing.module.STARTED
    assert told(report, "STARTED") == [("new", "it differs though its text is the same; `once` keeps it")]


def test_a_scalar_that_all_three_have_otherwise_keeps_the_running_value_and_is_named(thing):
    """Its text is the same, and gives another value."""
    thing.load("N = 1\nx = N + 1\n")
    thing.module.x = 50

    report = thing.edit("N = 1", "N = 2")

    assert thing.module.x == 50
    assert told(report, "x")[0][0] == "conflict"


def test_scalars_count_apart_while_processes_run_the_old_version_and_that_is_named(thing, runtime):
    """With the pids."""
    thing.load(
        "from midflight import receive\nhits = 0\nasync def loop():\n    global hits\n"
        "    hits += await receive()\n    return loop()\n"
    )
    pid = runtime.spawn(thing.module.loop)
    pid << 3
    runtime.run_until_idle()

    report = thing.again()
    pid << 4
    runtime.run_until_idle()

    assert thing.module.hits == 3
    assert (
        "apart",
        f"{pid!r} goes on with a copy of its own in version 1: what is bound there is not seen here",
    ) in told(report, "hits")
    runtime.shutdown()


# --- Objects ------------------------------------------------------------------------------------------------------

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
    thing.load(
        "import functools\nX = {}\nhold = functools.partial(dict.get, X)\nhandle = hold\nuse = [].append\nuse(X)\n"
    )
    old = thing.module.X
    old["a"] = 1

    report = thing.edit("partial(dict.get, X)", "partial(dict.get, X, 'b')")

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


def test_a_logger_a_context_variable_and_the_like_are_not_state(thing):
    """Nothing is said of them."""
    text = (
        "import logging, contextvars, typing, re, functools, pathlib\nlog = logging.getLogger('x')\n"
        "v = contextvars.ContextVar('v')\nT = typing.TypeVar('T')\nP = re.compile('a')\npart = functools.partial(len)\n"
        "D = pathlib.Path('.')\nJ = dict[str, int]\nfor loop in range(3): pass\n"
    )
    thing.load(text)

    assert thing.again().state == ()


# --- Others -------------------------------------------------------------------------------------------------------


def test_a_result_cache_starts_empty_and_it_is_said_how_many_results_went(thing):
    """`lru_cache`."""
    thing.load("import functools\n@functools.lru_cache\ndef vat(n): return n\ndef f(): return 1\n")
    for n in range(12):
        thing.module.vat(n)

    report = thing.edit("return 1", "return 2")

    assert thing.module.vat.cache_info().currsize == 0
    assert told(report, "vat") == [("lost", "it is a cache, and starts empty: 12 results went")]


def test_what_others_have_registered_in_a_singledispatch_is_in_the_new_one(thing):
    """What the module itself registers is the new text's."""
    thing.load(
        "import functools\n@functools.singledispatch\ndef show(x): return 'any'\n"
        "@show.register\ndef _(x: int): return 'int1'\n"
    )

    @thing.module.show.register
    def theirs(x: str):
        return "theirs"

    thing.edit("int1", "int2")

    assert [thing.module.show(each) for each in (1, "a", None)] == ["int2", "theirs", "any"]


def test_a_function_that_was_replaced_from_outside_is_the_text_s_and_the_loss_is_named(thing):
    """By a tracer, say."""
    thing.load("def f(): return 1\ndef g(): return 1\n")
    thing.module.f = functools.wraps(thing.module.f)(lambda: 50)

    report = thing.edit("def g(): return 1", "def g(): return 2")

    assert thing.module.f() == 1
    assert told(report, "f") == [("lost", "it was replaced from outside; the text stands, so what replaced it is gone")]


def test_a_value_that_a_mock_has_replaced_is_the_text_s(thing):
    """And that is named."""
    thing.load("X = {}\nY = 1\n")
    thing.module.X, thing.module.Y = mock.MagicMock(), mock.Mock()

    report = thing.again()

    assert (thing.module.X, thing.module.Y) == ({}, 1)
    assert "replaced from outside" in told(report, "X")[0][1]
    assert "replaced from outside" in told(report, "Y")[0][1]


def test_without_a_base_the_old_object_stays_and_the_new_body_s_keys_are_added(project):
    """Of a module that was imported before anybody looked, with the text unchanged."""
    path = project.write("early.py", "N = 1\nX = {'a': 1}\nhits = 0\ndef hit():\n    global hits\n    hits = 7\n")
    sys.path.insert(0, str(project.root))
    __import__("early")
    module = sys.modules["early"]
    x = module.X
    x["late"] = 1
    module.hit()

    code.load(path, "N = 2\nX = {'a': 1, 'b': 2}\nhits = 0\ndef hit(): pass\n".replace(", 'b': 2", ""))

    assert module.X is x
    assert x == {"a": 1, "late": 1}
    assert module.hits == 7
    assert module.N == 2


def test_what_the_body_of_an_imported_module_made_is_known(project):
    """From its import on: an item deleted at run time stays deleted, a scalar that differs is new."""
    watch_imports()
    text = "import time\nX = {'a': 1, 'b': 1}\nSTARTED = time.perf_counter_ns()\nhits = 0\n"
    path = project.write("noted.py", text)
    sys.path.insert(0, str(project.root))
    __import__("noted")
    module = sys.modules["noted"]
    x, started = module.X, module.STARTED
    del x["a"]
    module.hits = 7

    report = code.load(path, text + "# more\n")

    assert module.X is x
    assert x == {"b": 1}
    assert module.hits == 7
    assert started < module.STARTED
    assert told(report, "STARTED")[0][0] == "new"


# --- What can be asked --------------------------------------------------------------------------------------------


def test_fresh_names_are_new(thing):
    """By the option; what goes is left behind."""
    thing.load("CACHE = {}\nhits = 0\n")
    thing.module.CACHE["a"], thing.module.hits = 1, 3

    report = thing.again(fresh=["CACHE"])

    assert thing.module.CACHE == {}
    assert thing.module.hits == 3
    assert "it was to be new" in told(report, "CACHE")[0][1]
    assert code.recover("thing", "CACHE") == {"a": 1}


def test_the_text_can_say_which_names_are_fresh(thing):
    """At each load."""
    thing.load("__fresh__ = ['CACHE']\nCACHE = {}\n")
    thing.module.CACHE["a"] = 1

    thing.again()

    assert thing.module.CACHE == {}


def test_a_fresh_name_that_is_not_there_is_an_error(thing):
    """Else a slip of the pen would keep what was to go."""
    thing.load("CACHE = {}\n")

    with pytest.raises(code.LoadError, match="CAHCE") as error:
        thing.again(fresh=["CAHCE"])

    assert thing.module.CACHE == {}
    assert error.value.report.version is None


def test_what_was_left_behind_can_be_let_go(thing):
    """Then it is gone."""
    thing.load("CACHE = {}\n")
    thing.module.CACHE["a"] = 1
    thing.load("CACHE = dict()\n")

    assert code.forget("thing", "CACHE") == 1
    with pytest.raises(LookupError):
        code.recover("thing", "CACHE")


def test_a_load_that_fails_changes_nothing_of_the_state(thing):
    """At whichever step it fails."""
    thing.load("X = {}\nhits = 0\nLOCK = object()\ndef add(n): X[n] = 1\nadd('a')\n")
    x = thing.module.X
    x["late"] = 1
    thing.module.hits = 4
    before = dict(vars(thing.module))

    for end in ("raise ValueError", "undefined_name", "add('b')\n1/0"):
        with pytest.raises(code.LoadError):
            thing.load("X = {}\nhits = 0\nLOCK = object()\ndef add(n): X[n] = 2\nadd('a')\n" + end)

    assert dict(vars(thing.module)) == before
    assert x == {"a": 1, "late": 1}
    assert thing.module.hits == 4


def test_state_kept_over_many_loads(thing):
    """Always against the version before."""
    thing.load("X = {}\nN = 0\ndef add(n): X[n] = N\nadd('a')\n")
    x = thing.module.X
    for number in range(1, 6):
        x[f"late{number}"] = number
        thing.edit(f"N = {number - 1}", f"N = {number}")

    assert thing.module.X is x
    assert x == {"a": 5, "late1": 1, "late2": 2, "late3": 3, "late4": 4, "late5": 5}


KINDS = (Counter, OrderedDict, defaultdict, deque)


def test_members_of_an_edited_enum_are_the_same_keys(thing):
    """The value that the program stored under a member stays, and the report names no conflict."""
    thing.load("import enum\nclass C(enum.Enum):\n    A = 1\nMAP = {C.A: 'x'}\n")
    thing.module.MAP[thing.module.C.A] = "run"

    report = thing.edit("A = 1", "A = 1\n    B = 2")

    assert thing.module.MAP == {thing.module.C.A: "run"}
    assert [outcome for outcome, _ in told(report, "MAP")] == ["kept"]
