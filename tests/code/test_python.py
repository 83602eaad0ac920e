"""What Python code does with modules works in any version, while it loads and after."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import logging
import pickle
import subprocess
import sys
import traceback
import typing
from unittest import mock

import pytest

from midflight import code
from midflight.code import lowlevel

TYPED = """
from __future__ import annotations
import dataclasses, enum, sys, typing

class Node:
    number = {number}

@dataclasses.dataclass
class Tree:
    node: Node
    kind: typing.ClassVar[str] = "tree"
    count: dataclasses.InitVar[int] = 0
    left: Tree | None = None
    HINTS: typing.ClassVar[object] = None

Tree.HINTS = typing.get_type_hints(Tree)

class Colour(enum.Enum):
    RED = {number}

class Pair(typing.NamedTuple):
    first: Node

def add(node: Node) -> Tree: ...

HINTS = typing.get_type_hints(add)
HERE = vars(sys.modules[__name__]) is globals()
"""


@pytest.mark.parametrize("number", [1, 2])
def test_string_annotations_are_resolved_in_the_version_that_is_loading(project, number):
    """Dataclasses look `ClassVar` and `InitVar` up in the module's dictionary, typing all names."""
    for each in range(1, number + 1):
        project.load_text("typed", TYPED.format(number=each))
    typed = sys.modules["typed"]

    assert [field.name for field in dataclasses.fields(typed.Tree)] == ["node", "left"]
    assert typed.Tree.HINTS["node"] is typed.Node
    assert {"node": typed.Node, "return": typed.Tree} == typed.HINTS
    assert typed.HERE
    assert typed.Node.number == number
    assert typing.get_type_hints(typed.Pair) == {"first": typed.Node}
    assert typing.get_type_hints(typed.add) == typed.HINTS
    assert typed.Tree(typed.Node(), left=None).kind == "tree"


def test_functions_classes_and_instances_pickle_by_name(project):
    """They come back as the current ones."""
    project.load_text("typed", TYPED.format(number=1))
    project.load_text("typed", TYPED.format(number=2))
    typed = sys.modules["typed"]

    for value in (typed.add, typed.Tree, typed.Colour.RED):
        assert pickle.loads(pickle.dumps(value)) is value
    pair = typed.Pair(typed.Node())
    assert type(pickle.loads(pickle.dumps(pair))) is typed.Pair


def test_mock_patch_changes_the_current_version_for_all(project):
    """Local callers see it too, and it is undone."""
    project.load("thing_v1")
    project.load("thing_v2")
    thing = sys.modules["thing"]

    with mock.patch("thing.which", return_value="mocked"), mock.patch.object(thing, "local", new=None):
        assert thing.qualified() == "mocked"
        assert thing.make_closure()() == ("mocked", "mocked")
        assert thing.local is None

    assert (thing.which(), thing.local()) == (2, 2)


def test_from_imports_and_stars_take_the_current_version(project):
    """At the time when they are made."""
    project.load("thing_v1")
    project.load("thing_v2")
    namespace: dict[str, object] = {}

    exec("from thing import which\nfrom thing import *\nimport thing as t", namespace)

    assert namespace["which"] is namespace["t"].which  # type: ignore[attr-defined]  # it is the module
    assert "only_in_2" in namespace


def test_inspect_finds_module_and_source_of_every_version(project):
    """Functions of an old version show the old text, though the file has changed."""
    project.load("thing_v1")
    thing = sys.modules["thing"]
    old = thing.which

    project.load("thing_v2")

    assert inspect.getmodule(old) is inspect.getmodule(thing.which) is inspect.getmodule(thing.Thing) is thing
    assert "return 1" in inspect.getsource(old)
    assert "return 2" in inspect.getsource(thing.which)
    assert inspect.getsource(thing.Thing).startswith("class Thing:")
    assert inspect.getsource(thing.Thing.which).strip().startswith("def which(self)")


def test_inspect_shows_the_loaded_text_of_a_class_though_the_file_differs(project):
    """It goes by the real path: that shows what was loaded."""
    path = project.write("shape.py", "\n\n\nclass Shape:\n    on_disk = True\n")
    code.load(path, "class Shape:\n    loaded = True\n")

    assert "loaded" in inspect.getsource(sys.modules["shape"].Shape)


