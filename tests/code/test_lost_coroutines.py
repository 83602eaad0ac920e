"""Coroutines that nothing runs: `receive()` without `await` above all."""

from __future__ import annotations

import pytest

from midflight import code
from midflight.code import LoadError

HEAD = """\
import asyncio
import midflight
from midflight import GenServer, call, receive, sleep
import thing


class Till(GenServer):
    async def refresh(self):
        pass

    @staticmethod
    async def static():
        pass


async def loop(n):
    return loop(n + 1)


async def ask():
    return await receive()
"""


def problems(project, text: str) -> list[code.Diagnostic]:
    """Load `text` as thing by force; return what is found."""
    return list(project.load_text("thing", f"{HEAD}\n\n{text}", force=True).warnings)


def in_function(statement: str) -> str:
    """Return an async function with that in it."""
    lines = "\n".join(f"    {line}" for line in statement.split("\n"))
    return f"async def f(pid, n=1):\n{lines}\n"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("receive()", "receive"),
        ("midflight.receive()", "midflight.receive"),
        ("sleep(1)", "sleep"),
        ("call(pid, 'get')", "call"),
        ("asyncio.sleep(1)", "asyncio.sleep"),
        ("Till.start()", "Till.start"),
        ("Till.static()", "Till.static"),
        ("match receive():\n    case _:\n        pass", "receive"),
        ("match call(pid, 1):\n    case _:\n        pass", "call"),
        ("if receive() == 'stop':\n    return", "receive"),
        ("while receive():\n    pass", "receive"),
        ("for x in receive():\n    pass", "receive"),
        ("print([x for x in call(pid, 1)])", "call"),
        ("print(1 + call(pid, 1))", "call"),
        ("n += call(pid, 1)", "call"),
        ("print(not ask())", "ask"),
        ("print(ask() or 1)", "ask"),
        ("print(call(pid, 1)['total'])", "call"),
        ("print(call(pid, 1).total)", "call"),
        ("print(f'{call(pid, 1)}')", "call"),
        ("print(1 if ask() else 2)", "ask"),
        ("assert call(pid, 1)", "call"),
        ("async with call(pid, 1):\n    pass", "call"),
        ("async for x in ask():\n    pass", "ask"),
    ],
)
def test_a_coroutine_that_is_taken_for_a_value_is_refused(project, statement, said):
    """What the function is, its name tells after the body has run."""
    text = f"{HEAD}\n\n{in_function(statement)}"

    with pytest.raises(LoadError) as caught:
        project.load_text("thing", text)

    (problem,) = caught.value.report.refusals
    line = text.split("\n")[problem.line - 1]
    assert problem.code == "not-awaited"
    assert line[problem.column :].startswith(f"{said}(")
    assert problem.message.startswith(f"{said}(...)")
    assert problem.message.endswith(f"; write `await {said}(...)`")


@pytest.mark.parametrize(
    "statement",
    [
        "message = receive()\nmatch message:\n    case _:\n        pass",
        "message = receive()\nif message == 'stop':\n    return",
        "if n:\n    answer: object = call(pid, 1)\n    print(answer['total'])",
    ],
)
def test_one_that_has_a_name_by_which_it_is_mistaken_is_refused(project, statement):
    """At the call, where the `await` belongs."""
    (problem,) = problems(project, in_function(statement))

    assert problem.code == "not-awaited"
    assert "is a coroutine here, which nothing awaits; write `" in problem.message
    assert " = await " in problem.message


@pytest.mark.parametrize(
    "statement",
    [
        "await receive()",
        "return receive()",
        "return call(pid, 1)",
        "await asyncio.wait_for(receive(), 1)",
        "print(receive())",
        "x = receive()\nawait x",
        "x = receive()\nif x:\n    await x",
        "x = receive()\nreturn x",
        "x = receive()\nawait asyncio.gather(x)",
        "x = receive()\nprint([x])",
        "x = receive()\nasync def g():\n    if x:\n        await x",
        "x = receive()",
        "coroutine = ask()\ncoroutine.close()",
        "ask().close()",
        "ask().cr_frame",
        "receive = print\nreceive()",
        "from asyncio import gather as receive\nreceive()",
        "for call in ():\n    call(pid)",
        "lambda: receive()",
        "print(n and ask())",
        "Till(pid)",
        "nobody = pid\nnobody.start()",
        "global message\nmessage = receive()\nif message:\n    pass",
    ],
)
def test_what_may_be_meant_is_not_refused(project, statement):
    """Passed on, returned, kept; or another thing of that name."""
    assert problems(project, in_function(statement)) == []


def test_a_plain_function_cannot_await(project):
    """So it is told something else."""
    (problem,) = problems(project, "def f():\n    sleep(1)\n")

    assert problem.message == (
        "sleep(...) makes a coroutine that nothing runs; "
        "only an `async def` can await it: make this one, or hand it to somebody who does"
    )


def test_the_body_of_a_module_too(project):
    """Whatever is written there."""
    (problem,) = problems(project, "sleep(0)\n")

    assert (problem.code, problem.line) == ("not-awaited", HEAD.count("\n") + 3)


METHODS = """
class Server(GenServer):
    async def refresh(self): pass
    def plain(self): pass
    async def tell(self, me): pass
    def handle_info(self, message):
        {}
"""


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("statement", "count"), [("self.refresh()", 1), ("self.plain()", 0), ("message.tell(1)", 0)])
def test_a_method_of_self_is_a_warning(project, statement, count):
    """A subclass may have another one of that name."""
    found = project.load_text("thing", HEAD + METHODS.format(statement)).warnings

    assert [(each.code, each.severity) for each in found] == [("not-awaited", "warning")] * count


def test_a_name_of_the_class_hides_the_global_one(project):
    """Nested functions do not see it, but who can tell."""
    text = "class C:\n    def receive(): pass\n    receive()\n"

    assert problems(project, text) == []


def test_functions_without_a_module_do_no_harm(project):
    """As namedtuple makes them, and exec."""
    text = "def made(): pass\nmade.__module__ = None\ndef f():\n    made()\n"

    assert problems(project, text) == []


def test_a_lazy_module_is_not_woken_by_the_look(project):
    """Its names are read past whatever its class does."""
    project.write(
        "lazy.py",
        "import sys, types\nclass Lazy(types.ModuleType):\n    def __getattribute__(self, name):\n"
        "        if name == 'secret': raise RuntimeError('woken')\n"
        "        return super().__getattribute__(name)\nsys.modules[__name__].__class__ = Lazy\n",
    )
    project.load_text("first", "x = 1\n")

    assert problems(project, "import lazy\ndef f():\n    lazy.secret()\n") == []


def test_one_that_the_version_before_had_is_a_warning(project):
    """Its processes live with it."""
    text = f"{HEAD}\n\n{in_function('receive()')}"
    project.load_text("thing", text, force=True)

    report = project.load_text("thing", f"\n\n{text}")

    assert [(each.code, each.severity) for each in report.warnings] == [("not-awaited", "warning")]
