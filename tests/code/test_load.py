"""Load: what a version is, which code reaches which, and that a load that fails changes nothing."""

from __future__ import annotations

import gc
import sys
import weakref

import pytest

from helpers.versions import text_of
from midflight import code
from midflight.code import LoadError, lowlevel


def test_a_first_load_makes_version_1(project):
    """A module that nobody has imported is imported by it."""
    report = project.load("thing_v1")

    assert (report.module, report.version, report.current) == ("thing", 1, 1)
    assert sys.modules["thing"].which() == 1
    assert sys.modules["thing"].__midflight_version__ == 1


def test_others_can_import_what_was_loaded(project):
    """The folder that its name starts from is on the path then."""
    project.load("thing_v1")
    project.write("user.py", "import thing\nhere = thing.which()\n")

    user = __import__("user")

    assert user.here == 1
    assert user.thing is sys.modules["thing"]


def test_a_second_load_changes_what_the_module_object_means(project):
    """The object stays the same; H8: a call through it reaches the current version."""
    project.load("thing_v1")
    module = sys.modules["thing"]

    report = project.load("thing_v2")

    assert report.version == 2
    assert sys.modules["thing"] is module
    assert (module.which(), module.__midflight_version__) == (2, 2)
    assert not hasattr(module, "only_in_1")


def test_local_calls_stay_and_qualified_calls_move(project):
    """H7, H8: what a function of version 1 calls by a bare name is of version 1, through the module the current one."""
    project.load("thing_v1")
    thing = sys.modules["thing"]
    local, qualified, closure, old = thing.local, thing.qualified, thing.make_closure(), thing.Thing()

    project.load("thing_v2")

    assert local() == 1
    assert qualified() == 2
    assert closure() == (1, 2)
    assert old.which() == 1
    assert thing.Thing().which() == 2


def test_identical_text_is_a_new_version_all_the_same(project):
    """H2: it was asked for."""
    project.load("thing_v1")

    report = project.load("thing_v1")

    assert (report.version, report.added, report.changed, report.removed) == (2, (), (), ())


def test_the_report_names_what_differs(project):
    """Definitions, not lines."""
    project.load("thing_v1")

    report = project.load("thing_v2")

    assert report.added == ("only_in_2",)
    assert report.changed == ("<module>", "which")
    assert report.removed == ("only_in_1",)


def test_a_text_that_is_given_is_loaded_and_not_the_file(project):
    """An editor loads what it shows, saved or not."""
    path = project.put("thing_v1")

    report = code.load(path, text_of("thing_v2"))

    assert sys.modules["thing"].which() == 2
    assert report.path == path
    assert code.source("thing") == text_of("thing_v2")


def test_a_module_can_be_loaded_by_name(project):
    """As `import` would find it, then from where it was."""
    sys.path.append(str(project.root))
    project.put("thing_v1")
    assert code.load("thing").version == 1

    project.put("thing_v2")

    assert code.load("thing").version == 2
    assert sys.modules["thing"].which() == 2


def test_the_real_path_stays_the_modules_file(project):
    """The version is in the code objects only."""
    path = project.put("thing_v1")
    code.load(path)
    thing = sys.modules["thing"]

    assert thing.__file__ == thing.__spec__.origin == path
    assert thing.which.__code__.co_filename != path
    assert thing.__name__ == thing.__spec__.name == "thing"
    assert thing.__package__ == ""


def test_a_name_that_belongs_to_another_file_is_refused(project):
    """H6: two files cannot be one module; `force` says that they shall."""
    project.load_text("thing", "x = 1\n")
    other = project.write("elsewhere/thing.py", "x = 2\n")

    with pytest.raises(LoadError, match="is that of"):
        code.load(other)
    report = code.load(other, force=True)

    assert (report.version, report.path) == (2, other)
    assert sys.modules["thing"].x == 2


def test_a_name_is_free_once_its_module_is_deleted(project, runtime):
    """Another file of that name is the next version: numbers go on, as does who runs the old one."""
    loop = "from midflight import receive\nimport twin\nasync def loop():\n    await receive()\n    return twin.end()\n"
    first = project.write("one/twin.py", loop + "def end():\n    return 1\n")
    second = project.write("two/twin.py", "def end():\n    return __file__\n")
    code.load(first)
    twin = sys.modules["twin"]
    pid = runtime.spawn(twin.loop)
    runtime.run_until_idle()
    code.delete("twin")

    report = code.load(second)

    assert (report.version, report.path, code.is_loaded("twin")) == (2, second, second)
    assert sys.modules["twin"] is twin
    assert twin.end() == twin.__spec__.origin == second
    assert [each.pid for each in report.lingering] == [pid]
    assert code.source("twin", 1).startswith("from midflight")
    assert code.load("twin").path == second
    with pytest.raises(code.LoadError, match=f"is that of {second}, which is loaded"):
        code.load(first)
    pid << "end"
    runtime.run_until_idle()