def test_a_frame_of_an_old_version_is_found_in_its_module(project):
    """What `inspect.stack` and debuggers ask."""
    project.load_text("thing", "import sys\ndef frame():\n    return sys._getframe()  # in 1\n")
    frame = sys.modules["thing"].frame()

    project.load("thing_v2")

    assert inspect.getframeinfo(frame).code_context == ["    return sys._getframe()  # in 1\n"]
    assert inspect.getmodule(frame) is sys.modules["thing"]


def test_tracebacks_of_old_code_show_the_old_lines(project, caplog):
    """H19: also the ones that logging writes, and however the file has changed."""
    project.load_text("thing", "def fail():\n    raise ValueError('old')  # the old line\n")
    fail = sys.modules["thing"].fail
    project.load_text("thing", "# moved\n# down\n\ndef fail():\n    raise ValueError('new')\n")

    try:
        fail()
    except ValueError:
        shown = traceback.format_exc()
        logging.getLogger("test").exception("failed")

    assert "# the old line" in shown
    assert "# the old line" in caplog.text
    assert "thing@1.py" in shown
    assert f'File "{project.path("thing.py")}", line 2, in fail (version 1)' in lowlevel.readable(shown)
    assert "# the old line" in lowlevel.readable(shown)


def test_the_interpreters_own_traceback_shows_the_old_lines(project):
    """It reads files and knows no linecache (3.11, 3.12)."""
    path = project.write("thing.py", "def fail():\n    1 / 0  # the old line\n")
    program = (
        "import sys\n"
        "from midflight import code\n"
        f"code.load({path!r})\n"
        "fail = sys.modules['thing'].fail\n"
        f"code.load({path!r}, '\\n\\n\\ndef fail(): pass\\n')\n"
        "sys.excepthook = sys.__excepthook__\n"
        "fail()\n"
    )

    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert "1 / 0  # the old line" in run.stderr


def test_reload_is_a_load(project):
    """`importlib.reload` makes a new version, and gives back the same module object."""
    project.load("thing_v1")
    thing = sys.modules["thing"]
    old = thing.local
    project.put("thing_v2")

    assert importlib.reload(thing) is thing

    assert (thing.which(), old()) == (2, 1)
    assert thing.__midflight_version__ == 2


def test_a_reload_that_fails_raises_and_changes_nothing(project):
    """LoadError, as any load."""
    project.load("thing_v1")
    thing = sys.modules["thing"]
    project.write("thing.py", "1 / 0\n")

    with pytest.raises(code.LoadError):
        importlib.reload(thing)

    assert thing.which() == 1
    assert sys.modules["thing"] is thing


def test_a_reload_of_other_modules_is_pythons_own(project):
    """The finder in front knows the modules of the code server only."""
    project.load("thing_v1")
    sys.path.append(str(project.root))
    project.write("plain.py", "x = []\n")
    plain = __import__("plain")
    before = plain.x

    importlib.reload(plain)

    assert plain.x is not before
    assert code.is_loaded("plain") is None


PACKAGE = {
    "shop/__init__.py": "from . import cart\nfrom .cart import add\nNUMBER = 1\n",
    "shop/cart.py": "from . import prices\nimport shop.prices\ndef add(): return prices.PRICE\n",
    "shop/prices.py": "PRICE = 1\n",
}


@pytest.fixture
def shop(project):
    """Give the project with a package in it, imported by nobody."""
    for relative, text in PACKAGE.items():
        project.write(relative, text)
    return project


def test_a_package_and_its_modules_can_be_loaded(shop):
    """Relative imports work in any version."""
    code.load(shop.path("shop/__init__.py"))
    package = sys.modules["shop"]
    shop.write("shop/prices.py", "PRICE = 2\n")

    code.load(shop.path("shop/prices.py"))
    assert package.cart.add() == 2

    code.load(shop.path("shop/cart.py"))
    assert package.cart.add() == sys.modules["shop.cart"].add() == 2
    assert [code.versions(name)[-1].version for name in ("shop", "shop.prices", "shop.cart")] == [1, 2, 2]


