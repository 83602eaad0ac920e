"""`current`: the newest version of what is held as a value is what its name would give to who wrote it anew."""

from __future__ import annotations

import functools
import sys
from types import MethodType

import pytest

from midflight import code

TEXT = """
import functools

NUMBER = {number}

def which():
    return NUMBER

def numbered(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return NUMBER, function(*arguments)
    return wrapper

@numbered
def decorated():
    return "decorated"

loud = numbered(which)
short = lambda: NUMBER

@functools.lru_cache
def cached():
    return NUMBER

cached_which = functools.lru_cache(which)

class Meta(type):
    def made(cls):
        return cls, NUMBER

class Base(metaclass=Meta):
    @classmethod
    def create(cls):
        return cls, NUMBER

    @staticmethod
    def static():
        return NUMBER

    def tell(self):
        return type(self), NUMBER

class Derived(Base):
    {override}
    def parents(self):
        return super().tell

    @classmethod
    def parents_create(cls):
        return super().create

def local():
    class Local(Base):
        pass
    return Local
"""


def text(number, override="pass"):
    """Return a version of the module."""
    return TEXT.format(number=number, override=override)


@pytest.fixture
def held(project):
    """Give the first version's things by name, while the second one is current."""
    project.load_text("things", text(1))
    found = dict(vars(sys.modules["things"]))
    project.load_text("things", text(2))
    return found


@pytest.fixture
def things(held):
    """Give the module, at version 2."""
    return sys.modules["things"]


def test_a_method_of_a_class_is_bound_to_the_class_that_it_was_taken_from(held, things):
    """The one that has it in its text may be a base of that."""
    for name in ("Base", "Derived"):
        found = code.current(held[name].create)
        assert found() == (getattr(things, name), 2)
        assert found.__self__ is getattr(things, name)


def test_a_method_that_the_newest_class_overrides_is_the_new_one(project, held):
    """Of a class as of an object: that is what the name means there now."""
    project.load_text("things", text(3, "create = classmethod(lambda cls: 'new'); tell = lambda self: 'new'"))

    assert code.current(held["Derived"].create)() == "new"
    assert code.current(held["Derived"]().tell)() == "new"


def test_a_method_of_an_object_stays_bound_to_the_object(held, things):
    """The object is of the class that it is of."""
    one = held["Derived"]()

    found = code.current(one.tell)

    assert found.__self__ is one
    assert found() == (held["Derived"], 2)
    assert found.__func__ is things.Base.tell


def test_a_method_taken_by_super_is_the_base_classs(project, held, things):
    """Also if the class overrides it."""
    assert code.current(held["Derived"]().parents()).__func__ is things.Base.tell
    found = code.current(held["Derived"].parents_create())
    assert found.__func__ is things.Base.create.__func__
    assert found.__self__ is things.Derived


def test_methods_of_metaclasses_and_static_methods(held, things):
    """The first are bound to the class, the others to nothing."""
    assert code.current(held["Derived"].made)() == (things.Derived, 2)
    assert code.current(held["Derived"].static) is things.Base.static


def test_a_method_that_a_local_class_has_from_its_base(held, things):
    """The class cannot be looked up, its base can."""
    local = held["local"]()

    assert code.current(local.create).__func__ is things.Base.create.__func__
    assert code.current(local.create).__self__ is local


def test_a_class_that_stayed_the_same_has_the_new_base_class_method(project):
    """Its module was not loaded again, that of its base was."""
    project.load_text("things", text(1))
    project.load_text("user", "import things\nclass User(things.Base):\n    pass\n")
    create = sys.modules["user"].User.create
    project.load_text("things", text(2))

    found = code.current(create)

    assert isinstance(found, MethodType)
    assert found() == (sys.modules["user"].User, 2)


def test_a_method_that_is_gone(project, held):
    """Its class is there."""
    project.load_text("things", "class Base:\n    pass\n")

    with pytest.raises(LookupError, match=r"things\.Base has no create"):
        code.current(held["Base"].create)


def test_a_decorated_function_is_what_its_name_means(held, things):
    """As its name means the wrapper, in both versions."""
    assert code.current(held["decorated"]) is things.decorated
    assert code.current(held["cached"]) is things.cached


def test_a_wrapper_under_a_name_of_its_own_stays_one(held, things):
    """It says that it is called as what is in it: that is not what it is bound to."""
    assert code.current(held["loud"]) is things.loud
    assert code.current(held["loud"])() == (2, 2)
    assert code.current(held["cached_which"]) is things.cached_which
    assert code.current(held["short"]) is things.short


def test_a_wrapper_made_in_passing_has_no_newest_version(held, things):
    """What is in it has one, but that would take the wrapping off."""
    passing = held["numbered"](held["which"])

    with pytest.raises(LookupError, match="in passing"):
        code.current(passing)
    with pytest.raises(LookupError, match="in passing"):
        code.current(functools.partial(passing))
    assert code.current(held["which"]) is things.which


def test_a_wrapper_whose_name_is_gone(project, held):
    """Though the name that it says is there."""
    project.load_text("things", "def which():\n    pass\n")

    with pytest.raises(LookupError, match="loud"):
        code.current(held["loud"])


def test_what_is_wrapped_in_a_decorated_function_is_not_what_its_name_means(held):
    """The wrapper is."""
    with pytest.raises(LookupError, match="in passing"):
        code.current(held["decorated"].__wrapped__)
