"""What the checks remember of the parts of a text changes nothing in what they find."""

from __future__ import annotations

import ast
import importlib
import inspect
from random import Random
from types import ModuleType
from typing import Any

import pytest

from helpers.whole_findings import whole_findings
from midflight.code.checks import findings as by_part
from midflight.code.checks.findings import findings
from midflight.code.source.parts import first_line

LIBRARY = "asyncio.tasks contextlib enum json.decoder".split()
NAMES = ["alpha", "beta", "gamma", "delta"]
HEAD = ["import asyncio", "import thing", "from midflight import GenServer, call, receive, sleep", "import typing"]
STEPS = ["receive()", "sleep(1)", "return OTHER(n)", "await asyncio.sleep(1)", "thing.THIRD(n)", "x = OTHER(n)", "pass"]
PIECES = """
async def NAME(n):
    match await receive():
        case 1:
            return OTHER(n)
        case _:
            STEP

async def NAME(n):
    while True:
        n = await receive()
        STEP

async def NAME(n):
    await receive()
    await OTHER(n)

async def NAME(n):
    OTHER(n)
    return thing.OTHER(n)

def NAME(n):
    for OTHER in n:
        del OTHER
    STEP
    return OTHER

class NAME(GenServer):
    async def ask(self):
        return self.OTHER()
    async def OTHER(self):
        self.ask()

class NAME:
    def OTHER(self):
        return self.OTHER(NAME, THIRD)

try:
    NAME = OTHER
except NameError as THIRD:
    NAME = None

def NAME(n: OTHER, m: 'THIRD' = None) -> NAME:
    global THIRD
    THIRD = OTHER
    STEP

if typing.TYPE_CHECKING:
    from os import path as NAME

for NAME in range(3):
    pass
del NAME

NAME = lambda: OTHER

def NAME():
    try:
        return thing.OTHER
    except AttributeError:
        return hasattr(thing, 'THIRD')
""".strip().split("\n\n")


def same(text: str, path: str, namespace: dict[str, Any], module: ModuleType) -> int:
    """Assert that both ways find the same, twice; return how much that is."""
    expected = whole_findings(text, path, namespace, module)
    for _ in range(2):
        assert list(findings(text, ast.parse(text), path, namespace, module)) == expected, text
    return len(expected)


def made_up(random: Random) -> str:
    """Return a text of a module of processes, which may be full of faults."""
    pieces = []
    for _ in range(random.randrange(2, 7)):
        piece = random.choice(PIECES).replace("STEP", random.choice(STEPS))
        for word in ("NAME", "OTHER", "THIRD"):
            piece = piece.replace(word, random.choice(NAMES))
        pieces.append(piece)
    return "\n".join([*HEAD, *pieces]) + "\n"


def namespace_of(text: str, module: ModuleType) -> dict[str, Any]:
    """Return what running the text makes, as far as it comes."""
    namespace: dict[str, Any] = {"__name__": "thing", "__builtins__": __builtins__}
    for statement in ast.parse(text).body:
        try:
            exec(compile(ast.Module([statement], []), "thing.py", "exec"), namespace)
        except Exception:  # what comes after it is looked at all the same
            continue
    namespace["thing"] = module
    return namespace


def test_texts_that_are_made_up_and_edited(monkeypatch):
    """Whatever the parts are, in whatever order they come, and whatever other ones are beside them."""
    monkeypatch.setitem(__import__("sys").modules, "thing", module := ModuleType("thing"))
    random = Random(16)
    found = 0
    for _ in range(150):
        try:
            text = made_up(random)
            ast.parse(text)
        except SyntaxError:
            continue
        namespace = namespace_of(text, module)
        vars(module).update({name: namespace[name] for name in NAMES if name in namespace and random.random() < 0.5})
        found += same(text, "thing.py", namespace, module)
        namespace.pop(random.choice(NAMES), None)
        found += same(f"# moved\n\n{text}", "thing.py", namespace, module)

    assert found > 400


@pytest.mark.parametrize("name", LIBRARY)
def test_pythons_own_modules_with_names_taken_away(name):
    """Real texts, of which some of what they use is not there any more."""
    module = importlib.import_module(name)
    text = inspect.getsource(module)
    random = Random(name)

    found = same(text, f"{name}.py", vars(module), module)
    lines = text.split("\n")
    definitions = [each for each in ast.parse(text).body if isinstance(each, ast.FunctionDef | ast.ClassDef)]
    for gone in random.sample(definitions, 2):
        namespace = {key: value for key, value in vars(module).items() if key != gone.name}
        found += same(text, f"{name}.py", namespace, module)
        shorter = "\n".join([*lines[: first_line(gone) - 1], *lines[gone.end_lineno :]])
        found += same(shorter, f"{name}.py", namespace, module)

    assert found > 0


def test_a_part_that_has_not_changed_is_not_looked_at_again(monkeypatch):
    """Nor one whose names mean the same; the one that was edited is."""
    looked: list[str] = []
    faults = by_part.faults_of_calls

    def note(tree: ast.Module, *rest: Any) -> Any:
        looked.extend(statement.name for statement in tree.body if isinstance(statement, ast.AsyncFunctionDef))
        return faults(tree, *rest)

    monkeypatch.setattr(by_part, "faults_of_calls", note)
    module = ModuleType("thing")
    text = "from midflight import receive\n" + "".join(
        f"async def loop_{n}(state):\n    await receive()\n    return loop_{n}(state)\n" for n in range(30)
    )

    def look(text: str) -> list[str]:
        looked.clear()
        assert findings(text, ast.parse(text), "thing.py", namespace_of(text, module), module) == ()
        return looked

    assert len(look(text)) == 30
    assert look("\n\n# moved\n" + text) == []
    assert look(text.replace("loop_7(state)\nasync", "loop_7(state + 1)\nasync")) == ["loop_7"]
    assert look(text.replace("return loop_7(state)", "return loop_8(state)")) == ["loop_7"]
