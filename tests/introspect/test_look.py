"""Completion, signatures and documentation from live objects, of which no code may run."""

from __future__ import annotations

import functools
import sys
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.shells import Shell
from helpers.versions import forget_modules_in
from midflight import code
from midflight.introspect import Candidate, ModuleScope, call_tip, complete, doc_of, module_of_file
from midflight.introspect.safe_look import members_of

TALLY = '''"""Counts."""
LIMIT = 10


class Tally:
    """A tally."""

    def __init__(self, start: int = 0, *, step=1) -> None:
        self.total = start

    @property
    def double(self) -> "Tally":
        raise RuntimeError("a property ran")

    async def add(self, count, /, *rest):
        """Add COUNT."""
        self.


def make(start=0, **options) -> Tally:
    """Make a tally."""
    total = start
    return Tally(start)
'''.replace("        self.\n", "        self.total += count\n")


class Touchy:
    """An object that must not be touched: all that runs of it fails the test."""

    def __init__(self) -> None:
        self.plain = 1

    def _fail(self, *_: object) -> Any:
        raise AssertionError("code of the user's ran")

    __getattr__ = __repr__ = __dir__ = __eq__ = __bool__ = __iter__ = __len__ = _fail  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]
    secret = property(_fail)

    @property
    def __class__(self) -> Any:
        raise AssertionError("it was asked for its class")

    def method(self, other: Any = None) -> None:
        """Do nothing."""


@pytest.fixture
def tally(tmp_path: Path) -> Iterator[Path]:
    """A loaded module of this test's own."""
    file = tmp_path / "tally_looked_at.py"
    file.write_text(TALLY)
    path = sys.path[:]
    code.load(str(file))
    yield file
    sys.path[:] = path
    forget_modules_in(tmp_path)


def names(shell: Shell, text: str) -> list[str]:
    """Complete `text` and return the names."""
    return [each.name for each in complete(shell.session.scope, text).candidates]


def test_names_are_completed(shell: Shell) -> None:
    """Bindings, helpers, public names and keywords; sorted."""
    shell.ask("spawned = 1")

    assert names(shell, "x = spawn") == ["spawn", "spawn_link", "spawn_monitor", "spawned"]
    assert "lambda" in names(shell, "lamb")
    assert names(shell, "nothing_like_it") == []
    assert not [name for name in names(shell, "__") if name == "__show__"]


def test_attributes_are_completed_underscored_ones_when_asked_for(shell: Shell) -> None:
    """The owner may be a name, an item, a literal, an earlier value."""
    shell.bind(text="abc", table={"key": ["x"]})
    shell.ask("'value'")

    assert names(shell, "print(text.isal") == ["isalnum", "isalpha"]
    assert "__len__" in names(shell, "text.__l")
    assert "__len__" not in names(shell, "text.")
    assert "append" in names(shell, "table['key'].")
    assert "upper" in names(shell, "table['key'][0].")
    assert "upper" in names(shell, "v(1).")
    assert names(shell, "table['nothing'].") == []
    assert names(shell, "unknown.x.") == []


def test_candidates_say_what_they_are(shell: Shell, tally: Path) -> None:
    """Kind, signature or value, and the version of the module."""
    found = {each.name: each for each in complete(shell.session.scope, f"{tally.stem}.").candidates}

    assert found["make"] == Candidate("make", "function", "(start=0, **options) -> Tally", 1)
    assert found["Tally"] == Candidate("Tally", "class", "(start: int = 0, *, step=1) -> None", 1)
    assert found["LIMIT"] == Candidate("LIMIT", "int", "10", None)


def test_annotations_lead_on(shell: Shell, tally: Path) -> None:
    """What a function or a property is said to return is known by its class; neither is called."""
    shell.ask(f"t = {tally.stem}.make()")

    assert names(shell, "t.") == ["add", "double", "total"]
    assert names(shell, "t.double.") == ["add", "double"]
    assert names(shell, f"{tally.stem}.make(1).") == ["add", "double"]
    assert {each.name: each.kind for each in complete(shell.session.scope, "t.").candidates} == {
        "add": "async method",
        "double": "property",
        "total": "int",
    }


