"""An old version that nobody runs goes, whatever its text defines; what keeps one is named."""

from __future__ import annotations

import gc
import logging
import re
import sys
import weakref

import pytest

from midflight import code
from midflight.code.version.modules import module_of

USES = {
    "functions": """
def f(n=[1], *, m={1: 2}):
    return lambda: n
closure = f()
""",
    "a dataclass": """
import dataclasses
@dataclasses.dataclass(slots=True, order=True)
class D:
    a: int = V
d = D()
""",
    "an enum": """
import enum
class E(enum.Enum):
    A = V
class F(enum.Flag):
    A = 1
    B = 2
both = F.A | F.B
""",
    "an ABC": """
import abc
class A(abc.ABC):
    v = V
    @abc.abstractmethod
    def f(self): pass
class B(A):
    def f(self): pass
@A.register
class C:
    pass
checked = isinstance(C(), A), isinstance(B(), A), isinstance(3, A)
""",
    "an ABC of Python's": """
import collections.abc as c
class S(c.Sequence):
    v = V
    def __len__(self): return 0
    def __getitem__(self, i): raise IndexError
seen = isinstance(S(), c.Mapping), isinstance(S(), c.Iterable)
""",
    "generics": """
from typing import *
T = TypeVar('T')
class G(Generic[T]):
    v = V
    def get(self) -> T: ...
class H(G[int]): pass
of = G[str], list[G[int]], Optional[G[int]], Union[H, int], Callable[[G], H]
hints = get_type_hints(G.get)
""",
    "a TypedDict": """
from typing import *
class T(TypedDict, total=False):
    a: int
v = V
t: T = T(a=1)
""",
    "a NamedTuple": """
from typing import *
class N(NamedTuple):
    a: int = V
n = N()
""",
    "a Protocol": """
from typing import *
@runtime_checkable
class P(Protocol):
    v: int = V
    def f(self): ...
class Q:
    v = 1
    def f(self): pass
checked = isinstance(Q(), P), isinstance(3, P)
""",
    "an overload": """
from typing import *
@overload
def f(a: int) -> int: ...
@overload
def f(a: str) -> str: ...
def f(a): return V
""",
    "an lru_cache": """
import functools
@functools.lru_cache
def f(n):
    return V, n
f(1)
class K:
    @functools.cache
    def g(self): return V
K().g()
""",
    "a cached_property": """
import functools
class K:
    @functools.cached_property
    def g(self): return V
k = K()
k.g
""",
    "a singledispatch": """
import functools
@functools.singledispatch
def f(n): return V
@f.register
def _(n: int): return V
@f.register(list)
def _(n): return V
f(1), f([]), f('')
class K:
    @functools.singledispatchmethod
    def g(self, n): return V
    @g.register
    def _(self, n: int): return 1
K().g(2)
""",
    "a context variable": """
import contextvars
var = contextvars.ContextVar('v', default=V)
def f():
    with_ = var.set(V)
    var.reset(with_)
f()
""",
    "a logger": """
import logging
log = logging.getLogger(__name__)
class K:
    v = V
log.debug('made %s', K())
""",
    "an exception that was raised": """
class E(Exception):
    v = V
def f(): raise E
try:
    f()
except E as e:
    kept = e
""",
    "a generator in flight": """
def g():
    yield V
    yield V
it = g()
next(it)
""",
    "a metaclass": """
class M(type):
    v = V
class K(metaclass=M):
    pass
""",
    "weak references": """
import weakref
class K:
    v = V
k = K()
w = weakref.WeakKeyDictionary({k: K})
weakref.finalize(k, print)
""",
    "patterns": """
import re
pattern = re.compile(f'v{V}')
def f(m): return str(V)
made = pattern.sub(f, 'v1')
""",
    "a warning": """
import warnings
class W(UserWarning):
    v = V
def f():
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        warnings.warn('x', W)
f()
""",
}


def namespace_of(project, text: str) -> tuple[weakref.ref[object], code.LoadReport]:
    """Load `text` in two versions; return a reference that dies with the first one's namespace."""
    project.load_text("thing", re.sub(r"\bV\b", "1", text), force=True)
    version = module_of("thing").versions[1]
    anchor = version._anchor
    assert anchor is not None
    report = project.load_text("thing", re.sub(r"\bV\b", "2", text), force=True)
    for change in report.state:
        if change.outcome == "left":  # recoverable on purpose
            code.forget("thing", change.name)
    gc.collect()
    return anchor, report


@pytest.mark.parametrize("kind", USES)
def test_an_old_version_goes_with_all_that_it_made(project, kind):
    """No cache of Python's or ours keeps it."""
    gone, _ = namespace_of(project, USES[kind])

    assert gone() is None
    assert module_of("thing").versions[1].namespace is None


def test_one_with_a_pydantic_model_goes(project):
    """Its validators are in Rust, which the garbage collector sees through."""
    pytest.importorskip("pydantic")
    text = (
        "from __future__ import annotations\nfrom pydantic import BaseModel, field_validator, TypeAdapter\n"
        "class Leaf(BaseModel):\n    v: int = V\n"
        "class M(BaseModel):\n    leaf: Leaf | None = None\n    more: list[M] = []\n"
        "    @field_validator('more')\n    def check(cls, value): return value\n"
        "made = M(more=[M()]).model_dump_json()\nadapted = TypeAdapter(list[M]).validate_python([{}])\n"
    )

    gone, _ = namespace_of(project, text)

    assert gone() is None


