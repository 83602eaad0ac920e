"""Objects of superseded classes in the state that is kept take the new class, in the commit, or stay and are named."""

from __future__ import annotations

import asyncio

import pytest

from midflight import code


def told(report, name):
    """Return the words for a name of state."""
    return [each.why for each in report.state if each.name == name]


TEXT = """
class Session:
    def __init__(self, name): self.name = name
    def hello(self): return f"hello {self.name}"
SESSIONS = {}
def login(name): SESSIONS[name] = Session(name)
"""


def test_objects_in_a_container_take_the_new_class_in_place(thing):
    """An edited method counts at once, for those that live."""
    thing.load(TEXT)
    thing.module.login("ada")
    ada = thing.module.SESSIONS["ada"]

    report = thing.edit("hello {", "hi {")

    assert thing.module.SESSIONS["ada"] is ada
    assert ada.hello() == "hi ada"
    assert type(ada) is thing.module.Session
    assert told(report, "Session") == ["1 object in the kept state took the new class"]


def test_an_object_of_a_global_takes_the_new_class(thing):
    """A method of it that does not run when it is made was edited, so it is kept."""
    thing.load("class Cache:\n    def __init__(self): self.items = {}\n    def get(self): return 1\ncache = Cache()\n")
    cache = thing.module.cache
    cache.items["a"] = 1

    thing.edit("return 1", "return 2")

    assert thing.module.cache is cache
    assert cache.get() == 2
    assert cache.items == {"a": 1}


@pytest.mark.parametrize(
    ("hold", "find"),
    [
        ("[v]", "X[0]"),
        ("[(1, [v])]", "X[0][1][0]"),
        ("[(v, v)]", "X[0][1]"),
        ("{v}", "next(iter(X))"),
        ("{v: 1}", "next(iter(X))"),
        ("{'a': frozenset([v])}", "next(iter(X['a']))"),
        ("Holder(v)", "X.v"),
        ("Holder([v])", "X.v[0]"),
        ("Slotted(v)", "X.v"),
        ("deque([v])", "X[0]"),
        ("v", "X"),
    ],
)
@pytest.mark.parametrize("kind", ["enum", "plain", "slots", "named tuple"])
def test_objects_are_found_wherever_they_are(thing, hold, find, kind):
    """In containers and in attributes; those that must be others then take their place."""
    made = {
        "enum": "class V(Enum):\n    A = 1\n    B = 2\nv = V.A\n",
        "plain": "class V:\n    a = 1\n    def __init__(self): self.x = 1\nv = V()\n",
        "slots": "class V:\n    __slots__ = ('x',)\nv = V()\nv.x = 1\n",
        "named tuple": "class V(NamedTuple):\n    a: int = 1\nv = V()\n",
    }[kind]
    changed = {
        "enum": ("B = 2", "B = 3"),
        "plain": ("a = 1", "a = 2"),
        "slots": ("('x',)", "('x', 'y')"),
        "named tuple": ("a: int = 1", "a: int = 1\n    b: int = 2"),
    }[kind]
    head = "from enum import Enum\nfrom typing import NamedTuple\nfrom collections import deque\n"
    holders = (
        "class Holder:\n    def __init__(self, v): self.v = v\n"
        "class Slotted:\n    __slots__ = ('v',)\n    def __init__(self, v): self.v = v\n"
    )
    migrate = "    @classmethod\n    def __migrate__(cls, old): return {**old, 'y': 2}\n" if kind == "slots" else ""
    thing.load(f"{head}{holders}{made.replace('v = ', migrate + 'v = ', 1)}X = None\n")
    thing.module.X = eval(hold, vars(thing.module))

    report = thing.edit(*changed)

    assert type(eval(find, vars(thing.module))) is thing.module.V
    assert told(report, "V")


@pytest.mark.parametrize("kind", ["frozen=True", "unsafe_hash=True"])
@pytest.mark.parametrize(
    ("hold", "is_found"),
    [
        ("{V(): 1}", "V() in X"),
        ("{V()}", "V() in X"),
        ("{(1, V()): 1}", "(1, V()) in X"),
        ("{'a': frozenset([V()])}", "V() in X['a']"),
        ("{'a': {V(): {V()}}}", "V() in X['a'] and V() in X['a'][V()]"),
        ("OrderedDict([(V(), 1), (V(9), 2)])", "list(X.values()) == [1, 2] and X[V(9)] == 2"),
    ],
)
def test_a_key_whose_hash_is_another_one_is_found(thing, kind, hold, is_found):
    """It was found by the hash of its old class, which the new one does not have."""
    thing.load(
        "from collections import OrderedDict\nfrom dataclasses import dataclass\n"
        f"@dataclass({kind})\nclass V:\n    a: int = 1\nX = None\n"
    )
    thing.module.X = eval(hold, vars(thing.module))

    thing.edit("a: int = 1", "a: int = 1\n    b: int = 2")

    assert eval(is_found, vars(thing.module))


