"""A package's tests, run plain and after loads in each order, in interpreters of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from peers.environment import PEERS, ROOT
from peers.packages.listed import Package

__all__ = ["ORDERS", "Run", "Suite", "run_suite", "sdist_of"]

ORDERS = ("import", "random", "together")
SUITE_SECONDS = 900


@dataclass
class Run:
    """What a suite gave after loads in one order: by test its outcome and why, by edit what the loads said."""

    outcomes: dict[str, tuple[str, str]] = field(default_factory=dict)
    loads: list[dict[str, object]] = field(default_factory=list)

    @property
    def mixed(self) -> int:
        """How many names are left of an older version, after the last edit."""
        return len(self.loads[-1]["mixed"]) if self.loads else 0  # type: ignore[arg-type]

    @property
    def refused(self) -> dict[str, str]:
        """The modules that were refused, with the last refusal of each."""
        found: dict[str, str] = {}
        for each in self.loads:
            found |= each["refused"]  # type: ignore[operator]
        return found


@dataclass
class Suite:
    """A package, and its runs by order; `differing` passed plain and did not after loads, by order."""

    package: Package
    version: str
    modules: list[str]
    plain: Run
    after: dict[str, Run]
    differing: dict[str, dict[str, str]]


def sdist_of(python: Path, package: Package) -> Path:
    """Return the folder of a package's source distribution, fetched if need be, of the version installed there."""
    version = _version(python, package)
    folder = PEERS / "sdists" / f"{package.name}-{version}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        pip = (str(python), "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps")
        only = ("--no-binary", package.name, "-d", str(folder.parent), f"{package.name}=={version}")
        subprocess.run([*pip, *only], check=True)
        with tarfile.open(folder.parent / f"{package.name}-{version}.tar.gz") as archive:
            archive.extractall(folder.parent, filter="data")
    return folder


def _version(python: Path, package: Package) -> str:
    program = f"import importlib.metadata as m; print(m.version({package.name!r}))"
    done = subprocess.run([python, "-c", program], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def run_suite(python: Path, package: Package, orders: tuple[str, ...] = ORDERS, seed: int = 1) -> Suite:
    """Run the tests of `package` plain and after loads in each of `orders`; those that differ again, alone."""
    source = sdist_of(python, package)
    modules = _modules(python, package, source)
    plain = _run(python, package, source, modules, "plain", seed)
    after, differing = {}, {}
    for order in orders:
        after[order] = _run(python, package, source, modules, order, seed)
        differing[order] = _differing(plain, after[order])
        if differing[order] and len(differing[order]) < len(plain.outcomes) / 2:
            again = _run(python, package, source, modules, order, seed, tuple(differing[order]))
            still = _differing(plain, again)
            differing[order] = {test: why for test, why in differing[order].items() if test in still}
    return Suite(package, _version(python, package), modules, plain, after, differing)


def _differing(plain: Run, other: Run) -> dict[str, str]:
    passed = [test for test, (outcome, _) in plain.outcomes.items() if outcome == "passed"]
    found = {test: other.outcomes.get(test, ("missing", "")) for test in passed}
    return {test: f"{outcome}: {why}" for test, (outcome, why) in found.items() if outcome != "passed"}


def _modules(python: Path, package: Package, source: Path) -> list[str]:
    """Return the modules that can be imported, each behind those that it imports."""
    names = []
    for name in package.imports:
        for path in sorted((source / package.folder / name).rglob("*.py")):
            parts = path.relative_to(source / package.folder).with_suffix("").parts
            dotted = ".".join(parts).removesuffix(".__init__")
            out = any(dotted == each or dotted.startswith(f"{each}.") for each in package.left_out)
            if not out and parts[-1] != "__main__":
                names.append(dotted)
    program = (
        "import sys\n"
        "for name in sys.argv[1:]:\n"
        "    try: __import__(name); print(name)\n"
        "    except Exception: sys.modules.pop(name, None)\n"
    )
    done = subprocess.run(
        [python, "-X", "importtime", "-c", program, *names],
        env=_environment(package, source),
        cwd=source,
        check=True,
        capture_output=True,
        text=True,
    )
    ended = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")]
    whole = set(done.stdout.splitlines()) & set(names)
    return [name for name in dict.fromkeys(ended) if name in whole]


def _environment(package: Package, source: Path) -> dict[str, str]:
    path = os.pathsep.join([str(source / package.folder), str(source), str(ROOT / "tests"), str(ROOT / "server")])
    return os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}


def _run(
    python: Path, package: Package, source: Path, modules: list[str], order: str, seed: int, only: tuple[str, ...] = ()
) -> Run:
    """Run the tests, or only some, in a copy of the source, whose files the loads edit."""
    with tempfile.TemporaryDirectory(prefix="midflight-packages-") as made:
        copy = Path(made).resolve() / source.name
        shutil.copytree(source, copy)
        out, said, plan = (Path(made, name) for name in ("outcomes", "said", "plan"))
        plan.write_text(json.dumps({"modules": modules, "order": order, "seed": seed, "said": str(said)}))
        command = [str(python), "-m", "pytest", "-q", "-p", "peers.plugin", "-p", "peers.packages.plugin"]
        command += ["-p", "no:cacheprovider", "-p", "no:midflight", f"--peers-out={out}", f"--rootdir={copy}"]
        command += [*package.options, *(only or [package.tests])]
        log = PEERS / "logs" / f"{package.name}-{order}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "wb") as output:
            try:
                subprocess.run(
                    command,
                    env=_environment(package, copy) | {"MIDFLIGHT_PLAN": str(plan)},
                    cwd=copy,
                    timeout=SUITE_SECONDS,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
            except subprocess.TimeoutExpired:
                pass
        run = Run()
        for line in out.read_text(encoding="utf-8").splitlines() if out.exists() else []:
            found = json.loads(line)
            run.outcomes[found["test"]] = (found["outcome"], found["why"])
        run.loads = [json.loads(line) for line in said.read_text("utf-8").splitlines()] if said.exists() else []
        return run
