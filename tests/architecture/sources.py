"""The checkout as the architecture tests see it: its files, and the modules of the package as syntax."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "server" / "midflight"


@dataclass(frozen=True)
class Module:
    """One module's dotted name, whether it is a package's `__init__`, and its source text."""

    name: str
    text: str
    is_package: bool = False

    @property
    def tree(self) -> ast.Module:
        return parsed(self.text)


@cache
def parsed(text: str) -> ast.Module:
    """Return the tree of a Python file: many tests look at each, and to parse them all takes seconds."""
    return ast.parse(text)


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the `midflight` package, by name."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        found.append(Module(name, path.read_text(encoding="utf-8"), is_package))
    return tuple(found)


@cache
def files() -> tuple[Path, ...]:
    """Every file that is tracked by git or would be: new ones count, ignored ones do not."""
    # git refuses a checkout that belongs to another user, as one on a build machine may.
    command = "git -c safe.directory=* ls-files -z --cached --others --exclude-standard"
    listed = subprocess.run(command.split(), cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(path for name in sorted(listed.split("\0")) if name and (path := ROOT / name).is_file())


def text_of(path: Path) -> str | None:
    """The text of `path`, or None for a file that holds no text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def declared_names(module: Module) -> tuple[str, ...] | None:
    """What the module lists in `__all__`, in its order; None if that is no plain list of strings."""
    for statement in module.tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name("__all__")], value=value)
                | ast.AnnAssign(target=ast.Name("__all__"), value=ast.expr() as value)
            ):
                try:
                    return tuple(ast.literal_eval(value))
                except ValueError:
                    return None
    return None