KEEPERS = {
    "a handler of Python's logging": (
        "import logging\nclass H(logging.Handler):\n    v = V\n    def emit(self, record): pass\n"
        "from midflight.code import on_load, on_unload\n",
        "h = H()\nlogging.getLogger('memory').addHandler(h)\n",
        "logging.getLogger('memory').removeHandler(h)\n",
    ),
    "atexit": (
        "import atexit\nfrom midflight.code import on_load, on_unload\ndef f(): return V\n",
        "atexit.register(f)\n",
        "atexit.unregister(f)\n",
    ),
    "a dispatch of another module": (
        "import dispatch\nfrom midflight.code import on_load, on_unload\nclass K:\n    v = V\ndef f(n): return V\n",
        "dispatch.add(K, f)\n",
        "dispatch.remove(K)\n",
    ),
    "a context variable that is set": (
        "import registry\nfrom midflight.code import on_load, on_unload\nclass K:\n    v = V\n    def f(self): pass\n",
        "registry.var.set(K())\n",
        "registry.var.set(None)\n",
    ),
    "a signal handler": (
        "import signal\nfrom midflight.code import on_load, on_unload\ndef f(*_): return V\n",
        "signal.signal(signal.SIGUSR2, f)\n",
        "signal.signal(signal.SIGUSR2, signal.SIG_DFL)\n",
    ),
}


@pytest.fixture
def registries(project):
    """Give modules in which others register things."""
    sys.path.append(str(project.root))
    project.write("dispatch.py", "table = {}\nadd = table.__setitem__\nremove = table.pop\n")
    project.write("registry.py", "import contextvars\nvar = contextvars.ContextVar('var')\n")


@pytest.mark.parametrize("kind", list(KEEPERS)[:3])
def test_what_a_program_registers_keeps_its_version(project, registries, kind):
    """It may be called: so it has to be there. `why_alive` names it."""
    head, register, unregister = KEEPERS[kind]

    kept, _ = namespace_of(project, head + register)

    assert kept() is not None
    assert code.why_alive("thing", 1).is_alive
    namespace = module_of("thing").versions[1].namespace
    exec(unregister, namespace)
    del namespace
    gc.collect()
    assert kept() is None


@pytest.mark.parametrize("kind", list(KEEPERS)[3:])
def test_what_the_next_version_takes_the_place_of_goes(project, registries, kind):
    """There is one only, and the new version has set its own."""
    head, register, unregister = KEEPERS[kind]

    gone, _ = namespace_of(project, head + register)

    assert gone() is None
    current = module_of("thing").current
    assert current is not None
    exec(unregister, current.namespace)


@pytest.mark.parametrize("kind", KEEPERS)
def test_what_is_registered_in_hooks_goes_with_its_version(project, registries, kind):
    """`@on_load` registers, `@on_unload` takes it back."""
    head, register, unregister = KEEPERS[kind]
    body = "".join(f"    {line}\n" for line in register.splitlines())
    back = "".join(f"    {line}\n" for line in unregister.splitlines())
    text = f"{head}h = None\n@on_load\ndef begin():\n    global h\n{body}@on_unload\ndef end():\n{back}"

    gone, report = namespace_of(project, text)

    assert [each.message for each in report.warnings if each.code == "hook"] == []
    assert gone() is None
    hooks = module_of("thing").current
    assert hooks is not None
    exec(unregister, hooks.namespace)


def test_a_registration_in_an_abc_of_another_module_keeps_nothing(project):
    """Its registry is weak."""
    project.load_text("base", "import abc\nclass Base(abc.ABC):\n    pass\n")

    gone, _ = namespace_of(
        project, "import base\n@base.Base.register\nclass K:\n    v = V\nisinstance(K(), base.Base)\n"
    )

    assert gone() is None


def test_a_subclass_in_another_module_keeps_it(project):
    """Until that module is loaded too."""
    project.load_text("thing", "class K:\n    v = 1\n    def f(self): return 1\n")
    project.load_text("leaf", "import thing\nclass L(thing.K):\n    pass\n")
    kept = module_of("thing").versions[1]._anchor

    project.load_text("thing", "class K:\n    v = 2\n    def f(self): return 2\n")
    gc.collect()
    assert kept() is not None

    code.load("leaf")
    gc.collect()
    assert kept() is None


def test_logging_that_has_seen_an_error_of_an_old_version_keeps_nothing(project):
    """Its record is gone when it has been handled."""
    project.load_text("thing", "def f():\n    raise ValueError(1)\n")
    try:
        sys.modules["thing"].f()
    except ValueError:
        handler = logging.StreamHandler(open("/dev/null", "w"))  # noqa: SIM115  # closed below
        log = logging.Logger("memory")
        log.addHandler(handler)
        log.exception("failed")
        handler.stream.close()
    gone = module_of("thing").versions[1]._anchor

    project.load_text("thing", "x = 1\n")
    gc.collect()

    assert gone() is None
