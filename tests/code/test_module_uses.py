"""What programs and libraries do with a module object works for one that is loaded, and in its body while it loads."""

from __future__ import annotations

import abc
import copy
import doctest
import importlib
import importlib.resources
import importlib.util
import inspect
import pkgutil
import runpy
import subprocess
import sys
import typing
import weakref
from unittest import mock

import pytest

from midflight import code

# What the body sees of its own module while it runs: `me` is the module object. Each must be of the version in the
# making, in the first version, where the import system has just made the module, and in any later one.
BODY = """
import abc, dataclasses, enum, inspect, pickle, sys, typing
me = sys.modules[__name__]
NUMBER = {number}
only_{number}: int = {number}

def f(): return {number}

class K:
    number = {number}

SEEN = dict(
    dict_is_mine=me.__dict__ is globals() and vars(me) is globals(),
    dir=f"only_{number}" in dir(me) and "only_{other}" not in dir(me),
    members=dict(inspect.getmembers(me)).get("only_{number}"),
    module_of=inspect.getmodule(f) is me and inspect.getmodule(K) is me,
    source=inspect.getsource(f).strip(),
    name=(me.__name__, me.__spec__.name, me.__file__),
)
setattr(me, "set_by_setattr", NUMBER)
setattr(me, "doomed", 1)
delattr(me, "doomed")
SEEN["deleted"] = "doomed" not in globals()
SEEN["hints"] = typing.get_type_hints(me)

class Kind(enum.Enum):
    ONE = NUMBER
    def twice(self) -> "Kind":
        return self

class Flags(enum.IntFlag):
    A = enum.auto()
    B = enum.auto()

Made = enum.Enum("Made", "X Y")

class Base(abc.ABC):
    @abc.abstractmethod
    def run(self) -> "Base": ...

class Done(Base):
    def run(self): return self

@Base.register
class Stranger:
    pass

@dataclasses.dataclass
class Node:
    parent: "Node | None" = None
    kind: "Kind" = Kind.ONE
    cache: "typing.ClassVar[dict[str, Node]]" = {{}}
    start: "dataclasses.InitVar[int]" = 0

SEEN["by_name"] = getattr(me, "NUMBER")
SEEN["pickled"] = [pickle.loads(pickle.dumps(what)) is what for what in (f, K, Kind.ONE, Node)]
SEEN["object"] = pickle.loads(pickle.dumps(Node())) == Node()
SEEN["fields"] = [field.name for field in dataclasses.fields(Node)]
SEEN["node"] = typing.get_type_hints(Node)["kind"] is Kind
"""


@pytest.mark.parametrize("loads", [1, 2, 3])
def test_the_body_sees_its_own_version(project, loads):
    """Libraries look names up in the module while its classes are made."""
    for number in range(1, loads + 1):
        project.load_text("thing", BODY.format(number=number, other=number - 1 or 9))
    thing = sys.modules["thing"]

    expected = {
        "dict_is_mine": True,
        "dir": True,
        "members": loads,
        "module_of": True,
        "source": f"def f(): return {loads}",
        "name": ("thing", "thing", project.path("thing.py")),
        "deleted": True,
        "hints": {f"only_{loads}": int},
        "by_name": loads,
        "pickled": [True] * 4,
        "object": True,
        "fields": ["parent", "kind"],
        "node": True,
    }
    assert expected == thing.SEEN
    assert thing.set_by_setattr == loads


@pytest.mark.parametrize("loads", [1, 2])
def test_afterwards_all_are_of_the_current_version(project, loads):
    """As of a module that was never loaded."""
    for number in range(1, loads + 1):
        project.load_text("thing", BODY.format(number=number, other=number - 1 or 9))
    thing = sys.modules["thing"]

    members = dict(inspect.getmembers(thing))
    assert (members["f"], members["NUMBER"]) == (thing.f, loads)
    assert [name for name, _ in inspect.getmembers(thing, inspect.isclass) if name in ("K", "Node")] == ["K", "Node"]
    assert typing.get_type_hints(thing) == {f"only_{loads}": int}
    assert typing.get_type_hints(thing.Node)["parent"] == thing.Node | None
    assert (thing.Kind(loads), thing.Kind["ONE"], thing.Kind.ONE.twice()) == (thing.Kind.ONE,) * 3
    assert (thing.Flags.A | thing.Flags.B).name == "A|B"
    assert thing.Made.X.__module__ == "thing"
    assert isinstance(thing.Stranger(), thing.Base)
    assert isinstance(thing.Done().run(), thing.Base)
    with pytest.raises(TypeError, match="abstract"):
        thing.Base()
    node = thing.Node()
    assert copy.copy(node) == copy.deepcopy(node) == node
    assert copy.deepcopy(thing.f) is thing.f


