"""What is found in a text before it is loaded: certain things only, and only new ones are refused."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

from midflight import code
from midflight.code import LoadError
from midflight.code.checks.findings import findings

HEAD = "from midflight import receive\nimport thing\n"
LOOPS = """
async def loop(n):
    await receive()
    return loop(n + 1)

async def endless(n):
    while True:
        n += await receive()

async def ask():
    return await receive()
"""
RECURSIVE = """
async def recursive(n):
    await receive()
    await recursive(n + 1)
"""


def found(project, text: str) -> list[tuple[str, int, str]]:
    """Load `text` as thing by force; return code, line and severity of what is found."""
    report = project.load_text("thing", text, force=True)
    return [(each.code, each.line, each.message) for each in report.warnings]


def codes(project, text: str) -> list[tuple[str, int]]:
    """Load `text` as thing by force; return code and line of what is found."""
    return [(name, line) for name, line, _ in found(project, text)]


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    return nonesuch\n",
        "async def f():\n    nonesuch(1)\n",
        "class C:\n    def f(self):\n        return [nonesuch for _ in ()]\n",
        "def f():\n    def g():\n        return lambda: nonesuch\n    return g\n",
        "from os.path import *\ndef f():\n    return nonesuch\n",
    ],
)
def test_a_name_that_nothing_defines_is_refused(project, text):
    """A process that came there would end with NameError."""
    with pytest.raises(LoadError) as caught:
        project.load_text("thing", text)

    (problem,) = caught.value.report.refusals
    line = next(number for number, line in enumerate(text.split("\n"), 1) if "nonesuch" in line)
    column = text.split("\n")[line - 1].index("nonesuch")
    assert (problem.code, problem.line, problem.column) == ("undefined-name", line, column)
    assert (problem.end_line, problem.end_column) == (line, column + len("nonesuch"))
    assert "'nonesuch'" in problem.message


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    return later\nlater = 1\n",
        "globals()['made'] = 1\ndef f():\n    return made\n",
        "import sys\nsetattr(sys.modules[__name__], 'made', 1)\ndef f():\n    return made\n",
        "from os.path import *\ndef f():\n    return join\n",
        "def f():\n    return __file__, __name__, __doc__, len\n",
        "try:\n    unicode\nexcept NameError:\n    pass\n",
        "def f():\n    global late\n    late = 1\ndef g():\n    return late\n",
    ],
)
def test_a_name_that_is_defined_by_whatever_means_is_not_refused(project, text):
    """What is in the namespace after the body has run counts."""
    assert codes(project, text) == []


def test_a_name_in_an_annotation_only_is_a_warning(project):
    """No process dies of it."""
    text = "from __future__ import annotations\ndef f(x: Nonesuch) -> Nor[This]:\n    y: Nothing = 1\n"

    report = project.load_text("thing", text)

    assert {each.code for each in report.warnings} == {"undefined-name"}
    assert len(report.warnings) == 4


def test_what_the_version_before_had_is_a_warning(project):
    """Its processes live with it; a new one is refused all the same."""
    project.load_text("thing", "def f():\n    return nonesuch\n", force=True)

    report = project.load_text("thing", "\n\ndef f():\n    return nonesuch\n")

    assert [(each.line, each.severity) for each in report.warnings] == [(4, "warning")]
    with pytest.raises(LoadError, match="'other'"):
        project.load_text("thing", "def f():\n    return nonesuch, other\n")


def test_columns_count_characters(project):
    """Python's own count bytes."""
    with pytest.raises(LoadError) as caught:
        project.load_text("thing", "def f():\n    return 'ééé', nonesuch\n")

    assert caught.value.report.refusals[0].column == len("    return 'ééé', ")


@pytest.mark.parametrize("call", ["loop(1)", "thing.loop(1)", "thing.endless(n=2)", "ask()"])
def test_a_process_function_that_is_called_and_dropped_is_refused(project, call):
    """It makes a coroutine that nothing runs: the process would end there, and its state with it."""
    text = f"{HEAD}{LOOPS}\nasync def start():\n    {call}\n"

    with pytest.raises(LoadError) as caught:
        project.load_text("thing", text)

    (problem,) = caught.value.report.refusals
    assert (problem.code, problem.line, problem.column) == ("not-awaited", text.count("\n"), 4)
    assert f"return {call.partition('(')[0]}(...)" in problem.message


