"""The CPU time of a load, as the program around it grows, and beside what Python needs to compile and run the text.

    .venv/bin/python bench/load_cost.py [--loads 15] [--modules 70,6000] [--importers 0,1000] [--objects 0,3000000]
                                        [--long click.core]

Four tables, all of CPU milliseconds: median and 95th percentile of so many loads, each with one function edited.
A module of ten lines, beside so many imported libraries of 40 values each; the same, with so many modules of the
project that import three names from it, all of which the edit makes stale; the same, with so many objects in memory,
by what somebody has of the module; and long texts, beside `compile` and `exec` of the same text. Of `--long` those are
left out that are not installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import re
import statistics
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from helpers.process_loops import process_loops  # its folder had to be on the path first
from helpers.versions import Project, project_in
from midflight import code

TEN = """\
import math

RATE = {0}

class Circle:
    def __init__(self, radius):
        self.radius = radius + {0}

def area(circle):
    return math.pi * circle.radius ** 2 * {0}
"""
ENUM = """\
import enum

class Kind(enum.Enum):
    FIRST = 1
    LAST = {0}

def area(kind=Kind.FIRST):
    return kind, {0}
"""
HELD: dict[str, tuple[str, Callable[[ModuleType], object]]] = {
    "nothing": (TEN, lambda _: None),
    "a function of each version": (TEN, lambda module: module.area),
    "an object of each version's class": (TEN, lambda module: module.Circle(1)),
    "nothing of an edited enum": (ENUM, lambda _: None),
    "a member of an edited enum": (ENUM, lambda module: {"kind": module.Kind.FIRST}),
}
LIBRARIES = Path(sysconfig.get_paths()["purelib"])


def milliseconds(function: Callable[[], object]) -> float:
    """Return how long the process is on a CPU while `function` runs."""
    began = time.process_time()
    function()
    return (time.process_time() - began) * 1000


def cell(measured: Sequence[float]) -> str:
    """Return median and 95th percentile."""
    ordered = sorted(measured)
    return f"{statistics.median(ordered):.1f} | {ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]:.1f}"


def loads(path: str, texts: Callable[[int], str], number: int) -> list[float]:
    """Load a module so many times, a little different each time; the first two are not counted."""
    measured = [milliseconds(lambda: code.load(path, texts(each))) for each in range(number + 2)]  # noqa: B023
    return measured[2:]


@contextmanager
def libraries(number: int) -> Iterator[None]:
    """Have so many modules imported that are of no project."""
    names = [f"library_{each}" for each in range(number)]
    for name in names:
        module = sys.modules[name] = ModuleType(name)
        module.__file__ = str(LIBRARIES / f"{name}.py")
        vars(module).update({f"value_{each}": (lambda: None) if each % 2 else each for each in range(40)})
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


def import_from_ten(project: Project, number: int) -> None:
    """Import so many modules that import from the module `ten`."""
    for each in range(number):
        project.write(
            f"importer_{each}.py", f"from ten import RATE, Circle, area\n\ndef use():\n    return RATE + {each}\n"
        )
        importlib.import_module(f"importer_{each}")


def ten_lines(modules: int, importers: int, number: int) -> str:
    """Return the cells for a module of ten lines in such a program."""
    with tempfile.TemporaryDirectory() as folder, project_in(Path(folder).resolve()) as project, libraries(modules):
        path = project.write("ten.py", TEN.format(1))
        code.load(path)
        import_from_ten(project, importers)
        return cell(loads(path, TEN.format, number))


def held(objects: int, number: int) -> Iterator[str]:
    """Yield a row for each thing that somebody has of the module, with so many objects in memory."""
    world = [{"number": each, "list": [each]} for each in range(objects // 2)]
    for what, (text, taken) in HELD.items():
        with tempfile.TemporaryDirectory() as folder, project_in(Path(folder).resolve()) as project:
            path = project.write("ten.py", text.format(100))
            code.load(path)
            kept, measured = [], []
            for each in range(number + 2):
                kept.append(taken(sys.modules["ten"]))
                measured.append(milliseconds(lambda: code.load(path, text.format(200 + each))))  # noqa: B023
            yield f"| {len(world) * 2:,} | {what} | {cell(measured[2:])} |"


def long_text(name: str, texts: Callable[[int], str], path: Path, number: int) -> str:
    """Return the row for a long text, of which one function is edited."""
    measured = loads(str(path), texts, number)
    namespace = {"__name__": name, "__package__": name.rpartition(".")[0]}
    alone = [milliseconds(lambda: exec(compile(texts(each), name, "exec"), dict(namespace))) for each in range(number)]  # noqa: B023
    ratio = statistics.median(measured) / statistics.median(alone)
    return f"| {name}, {texts(0).count(chr(10)):,} lines | {cell(measured)} | {cell(alone)} | {ratio:.1f} |"


def edits_of(text: str) -> Callable[[int], str]:
    """Return a function that gives edited texts: a line is added at the end of the text's first long method."""
    at = re.search(r"^        (?:self\.\w+|\w+) = .*\n", text, re.MULTILINE)
    if at is None:
        raise SystemExit("no method of it assigns anything")
    return lambda number: f"{text[: at.start()]}        edited = {number}\n{text[at.start() :]}"


def main() -> None:
    """Run it and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loads", type=int, default=15)
    parser.add_argument("--modules", default="70,1300,6000", help="imported libraries, for the first table")
    parser.add_argument("--importers", default="0,10,100,1000", help="importers of the module, for the second table")
    parser.add_argument("--objects", default="0,3000000", help="objects in memory, for the third table")
    parser.add_argument("--long", default="click.core", help="installed modules for the fourth table")
    options = parser.parse_args()
    print(f"CPython {platform.python_version()}, {options.loads} loads a row; milliseconds of CPU\n")
    print("| libraries imported | median | p95 |\n|---|---|---|")
    for number in map(int, filter(None, options.modules.split(","))):
        print(f"| {number:,} | {ten_lines(number, 0, options.loads)} |", flush=True)
    print("\n| importers | median | p95 |\n|---|---|---|")
    for number in map(int, filter(None, options.importers.split(","))):
        print(f"| {number:,} | {ten_lines(0, number, options.loads)} |", flush=True)
    print("\n| objects | somebody has | median | p95 |\n|---|---|---|---|")
    for number in map(int, filter(None, options.objects.split(","))):
        for row in held(number, options.loads):
            print(row, flush=True)
    print(
        "\n| text | load: median | p95 | compile and exec: median | p95 | ratio of medians |\n|---|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as folder, project_in(Path(folder).resolve()):
        path = Path(folder).resolve() / "shop.py"
        path.write_text(process_loops(1, 500), encoding="utf-8")
        code.load(path)
        print(long_text("shop", lambda each: process_loops(each, 500), path, options.loads), flush=True)
    for name in filter(None, options.long.split(",")):
        if importlib.util.find_spec(name.partition(".")[0]) is None:
            print(f"\n{name} is not installed.")
            continue
        path = Path(str(importlib.import_module(name).__file__))
        text = path.read_text(encoding="utf-8")
        print(long_text(name, edits_of(text), path, options.loads), flush=True)


if __name__ == "__main__":
    main()