def test_pydantic_resolves_names_in_each_version(project):
    """String annotations, forward references, models of models."""
    pydantic = pytest.importorskip("pydantic")
    text = """
from __future__ import annotations
from pydantic import BaseModel

class Tree(BaseModel):
    left: Tree | None = None
    leaf: Leaf | None = None
    number: int = {number}

class Leaf(BaseModel):
    name: str = "{number}"

Tree.model_rebuild()
MADE = Tree(left=Tree(), leaf=Leaf()).model_dump()
"""
    for number in (1, 2):
        project.load_text("thing", text.format(number=number))
        thing = sys.modules["thing"]

        leaf = {"name": str(number)}
        bare = {"left": None, "leaf": None, "number": number}
        assert bare | {"left": bare, "leaf": leaf} == thing.MADE
        assert thing.Tree.model_validate({"left": {"leaf": {}}}).left.leaf == thing.Leaf()
        with pytest.raises(pydantic.ValidationError):
            thing.Tree.model_validate({"left": {"number": "x"}})


def test_a_patch_that_a_load_comes_into_ends_with_the_load(project):
    """A version is a fresh namespace; what the patch puts back at its end is what it took out: the old one."""
    project.load("thing_v1")
    thing = sys.modules["thing"]

    with mock.patch("thing.which", return_value="mocked"):
        project.load("thing_v2")
        assert thing.which() == 2

    assert thing.which() == 1
    project.load("thing_v2")
    assert thing.which() == 2


def test_a_module_can_be_held_weakly(project):
    """The object is the same for ever."""
    project.load("thing_v1")
    held = weakref.ref(sys.modules["thing"])
    known = weakref.WeakValueDictionary(thing=sys.modules["thing"])

    project.load("thing_v2")

    assert held() is known["thing"] is sys.modules["thing"]
    assert {sys.modules["thing"]: 1}[held()] == 1


def test_a_body_may_put_its_module_where_it_is(project):
    """`sys.modules[__name__] = ...` with the same object is no replacement."""
    text = "import sys\nsys.modules[__name__] = sys.modules[__name__]\nx = {}\n"
    project.load_text("thing", text.format(1))
    project.load_text("thing", text.format(2))

    assert sys.modules["thing"].x == 2


def test_all_is_that_of_the_current_version(project):
    """`from thing import *` takes what it names."""
    project.load_text("thing", "__all__ = ['a']\na = b = 1\n")
    project.load_text("thing", "__all__ = ['b']\na = b = 2\n")
    namespace: dict[str, object] = {}

    exec("from thing import *", namespace)

    assert (namespace.get("a"), namespace["b"]) == (None, 2)
    project.load_text("thing", "a = b = _c = 3\n")
    exec("from thing import *", namespace)
    assert (namespace["a"], namespace.get("_c")) == (3, None)


def test_a_lazy_module_may_make_names_when_they_are_asked_for(project):
    """PEP 562: `__getattr__` that keeps what it makes."""
    text = (
        "def __getattr__(name):\n    if name != 'lazy': raise AttributeError(name)\n"
        "    globals()[name] = {}\n    return {}\n"
    )
    for number in (1, 2):
        project.load_text("thing", text.format(number, number))
        thing = sys.modules["thing"]

        assert not hasattr(thing, "other")
        assert (thing.lazy, vars(thing)["lazy"]) == (number, number)


def test_a_module_may_have_a_class_with_properties(project):
    """`sys.modules[__name__].__class__`, of each version its own."""
    text = (
        "import sys, types\nclass M(types.ModuleType):\n"
        "    @property\n    def shout(self):\n        return self.word + '{}'\n"
        "sys.modules[__name__].__class__ = M\nword = 'hey'\n"
    )
    for mark in "!?":
        project.load_text("thing", text.format(mark))
        assert sys.modules["thing"].shout == f"hey{mark}"


def test_doctest_finds_the_examples_of_the_current_version(project):
    """It asks functions for their globals and the module for its dictionary."""
    project.load_text("thing", "def f():\n    '''\n    >>> f()\n    1\n    '''\n    return 1\n")
    project.load_text("thing", "def f():\n    '''\n    >>> f()\n    2\n    '''\n    return 2\n")

    assert doctest.testmod(sys.modules["thing"]) == doctest.TestResults(failed=0, attempted=1)