@pytest.mark.parametrize(
    ("new", "why"),
    [
        ("@dataclass\nclass V:\n    a: int = 1\n    b: int = 2", "has no hash"),
        ("class V:\n    a = 1\n    def __eq__(self, other): return True\n    def __hash__(self): return 1", "equal"),
    ],
)
def test_keys_that_cannot_be_put_in_again_stay_and_are_named(thing, new, why):
    """None is lost."""
    old = "@dataclass(frozen=True)\nclass V:\n    a: int = 1"
    thing.load(f"from dataclasses import dataclass\n{old}\nX = None\n")
    thing.module.X = {thing.module.V(1): 1, thing.module.V(2): 2}

    report = thing.edit(old, new)

    assert list(thing.module.X.values()) == [1, 2]
    assert any("are not found there any more" in text and why in text for text in told(report, "V"))


def test_keys_are_found_after_a_load_that_fails_in_the_commit(thing, monkeypatch):
    """By their old hash."""
    text = "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass V:\n    a: int = 1\nX = None\n"
    thing.load(text)
    thing.module.X = {thing.module.V(): 1}

    from midflight.code.load import commit

    def fail(*_):
        raise RuntimeError("in the commit")

    monkeypatch.setattr(commit, "CHANGES", (*commit.CHANGES, fail))
    with pytest.raises(RuntimeError, match="in the commit"):
        thing.edit("a: int = 1", "a: int = 1\n    b: int = 2")

    assert thing.module.V() in thing.module.X


def test_an_object_that_cannot_take_the_new_class_stays_and_is_named(thing):
    """With the reason."""
    thing.load("from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\nITEMS = []\n")
    thing.module.ITEMS.append(thing.module.P(1))
    old = thing.module.P

    report = thing.edit("x: int", "x: int\n    y: int")

    assert type(thing.module.ITEMS[0]) is old
    assert "nothing says what its new y" in told(report, "P")[0]


def test_objects_of_a_class_that_a_process_runs_a_method_of_stay_and_migrate_later(thing, runtime):
    """It would go on in old code with a new object."""
    thing.load(
        "from midflight import receive\nclass Room:\n    async def run(self):\n        while True: await receive()\n"
        "    def n(self): return 1\nROOMS = []\n"
    )
    room = thing.module.Room()
    thing.module.ROOMS.append(room)
    pid = runtime.spawn(room.run)
    runtime.run_until_idle()
    old = type(room)

    report = thing.edit("return 1", "return 2")

    assert type(room) is old
    assert told(report, "Room") == [
        f"its objects in the kept state stay of the old class, for {pid!r} is in Room.run: "
        "code.migrate_objects('thing') migrates them later"
    ]
    assert code.migrate_objects("thing") == {"Room": 1}
    assert room.n() == 2
    runtime.shutdown()


def test_a_task_in_a_method_counts_too(thing):
    """Any asyncio task does."""

    async def main():
        thing.load("import asyncio\nclass Room:\n    async def run(self): await asyncio.sleep(9)\nROOMS = []\n")
        room = thing.module.Room()
        thing.module.ROOMS.append(room)
        old = type(room)
        task = asyncio.ensure_future(room.run())
        await asyncio.sleep(0)
        report = thing.edit("sleep(9)", "sleep(8)")
        task.cancel()
        return room, old, report

    import midflight

    room, old, report = midflight.run(main)

    assert type(room) is old
    assert "asyncio task" in told(report, "Room")[0]


def test_a_load_that_fails_in_the_commit_gives_the_old_class_back(thing, monkeypatch):
    """And the fields."""
    from midflight.code.load import commit

    thing.load(TEXT)
    thing.module.login("ada")
    ada, old = thing.module.SESSIONS["ada"], thing.module.Session

    def fail(*_):
        assert type(ada) is not old
        raise RuntimeError("in the commit")

    monkeypatch.setattr(commit, "CHANGES", (*commit.CHANGES, fail))
    with pytest.raises(RuntimeError, match="in the commit"):
        thing.edit("hello {", "hi {")

    assert type(ada) is old
    assert ada.hello() == "hello ada"
    assert {"ada": ada} == thing.module.SESSIONS


def test_a_hook_makes_the_new_fields(thing):
    """`__migrate__` of the new class."""
    thing.load(TEXT)
    thing.module.login("ada")

    thing.edit(
        "    def hello",
        "    @classmethod\n    def __migrate__(cls, old): return {'name': old['name'].upper()}\n    def hello",
    )

    assert thing.module.SESSIONS["ada"].hello() == "hello ADA"


def test_names_that_only_a_function_or_somebody_outside_binds_are_kept(thing):
    """No statement of the body binds them."""
    thing.load("def connect():\n    global conn\n    conn = [1]\ndef f(): return 1\n")
    thing.module.connect()
    thing.module.extra = 5
    conn = thing.module.conn

    report = thing.edit("return 1", "return 2")

    assert thing.module.conn is conn
    assert thing.module.extra == 5
    assert [each.sized() for each in report.state if each.outcome == "kept"] == ["conn (1)", "extra"]
    thing.again()
    assert thing.module.extra == 5
