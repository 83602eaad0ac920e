"""The one module object: what it shows, to whom, before and after the swap."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Iterator
from types import ModuleType

import pytest

from midflight.code.version.facade import Facade

OTHER = "facade_under_test"


@pytest.fixture
def facade() -> Iterator[Facade]:
    """Give a facade of a module with `old` and `both` in it."""
    module = ModuleType(OTHER)
    module.__dict__.update(old="old", both="old")
    sys.modules[OTHER] = module
    yield Facade(module)
    del sys.modules[OTHER]


def new_namespace(**names: object) -> dict[str, object]:
    return {"__name__": OTHER, **names}


def switch(facade: Facade, namespace: dict[str, object]) -> None:
    facade.begin(namespace)
    facade.finish()
    facade.switch()


def test_after_the_swap_all_reads_and_writes_are_of_the_new_namespace(facade):
    """Attribute, __dict__, vars and dir show it, and setattr and delattr change it."""
    module, namespace = facade.module, new_namespace(both="new", new="new")

    switch(facade, namespace)
    module.added = 1
    del module.new

    assert vars(module) is module.__dict__ is namespace
    assert (module.both, namespace["added"]) == ("new", 1)
    assert set(dir(module)) == {"__name__", "both", "added"}
    assert not hasattr(module, "old")


def test_the_module_object_stays_and_is_a_plain_module(facade):
    """A read of it costs what a read of any module costs: no class of ours is in the way."""
    module = facade.module

    switch(facade, new_namespace())

    assert facade.module is module is sys.modules[OTHER]
    assert type(module) is ModuleType


def test_a_function_that_was_specialised_for_the_old_namespace_reads_the_new_one(facade):
    """The interpreter rewrites a hot `module.both` for the dictionary that it finds: that must not outlive the swap."""
    module = facade.module

    def read() -> object:
        return module.both

    assert {read() for _ in range(1000)} == {"old"}

    switch(facade, new_namespace(both="new"))

    assert {read() for _ in range(1000)} == {"new"}


def test_the_maker_sees_the_new_dict_and_the_old_attributes(facade):
    """Dataclasses and typing find the names of the version in the making; qualified calls reach the one before."""
    namespace = new_namespace(both="new", new="new")

    facade.begin(namespace)

    assert vars(facade.module) is namespace
    assert facade.module.both == "old"
    facade.abandon()


def test_the_maker_finds_a_name_that_only_the_new_version_has(facade):
    """The version before has nothing to say about it."""
    facade.begin(new_namespace(new="new"))

    assert facade.module.new == "new"
    with pytest.raises(AttributeError, match="nowhere"):
        _ = facade.module.nowhere
    facade.abandon()


def test_the_maker_reads_the_new_version_once_its_body_is_done(facade):
    """So the next module of the same load imports from it."""
    facade.begin(new_namespace(both="new"))

    facade.finish()

    assert facade.module.both == "new"
    facade.abandon()


def test_the_maker_reads_the_annotations_of_the_new_version(facade):
    """A module works them out when it is asked, or has none: those of the version before are not meant."""
    exec("old: int", vars(facade.module))
    annotated, plain = new_namespace(), new_namespace()
    exec("new: str", annotated)
    seen = []

    for namespace in (annotated, plain):
        facade.begin(namespace)
        seen.append(sorted(facade.module.__annotations__))
        facade.abandon()

    assert seen == [["new"], []]
    assert sorted(facade.module.__annotations__) == ["old"]


def test_the_maker_writes_into_the_new_version(facade):
    """`setattr(sys.modules[__name__], ...)` in a body is about the module that is made."""
    namespace = new_namespace(doomed=1)

    facade.begin(namespace)
    facade.module.written = 1
    del facade.module.doomed
    with pytest.raises(AttributeError):
        del facade.module.old
    facade.abandon()

    assert namespace == new_namespace(written=1)
    assert not hasattr(facade.module, "written")


def test_another_thread_sees_the_version_before_in_all_respects(facade):
    """While the maker sees the new one, and until the swap."""
    seen: list[object] = []

    def look() -> None:
        module = facade.module
        module.written_by_other = 1
        del module.written_by_other
        seen.extend(["new" in vars(module), module.both, hasattr(module, "new")])

    facade.begin(new_namespace(both="new", new="new"))
    other = threading.Thread(target=look)
    other.start()
    other.join()
    facade.abandon()

    assert seen == [False, "old", False]


def test_abandon_leaves_nothing(facade):
    """After a body that failed the module is what it was."""
    before = dict(vars(facade.module))

    facade.begin(new_namespace(both="new"))
    facade.abandon()

    assert vars(facade.module) == before
    assert type(facade.module) is ModuleType


def test_a_submodule_that_the_body_imports_stays_when_the_body_fails(facade):
    """The import system sets it on its package once, and does not do so again."""
    submodule = sys.modules[f"{OTHER}.sub"] = ModuleType(f"{OTHER}.sub")

    facade.begin(new_namespace())
    facade.module.sub = submodule
    facade.abandon()

    assert facade.module.sub is submodule
    del sys.modules[f"{OTHER}.sub"]


def test_a_version_may_give_its_module_a_class(facade):
    """`sys.modules[__name__].__class__ = ...` holds for that version and not for the next."""

    class Shouting(ModuleType):
        @property
        def shout(self) -> str:
            return str(self.both).upper()

    facade.begin(new_namespace(both="new"))
    facade.module.__class__ = Shouting
    facade.switch()
    assert facade.module.shout == "NEW"

    switch(facade, new_namespace(both="newer"))

    assert not hasattr(facade.module, "shout")


def test_a_class_that_is_none_for_modules_is_refused(facade):
    """Nor one derived from what the module shows while a version is in the making."""
    facade.begin(new_namespace())

    with pytest.raises(TypeError, match="ModuleType"):
        facade.module.__class__ = int
    with pytest.raises(TypeError, match="ModuleType"):
        facade.module.__class__ = type("Derived", (type(facade.module),), {})
    facade.abandon()


def test_a_vacant_module_loads_at_the_first_read(facade):
    """What the import system reads of it does not count."""
    loads: list[int] = []

    def load() -> None:
        loads.append(1)
        switch(facade, new_namespace(both="again"))

    facade.vacate(load)

    assert not hasattr(facade.module, "__path__")
    assert loads == []
    assert facade.module.both == "again"
    assert loads == [1]


def test_a_vacant_module_that_cannot_be_loaded_says_so(facade):
    """The reader gets what the load raised."""

    def load() -> None:
        raise AttributeError("gone for good")

    facade.vacate(load)

    with pytest.raises(AttributeError, match="gone for good"):
        _ = facade.module.both


def test_the_first_namespace_goes_with_its_last_function(facade):
    """The module does not keep what it was made with."""

    class Value:
        pass

    gone = weakref.ref(value := Value())
    facade.module.value = value
    del value

    switch(facade, new_namespace())
    gc.collect()

    assert gone() is None


def test_a_use_that_the_end_of_the_making_overtakes_is_as_any_other(facade):
    """Another thread has just come into the class of a module in the making when the maker takes that away."""
    module = facade.module
    facade.begin(new_namespace())
    late = type(module)
    facade.abandon()

    late.__setattr__(module, "both", "set")
    late.__delattr__(module, "old")

    assert (late.__getattribute__(module, "both"), hasattr(module, "old")) == ("set", False)
