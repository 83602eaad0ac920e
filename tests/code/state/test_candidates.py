"""The names that may keep their value without running their statement again, by the two texts alone."""

from __future__ import annotations

import ast

import pytest

from midflight.code.state.candidates import find_candidates
from midflight.code.state.kinds import kind_of
from midflight.code.state.module_text import ModuleText


def candidates(old, new=None, **kinds):
    """Return what is found between two texts; all names that are state have objects, if nothing else is said."""
    before, after = (ModuleText(ast.parse(text), text) for text in (old, old if new is None else new))
    known = {name: kinds.get(name, "object") for name in before.assigned}
    return find_candidates(before, after, known, reads_words=True)


@pytest.mark.parametrize(
    "text",
    [
        "X = Lock()",
        "X: Lock = Lock()",
        "X = Y = Lock()",
        "X, Y = Lock(), Lock()",
        "try:\n    X = connect()\nexcept OSError:\n    X = None",
        "X = None\nif URL:\n    X = connect(URL)",
        "X = Lock()\ndef f(lock=X): pass",
        "X = Lock()\nclass A:\n    lock = X",
        "X = Lock()\nalias = X\ntable = {'lock': X, 'more': [X]}\nprint(X, len(X))",
        "X = Lock()\nif X is None: pass",
        "X = Lock()\ndef f(): X.acquire()\nweb.get('/', f)",
        "X = Lock()\napp = App()\n@app.get('/')\ndef f(): X.acquire()",
        "X = set()\nstore = Store(X)",
        "X = Lock()\nf = lambda: X.acquire()",
        "def make(): return Lock()\nX = make()",
        "X = Lock()\nif __name__ == '__main__':\n    pass",
        "X = Cache()\nclass Cache:\n    def __init__(self): self.a = 1\n    def get(self): return 1",
    ],
)
def test_an_object_that_the_body_only_makes_and_passes_on_is_one(text):
    """Whatever the program does with it later."""
    assert "X" in candidates(text).found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("X = App()\n@X.get('/')\ndef f(): pass", "the body uses it at line 2"),
        ("X = App()\n@X\ndef f(): pass", "the body uses it at line 2"),
        ("X = Base()\nclass A(X): pass", "the body uses it at line 2"),
        ("X = App()\nX.setup()", "the body uses it at line 2"),
        ("X = App()\nsetup(X)", "the body uses it at line 2"),
        ("X = App()\nX.debug = True", "the body uses it at line 2"),
        ("X = App()\nX['a'] = 1", "the body uses it at line 2"),
        ("X = Lock()\nwith X: pass", "the body uses it at line 2"),
        ("X = App()\nY = X\nY.setup()", "the body uses it at line 3"),
        ("X = App()\nY = [X]\nY[0].setup()", "the body uses it at line 3"),
        ("X = App()\ndef setup(): X.add()\nsetup()", "the body calls setup, which uses it"),
        ("X = App()\ndef deco(f): X.add(f)\n@deco\ndef g(): pass", "the body calls deco, which uses it"),
        ("X = App()\ndef deco():\n    def inner(f): X.add(f)\n    return inner\n@deco()\ndef g(): pass", "deco"),
        (
            "X = App()\nclass A:\n    def __init__(self): X.add(self)\nclass B:\n    a = A()",
            "A.__init__, which uses it",
        ),
        ("X = []\nclass A:\n    def __init_subclass__(cls): X.append(cls)\nclass B(A): pass", "A.__init_subclass__"),
        ("for i in range(3):\n    X = Lock()", "its statement stands in a loop"),
        ("X, y = Lock(), 1", "its statement binds other names too"),
    ],
)
def test_an_object_that_the_body_does_more_with_is_not(text, why):
    """And it says why."""
    found = candidates(text, y="scalar")

    assert "X" not in found.found
    assert why in found.why_not["X"]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("X = Lock()", "X = RLock()", "its statement changed"),
        ("X = Lock()", "X = Lock()\nX = Lock()", "its statement changed"),
        ("def make(): return Lock()\nX = make()", "def make(): return RLock()\nX = make()", "made with make, which"),
        (
            "def g(): return 1\ndef make(): return Lock(g())\nX = make()",
            "def g(): return 2\ndef make(): return Lock(g())\nX = make()",
            "made with g, which changed",
        ),
        (
            "class C:\n    def __init__(self): self.a = 1\nX = C()",
            "class C:\n    def __init__(self): self.a = 2\nX = C()",
            "made with C.__init__, which changed",
        ),
        (
            "class C:\n    def __init__(self): self.setup()\n    def setup(self): self.a = 1\nX = C()",
            "class C:\n    def __init__(self): self.setup()\n    def setup(self): self.a = 2\nX = C()",
            "made with C.setup, which changed",
        ),
        ("class C:\n    a: int = 1\nX = C()", "class C:\n    a: int = 2\nX = C()", "made with C, which changed"),
        ("class C(A): pass\nX = C()", "class C(B): pass\nX = C()", "made with C, which changed"),
    ],
)
def test_an_object_that_would_be_made_otherwise_is_not(old, new, why):
    """By its statement, or by what that calls, as deep as it goes."""
    found = candidates(old, new)

    assert "X" not in found.found
    assert why in found.why_not["X"]


