"""The check that nobody else has: what live code is about to call, against the version that is about to be current."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterator

import pytest

import midflight
from helpers.versions import Project
from midflight import Pid, code
from midflight.code import LoadError

WAIT = """
from midflight import receive
import thing


async def wait():
    while await receive() != "stop":
        {statement}


{rest}
"""

Begin = Callable[..., Pid]


@pytest.fixture
def begin(project: Project, runtime) -> Iterator[Begin]:
    """Give a function that loads `thing` and starts a process in it which has that statement ahead of it."""
    pids = []

    def begin(statement: str, rest: str, name: str = "thing") -> Pid:
        project.load_text(name, WAIT.format(statement=statement, rest=rest), force=True)
        pids.append(runtime.spawn(sys.modules[name].wait))
        runtime.run_until_idle()
        return pids[-1]

    yield begin
    for pid in pids:
        pid << "stop"
    runtime.run_until_idle()


def refused(project: Project, text: str) -> code.Diagnostic:
    """Load `text` as thing, and return why that is refused."""
    with pytest.raises(LoadError) as caught:
        project.load_text("thing", text)
    return caught.value.report.refusals[0]


def test_a_name_that_the_new_version_lacks_is_refused(project, begin):
    """H12: the process would end of it; it is named, with the line where it would."""
    pid = begin("thing.go(1)", "def go(n): pass")

    problem = refused(project, "def went(n): pass\n")

    assert problem.code == "live-call"
    assert problem.message == (
        f"thing version 1, wait:8, uses thing.go, which the new version lacks; {pid!r} would end there; "
        "keep go as it was until they have left that code"
    )
    assert sys.modules["thing"].go(1) is None


def test_each_version_of_a_function_is_looked_at_also_if_its_text_is_the_same(project, begin, runtime):
    """The code objects are equal, and what the names in them mean is not."""
    safe = begin("thing.go(1)", "def go(n): pass\nclass thing:\n    go = staticmethod(print)\n")
    pid = begin("thing.go(1)", "def go(n): pass")

    problem = refused(project, "def went(): pass\n")

    assert problem.code == "live-call"
    assert f"; {pid!r} would end there" in problem.message
    assert repr(safe) not in problem.message


def test_the_processes_in_each_version_of_a_function_are_named(project, begin):
    """Its text is the same in both."""
    pids = [begin("thing.go(1)", f"N = {number}\ndef go(n): pass") for number in (1, 2)]

    with pytest.raises(LoadError) as caught:
        project.load_text("thing", "def went(n): pass\n")

    said = [each.message for each in caught.value.report.refusals if each.code == "live-call"]
    assert [f"thing version {number}, wait:8" in text for number, text in enumerate(said, 1)] == [True, True]
    assert [repr(pid) in text for pid, text in zip(pids, said, strict=True)] == [True, True]


@pytest.mark.parametrize(
    ("call", "old", "new"),
    [
        ("thing.go(1)", "def go(n): pass", "def go(n, m): pass"),
        ("thing.go(1)", "def go(n): pass", "def go(*, n): pass"),
        ("thing.go(n=1)", "def go(n): pass", "def go(m): pass"),
        ("thing.go(1, m=2)", "def go(n, m): pass", "async def go(n): pass"),
        ("await thing.go(1)", "async def go(n): pass", "async def go(): pass"),
        ("print(thing.go(1))", "def go(n): pass", "def go(): pass"),
        ("thing.Go(1)", "class Go:\n    def __init__(self, n): pass", "class Go: pass"),
        ("thing.go(\n            1,\n        )", "def go(n): pass", "def go(): pass"),
        ("thing.go()", "def go(): pass", "go = 3"),
    ],
)
def test_arguments_that_the_new_version_does_not_take_are_refused(project, begin, call, old, new):
    """H13: by position, by name, of a class too; and what can no longer be called."""
    begin(call, old)

    problem = refused(project, f"\n{new}\n")

    assert "takes otherwise" in problem.message


@pytest.mark.parametrize(
    ("call", "old", "new"),
    [
        ("thing.go(1)", "def go(n): pass", "def go(n, m=2): pass"),
        ("thing.go(*[1])", "def go(n): pass", "def go(): pass"),
        ("thing.go(**{})", "def go(): pass", "def go(n): pass"),
        ("thing.go(1)", "def go(n): pass", "def go(*args, **more): pass"),
        ("thing.go(1)", "def go(n): pass", "import functools\ngo = functools.partial(print, 2)"),
        ("thing.go(1)", "def go(n): pass", "go = int"),
        ("spawn = thing.go", "def go(n): pass", "def go(): pass"),
        ("thing.go()", "def go(): pass", "def __getattr__(name): return print"),
        ("thing.gone()", "", "x = 1"),
        ("thing.go(1, 2)", "def go(n): pass", "def go(): pass"),
        ("thing = 1; thing.go()", "def go(): pass", "x = 1"),
    ],
)
def test_what_is_not_certain_or_not_new_is_no_matter(project, begin, call, old, new):
    """Stars, dynamic names, a read that is no call, what failed before as well, another thing of that name."""
    begin(call, old)

    assert project.load_text("thing", f"\n{new}\n").version == 2


def test_force_overrides_it(project, begin):
    """As a warning that says who will end."""
    pid = begin("thing.go(1)", "def go(n): pass")

    report = project.load_text("thing", "x = 1\n", force=True)

    assert [(each.code, each.severity) for each in report.warnings] == [("live-call", "warning")]
    assert repr(pid) in report.warnings[0].message


def test_code_that_the_process_only_may_come_to_is_a_warning(project, begin):
    """What its code calls by a bare name."""
    begin("helper()", "def helper():\n    return [thing.go(n) for n in (1, 2)]\n\ndef go(n): pass")

    report = project.load_text("thing", "x = 1\n")

    assert len(report.warnings) == 1
    assert "thing.go, which the new version lacks" in report.warnings[0].message
    assert "may come there" in report.warnings[0].message


def test_code_nested_in_the_frames_code_counts_as_its_own(project, begin):
    """Lambdas, comprehensions, inner functions."""
    begin("(lambda: [thing.go(n) for n in (1, 2)])()", "def go(n): pass")

    assert "thing.go" in refused(project, "x = 1\n").message


def test_calls_from_other_modules_count(project, begin):
    """Under whatever name they hold the module, loaded by Midflight or not."""
    project.load_text("thing", "def go(n): pass\n")
    sys.path.append(str(project.root))
    project.write("alias.py", "import thing as shop\n")
    pid = begin("t.go(1)", "import thing as t", name="other")
    begin("alias.shop.go(1)", "import alias", name="third")

    with pytest.raises(LoadError) as caught:
        project.load_text("thing", "def go(): pass\n")

    said = [each.message for each in caught.value.report.refusals]
    assert len(said) == 2
    assert said[0].startswith("other version 1, wait:8, uses thing.go")
    assert repr(pid) in said[0]


def test_calls_from_a_module_that_was_only_imported_count(project, runtime):
    """Its file tells how it calls, as long as it is what was imported."""
    project.load_text("thing", "def go(n): pass\n")
    text = WAIT.format(statement="thing.go(1)", rest="")
    path = project.write("plain.py", text)
    plain = __import__("plain")
    pid = runtime.spawn(plain.wait)
    runtime.run_until_idle()

    assert "takes otherwise" in refused(project, "def go(): pass\n").message
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text.replace("thing.go(1)", "thing.go()"))
    linecache.clearcache()
    assert "which the new version lacks" in refused(project, "x = 1\n").message
    assert project.load_text("thing", "def go(): pass\n").version == 2

    pid << "stop"
    runtime.run_until_idle()


def test_processes_in_the_same_code_are_named_together(project, runtime, begin):
    """Three of them, and how many more."""
    pids = [begin("thing.go(1)", "def go(n): pass")]
    pids += [runtime.spawn(sys.modules["thing"].wait) for _ in range(4)]
    runtime.run_until_idle()

    message = refused(project, "x = 1\n").message

    assert f"; {pids[0]!r}, {pids[1]!r}, {pids[2]!r} and 2 more would end there; " in message
    for pid in pids[1:]:
        pid << "stop"
    runtime.run_until_idle()


def test_a_process_that_has_not_begun_counts(project, runtime):
    """Its code is all ahead of it."""
    project.load_text("thing", WAIT.format(statement="thing.go(1)", rest="def go(n): pass"))
    pid = runtime.spawn(sys.modules["thing"].wait)

    assert repr(pid) in refused(project, "x = 1\n").message

    pid << "stop"
    runtime.run_until_idle()


def test_the_problem_is_shown_where_it_can_be_mended(project, begin):
    """At the function that is called, else at the one of the new text that the caller was."""
    begin("thing.go(1)", "def go(n): pass")

    assert refused(project, "\n\ndef go(): pass\n").line == 3
    assert refused(project, "\nx = 1\n\n\n\nasync def wait(): pass\n").line == 6
    assert refused(project, "\nx = 1\n").line == 1


@pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations run with the def")
def test_annotations_of_what_is_called_do_not_run(project, begin):
    """A name in them may be there for a type checker only; arguments are judged all the same."""
    begin("thing.go(1)", "def go(n: Missing) -> Missing: pass")

    problem = refused(project, "def go(n: Missing, m: Missing) -> Missing: pass\n")

    assert "takes otherwise: missing a required argument: 'm'" in problem.message
    project.load_text("thing", "def go(n: Missing, m: Missing = 1) -> Missing: pass\n")


@pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations run with the def")
def test_an_annotation_is_no_call_ahead(project, begin):
    """That of a function in the function: no process comes there."""
    begin("def inner(x: thing.Kind): pass", "class Kind: pass")

    assert project.load_text("thing", "x = 1\n").refusals == ()


# --- Reads by another way than `thing.go` ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "from thing import go; go(1)",
        "from thing import go as step; step(1)",
        "from thing import (go, other); go(1)",
        "import thing as it; it.go(1)",
        "me = thing; me.go(1)",
        "me = it = thing; it.go(1)",
        "me = thing; (lambda: me.go(1))()",
        "(me := thing).go(1)",
    ],
)
def test_a_name_that_is_reached_by_a_local_alias_or_an_import_is_refused(project, begin, statement):
    """The process would end with ImportError or AttributeError all the same."""
    begin(statement, "def go(n): pass\nother = 1")

    assert "thing.go, which the new version lacks" in refused(project, "other = 1\n").message


@pytest.mark.parametrize(
    "statement",
    [
        "from thing import go; go(1)",
        "from thing import go as step; step(1)",
        "import thing as it; it.go(1)",
        "me = thing; me.go(1)",
        "(me := thing).go(1)",
    ],
)
def test_the_arguments_of_such_a_call_count_as_well(project, begin, statement):
    """They are known by the text."""
    begin(statement, "def go(n): pass")

    assert "takes otherwise" in refused(project, "def go(n, m): pass\n").message


def test_an_import_in_a_package_is_known_by_its_dots(project, runtime):
    """Relative to the package that the code is in; of a name of the package itself too."""
    project.write("li/__init__.py", "base = 1\n")
    step = project.write("li/steps.py", "def step(): pass\n")
    loop = project.write(
        "li/loop.py",
        "from midflight import receive\nasync def wait():\n    while await receive() != 'stop':\n"
        "        from .steps import step\n        from . import base\n        step()\n",
    )
    for path in (project.path("li/__init__.py"), step, loop):
        code.load(path)
    pid = runtime.spawn(sys.modules["li.loop"].wait)
    runtime.run_until_idle()

    with pytest.raises(
        LoadError, match=r"li\.loop version 1, wait:4, uses li\.steps\.step, which the new version lacks"
    ):
        code.load(step, "def walk(): pass\n")
    with pytest.raises(LoadError, match=r"wait:5, uses li\.base"):
        code.load(project.path("li/__init__.py"), "other = 1\n")
    pid << "stop"
    runtime.run_until_idle()


def test_a_submodule_is_no_name_of_the_text(project, runtime):
    """The package has it whatever its text says, in the next version too."""
    steps = project.write("li/steps.py", "def step(): pass\n")
    package = project.write("li/__init__.py", "from . import steps\n")
    code.load(package)
    code.load(steps)
    project.load_text(
        "loop",
        "from midflight import receive\nimport li\nasync def wait():\n    while await receive() != 'stop':\n"
        "        li.steps.step()\n        from li import steps\n        steps.step()\n",
    )
    pid = runtime.spawn(sys.modules["loop"].wait)
    runtime.run_until_idle()

    assert code.load(package, "x = 1\n").version == 2

    pid << "go"
    runtime.run_until_idle()
    assert midflight.is_alive(pid)
    pid << "stop"
    runtime.run_until_idle()


@pytest.mark.parametrize(
    "statement",
    [
        "me = thing; me = 1; me.go",
        "from other import go; go(1)",
        "import other as it; it.go(1)",
        "me = other; me.go(1)",
        "for me in (thing, other): me.go(1)",
    ],
)
def test_a_local_name_that_stands_for_other_things_is_no_matter(project, begin, statement):
    """Only what is certain refuses a load."""
    project.load_text("other", "def go(n): pass\n")
    begin(f"import other\n        {statement}", "def go(n): pass")

    assert project.load_text("thing", "x = 1\n").version == 2


# --- Code that is prepared for it --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "try:\n            thing.go(1)\n        except AttributeError:\n            pass",
        "try:\n            thing.go(1)\n        except (KeyError, AttributeError) as error:\n            pass",
        "try:\n            if 1:\n                thing.go(1)\n        except Exception:\n            pass",
        "try:\n            thing.go(1)\n        except:\n            pass",
        "try:\n            from thing import go\n        except ImportError:\n            pass",
        "with contextlib.suppress(AttributeError):\n            thing.go(1)",
        "if hasattr(thing, 'go'):\n            thing.go(1)",
        "hasattr(thing, 'go') and thing.go(1)",
        "if not hasattr(thing, 'go'):\n            continue\n        thing.go(1)",
    ],
)
def test_code_that_is_prepared_for_a_missing_name_is_no_matter(project, begin, body):
    """No process ends of it."""
    begin(body, "import contextlib\ndef go(n): pass")

    assert project.load_text("thing", "x = 1\n").version == 2


@pytest.mark.parametrize(
    "body",
    [
        "try:\n            thing.go(1)\n        except KeyError:\n            pass",
        "try:\n            thing.go(1)\n        finally:\n            pass",
        "try:\n            pass\n        except AttributeError:\n            thing.go(1)",
        "try: pass\n        except AttributeError: pass\n        else: thing.go(1)",
        "if hasattr(thing, 'other'):\n            thing.go(1)",
        "with contextlib.suppress(KeyError):\n            thing.go(1)",
        "try: raise KeyError\n        except AttributeError: pass\n        except KeyError: thing.go(1)",
    ],
)
def test_code_that_is_prepared_for_something_else_is_refused(project, begin, body):
    """Another exception, or the same one at another place."""
    begin(body, "import contextlib\nother = 1\ndef go(n): pass")

    assert "thing.go" in refused(project, "other = 1\n").message


@pytest.mark.parametrize("body", ["try:\n            thing.go(1)\n        except TypeError:\n            pass"])
def test_code_that_is_prepared_for_other_arguments_is_no_matter(project, begin, body):
    """A call with the wrong arguments raises TypeError."""
    begin(body, "def go(n): pass")

    assert project.load_text("thing", "def go(n, m): pass\n").version == 2


@pytest.mark.parametrize(
    "statement",
    [
        "asyncio.get_running_loop().call_later(3, lambda: thing.go(1))",
        "asyncio.get_running_loop().call_soon(functools.partial(lambda n: thing.go(n), 1))",
        "task.add_done_callback(lambda done: thing.go(1))",
        "signal.signal(1, lambda *_: thing.go(1))",
        "atexit.register(lambda: thing.go(1))",
    ],
)
def test_a_callback_ends_no_process(project, begin, statement):
    """It is the loop that calls it, or the interpreter: the call fails, and nobody ends. So it is a warning."""
    begin(statement, "import asyncio, atexit, functools, signal\ndef go(n): pass")

    report = project.load_text("thing", "x = 1\n")

    assert [each.code for each in report.warnings] == ["live-call"]
    assert "thing.go, which the new version lacks; the callback would fail there" in report.warnings[0].message
