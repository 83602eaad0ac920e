"""Objects that do their work when anybody asks them anything: a load asks them nothing.

`django.conf.settings` that is not configured raises for any attribute, `__class__` too; proxies of celery and of
lazy_object_proxy connect; a module with a `__getattr__` imports.
"""

from __future__ import annotations

import builtins
import sys
import traceback
from types import ModuleType
from typing import Any

import pytest

import midflight
from midflight import code

SPECIAL = """
    __eq__ __ne__ __lt__ __hash__ __bool__ __repr__ __str__ __len__ __iter__ __contains__ __getitem__ __call__
    __instancecheck__ __subclasscheck__ __reduce_ex__ __reduce__ __dir__ __format__ __copy__ __deepcopy__
    __index__ __await__ __enter__
""".split()


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """Give the questions that lazy objects were asked. A module's body makes such an object by `LAZY()`."""
    found: list[str] = []

    def note(what: str) -> None:
        frames = [each for each in traceback.extract_stack()[:-2] if "midflight" in each.filename][-2:]
        places = [f"{each.filename.rpartition('/')[2]}:{each.lineno}" for each in frames]
        found.append(f"{what} by {places}")

    def special(name: str) -> Any:
        def method(self: object, *args: object) -> Any:
            note(name)
            raise RuntimeError(f"{name}: the settings are not configured")

        return method

    def getattribute(self: object, name: str) -> Any:
        note(name)
        raise RuntimeError(f"{name}: the settings are not configured")

    methods = {name: special(name) for name in SPECIAL} | {"__getattribute__": getattribute}
    lazy = type("Lazy", (), methods)
    monkeypatch.setattr(builtins, "LAZY", lazy, raising=False)
    return found


TEXT = """
import enum
import lazy
from midflight import GenServer, receive
import thing
settings = LAZY()
TABLE = {{"a": settings, "b": [settings]}}
PAIR = (settings, {0})
NUMBER = {0}
class K:
    option = settings
    def f(self): return settings
class L(K):
    number = {0}
class Kind(enum.Enum):
    A = 1
class Till(GenServer):
    def init(self): self.total = {0}
    def handle_call(self, request, client): return self.total
def f(x=settings): return settings, NUMBER
async def wait():
    while await receive() != "stop":
        thing.f(settings.a)
"""


@pytest.fixture
def lazy_module(project, asked) -> None:
    """Import a module that answers for names it does not have."""
    project.write("lazy.py", "def __getattr__(name):\n    raise RuntimeError(name)\n")
    sys.path.append(str(project.root))


def test_a_module_that_was_imported_is_loaded(project, asked, lazy_module):
    """The first load takes it over, compares it with its file, and checks it."""
    project.write("thing.py", TEXT.format(1))
    project.write("user.py", "from thing import settings, K, f, NUMBER\n")
    __import__("user")

    report = code.load(project.path("thing.py"), TEXT.format(2))

    assert asked == []
    assert report.version == 2
    assert ("user", "NUMBER") in [(each.module, each.name) for each in report.stale_imports]


@pytest.mark.parametrize("options", [{}, {"force": True}, {"move": True}, {"two_versions": True}])
def test_it_is_loaded_again(project, asked, lazy_module, runtime, options):
    """With processes in it, objects of its classes, and modules that import from it."""
    project.load_text("thing", TEXT.format(1))
    project.load_text("user", "from thing import *\nfrom thing import settings as other\n")
    pid = runtime.spawn(sys.modules["thing"].wait)
    runtime.run_until_idle()

    report = project.load_text("thing", TEXT.format(2), **options)

    assert asked == []
    assert "L" in [each.name for each in report.superseded]
    assert project.load_text("thing", TEXT.format(2)).version == 3
    pid << "stop"
    runtime.run_until_idle()
    assert asked == []


def test_what_is_asked_about_its_versions_asks_nothing(project, asked, lazy_module, runtime):
    """Whoever runs them, what keeps them alive, what an edit would do."""
    project.load_text("thing", TEXT.format(1))
    pid = runtime.spawn(sys.modules["thing"].wait)
    runtime.run_until_idle()
    project.load_text("thing", TEXT.format(2))
    path = project.path("thing.py")

    code.why_alive("thing", 1)
    code.versions("thing")
    code.processes("thing")
    code.modified_modules()
    code.check(path, TEXT.format(3))
    code.rollback("thing")
    code.old_instances("thing")
    code.soft_purge("thing")
    code.diff("thing", 1, 2)
    code.current(sys.modules["thing"].f)
    code.current(sys.modules["thing"].K.f)

    assert asked == []
    pid << "stop"
    runtime.run_until_idle()


def test_a_lazy_object_anywhere_in_the_program_is_left_alone(project, asked):
    """In the namespace of another module, as a module in sys.modules, as an attribute of one."""
    other = ModuleType("other_module")
    other.__file__ = LAZY()  # type: ignore[name-defined]  # noqa: F821
    other.settings = LAZY()  # type: ignore[name-defined]  # noqa: F821
    sys.modules["other_module"] = other
    sys.modules["not_a_module"] = LAZY()  # type: ignore[name-defined]  # noqa: F821
    try:
        for number in (1, 2):
            project.load_text("thing", f"x = {number}\ndef f(): return x\n")
        code.load_many([project.path("thing.py"), project.write("second.py", "from thing import f\n")])
        code.modified_modules()
        code.load_modified()
    finally:
        del sys.modules["other_module"], sys.modules["not_a_module"]

    assert asked == []


def test_a_module_of_a_class_of_its_own_is_not_asked(project, asked):
    """One that is imported when somebody reads a name of it, say."""
    read: list[str] = []

    class Lazy(ModuleType):
        def __getattribute__(self, name: str) -> Any:
            read.append(name)
            return ModuleType.__getattribute__(self, name)

    sys.modules["lazily"] = Lazy("lazily")
    try:
        text = "import lazily\nimport thing\ndef f(n): return lazily.x, thing.f\nNUMBER = {0}\n"
        for number in (1, 2, 3):
            project.load_text("thing", text.format(number))
    finally:
        del sys.modules["lazily"]

    assert set(read) <= {"__spec__"}  # the import statement itself


def test_upgrade_and_preview_ask_nothing(project, asked, lazy_module):
    """A server of the module is suspended, changed and resumed."""
    project.load_text("thing", TEXT.format(1))
    thing = sys.modules["thing"]
    asked.clear()

    async def upgrade() -> tuple[int | None, int | None]:
        await thing.Till.start(name="till")
        first = await code.upgrade("thing", TEXT.format(2), dry_run=True)
        second = await code.upgrade("thing", TEXT.format(2))
        assert [each.pid for each in second.servers] == [midflight.whereis("till")]
        return first.version, second.version

    assert midflight.run(upgrade) == (2, 2)
    assert asked == []