def test_annotations_lead_on_by_whatever_name_says_so(shell: Shell, tmp_path: Path) -> None:
    """A name of the module, of the class around, of the function around, of another module; a builtin."""
    (tmp_path / "kinds.py").write_text("class Kind:\n    other = 1\n")
    text = """
import kinds
class Outer:
    class Inner:
        inner = 1
    def method(self, x: Inner) -> Inner: raise RuntimeError("a method ran")
def make():
    class Local:
        local = 1
    def f() -> Local: raise RuntimeError("a function ran")
    return f
def module() -> kinds.Kind: raise RuntimeError("a function ran")
def number() -> int: raise RuntimeError("a function ran")
def nothing() -> None: pass
f = make()
"""
    (tmp_path / "led_on.py").write_text(text)
    code.load(str(tmp_path / "kinds.py"))
    code.load(str(tmp_path / "led_on.py"))

    try:
        assert names(shell, "led_on.Outer().method(1).") == ["inner"]
        assert names(shell, "led_on.f().") == ["local"]
        assert names(shell, "led_on.module().") == ["other"]
        assert "bit_length" in names(shell, "led_on.number().")
        assert names(shell, "led_on.nothing().") == []
        assert [each.name for each in complete(ModuleScope("led_on", "Outer.method"), "x.").candidates] == ["inner"]
    finally:
        forget_modules_in(tmp_path)


@pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations run with the def")
def test_annotations_do_not_run(shell: Shell) -> None:
    """From Python 3.14 on they are code as any."""
    names_: dict[str, Any] = {"touchy": Touchy()}
    text = "def f(a: touchy.x, b: Missing) -> touchy[0]: pass\n"
    text += "class K:\n    x: touchy()\n    def m(self) -> touchy(): pass\n"
    exec(compile(text, "<test>", "exec", dont_inherit=True), names_)
    shell.bind(f=names_["f"], K=names_["K"])

    tip = call_tip(shell.session.scope, "f(")
    assert tip is not None
    assert (tip.parameters, tip.returns) == (("a: touchy.x", "b: Missing"), "touchy[0]")
    assert names(shell, "f(1).") == names(shell, "K().m().") == []
    assert "__annotations__" in names(shell, "f.__")
    for owner in ("f", "K"):
        assert "keys" in names(shell, f"{owner}.__annotations__.")


def test_nothing_of_the_users_runs(shell: Shell) -> None:
    """No property, no `__getattr__`, no `__repr__`, no `__class__`."""
    touchy = Touchy()
    shell.bind(touchy=touchy)

    assert names(shell, "touchy.") == ["method", "plain", "secret"]
    assert names(shell, "touchy.secret.") == []
    assert names(shell, "touchy[0].") == []
    assert "touchy" in names(shell, "tou")
    tip = call_tip(shell.session.scope, "touchy.method(")
    assert tip is not None
    assert tip.parameters == ("other: Any = None",)
    doc = doc_of(shell.session.scope, "touchy")
    assert doc is not None
    assert (doc.kind, doc.value) == ("Touchy", "<Touchy>")


def test_a_default_is_not_asked_for_its_repr(shell: Shell) -> None:
    """Signatures are printed by us."""
    touchy = Touchy()

    def function(a: Any = touchy, *, b: Any = None) -> None:
        """Do nothing."""

    shell.bind(function=function)
    tip = call_tip(shell.session.scope, "function(")

    assert tip is not None
    assert tip.parameters == ("a: Any = <Touchy>", "*", "b: Any = None")


def test_slots_and_the_interpreters_own_attributes_are_read(shell: Shell) -> None:
    """They are C that only looks."""

    class Slotted:
        __slots__ = ("here", "unset")

    slotted = Slotted()
    slotted.here = "text"  # type: ignore[attr-defined]
    shell.bind(slotted=slotted)
    shell.ask("async def work(): pass\n")
    shell.ask("c = work()")

    assert "upper" in names(shell, "slotted.here.")
    assert names(shell, "slotted.unset.") == []
    assert "f_lineno" in names(shell, "c.cr_frame.")
    shell.ask("c.close()")


