"""Objects of a superseded class become objects of the current one, when somebody asks for it."""

from __future__ import annotations

import sys

import pytest

from midflight.code import MigrationError, migrate

DATACLASS = "from dataclasses import dataclass, field\n@dataclass{}\nclass K:\n"

# Name: what stands before the class, its old and new body, how the object is made, and its fields then.
SAME_OBJECT = {
    "plain": ("class K:\n", "x = 1\n    def __init__(self): self.a = 1", "x = 2", "K()", {"a": 1}),
    "plain with slots": ("class K:\n    __slots__ = 'a', '__b'\n", "x = 1", "x = 2", "K()", {}),
    "a dataclass": (DATACLASS.format(""), "a: int", "a: int\n    def f(self): pass", "K(1)", {"a": 1}),
    "a field more": (DATACLASS.format(""), "a: int", "a: int\n    b: int = 2", "K(1)", {"a": 1, "b": 2}),
    "a factory more": (
        DATACLASS.format(""),
        "a: int",
        "a: int\n    b: list = field(default_factory=list)",
        "K(1)",
        {"a": 1, "b": []},
    ),
    "a field less": (DATACLASS.format(""), "a: int\n    b: int = 2", "a: int", "K(1)", {"a": 1}),
    "frozen": (DATACLASS.format("(frozen=True)"), "a: int", "a: int\n    b: int = 2", "K(1)", {"a": 1, "b": 2}),
    "slots that are the same": (DATACLASS.format("(slots=True)"), "a: int", "a: int = 3", "K(1)", {"a": 1}),
    "frozen slots": (DATACLASS.format("(frozen=True, slots=True)"), "a: int", "a: int = 3", "K(1)", {"a": 1}),
    "an exception": (
        "class K(Exception):\n",
        "x = 1\n    def __init__(self, a):\n        super().__init__(a)\n        self.a = a",
        "x = 2\n    def __init__(self, a, b): pass",
        "K(1)",
        {"a": 1},
    ),
    "a list": ("class K(list):\n", "x = 1", "x = 2", "K([1])", {}),
}


@pytest.mark.parametrize("kind", SAME_OBJECT)
def test_an_object_gets_the_current_class_and_stays_the_same_object(versions, kind):
    """Where Python can give it another class; `__init__` does not run."""
    head, old, new, expression, fields = SAME_OBJECT[kind]
    value, thing = versions(f"{head}    {old}\n", f"{head}    {new}\n", expression)
    assert type(value) is not thing.K

    found = migrate(value)

    assert found is value
    assert type(value) is thing.K
    assert {name: getattr(value, name) for name in fields} == fields
    assert set(getattr(value, "__dict__", fields)) == set(fields)
    assert migrate(value) is value


NEW_OBJECT = {
    "a slot more": (DATACLASS.format("(slots=True)"), "a: int", "a: int\n    b: int = 2", "K(1)", "K(a=1, b=2)"),
    "a slot less": (DATACLASS.format("(slots=True)"), "a: int\n    b: int = 2", "a: int", "K(1)", "K(a=1)"),
    "frozen slots": (
        DATACLASS.format("(frozen=True, slots=True)"),
        "a: int",
        "b: int = 2\n    a: int = 0",
        "K(1)",
        "K(b=2, a=1)",
    ),
    "slots at last": (DATACLASS.format("{0}"), "a: int", "a: int", "K(1)", "K(a=1)"),
    "a named tuple": (
        "import typing\nclass K(typing.NamedTuple):\n",
        "a: int",
        "b: int = 2\n    a: int = 0",
        "K(1)",
        "K(b=2, a=1)",
    ),
    "one field less": (
        "import typing\nclass K(typing.NamedTuple):\n",
        "b: int\n    a: int",
        "a: int",
        "K(2, 1)",
        "K(a=1)",
    ),
    "an int": ("class K(int):\n", "x = 1", "x = 2", "K(7)", "7"),
    "a text": ("class K(str):\n", "x = 1\n    def __str__(self): return ''", "x = 2", "K('a')", "'a'"),
}


