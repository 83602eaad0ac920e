"""A module that an import hook instruments is instrumented after a load, by the same loader."""

from __future__ import annotations

import importlib
import subprocess
import sys
from importlib.machinery import FileFinder, SourceFileLoader
from textwrap import dedent

import pytest
import typeguard

from midflight import code

TEXT = """
RATE = 2
CACHE = {}


class Price:
    def __init__(self, amount: int) -> None:
        self.amount = amount

    def times(self, count: int) -> int:
        return self.amount * count * RATE


def total(prices: list[int]) -> int:
    CACHE[len(prices)] = prices
    return sum(prices)
"""


@pytest.fixture
def typeguarded(project, watched, monkeypatch):
    """Import `thing` with typeguard's hook, which is gone afterwards; give the module."""
    project.write("thing.py", TEXT)
    monkeypatch.syspath_prepend(str(project.root))
    with typeguard.install_import_hook(["thing"]):
        return importlib.import_module("thing")


def test_typeguard_checks_the_new_version(project, typeguarded):
    """Though its hook is not installed any more: the module has its loader."""
    report = project.load_text("thing", TEXT.replace("sum(prices)", "sum(prices) + 1"))

    assert report.changed == ("total",)
    assert typeguarded.total([1]) == 2
    with pytest.raises(typeguard.TypeCheckError):
        typeguarded.total("no list")


def test_a_class_that_typeguard_checks_is_kept(project, typeguarded):
    """Its text is the same, so it is the same class, whose methods see the new version and are checked."""
    price = typeguarded.Price(3)
    typeguarded.total([5])

    report = project.load_text("thing", "# a comment\n" + TEXT.replace("sum(prices)", "sum(prices) + 1"))

    assert report.kept == ("Price",)
    assert [each.sized() for each in report.state if each.outcome == "kept"] == ["CACHE (1)"]
    assert type(price) is typeguarded.Price
    assert price.times.__func__.__globals__ is vars(typeguarded)
    assert price.times(2) == 12
    with pytest.raises(typeguard.TypeCheckError):
        price.times("x")


def test_a_comment_in_a_class_that_typeguard_checks_moves_its_lines(project, typeguarded):
    """The methods of the kept class have the lines of the new text."""
    text = TEXT.replace("    def times", "    # how often\n    def times")

    report = project.load_text("thing", text)

    assert report.kept == ("Price",)
    line = text.split("\n").index("    def times(self, count: int) -> int:") + 1
    assert typeguarded.Price.times.__code__.co_firstlineno == line
    assert typeguarded.Price.times.__globals__ is vars(typeguarded)


def test_a_first_load_takes_the_loader_that_an_import_would_take(project, monkeypatch):
    """Nobody has imported the module yet."""
    path = project.write("thing.py", TEXT)
    monkeypatch.syspath_prepend(str(project.root))
    with typeguard.install_import_hook(["thing"]):
        code.load(path)

    with pytest.raises(typeguard.TypeCheckError):
        sys.modules["thing"].total("no list")


PROGRAM = """
import sys
sys.path.insert(0, {root!r})
from midflight import code
from midflight.code.lowlevel import watch_imports
{hook}
watch_imports()
import thing
price = thing.Price(3)
report = code.load("thing", source=open(thing.__file__).read().replace("sum(prices)", "sum(prices) + 1"))
print(report.changed, report.kept, [each.message for each in report.warnings])
print(thing.total([1]), type(price) is thing.Price, price.times(2))
for call in (lambda: thing.total("no list"), lambda: price.times("x")):
    try:
        call()
    except Exception as error:
        print(type(error).__module__.partition(".")[0])
"""


def run(project, text: str) -> list[str]:
    """Run a program in an interpreter of its own, for a hook of its kind stays; return its lines."""
    program = project.write("main.py", dedent(text))
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.stdout.splitlines()


def test_beartype_checks_the_new_version(project):
    """Its loader parses the text itself: the tree with the questions of the load takes that one's place."""
    project.write("thing.py", TEXT)
    hook = "from beartype.claw import beartype_package\nbeartype_package('thing')"

    lines = run(project, PROGRAM.format(root=str(project.root), hook=hook))

    assert lines == ["('total',) ('Price',) []", "2 True 12", "beartype", "beartype"]


def test_pytest_explains_the_asserts_of_the_new_version(project):
    """What it rewrites at import it rewrites at a load, and text 1 is known."""
    project.write(
        "test_thing.py",
        """
        from midflight import code

        class Case:
            def check(self, value):
                assert value == 3

        def check(value):
            assert value == 1

        def explained(function, value):
            try:
                function(value)
            except AssertionError as error:
                return str(error).splitlines()[0]

        def test_it():
            import test_thing
            case = Case()
            text = open(__file__).read()
            report = code.load(__file__, source=text.replace("value == 1", "value == 2", 1))
            assert report.changed == ("check",)
            assert report.kept == ("Case",)
            assert explained(test_thing.check, 4) == "assert 4 == 2"
            assert explained(case.check, 4) == "assert 4 == 3"
        """,
    )

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", project.path("test_thing.py")],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "1 passed" in done.stdout, done.stdout


class Loader(SourceFileLoader):
    """One that takes part in what code is made of a text."""

    def get_code(self, fullname):
        """Return the code of the text with `ONE` for `TWO`, without a tree that anybody sees."""
        text = self.get_data(self.path).decode().replace("ONE", "TWO")
        if "BROKEN" in text:
            raise LookupError("no template of that name")
        return compile(text, self.path, "exec", dont_inherit=True)


@pytest.fixture
def templated(project, watched, monkeypatch):
    """Import `thing` by `Loader`; give a function that loads a text of it."""
    monkeypatch.setattr(sys, "path_hooks", [FileFinder.path_hook((Loader, [".py"])), *sys.path_hooks])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    monkeypatch.syspath_prepend(str(project.root))
    project.write("thing.py", "class K: pass\ndef f(): return 'ONE'\n")
    assert importlib.import_module("thing").f() == "TWO"
    return lambda text: project.load_text("thing", text)


def test_a_loader_of_texts_makes_the_code(templated):
    """It has no tree to put questions into, so classes are new; the report says so."""
    report = templated("class K: pass\ndef f(): return 'ONE!'\n")

    thing = sys.modules["thing"]
    assert thing.f() == "TWO!"
    assert report.changed == ("f",)
    assert [each.reason for each in report.superseded] == ["its loader makes code of the text alone"]
    assert [each.code for each in report.warnings] == ["loader"]
    assert thing.f.__code__.co_filename.endswith("thing@2.py")


def test_a_loader_that_raises_refuses_the_load(templated):
    """Nothing has changed, and the report says whose error it is."""
    said = r"its loader, .*\.Loader, raised LookupError: no template of that name\. Version 1 stays current"
    with pytest.raises(code.LoadError, match=said) as caught:
        templated("x = 'BROKEN'\n")

    assert caught.value.report.refusals[0].code == "loader"
    assert sys.modules["thing"].f() == "TWO"


def test_a_loader_that_finds_no_python_refuses_the_load(templated):
    """A syntax error of its own is told with its line."""
    with pytest.raises(code.LoadError, match="line 2"):
        templated("x = 'ONE'\nreturn\n")
