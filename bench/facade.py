"""What a read of a module's attribute costs: of a plain module, and of one that the code server has.

    .venv/bin/python bench/facade.py [--reads 2000000] [--repeats 15]

All kinds in one interpreter, interleaved: what counts are the ratios. A read that is not specialised is the first of
its kind at its place; a loop specialises it. The cost of the loop itself is taken off.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from helpers.versions import Project, project_in  # its folder had to be on the path first
from midflight import code
from midflight.code.version.facade import Facade

TEXT = "def f(): pass\nx = {}\n"
READER = "def read(n):\n    for _ in range(n):\n        module.x\n"
CALLER = "def read(n):\n    for _ in range(n):\n        module.f()\n"
NOTHING = "def read(n):\n    for _ in range(n):\n        pass\n"
LOOKER = "def read(n):\n    for _ in range(n):\n        getattr(module, 'x')\n"

Read = Callable[[int], None]


def reader(text: str, module: ModuleType | None = None) -> Read:
    """Return a function that was never run: no read in it is specialised."""
    names: dict[str, object] = {"module": module}
    exec(text, names)
    read = names["read"]
    assert callable(read)
    return read


class Overridden(ModuleType):
    """What the module would cost with a `__getattribute__` of its own, for comparison."""

    def __getattribute__(self, name: str) -> object:
        return super().__getattribute__(name)


def modules(project: Project) -> dict[str, ModuleType]:
    """Return a module of each kind."""
    for name in ("plain", "adopted", "reloaded"):
        project.write(f"{name}.py", TEXT.format(1))
    sys.path.insert(0, str(project.root))
    kinds = {"plain": __import__("plain"), "imported, then loaded once": __import__("adopted")}
    code.load(project.path("adopted.py"))
    code.load(project.write("loaded.py", TEXT.format(1)))
    kinds["loaded once"] = sys.modules["loaded"]
    for number in range(100):
        code.load(project.path("reloaded.py"), TEXT.format(number))
    kinds["loaded 100 times"] = sys.modules["reloaded"]
    code.load(project.write("making.py", TEXT.format(1)))
    kinds["while another thread prepares a version"] = sys.modules["making"]
    kinds["with a __getattribute__ (not used)"] = Overridden("overridden")
    kinds["with a __getattribute__ (not used)"].__dict__.update(x=1, f=lambda: None)
    return kinds


def seconds(read: Read, reads: int) -> float:
    """Return how much of a core that many reads take: others may want the machine too."""
    start = time.thread_time()
    read(reads)
    return time.thread_time() - start


def main() -> None:
    """Measure and print a Markdown table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--reads", type=int, default=2_000_000)
    options.add_argument("--repeats", type=int, default=15)
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, project_in(Path(folder)) as project:
        kinds = modules(project)
        making = Facade(kinds["while another thread prepares a version"])
        making.begin({"__name__": "making"})
        making._maker = 1  # another thread than this one
        texts = {"module.x": READER, "module.f()": CALLER, "getattr": LOOKER}
        reads = {(kind, what): reader(text, module) for kind, module in kinds.items() for what, text in texts.items()}
        empty = reader(NOTHING)
        found: dict[tuple[str, str], list[float]] = {key: [] for key in reads}
        for _ in range(arguments.repeats):
            loop = seconds(empty, arguments.reads)
            for key, read in reads.items():
                found[key].append((seconds(read, arguments.reads) - loop) / arguments.reads * 1e9)
        making.abandon()
    print(f"CPython {platform.python_version()}, ns, medians of {arguments.repeats} x {arguments.reads:,} reads\n")
    print(f"| module | {' | '.join(texts)} |\n|---|{'--:|' * len(texts)}")
    for kind in kinds:
        print(f"| {kind} | {' | '.join(f'{statistics.median(found[kind, what]):.1f}' for what in texts)} |")


if __name__ == "__main__":
    main()