@pytest.mark.parametrize("kind", NEW_OBJECT)
def test_an_object_that_cannot_be_given_a_class_is_made_anew(versions, kind):
    """With the same fields, by name."""
    head, old, new, expression, shown = NEW_OBJECT[kind]
    heads = (head.replace("{0}", ""), head.replace("{0}", "(slots=True)"))
    value, thing = versions(f"{heads[0]}    {old}\n", f"{heads[1]}    {new}\n", expression)
    before = repr(value)

    found = migrate(value)

    assert type(found) is thing.K
    assert repr(found) == shown
    assert repr(value) == (before if found is not value else shown)


def test_what_is_no_object_of_a_superseded_class_stays_what_it_is(project):
    """Numbers, current objects, objects of classes that were made in passing, and classes themselves."""
    text = """
        class K: x = {}
        def make():
            class Local: pass
            return Local()
        def dynamic(): return type("Dynamic", (), {{}})()
        """
    project.load_text("thing", text.format(1))
    thing = sys.modules["thing"]
    others = [1, None, [thing.K()], thing, thing.make(), thing.dynamic(), len, object()]

    project.load_text("thing", text.format(2))

    for value in (*others, thing.K(), thing.K):
        assert migrate(value) is value


def test_a_nested_class_is_found_in_its_class(versions):
    """By its qualified name."""
    text = "class K:\n    x = {}\n    class Inner: pass\n"
    value, thing = versions(text.format(1), text.format(2), "K.Inner()")

    assert type(migrate(value)) is thing.K.Inner


def test_an_object_goes_over_several_versions_at_once(project):
    """What its name means now counts, not what comes next."""
    text = "from dataclasses import dataclass\n@dataclass\nclass K:\n    a: int\n{}"
    project.load_text("thing", text.format(""))
    value = sys.modules["thing"].K(1)

    for number in (2, 3):
        project.load_text("thing", text.format(f"    b: int = {number}\n"))

    assert repr(migrate(value)) == "K(a=1, b=3)"


def test_what_an_object_holds_does_not_migrate_with_it(versions):
    """It may be shared with old code."""
    text = "class K:\n    x = {}\n    def __init__(self): self.inner = []\n"
    value, thing = versions(text.format(1), text.format(2))
    value.inner.append(inner := type(value)())

    migrate(value)

    assert type(value) is thing.K
    assert type(inner) is not thing.K


# --- __migrate__ --------------------------------------------------------------------------------------------------

HOOK = """
from dataclasses import dataclass
@dataclass{options}
class K:
    first: str
    last: str

    @classmethod
    def __migrate__(cls, old_fields):
        first, last = old_fields["name"].split()
        return {result}
"""


@pytest.mark.parametrize("options", ["", "(frozen=True)", "(slots=True)", "(frozen=True, slots=True)"])
@pytest.mark.parametrize("result", ["{'first': first, 'last': last}", "cls(first, last)"])
def test_migrate_hook_gets_the_old_fields_and_returns_the_new_ones(versions, options, result):
    """Also fields that the new class has no more. It may return the object itself."""
    old = f"from dataclasses import dataclass\n@dataclass{options}\nclass K:\n    name: str\n"
    value, thing = versions(old, HOOK.format(options=options, result=result), "K('Ada Lovelace')")

    found = migrate(value)

    assert found == thing.K("Ada", "Lovelace")
    assert (found is value) == (result.startswith("{") and "slots" not in options)


def test_the_hook_of_a_named_tuple_gets_its_fields(versions):
    """By name."""
    hook = "    def __migrate__(old): return {'sum': old['a'] + old['b']}\n"
    value, _ = versions(f"{TUPLE}    a: int\n    b: int\n", f"{TUPLE}    sum: int\n{hook}", "K(1, 2)")

    assert repr(migrate(value)) == "K(sum=3)"


def test_a_plain_class_may_lose_fields_by_its_hook_only(versions):
    """What its objects have is nobody's business but its own."""
    value, _ = versions(
        "class K:\n    def __init__(self): self.a, self.b = 1, 2\n",
        "class K:\n    __migrate__ = staticmethod(lambda old: {'c': old['a'] + old['b']})\n",
    )

    assert vars(migrate(value)) == {"c": 3}