def test_a_file_that_was_moved_takes_its_module_along(project):
    """The old one is gone, so there is no doubt."""
    old = project.write("thing.py", "x = 1\n")
    code.load(old)
    new = project.write("elsewhere/thing.py", "x = 2\n")
    (project.root / "thing.py").unlink()

    assert code.load(new).version == 2
    assert sys.modules["thing"].__file__ == new


def test_names_that_others_imported_are_reported(project):
    """`from m import f` is pinned to the version it came from; a load does not change that."""
    project.load("thing_v1")
    project.write("user.py", "from thing import which, Thing as T, only_in_1\nimport thing\n")
    user = __import__("user")

    report = project.load("thing_v2")

    assert {(stale.module, stale.name) for stale in report.stale_imports} == {
        ("user", "which"),
        ("user", "T"),
        ("user", "only_in_1"),
    }
    assert user.which() == 1


def test_a_module_that_somebody_took_out_of_sys_modules_is_put_back(project):
    """Those who hold the module object get the new version."""
    project.load("thing_v1")
    thing = sys.modules.pop("thing")

    assert project.load("thing_v2").version == 2
    assert sys.modules["thing"] is thing
    assert thing.which() == 2


def test_a_failed_load_does_not_put_a_module_back(project):
    """It was not there before."""
    project.load("thing_v1")
    thing = sys.modules.pop("thing")

    with pytest.raises(LoadError):
        project.load_text("thing", "1 / 0\n")

    assert "thing" not in sys.modules
    assert thing.which() == 1


def test_an_old_version_that_nothing_can_run_leaves_no_memory(project):
    """Its namespace, functions and classes go with the last reference, though nobody purged."""
    project.load_text("thing", "import typing\nclass C: pass\nSEEN = typing.List[C]\ndef f(): return C\n")
    gone = [weakref.ref(sys.modules["thing"].C), weakref.ref(sys.modules["thing"].f)]
    snapshot = sys.modules["thing"].f.__code__.co_filename

    project.load("thing_v1")
    gc.collect()

    assert [ref() for ref in gone] == [None, None]
    assert code.source("thing", 1).startswith("import typing")
    assert lowlevel.real_path(snapshot) == (project.path("thing.py"), 1)


def test_a_function_of_an_old_version_keeps_working(project):
    """H21 has badfun here; Python keeps what is held."""
    project.load("thing_v1")
    closure = sys.modules["thing"].make_closure()

    project.load("thing_v2")
    code.purge("thing")
    gc.collect()

    assert closure() == (1, 2)


@pytest.mark.parametrize("version", ["2", "'1.4'", "(1, 'beta')"])
def test_vsn_is_what_the_module_says(project, version):
    """H5."""
    project.load_text("thing", f"__vsn__ = {version}\n")

    assert [repr(each.vsn) for each in code.versions("thing")] == [version]


def test_without_a_vsn_it_is_equal_for_equal_text(project):
    """H5: and different for a different one."""
    vsns = []
    for version in ("thing_v1", "thing_v2", "thing_v1"):
        project.load(version)
        vsns.append(code.versions("thing")[-1].vsn)

    assert vsns[0] == vsns[2] != vsns[1]


def test_a_module_of_a_namespace_package_can_be_loaded(project):
    """Under a source root, folders need no __init__.py."""
    project.write("pyproject.toml", '[tool.midflight]\nsource-roots = ["src"]\n')
    path = project.write("src/shop/parts/cart.py", "NUMBER = 1\n")

    for number in (1, 2):
        report = code.load(path, f"NUMBER = {number}\n")

        assert (report.module, report.version) == ("shop.parts.cart", number)
        assert number == sys.modules["shop"].parts.cart.NUMBER


def test_a_load_leaves_nothing_that_holds_a_deleted_version(project):
    """Neither the import system's finder nor the report."""
    report = project.load("thing_v1")
    gone = weakref.ref(sys.modules["thing"].which)

    code.delete("thing")
    gc.collect()

    assert report.version == 1
    assert gone() is None
