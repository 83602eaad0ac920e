"""The module that a path or a name means: namespace packages, texts without a file, names that are refused."""

from __future__ import annotations

import importlib
import inspect
import pickle
import sys

import pytest

from midflight import code
from midflight.code.version import modules

WORKER = "def run():\n    return 1\n"


@pytest.fixture
def on_path(project):
    """Have the project's folder on the path, as `midflight serve` has it."""
    sys.path.append(str(project.root))
    return project


@pytest.mark.parametrize(
    "main",
    [
        "import app.worker\n",
        "from app import worker\n",
        "from app.worker import run\n",
        "def f():\n    from app import other\n",
        "import app.other as o\n",
    ],
)
def test_a_file_of_a_namespace_package_has_the_name_by_which_the_program_imports_it(on_path, main):
    """Though nothing has imported it yet: the program's own import is the same module then."""
    on_path.write("main.py", main)
    path = on_path.write("app/worker.py", WORKER)

    report = code.load(path)

    assert report.module == "app.worker"
    code.load(path, WORKER.replace("1", "2"))
    assert importlib.import_module("app.worker").run() == 2
    assert "worker" not in sys.modules


@pytest.mark.parametrize("text", ["from . import other\n", "from .other import x\n", "import app.other\n"])
def test_a_file_that_imports_from_its_package_is_in_it(on_path, text):
    """Relative imports need the package, too."""
    on_path.write("app/other.py", "x = 1\n")

    assert code.load(on_path.write("app/worker.py", text)).module == "app.worker"


def test_a_namespace_package_in_another_is_one_too(on_path):
    """All folders from the one on the path on."""
    on_path.write("main.py", "import app.jobs.worker\n")

    assert code.load(on_path.write("app/jobs/worker.py", WORKER)).module == "app.jobs.worker"


@pytest.mark.parametrize("main", ["", "import worker\n", "import application\n", "# import app.worker\n"])
def test_a_file_that_nobody_imports_by_a_dotted_name_has_its_bare_one(on_path, main):
    """A folder of scripts."""
    on_path.write("main.py", main)

    assert code.load(on_path.write("app/worker.py", WORKER)).module == "worker"


def test_a_process_function_that_imports_itself_by_its_bare_name_keeps_that(on_path):
    """Its calls through the module would find nothing otherwise."""
    on_path.write("main.py", "import app.worker\n")

    assert code.load(on_path.write("app/worker.py", "import worker\n" + WORKER)).module == "worker"


def test_one_file_that_is_two_modules_is_a_warning(on_path):
    """A load reaches one of them; it says which it does not."""
    path = on_path.write("app/worker.py", WORKER)
    assert code.load(path).module == "worker"
    other = importlib.import_module("app.worker")

    report = code.load(path, WORKER.replace("1", "2"))

    assert [(each.code, each.severity) for each in report.warnings] == [("two-modules", "warning")]
    assert "app.worker" in report.warnings[0].message
    assert (sys.modules["worker"].run(), other.run()) == (2, 1)


def test_a_module_of_the_standard_library_is_refused_by_its_name():
    """There is no file to rename."""
    with pytest.raises(code.LoadError, match="json not loaded: json is a part of Python's standard library") as caught:
        code.load("json")

    assert "rename" not in str(caught.value)


def test_a_file_with_a_name_of_the_standard_library_is_to_be_renamed(project):
    """There the file is named."""
    with pytest.raises(code.LoadError, match=r"rename json\.py"):
        code.load(project.write("json.py", "x = 1\n"))


# --- Texts without a file ------------------------------------------------------------------------------------

TEXT = "class K:\n    def f(self):\n        return 1\n\n\ndef f():\n    return 1\n"


def test_a_text_without_a_file_is_loaded_by_its_name(project):
    """And again: its functions, classes, sources and history are those of any module."""
    assert code.load("nowhere_on_disk", TEXT).version == 1
    module = importlib.import_module("nowhere_on_disk")

    report = code.load("nowhere_on_disk", TEXT.replace("    return 1\n", "    return 2\n"))

    assert (report.version, report.changed) == (2, ("K.f", "f"))
    assert module.f() == 2
    assert inspect.getsource(module.f) == "def f():\n    return 2\n"
    assert inspect.getsource(module.K).startswith("class K:\n    def f(self):\n        return 2\n")
    assert pickle.loads(pickle.dumps(module.K())).f() == 2
    assert code.rollback("nowhere_on_disk").version == 3
    assert module.f() == 1
    assert "nowhere_on_disk" not in code.modified_modules()
    forget("nowhere_on_disk")


def test_a_text_without_a_file_must_be_given_each_time():
    """The message says how."""
    code.load("nowhere_on_disk", TEXT)

    with pytest.raises(code.LoadError, match=r"nowhere_on_disk has no file.*load\('nowhere_on_disk', source=\.\.\.\)"):
        code.load("nowhere_on_disk")
    forget("nowhere_on_disk")


@pytest.mark.parametrize("name", ["no name", "1x", "class"])
def test_what_is_no_name_is_no_text_without_a_file(name):
    """Nobody could import it."""
    with pytest.raises(code.LoadError, match="no module"):
        code.load(name, TEXT)


def forget(name):
    """Take a module out of the interpreter and the code server, as the fixture `project` does with its own."""
    del sys.modules[name]
    modules._modules.pop(name, None)