def test_pydantic_models_migrate(versions):
    """By their defaults, or by a hook that validates."""
    pytest.importorskip("pydantic")
    head = "from pydantic import BaseModel\nclass K(BaseModel):\n    a: int\n"
    value, thing = versions(head, f"{head}    b: int = 2\n", "K(a=1)")
    assert migrate(value) is value
    assert (value.model_dump(), type(value)) == ({"a": 1, "b": 2}, thing.K)

    hook = "    @classmethod\n    def __migrate__(cls, old): return cls.model_validate({'c': str(old['a'])})\n"
    value, thing = versions(head, f"from pydantic import BaseModel\nclass K(BaseModel):\n    c: str\n{hook}", "K(a=1)")

    assert migrate(value) == thing.K(c="1")


# --- Enums ----------------------------------------------------------------------------------------------------------


def test_members_of_an_enum_migrate_by_name(versions):
    """Their values may be others."""
    value, thing = versions(
        "import enum\nclass K(enum.Enum): A = 1\n", "import enum\nclass K(enum.Enum):\n    B = 1\n    A = 2\n", "K.A"
    )

    assert migrate(value) is thing.K.A


def test_flags_migrate_one_by_one(versions):
    """A combination has no name of its own."""
    text = "import enum\nclass K(enum.Flag):\n    A = {}\n    B = {}\n    C = 16\n"
    value, thing = versions(text.format(1, 2), text.format(4, 8), "[K.A | K.B, K(0), K.C]")

    assert [migrate(each) for each in value] == [thing.K.A | thing.K.B, thing.K(0), thing.K.C]


# --- What cannot migrate ------------------------------------------------------------------------------------------

TUPLE = "import typing\nclass K(typing.NamedTuple):\n"
ENUM = "import enum\nclass K(enum.Enum):\n"
PLAIN = "class K: x = 1\n"
WITH_HOOK = "class K:\n    __slots__ = ()\n    def __migrate__"

# Name: the old and the new text, how the object is made, and what the error says.
FAILURES = {
    "fields without a default": (
        f"{DATACLASS.format('')}    a: int\n",
        f"{DATACLASS.format('')}    b: int\n    c: int\n",
        "K(1)",
        "nothing says what its new b, c shall be",
    ),
    "a named tuple's field": (
        f"{TUPLE}    a: int\n",
        f"{TUPLE}    a: int\n    b: int\n",
        "K(1)",
        "nothing says what its new b shall be",
    ),
    "a slot that is new": (
        "class K: __slots__ = ('a',)\n",
        "class K: __slots__ = ('a', 'b')\n",
        "K()",
        "nothing says what its new b shall be",
    ),
    "slots that are gone": (
        "class K:\n    def __init__(self): self.a = 1\n",
        "class K: __slots__ = ()\n",
        "K()",
        "K has no slot for a",
    ),
    "a hook that raises": (PLAIN, f"{WITH_HOOK}(old): 1 / 0\n", "K()", "its __migrate__ raised ZeroDivisionError"),
    "a hook that is a method": (PLAIN, f"{WITH_HOOK}(self, old): 1\n", "K()", "its __migrate__ raised TypeError"),
    "a hook that returns nothing": (PLAIN, f"{WITH_HOOK}(old): 1\n", "K()", "its __migrate__ returned None"),
    "a hook whose fields have no slot": (
        "class K: __slots__ = ()\n",
        f"{WITH_HOOK}(old): return {{'b': 1}}\n",
        "K()",
        "K has no slot for b",
    ),
    "a class that is gone": (PLAIN, "", "K()", "the current version of thing has no class K"),
    "a class that is none": (PLAIN, "def K(): pass\n", "K()", "the current version of thing has no class K"),
    "a member that is gone": (f"{ENUM}    A = 1\n", f"{ENUM}    B = 1\n", "K.A", "has no member A any more"),
    "an enum that is none": (f"{ENUM}    A = 1\n", PLAIN, "K.A", "K is no enum any more"),
    "another builtin base": ("class K(list): x = 1\n", "class K(dict): x = 1\n", "K()", "K was no dict, and K is one"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_what_cannot_migrate_is_as_it_was_and_the_error_says_why(versions, failure):
    """Whoever asked knows what to add to the class."""
    old, new, expression, why = FAILURES[failure]
    value, _ = versions(old, new, expression)
    before = type(value), dict(getattr(value, "__dict__", {})), repr(value)

    with pytest.raises(MigrationError) as caught:
        migrate(value)

    assert why in str(caught.value)
    assert "older thing.K" in str(caught.value)
    assert (type(value), dict(getattr(value, "__dict__", {})), repr(value)) == before
