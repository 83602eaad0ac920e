"""`midflight run FILE` does what `python FILE` does: names, output, errors, exit codes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.server_process import DEADLINE_SECONDS, MIDFLIGHT, environment

Compare = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def same(project: Path, runtime_dir: Path) -> Compare:
    """A function that runs a program under Python and under `midflight run`, and fails if they differ."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        one, other = (
            subprocess.run(
                [*command, *arguments],
                cwd=project,
                env=environment(runtime_dir),
                input="",
                capture_output=True,
                text=True,
                timeout=DEADLINE_SECONDS,
            )
            for command in ([sys.executable], [*MIDFLIGHT, "run"])
        )
        assert (other.returncode, other.stdout, other.stderr) == (one.returncode, one.stdout, one.stderr)
        return one

    return run


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (
            "import sys\nprint(sys.argv, __file__, __name__, __spec__, __package__, type(__loader__).__name__)\n"
            "print(sys.path[0], [each for each in dir() if 'midflight' not in each])\nsys.exit(7)\n",
            7,
        ),
        (
            "'The docstring.'\nfrom __future__ import annotations\nimport multiprocessing, pickle\nclass C: ...\n"
            "def f(x: nowhere): return x + 1\nif __name__ == '__main__':\n    'no docstring'\n"
            "    def g(x: nowhere): ...\n    print(__doc__, g.__annotations__)\n"
            "    print(len(pickle.loads(pickle.dumps([C()]))))\n"
            "    with multiprocessing.get_context('spawn').Pool(1) as pool: print(pool.map(f, [1, 2]))\n",
            0,
        ),
        ("x: int = 1\nif __name__ == '__main__':\n    y: str = 2\n    print(__annotations__)\n", 0),
        (
            "import atexit\natexit.register(print, 'bye')\ndef f():\n    1 / 0\nif __name__ == '__main__':\n"
            "    try: f()\n    except ZeroDivisionError as error: raise ValueError('so') from error\n",
            1,
        ),
        ("def f():\n    1 / 0\nf()\nif __name__ == '__main__':\n    print(1)\n", 1),
        ("import sys\nsys.excepthook = lambda *all: print('hook', all[0], all[2].tb_lineno)\n1 / 0\n", 1),
        ("raise SystemExit('so long')\n", 1),
        ("raise TimeoutError('of its own')\n", 1),
        ("def f(:\n", 1),
        ("import os, signal\nif __name__ == '__main__':\n    os.kill(os.getpid(), signal.SIGINT)\n", -2),
    ],
)
def test_a_script_does_what_it_does_under_python(same: Compare, project: Path, text: str, code: int) -> None:
    """Its names, its output, its errors as Python prints them, and its exit code."""
    (project / "app.py").write_text(text)

    assert same("app.py", "-x", "--", "y").returncode == code


@pytest.mark.parametrize("name", ["shop", "shop.desk"])
def test_a_module_does_what_it_does_under_python_m(same: Compare, project: Path, name: str) -> None:
    """A package by its `__main__`; a module by its dotted name."""
    (project / "shop").mkdir()
    (project / "shop" / "__init__.py").touch()
    for file in ("__main__.py", "desk.py"):
        (project / "shop" / file).write_text(
            "import sys\nfrom . import __path__\nif __name__ == '__main__':\n"
            "    print(sys.argv, __spec__.name, __package__, sys.path[0])\n    sys.exit(3)\n"
        )

    assert same("-m", name, "-x").returncode == 3


def test_a_script_that_other_modules_import_from_starts_as_under_python(same: Compare, project: Path) -> None:
    """The modules that it imports at its top may import it: they get a copy, as they do without a server."""
    (project / "models.py").write_text("from app import Base\nprint(Base.__module__)\n")
    (project / "app.py").write_text(
        "class Base: ...\nimport models\nif __name__ == '__main__':\n    print(Base.__module__)\n"
    )

    assert same("app.py").returncode == 0