def test_runpy_runs_the_file_beside_the_module(project):
    """As a program: the loaded module does not notice."""
    project.load_text("thing", "x = __name__\n")

    names = runpy.run_module("thing", run_name="__main__")

    assert names["x"] == "__main__"
    assert sys.modules["thing"].x == "thing"
    assert runpy.run_path(project.path("thing.py"))["x"] == "<run_path>"


def test_python_m_runs_a_module_that_loads_itself(project):
    """The program and the module of its name are one, so the import finds what was loaded."""
    project.write(
        "thing.py",
        "from midflight import code\nVALUE = 1\nif __name__ == '__main__':\n"
        "    report = code.load(__file__)\n    import thing\n"
        "    print(thing.VALUE, __name__, [each.code for each in report.warnings])\n",
    )

    run = subprocess.run([sys.executable, "-m", "thing"], cwd=project.root, capture_output=True, text=True, check=False)

    assert run.stdout == "1 thing []\n", run.stderr


PACKAGE = {
    "shop/__init__.py": "NUMBER = {}\n",
    "shop/data.txt": "data of the shop\n",
    "shop/cart.py": "from . import NUMBER\nimport shop\ndef both(): return NUMBER, shop.NUMBER\n",
    "shop/deep/__init__.py": "",
    "shop/deep/down.py": "from ..cart import both\nfrom .. import cart as c\n",
}


@pytest.fixture
def shop(project):
    """Give a package, loaded in two versions, its module `cart` imported between them."""
    for relative, text in PACKAGE.items():
        project.write(relative, text.format(1))
    code.load(project.path("shop/__init__.py"))
    importlib.import_module("shop.cart")
    code.load(project.path("shop/__init__.py"), PACKAGE["shop/__init__.py"].format(2))
    return project


def test_resources_of_a_loaded_package(shop):
    """By any of the ways to read them."""
    package = sys.modules["shop"]

    assert importlib.resources.files("shop").joinpath("data.txt").read_text() == "data of the shop\n"
    assert importlib.resources.files(package).joinpath("data.txt").is_file()
    assert pkgutil.get_data("shop", "data.txt") == b"data of the shop\n"
    assert [each.name for each in pkgutil.iter_modules(package.__path__)] == ["cart", "deep"]
    assert importlib.util.find_spec("shop") is package.__spec__


def test_modules_of_a_loaded_package_stay_and_others_can_be_imported(shop):
    """What they imported by name is older; through the package it is current."""
    package = sys.modules["shop"]

    assert package.cart.both() == (1, 2)
    assert package.cart is sys.modules["shop.cart"]
    assert importlib.import_module("shop.deep") is package.deep
    assert importlib.import_module("shop.deep.down").c is package.cart
    assert code.load(shop.path("shop/cart.py")).version == 2
    assert package.cart.both() == (2, 2)


def test_a_first_import_after_a_load_is_an_ordinary_one(project):
    """`import` of a loaded module finds what is loaded, though no file is there any more."""
    path = project.write("thing.py", "x = 1\n")
    code.load(path, "x = 2\n")
    (project.root / "thing.py").unlink()

    assert importlib.import_module("thing").x == 2
    assert isinstance(importlib.util.find_spec("thing"), importlib.machinery.ModuleSpec)


def test_modules_that_import_each_other_go_on_doing_so(project):
    """Each through the other's module object, whichever was loaded last."""
    project.write("two.py", "import one\nNAME = 'two 1'\ndef other(): return one.NAME\n")
    project.load_text("one", "import two\nNAME = 'one 1'\ndef other(): return two.NAME\n")
    project.load_text("two", "import one\nNAME = 'two 2'\ndef other(): return one.NAME\n")
    project.load_text("one", "import two\nNAME = 'one 2'\ndef other(): return two.NAME\n")

    assert (sys.modules["one"].other(), sys.modules["two"].other()) == ("two 2", "one 2")


def test_an_abc_of_another_module_knows_the_classes_of_all_versions(project):
    """Registered ones too: the registry is the ABC's own."""
    project.load_text("base", "import abc\nclass Base(abc.ABC):\n    pass\n")
    base = sys.modules["base"].Base
    for number in (1, 2):
        project.load_text("thing", f"import base\n@base.Base.register\nclass K:\n    number = {number}\n")
        assert issubclass(sys.modules["thing"].K, base)
    assert isinstance(base, abc.ABCMeta)