def test_a_method_that_does_not_run_when_the_object_is_made_may_change():
    """The object is made as before; it takes the new class."""
    old = "class C:\n    def __init__(self): self.a = 1\n    def get(self): return 1\nX = C()"

    assert "X" in candidates(old, old.replace("return 1", "return 2")).found


def test_layout_and_comments_do_not_count():
    """They change nothing."""
    assert "X" in candidates("X = Lock(1, 2)", "# new\nX = Lock(\n    1,\n    2,\n)").found


def test_names_that_are_kept_together_use_nothing():
    """A store that is not made again does not use the sessions that it was given."""
    text = "SESSIONS = {}\nstore = Store(SESSIONS)"

    assert set(candidates(text, SESSIONS="container").found) == {"SESSIONS", "store"}
    changed = candidates(text, text.replace("Store(", "Store(1, "), SESSIONS="container")
    assert changed.found == {}
    assert "the body uses it at line 2" in changed.why_not["SESSIONS"]


def test_a_container_of_definitions_is_merged_and_not_skipped():
    """It holds functions, which have new versions."""
    assert candidates("def f(): pass\nX = {'f': f}", X="container").found == {}


def test_the_reads_of_a_candidate_are_named():
    """Those of the functions that it calls too; these themselves are compared by their text."""
    found = candidates("def make(): return Lock(HOST, config.port.real)\nX = make(redis.URL)").found["X"]

    assert {"HOST", "config", "redis", "Lock"} <= found.reads
    assert "make" not in found.reads
    assert {("config", "port"), ("config", "port", "real"), ("redis", "URL")} <= found.words


def test_a_class_that_is_given_away_must_be_the_same():
    """The object holds it."""
    found = candidates("class C: pass\nX = Maker(C)\nY = C()").found

    assert "C" in found["X"].reads
    assert "C" not in found["Y"].reads


@pytest.mark.parametrize(
    "text",
    [
        "import X",
        "from a import X",
        "def X(): pass",
        "class X: pass",
        "for X in (): pass",
        "with a as X: pass",
        "try: pass\nexcept OSError as X: pass",
        "__x__ = 1",
        "X: int",
        "try:\n    import X\nexcept ImportError:\n    X = None",
        "def X(): pass\nX = deco(X)",
    ],
)
def test_what_is_never_state_by_the_text(text):
    """Definitions, imports, the variables of loops and the like, dunders, bare annotations."""
    assert ModuleText(ast.parse(text), text).assigned == {}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("{}", "container"),
        ("bytearray()", "container"),
        ("collections.defaultdict(list)", "container"),
        ("1", "scalar"),
        ("(1, (2, 3))", "scalar"),
        ("(1, (2, []))", "object"),
        ("re.compile('a')", "scalar"),
        ("threading.Lock()", "object"),
        ("weakref.WeakSet()", "container"),
        ("weakref.ref(dict.fromkeys)", "object"),
        ("type('D', (dict,), {})()", "object"),
        ("logging.getLogger('a')", None),
        ("contextvars.ContextVar('a')", None),
        ("typing.TypeVar('T')", None),
        ("functools.lru_cache(len)", None),
        ("functools.partial(len)", None),
        ("len", None),
        ("sys", None),
        ("list[int]", None),
        ("typing.Optional[int]", None),
        ("object()", None),
    ],
)
def test_the_kind_of_a_value(text, kind):
    """By its class alone."""
    names = {name: __import__(name) for name in "re threading weakref logging contextvars typing functools sys".split()}
    names["collections"] = __import__("collections")

    assert kind_of(eval(text, names)) == kind
