"""Several modules in one load: together or not at all, and each with the new ones that it imports."""

from __future__ import annotations

import sys

import pytest

from midflight import code
from midflight.code import LoadError


def load(project, **texts: str):
    """Write the modules and load them together, in that order."""
    return code.load_many([project.write(f"{name}.py", text) for name, text in texts.items()])


def numbers(*names: str) -> list[int]:
    return [sys.modules[name].NUMBER for name in names]


def test_all_become_current(project):
    """H30; a report for each, in their order."""
    load(project, a="NUMBER = 1\n", b="NUMBER = 1\n")

    reports = load(project, b="NUMBER = 2\n", a="NUMBER = 2\n")

    assert [(report.module, report.version) for report in reports] == [("b", 2), ("a", 2)]
    assert numbers("a", "b") == [2, 2]


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("text", ["NUMBER = 2\n1 / 0\n", "NUMBER = \n", "NUMBER = 2\ndef f(): return nonesuch\n"])
def test_none_does_if_one_fails(project, text, first):
    """H30: whichever it is, and however late."""
    load(project, a="NUMBER = 1\n", b="NUMBER = 1\n")
    texts = {"b": text, "a": "NUMBER = 2\n"} if first else {"a": "NUMBER = 2\n", "b": text}

    with pytest.raises(LoadError) as caught:
        load(project, **texts)

    assert caught.value.report.module == "b"
    assert numbers("a", "b") == [1, 1]
    assert [code.versions(name)[-1].version for name in "ab"] == [1, 1]


def test_new_modules_are_gone_again_if_another_one_fails(project):
    """As if nobody had imported them."""
    with pytest.raises(LoadError):
        load(project, a="NUMBER = 1\n", b="import a\n1 / 0\n")

    assert not {"a", "b"} & set(sys.modules)
    assert code.is_loaded("a") is None


def test_all_that_do_not_compile_are_reported(project):
    """One load shows every mistake."""
    with pytest.raises(LoadError) as caught:
        load(project, a="x =\n", b="y = 1\n", c="z =\n")

    assert [report.module for report in caught.value.reports] == ["a", "c"]


def test_all_that_the_checks_refuse_are_reported(project):
    """All their bodies have run by then."""
    with pytest.raises(LoadError) as caught:
        load(project, a="def f(): return x\n", b="y = 1\n", c="def f(): return z\n")

    assert {report.module for report in caught.value.reports} == {"a", "c"}


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
@pytest.mark.parametrize("version", [1, 2])
def test_a_module_imports_the_new_version_of_another_one_of_the_group(project, order, version):
    """In whatever order they are given; nothing is stale then."""
    texts = {"a": "NUMBER = {0}\ndef f(): return {0}\n", "b": "from a import f\nimport a\nNUMBER = f() + a.NUMBER\n"}
    for number in range(1, version + 1):
        reports = load(project, **{name: texts[name].format(number) for name in order})

    assert numbers("a", "b") == [version, 2 * version]
    assert sys.modules["b"].f is sys.modules["a"].f
    assert [report.stale_imports for report in reports] == [(), ()]


def test_modules_that_import_each_other_can_be_loaded_together(project):
    """As circular imports can: for what they need when they run."""
    texts = {"a": "import b\nNUMBER = {0}\ndef f(): return b.NUMBER\n", "b": "import a\nNUMBER = {0}\n"}

    for number in (1, 2):
        load(project, **{name: text.format(number) for name, text in texts.items()})

    assert numbers("a", "b") == [2, 2]
    assert sys.modules["a"].f() == 2


def test_relative_imports_order_a_group_too(project):
    """`from . import a` and `from .a import f`."""
    project.write("shop/__init__.py", "")
    for number in (1, 2):
        paths = [
            project.write("shop/c.py", "from .b import N\n"),
            project.write("shop/b.py", "from . import a\nN = a.N\n"),
            project.write("shop/a.py", f"N = {number}\n"),
        ]
        code.load_many(paths)

    assert sys.modules["shop.c"].N == 2


def test_texts_can_be_given(project):
    """For what an editor has not saved."""
    path = project.write("a.py", "NUMBER = 1\n")

    code.load_many([(path, "NUMBER = 2\n"), project.write("b.py", "NUMBER = 1\n")])

    assert numbers("a", "b") == [2, 1]


def test_a_module_that_is_given_twice_is_an_error(project):
    """Which of its texts was meant is unknown."""
    path = project.write("a.py", "NUMBER = 1\n")

    with pytest.raises(ValueError, match="twice"):
        code.load_many([path, (path, "NUMBER = 2\n")])


def test_nothing_is_nothing():
    """An empty list loads nothing."""
    assert code.load_many([]) == ()


def test_modified_modules_are_loaded_together(project):
    """H34: those whose file is not what is loaded; also after a load of a text that was not saved."""
    load(project, a="NUMBER = 1\n", b="NUMBER = 1\n", c="NUMBER = 1\n")
    assert code.modified_modules() == ()

    project.write("a.py", "NUMBER = 2\n")
    code.load(project.path("b.py"), "NUMBER = 2\n")

    assert code.modified_modules() == ("a", "b")
    assert [report.module for report in code.load_modified()] == ["a", "b"]
    assert numbers("a", "b", "c") == [2, 1, 1]
    assert code.modified_modules() == ()


def test_a_module_that_was_only_imported_is_modified_when_its_file_is(project):
    """And loaded with the others."""
    sys.path.append(str(project.root))
    project.write("plain.py", "def f(): return 1\n")
    plain = __import__("plain")
    assert code.modified_modules() == ()

    project.write("plain.py", "def f(): return 'two'\n")

    assert code.modified_modules() == ("plain",)
    code.load_modified()
    assert plain.f() == "two"
    assert code.modified_modules() == ()


REGISTRY = """
class Type: pass
TYPES = {"int": Type()}
def register(name, kind): TYPES[name] = kind
"""

ROUTING = """
import registry
from registry import TYPES
from registry import TYPES as ALSO
SHARED = TYPES
CHECKS = [TYPES]
class Router:
    types = TYPES
def found(name, types=TYPES):
    return [name in each for each in (registry.TYPES, TYPES, ALSO, SHARED, CHECKS[0], Router.types, types)]
"""


@pytest.mark.parametrize("names", [("registry", "routing"), ("routing", "registry")])
def test_state_that_is_imported_from_a_module_of_the_same_load_stays_one_object(project, names):
    """It is kept, and whoever imported the one that the new body made has the kept one, too."""
    texts = {"registry": REGISTRY, "routing": ROUTING}
    load(project, **texts)
    registry, routing = sys.modules["registry"], sys.modules["routing"]
    kept = registry.TYPES
    registry.register("date", object)

    for edit in ("# edited\n", "# again\n"):
        load(project, **{name: edit + texts[name] for name in names})
        registry.register(edit, object)

        assert registry.TYPES is kept
        assert routing.found("date") == [True] * 7
        assert routing.found(edit) == [True] * 7