def test_a_lazy_module_is_not_imported(shell: Shell) -> None:
    """A module whose class does something on a read is read past that."""

    class Lazy(type(sys)):  # type: ignore[misc]
        def __getattribute__(self, name: str) -> Any:
            raise AssertionError("the module was read")

    lazy = Lazy("lazy")
    shell.bind(lazy=lazy)

    assert names(shell, "lazy.") == []


@pytest.mark.parametrize(
    ("text", "active"),
    [
        ("make(", "start=0"),
        ("make(1, ", None),
        ("make(colour=", "**options"),
        ("Tally(step=", "step=1"),
        ("Tally(", "start: int = 0"),
        ("Tally.add(t, ", "count"),
        ("t.add(", "count"),
        ("t.add(1, ", "*rest"),
        ("t.add(1, 2, 3, ", "*rest"),
    ],
)
def test_the_argument_being_written_is_known(shell: Shell, tally: Path, text: str, active: str | None) -> None:
    """By position or by keyword; `self` is not there for a bound method."""
    shell.ask(f"from {tally.stem} import *; t = make()")

    tip = call_tip(shell.session.scope, text)

    assert tip is not None
    assert (None if tip.active is None else tip.parameters[tip.active]) == active


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (len, "(obj, /)"),
        (functools.partial(int, base=2), ""),
        (functools.partial(lambda a, b: None, 1), "(b)"),
        (dict.fromkeys, "(iterable, value=None, /)"),
    ],
)
def test_builtins_and_partials_have_signatures(shell: Shell, value: Callable[..., Any], expected: str) -> None:
    """As far as they say how they are called."""
    shell.bind(value=value)

    doc = doc_of(shell.session.scope, "value")

    assert doc is not None
    assert doc.signature == expected


def test_documentation_is_of_the_live_object(shell: Shell, tally: Path) -> None:
    """What it is, how it is called, what it says, which version."""
    doc = doc_of(shell.session.scope, f"{tally.stem}.Tally.add")

    assert doc is not None
    assert (doc.kind, doc.version, doc.module) == ("async function", 1, tally.stem)
    assert (doc.signature, doc.text) == ("(self, count, /, *rest)", "Add COUNT.")


def test_a_place_in_a_file_knows_its_class_and_its_locals(tally: Path) -> None:
    """`self` has the class around; a local hides what is outside; loaded modules are there."""
    module = module_of_file(str(tally))

    def found(inside: str, text: str) -> list[str]:
        return [each.name for each in complete(ModuleScope(module, inside), text).candidates]

    assert module == tally.stem
    assert found("Tally.add", "self.") == ["add", "double"]
    assert found("", "Tally.") == ["add", "double"]
    assert found("make", "LIM") == ["LIMIT"]
    assert found("make", "total.") == []
    assert found("", f"{tally.stem}.ma") == ["make"]
    assert "start=" in found("", "make(st")


def test_an_import_is_completed(shell: Shell, tally: Path) -> None:
    """By the modules that are there, and by their names."""
    assert tally.stem in names(shell, "import tally_lo")
    assert names(shell, f"from {tally.stem} import ma") == ["make"]
    assert urllib.parse.__name__ == "urllib.parse"  # it is there
    assert "parse" in names(shell, "import urllib.pa")


def test_completion_works_while_an_evaluation_runs(shell: Shell) -> None:
    """It asks nobody who could be busy."""
    begun = threading.Event()
    shell.bind(begun=begun)
    future = shell.session.eval("begun.set()\nwhile True: x = 1\n")
    assert begun.wait(10)

    assert "spawn_link" in names(shell, "spawn_")

    shell.session.interrupt()
    future.result(10)


def test_members_of_a_class_are_those_of_its_bases() -> None:
    """Without those of its metaclass, as `dir` has it."""
    assert "mro" not in members_of(int)
    assert "real" in members_of(bool)