@pytest.mark.parametrize(
    "body",
    [
        "return loop(1)",
        "await ask()",
        "x = loop(1)",
        "spawn(loop(1))",
        "loop = print\n    loop(1)",
        "for loop in ():\n        loop(1)",
        "other.loop(1)",
        "plain(1)",
        "decorated(1)",
        "rebound(1)",
    ],
)
def test_a_call_that_may_be_meant_is_not_refused(project, body):
    """Only a plain async function of the module's own, called by a name that is global there."""
    text = (
        f"{HEAD}{LOOPS}\nimport functools, types\nother = types.SimpleNamespace(loop=print)\nspawn = print\n"
        "def plain(n): pass\n@functools.cache\nasync def decorated(n): pass\n"
        f"async def rebound(n): pass\nrebound = print\nasync def start(thing=other):\n    {body}\n"
    )

    assert codes(project, text) == []


@pytest.mark.parametrize("call", ["loop(1)", "thing.loop(1)", "endless(1)", "start()", "recursive(1)"])
def test_await_of_an_own_loop_is_a_warning(project, call):
    """H11: the old frame stays below; whoever awaits a tail-calling function gets a coroutine."""
    text = f"{HEAD}{LOOPS}{RECURSIVE}\nasync def start():\n    return loop(0)\n\nasync def outer():\n    await {call}\n"

    warnings = found(project, text)

    assert ("awaited-loop", text.count("\n")) in [(name, line) for name, line, _ in warnings]
    assert f"write `return {call.partition('(')[0]}(...)`" in warnings[-1][2]


@pytest.mark.parametrize("statement", ["await ask()", "x = await ask()", "await other.loop(1)", "await plain()"])
def test_await_of_what_comes_back_is_none(project, statement):
    """A function that receives once and returns is a good thing to await."""
    text = f"{HEAD}{LOOPS}\nimport asyncio as other\nasync def plain(): pass\nasync def f():\n    {statement}\n"

    assert [name for name, line in codes(project, text) if line == text.count("\n")] == []


def test_recursion_by_await_is_a_warning_where_it_stands(project):
    """Each message would add a frame."""
    text = HEAD + RECURSIVE

    assert codes(project, text) == [("awaited-loop", text.count("\n"))]


def test_a_text_without_faults_has_no_findings(project):
    """The tutorial's, for one."""
    assert project.load("counter_v1").warnings == ()
    assert code.versions("counter")[0].version == 1


def test_a_long_sum_is_no_recursion_too_deep(project):
    """Python compiles it, so it loads; its tree is as deep as it is long."""
    long_sum = " + ".join(["one"] * 1500)
    text = f"one = 1\nSUM = {long_sum}\n\nasync def f():\n    return {long_sum}\n"

    project.load_text("thing", text)
    report = project.load_text("thing", text.replace("one = 1", "one = 2"))

    assert report.changed == ("one",)


def test_a_checker_that_fails_is_a_warning(project, monkeypatch):
    """It is another's program, and may not know a newer Python."""

    def fail(*_: object) -> None:
        raise RuntimeError("no handler")

    monkeypatch.setattr("midflight.code.checks.facts._Checker", fail)

    assert [(name, line) for name, line, _ in found(project, "never_checked_before = 1\n")] == [("unchecked", 1)]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("def f():\n    return lop(1)\ndef loop(n): pass\n", "perhaps 'loop' is meant"),
        ("def f():\n    return asyncio.sleep(1)\n", "write `import asyncio`"),
        ("def f():\n    return qqq\n", "define it"),
    ],
)
def test_an_undefined_name_comes_with_what_to_do(project, text, hint):
    """A name like it, a module of Python's, or nothing better."""
    ((_, _, message),) = found(project, text)

    assert message.endswith(f"; a process that comes here would end with NameError; {hint}")


