"""What has versions: the project's modules, also those that others import. What has not: everybody else's."""

from __future__ import annotations

import importlib
import json
import sys
import sysconfig

import pytest

from midflight import code
from midflight.code import LoadError


@pytest.fixture
def app(project):
    """Give a project whose module `app` is loaded, and has imported others by plain `import`."""
    project.write("util.py", "NUMBER = 1\ndef f(): return NUMBER\n")
    project.write("lib/__init__.py", "from . import inner\n")
    project.write("lib/inner.py", "VALUE = 1\n")
    project.write("space/part.py", "VALUE = 1\n")  # no __init__: a namespace package
    project.load_text("app", "import util, lib, space.part, json, pyflakes.api\ndef g(): return util.f()\n")
    return project


@pytest.mark.parametrize("name", ["util", "lib", "lib.inner", "space.part"])
def test_what_loaded_code_imports_is_an_ordinary_module_until_it_is_loaded(app, name):
    """Then it has versions, and what imported it sees the newest one."""
    module = sys.modules[name]
    assert code.is_loaded(name) is None
    assert not hasattr(module, "__midflight_version__")

    report = code.load(name)

    assert (report.version, sys.modules[name]) == (2, module)
    assert [each.version for each in code.versions(name) if each.is_current] == [2]
    assert name == "lib" or code.source(name, 1) == code.source(name, 2)  # an import alone does not tell what it was


def test_its_importer_calls_the_new_version(app):
    """Through the module, as always."""
    assert sys.modules["app"].g() == 1

    code.load(app.path("util.py"), "def f(): return 2\n")

    assert sys.modules["app"].g() == 2


def test_a_file_that_has_changed_is_found_by_load_modified(app):
    """Though nobody has loaded the module before."""
    app.write("util.py", "NUMBER = 22\ndef f(): return NUMBER\n")
    app.write("lib/inner.py", "VALUE = 22\n")
    assert code.modified_modules() == ("lib.inner", "util")

    assert [report.module for report in code.load_modified()] == ["lib.inner", "util"]
    assert (sys.modules["app"].g(), sys.modules["lib"].inner.VALUE) == (22, 22)


def test_the_namespace_package_itself_has_no_text(app):
    """So there is nothing to load."""
    with pytest.raises(LoadError, match="comes from no source file"):
        code.load("space")


@pytest.mark.parametrize("name", ["json", "json.decoder", "os", "asyncio.queues", "sys", "_asyncio", "builtins"])
def test_the_standard_library_is_refused(app, name):
    """Under any name, by path too."""
    module = importlib.import_module(name)
    before = dict(vars(module))

    for given in (name, getattr(module, "__file__", None) or name):
        with pytest.raises(LoadError, match=f"not loaded: .*({name}|library|C extension|no source file|Python)"):
            code.load(given)

    assert vars(module) == before
    assert type(module) is type(sys)


def test_a_file_in_the_project_that_hides_a_standard_module_is_refused(app):
    """It would take the place of what Midflight runs on."""
    with pytest.raises(LoadError, match=r"rename json\.py"):
        code.load(app.write("json.py", "x = 1\n"))

    assert hasattr(json, "dumps")


def test_a_c_extension_is_refused(app):
    """Python cannot make it twice."""
    suffix = sysconfig.get_config_var("EXT_SUFFIX")

    with pytest.raises(LoadError, match="C extension"):
        code.load(app.write(f"fast{suffix}", ""))


def test_installed_packages_are_left_alone(app):
    """A change on disk, by an update say, loads none of them; nor is one taken for a part of the project."""
    import pyflakes.api

    assert code.is_loaded("pyflakes") is None
    assert not hasattr(pyflakes.api, "__midflight_version__")
    assert not any(name.startswith("pyflakes") for name in code.modified_modules())


def test_loads_make_no_other_module_theirs(app):
    """Only what is named gets versions."""
    before = {name: module for name, module in sys.modules.items() if hasattr(module, "__midflight_version__")}

    code.load(app.path("util.py"))

    after = {name for name, module in sys.modules.items() if hasattr(module, "__midflight_version__")}
    assert after - set(before) == {"util"}