def test_the_first_load_of_a_module_in_a_package_imports_the_package(shop):
    """And the package has it as an attribute."""
    report = code.load(shop.path("shop/prices.py"))

    assert report.module == "shop.prices"
    assert sys.modules["shop"].prices is sys.modules["shop.prices"]
    assert sys.modules["shop.prices"].__package__ == "shop"


def test_a_new_version_of_a_package_keeps_its_submodules(shop):
    """Whatever its new text imports: they are there."""
    code.load(shop.path("shop/__init__.py"))
    cart = sys.modules["shop.cart"]

    code.load(shop.path("shop/__init__.py"), "NUMBER = 2\nHAD = cart\n")

    package = sys.modules["shop"]
    assert (package.NUMBER, package.cart, package.HAD) == (2, cart, cart)
    assert package.__path__ == [shop.path("shop")]
    assert importlib.import_module("shop.prices").PRICE == 1


def test_a_body_may_name_a_submodule_that_it_deletes_at_its_end(project):
    """`from .x import y` binds `x` in the package when that is imported first: the body may use it, and delete it."""
    text = "from .exceptions import merge\nNAMES = sorted(n for n in vars(exceptions) if n[0] != '_')\ndel exceptions\n"
    project.write("curried/exceptions.py", "def merge(): return 1\n")
    path = project.write("curried/__init__.py", text)
    sys.path.append(str(project.root))
    importlib.import_module("curried")

    for edit in ("# edited\n", "# again\n"):
        report = code.load(path, edit + text)

        assert report.version == report.current
        assert not hasattr(sys.modules["curried"], "exceptions")
        assert sys.modules["curried"].NAMES == ["merge"]


def test_a_submodule_that_is_imported_during_a_failed_load_stays_on_its_package(shop):
    """Python sets it there only once."""
    code.load(shop.path("shop/__init__.py"), "NUMBER = 1\n")

    with pytest.raises(code.LoadError):
        code.load(shop.path("shop/__init__.py"), "from . import prices\n1 / 0\n")

    assert sys.modules["shop"].prices.PRICE == 1


def test_a_package_whose_body_raises_refuses_its_modules(shop):
    """The module itself was not tried."""
    shop.write("shop/__init__.py", "1 / 0\n")

    with pytest.raises(code.LoadError, match="ZeroDivisionError") as caught:
        code.load(shop.path("shop/prices.py"))

    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert not {"shop", "shop.prices"} & set(sys.modules)


def test_a_circular_import_during_a_first_load_is_pythons_own(project):
    """Each sees of the other what there is by then."""
    project.write("other.py", "import thing\nseen = hasattr(thing, 'before'), hasattr(thing, 'after')\n")

    project.load_text("thing", "before = 1\nimport other\nafter = 1\n")

    assert sys.modules["other"].seen == (True, False)
    assert code.is_loaded("other") is None


def test_a_circular_import_during_a_later_load_sees_the_version_before(project):
    """And names that only the new one has."""
    project.load_text("thing", "both = 1\n")
    project.write("other.py", "from thing import both, new\n")

    project.load_text("thing", "both = 2\nnew = 2\nimport other\n")

    assert (sys.modules["other"].both, sys.modules["other"].new) == (1, 2)


def test_a_qualified_call_in_the_body_reaches_the_version_before(project):
    """H25: the new version is not current while its body runs; its local calls are its own."""
    project.load_text("thing", "def which(): return 1\n")

    project.load_text("thing", "import thing\ndef which(): return 2\nSEEN = which(), thing.which()\n")

    assert sys.modules["thing"].SEEN == (2, 1)


def test_module_getattr_and_dir_of_the_current_version_count(project):
    """PEP 562."""
    project.load_text("thing", "def __getattr__(name): return name + ' of 1'\ndef __dir__(): return ['one']\n")
    project.load_text("thing", "def __getattr__(name): return name + ' of 2'\ndef __dir__(): return ['two']\n")
    thing = sys.modules["thing"]

    assert (thing.anything, dir(thing)) == ("anything of 2", ["two"])
