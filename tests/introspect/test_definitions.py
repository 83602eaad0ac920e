"""Where things are defined and who uses them, from live objects and the texts that run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.shells import Shell
from helpers.versions import forget_modules_in
from midflight import code
from midflight.introspect import ModuleScope, Reference, definition_of, references_of, target_of

STOCK = """import functools
from midflight import receive

LIMIT = 10


def noted(function):
    @functools.wraps(function)
    def inner(*args):
        return function(*args)
    return inner


class Stock:
    def __init__(self):
        self.items = []

    def add(self, item):
        self.items.append(item)
        return LIMIT


@noted
def make():
    return Stock()


async def wait():
    await receive()
    return old_name()


def old_name():
    return make()
"""
SHOP = """import stock_used as s
from stock_used import make as build, LIMIT


def open_shop():
    stock = build()
    stock.add(s.LIMIT)
    s.Stock().add(LIMIT)
    return s.make()


class Other:
    def add(self):
        pass


def unrelated():
    Other().add()
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """Two loaded modules, one of which uses the other."""
    path = sys.path[:]
    sys.path.insert(0, str(tmp_path))
    for name, text in (("stock_used", STOCK), ("shop_using", SHOP)):
        (tmp_path / f"{name}.py").write_text(text)
        code.load(str(tmp_path / f"{name}.py"))
    yield tmp_path
    sys.path[:] = path
    forget_modules_in(tmp_path)


def line_of(text: str, start: str) -> int:
    """Return the number of the first line of `text` that starts with `start`."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith(start))


@pytest.mark.parametrize(
    ("expression", "name", "start"),
    [
        ("stock_used.make", "make", "def make"),
        ("stock_used.Stock", "Stock", "class Stock"),
        ("stock_used.Stock.add", "Stock.add", "    def add"),
        ("s.add", "Stock.add", "    def add"),
        ("s.items", "Stock.items", "        self.items"),
        ("s", "Stock", "class Stock"),
        ("stock_used.LIMIT", "LIMIT", "LIMIT"),
        ("shop_using.build", "make", "def make"),
        ("shop_using.LIMIT", "LIMIT", "LIMIT"),
        ("stock_used", "", "import functools"),
    ],
)
def test_definitions_are_found(shell: Shell, project: Path, expression: str, name: str, start: str) -> None:
    """Of functions behind decorators, methods, attributes, constants, and through imports."""
    shell.ask("s = stock_used.make()")

    target = target_of(shell.session.scope, expression)
    assert target is not None
    definition = definition_of(target)

    assert definition is not None
    assert (definition.path, definition.name) == (str(project / "stock_used.py"), name)
    assert definition.line == line_of(STOCK, start)
    assert definition.text.startswith(start)
    assert (definition.version, definition.is_current) == (1, True)


def test_the_line_is_that_of_what_runs(shell: Shell, project: Path) -> None:
    """An edit of the file that was not loaded moves nothing."""
    (project / "stock_used.py").write_text("# edited\n" * 50 + STOCK)

    target = target_of(shell.session.scope, "stock_used.make")
    assert target is not None
    definition = definition_of(target)

    assert definition is not None
    assert definition.line == line_of(STOCK, "def make")


def test_a_function_that_is_gone_is_where_it_was(shell: Shell, project: Path) -> None:
    """An old version that is still held has its text."""
    shell.ask("f = stock_used.old_name")
    code.load(str(project / "stock_used.py"), STOCK.replace("old_name", "new_name"))

    target = target_of(shell.session.scope, "f")
    assert target is not None
    definition = definition_of(target)

    assert definition is not None
    assert (definition.is_current, definition.version) == (False, 1)
    assert definition.text == "def old_name():"


@pytest.mark.parametrize("expression", ["len", "x", "nowhere.at_all", "1 +"])
def test_what_has_no_text_has_no_definition(shell: Shell, expression: str) -> None:
    """A builtin, an input of the shell, an unknown name, no expression."""
    shell.ask("def x(): pass\n")

    target = target_of(shell.session.scope, expression)

    assert target is None or definition_of(target) is None


def test_the_library_is_found_in_its_files(shell: Shell) -> None:
    """What was only imported has its file's text."""
    shell.ask("import textwrap")

    target = target_of(shell.session.scope, "textwrap.dedent")
    assert target is not None
    definition = definition_of(target)

    assert definition is not None
    assert definition.path.endswith("textwrap.py")
    assert definition.text.startswith("def dedent(")


def uses(expression: str) -> list[Reference]:
    """Return the uses of what `expression` means in the module of the stock."""
    target = target_of(ModuleScope("stock_used"), expression)
    assert target is not None
    return list(references_of(target))


def test_references_are_those_of_the_name_that_runs(project: Path) -> None:
    """Under whatever name a module knows it."""
    found = [(each.module, each.inside, each.text.strip()) for each in uses("make")]

    assert found == [
        ("shop_using", "", "from stock_used import make as build, LIMIT"),
        ("shop_using", "open_shop", "stock = build()"),
        ("shop_using", "open_shop", "return s.make()"),
        ("stock_used", "old_name", "return make()"),
    ]


def test_references_of_a_method_say_what_is_sure(project: Path) -> None:
    """The owner of a local is not known; another class's method of that name is no use."""
    found = [(each.inside, each.text.strip(), each.is_sure) for each in uses("Stock.add")]

    assert found == [("open_shop", "stock.add(s.LIMIT)", False), ("open_shop", "s.Stock().add(LIMIT)", True)]


def test_old_versions_that_live_count(shell: Shell, project: Path) -> None:
    """The text that a process still runs uses the name, whoever loaded what since."""
    pid = shell.value("spawn(stock_used.wait)")
    code.load(str(project / "stock_used.py"), STOCK.replace("    return old_name()\n", "    return None\n"))

    found = [(each.inside, each.version, each.is_current, each.pids) for each in uses("old_name")]

    assert found == [("wait", 1, False, (pid,))]
