"""Where others' tests come from, and the environment that they run in: one for each Python, under .venv/peers."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Environment", "prepare"]

ROOT = Path(__file__).parents[2]
PEERS = ROOT / ".venv" / "peers"


@dataclass(frozen=True)
class Environment:
    """One Python with what the tests need. `asyncio_tests` is None if this Python came without its own tests."""

    python: Path
    version: str
    asyncio_tests: Path | None
    anyio_version: str
    anyio_tests: Path


def prepare(python: str) -> Environment:
    """Make the environment for `python`, or find it made; fetch anyio's source of the version installed there."""
    version = _ask(python, "import platform; print(platform.python_version())")
    folder = PEERS / version
    own = folder / "bin" / "python"
    if not own.exists():
        _run(python, "-m", "venv", str(folder))
    pip = (sys.executable, "-m", "pip", "--python", str(own), "install", "-q", "--disable-pip-version-check")
    _run(*pip, "--group", f"{ROOT / 'pyproject.toml'}:peers", "-e", str(ROOT))
    anyio = _ask(str(own), "import importlib.metadata as m; print(m.version('anyio'))")
    tests = _ask(
        str(own),
        "import importlib.util as u, os; spec = u.find_spec('test') and u.find_spec('test.test_asyncio'); "
        "print(os.path.dirname(spec.origin) if spec else '')",
    )
    return Environment(own, version, Path(tests) if tests else None, anyio, _source_of_anyio(own, anyio))


def _source_of_anyio(python: Path, version: str) -> Path:
    """Return the folder of anyio's tests, fetched as source if need be: the wheel has none."""
    folder = PEERS / f"anyio-{version}"
    if not folder.exists():
        pip = (str(python), "-m", "pip", "download", "-q", "--disable-pip-version-check")
        _run(*pip, "--no-binary", ":all:", "--no-deps", "-d", str(PEERS), f"anyio=={version}")
        with tarfile.open(PEERS / f"anyio-{version}.tar.gz") as archive:
            archive.extractall(PEERS, filter="data")
    return folder / "tests"


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def _ask(python: str, program: str) -> str:
    return subprocess.run([python, "-c", program], check=True, capture_output=True, text=True).stdout.strip()
