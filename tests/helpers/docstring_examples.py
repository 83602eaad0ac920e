"""The examples in docstrings: `examples` collects them, `run_example` runs one in a process of a runtime.

An example is the indented block behind a line `Example:`. Its code may use the names of `midflight`, `code`, `asyncio`,
`sys`, `threading`, and the loaded modules `shop` and `desk`; TEXT is the text of `shop`. A line that ends in
`# -> VALUE` is an expression whose repr is VALUE. A block that calls `run` or `asyncio.run` is a program of its own.
"""

from __future__ import annotations

import ast
import asyncio
import importlib
import inspect
import re
import sys
import threading
from textwrap import dedent
from typing import Any

import midflight
from helpers.versions import Project
from midflight import code

MODULES = ("midflight", "midflight.code")
BLOCK = re.compile(r"^Example:\n\n((?:    .*\n|\n)+)", re.MULTILINE)
PROGRAM = re.compile(r"^(asyncio\.)?run\(", re.MULTILINE)

TEXT = """
from dataclasses import dataclass
from midflight import GenServer, receive

PRICE = 2

@dataclass
class Order:
    name: str

async def sell():
    while True:
        match await receive():
            case ("price", pid):
                pid << PRICE

class Till(GenServer):
    def init(self):
        self.total = 0

    def handle_call(self, request, client):
        self.total += request
        return self.total
"""


def public_names() -> dict[str, Any]:
    """Return what the public modules list, by dotted name."""
    return {f"{each}.{name}": value for each in MODULES for name, value in _listed(each)}


def _listed(module: str) -> list[tuple[str, Any]]:
    found = importlib.import_module(module)
    return [(name, getattr(found, name)) for name in found.__all__]


def methods_of(value: Any) -> dict[str, Any]:
    """Return the public methods that a class defines, by name; none for anything else."""
    own = vars(value) if inspect.isclass(value) else {}
    return {name: getattr(value, name) for name in own if not name.startswith("_") and callable(getattr(value, name))}


def examples() -> dict[str, str]:
    """Return the example of each public name that has one, and of each public method of a class."""
    names = public_names()
    names |= {f"{name}.{method}": each for name, value in names.items() for method, each in methods_of(value).items()}
    found = {name: BLOCK.search((inspect.getdoc(value) or "") + "\n") for name, value in names.items()}
    return {name: dedent(match[1]).strip("\n") for name, match in found.items() if match is not None}


def run_example(text: str, project: Project) -> int:
    """Run an example; return how many values it was checked against. Raises: AssertionError for another value."""
    project.write("shop.py", TEXT)
    project.write("desk.py", "import shop\n")
    for name in ("shop", "desk"):
        code.load(project.path(f"{name}.py"))
    checked: list[str] = []

    def check(value: object, wanted: str) -> None:
        checked.append(wanted)
        assert repr(value) == wanted, f"{value!r}, not {wanted}"

    names: dict[str, Any] = {name: getattr(midflight, name) for name in midflight.__all__}
    names |= {"code": code, "asyncio": asyncio, "sys": sys, "threading": threading, "TEXT": TEXT, "_check": check}
    names |= {name: sys.modules[name] for name in ("shop", "desk")}
    if PROGRAM.search(text):
        exec(compile(_checking(text), "<example>", "exec"), names)
    else:
        tree = ast.parse("async def main(): pass")
        function = tree.body[0]
        assert isinstance(function, ast.AsyncFunctionDef)
        function.body = _checking(text).body
        exec(compile(ast.fix_missing_locations(tree), "<example>", "exec"), names)
        midflight.run(names["main"])
    return len(checked)


def _checking(text: str) -> ast.Module:
    """Return an example with each expression that says its value checked against that."""
    lines = text.split("\n")
    tree = compile(text, "<example>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    for index, statement in enumerate(tree.body):
        _, arrow, wanted = lines[(statement.end_lineno or 1) - 1].partition("  # -> ")
        if arrow:
            assert isinstance(statement, ast.Expr), f"{wanted} is said of what has no value"
            call = ast.Call(ast.Name("_check", ast.Load()), [statement.value, ast.Constant(wanted)], [])
            tree.body[index] = ast.copy_location(ast.Expr(call), statement)
    return ast.fix_missing_locations(tree)