@pytest.mark.parametrize(
    "text",
    [
        "import sys\nfrom os.path import *\nif sys.platform == 'nowhere':\n    def f():\n        return nonesuch\n",
        "import sys\nif sys.version_info > (9,):\n    x = nonesuch\n",
        "from os.path import *\ndef f(n):\n    for value in n:\n        del value\n        print(value)\n",
    ],
)
def test_a_name_that_may_do_no_harm_is_a_warning(project, text):
    """On another machine, or after a `del` on one of several ways."""
    report = project.load_text("thing", text)

    assert {(each.code, each.severity) for each in report.warnings} == {("undefined-name", "warning")}


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    if 'nonesuch' in globals():\n        return nonesuch\n",
        "def f():\n    if 'nonesuch' not in vars():\n        return 1\n    return nonesuch\n",
        "def f():\n    return 'nonesuch' in dir() and nonesuch\n",
        "def f():\n    return globals().get('nonesuch') and nonesuch\n",
        "def g(x):\n    globals()['nonesuch'] = x\ndef f():\n    return nonesuch\n",
        "def f():\n    try:\n        nonesuch\n    except NameError:\n        return False\n    return nonesuch()\n",
        "def f():\n    try:\n        nonesuch\n    except (KeyError, NameError): return\n    return lambda: nonesuch\n",
        "try:\n    HAS = bool(nonesuch)\nexcept NameError:\n    HAS = False\ndef f():\n    return HAS and nonesuch\n",
        "def f():\n    return nonesuch  # noqa: F821\n",
        "def f():\n    return nonesuch  # noqa\n",
        "def f():\n    return nonesuch  # NOQA:E501, F821 it is a builtin there\n",
        "def f():\n    return nonesuch  # type: ignore[name-defined]\n",
        "def f():\n    return nonesuch  # type: ignore[misc, name-defined] # and more\n",
        "def f():\n    return nonesuch  # type: ignore\n",
        "def f():\n    return nonesuch  # pyright: ignore[reportUndefinedVariable]\n",
        "# ruff: noqa: F821\ndef f():\n    return nonesuch\n",
        "# flake8: noqa\ndef f():\n    return nonesuch\n",
        "import thing\ndef f():\n    return thing.nonesuch  # type: ignore[attr-defined]\n",
        "import thing\ndef f():\n    return thing.nonesuch  # noqa: F821\n",
    ],
)
def test_a_name_that_the_text_is_prepared_to_miss_is_not_found(project, text):
    """It asks before, or tries first; or whoever wrote it has told the checkers so."""
    assert codes(project, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "if __name__ == '__main__':\n    nonesuch()\n",
        "if '__main__' == __name__:\n    def f():\n        nonesuch()\n",
        "def f():\n    reveal_type(1)\n",
        "def f():\n    try:\n        return nonesuch\n    except Exception:\n        return None\n",
        "def f():\n    try:\n        return nonesuch\n    except:\n        return None\n",
        "import contextlib\ndef f():\n    with contextlib.suppress(NameError):\n        return nonesuch\n",
    ],
)
def test_a_name_that_ends_no_process_is_a_warning(project, text):
    """That part does not run when the module is loaded, is for a type checker, or catches whatever comes."""
    report = project.load_text("thing", text)

    assert [(each.code, each.severity) for each in report.warnings] == [("undefined-name", "warning")]


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    if 'other' in globals():\n        return nonesuch\n",
        "def g():\n    try:\n        nonesuch\n    except NameError:\n        pass\ndef f():\n    return nonesuch\n",
        "def f():\n    try:\n        return nonesuch\n    except KeyError:\n        return None\n",
        "def f():\n    try:\n        pass\n    except Exception:\n        return nonesuch\n",
        "def f():\n    return nonesuch  # noqa: E501\n",
        "def f():\n    return nonesuch  # type: ignore[arg-type]\n",
        "def f():\n    return nonesuch  # no quarrel\n",
        "if __name__ == 'thing':\n    def f():\n        return nonesuch\n",
        "# noqa: F821\ndef f():\n    return nonesuch\n",
    ],
)
def test_a_name_that_the_text_is_not_prepared_to_miss_is_refused(project, text):
    """It asks for another one, tries elsewhere, or another check was told to be silent."""
    with pytest.raises(LoadError, match="'nonesuch'"):
        project.load_text("thing", text)


def test_what_all_names_is_not_read(project):
    """A module with a `__getattr__` may export what it makes when it is asked for."""
    text = "from os.path import *\n__all__ = ['join', 'lazy']\ndef __getattr__(name): return 1\n"

    assert codes(project, text) == []


QUIET = "asyncio contextlib concurrent.futures unittest.async_case http.client logging.config importlib json".split()


@pytest.mark.parametrize("name", QUIET)
def test_pythons_own_modules_give_no_alarm(name):
    """They are right, so whatever were found in them would be wrong."""
    package = importlib.import_module(name)
    names = [name]
    if hasattr(package, "__path__"):
        names += [
            f"{name}.{each.name}" for each in pkgutil.iter_modules(package.__path__) if "windows" not in each.name
        ]
    for each in names:
        if each.endswith("__main__"):
            continue
        module = importlib.import_module(each)
        text = inspect.getsource(module)

        found = findings(text, ast.parse(text), str(module.__file__), vars(module), module)

        assert [(each, finding.problem) for finding in found if finding.problem.severity == "error"] == []


def test_each_check_stands_in_the_table():
    """docs/checks.md, by the code that its findings have."""
    root = Path(__file__).parents[2]
    sources = "".join(path.read_text() for path in (root / "server/midflight/code").rglob("*.py"))
    found = set(re.findall(r'"(undefined-name|not-awaited|awaited-loop|loop-ends|persist|live-call)"', sources))

    table = (root / "docs/checks.md").read_text()

    assert len(found) == 6
    assert [each for each in sorted(found) if f"`{each}`" not in table] == []
