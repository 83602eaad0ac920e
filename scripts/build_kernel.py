"""Build the compiled kernel into this checkout: `python scripts/build_kernel.py`, with the Python that is to run it.

It is optional: `pip install` (hatch_build.py) and scripts/setup call `build` and go on without it where no C compiler
is. Needs nothing but that compiler. `--if-changed` builds only if a source is newer than what was built. What else is
given goes to the compiler.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

__all__ = ["NotBuilt", "build", "is_fresh", "target_of"]

WARNINGS = ("-Wall", "-Wextra", "-Wno-cast-function-type", "-Wno-missing-field-initializers")
OPTIONS = ("-std=c99", "-O2", "-fPIC", "-fvisibility=hidden")


class NotBuilt(Exception):
    """The compiled kernel could not be built; the sentence says why. The one in Python serves."""


def target_of(root: Path) -> Path:
    """Return where the extension module of this Python belongs in the checkout `root`."""
    return _kernel(root) / f"_compiled{sysconfig.get_config_var('EXT_SUFFIX')}"


def is_fresh(root: Path) -> bool:
    """Say whether the extension module is there and no source of it is newer."""
    target = target_of(root)
    sources = [_kernel(root) / "_compiled.c", *(_kernel(root) / "compiled").glob("*.h")]
    return target.exists() and all(source.stat().st_mtime <= target.stat().st_mtime for source in sources)


def build(root: Path, flags: tuple[str, ...] = ()) -> Path:
    """Compile the kernel, with more `flags` for the compiler; return the extension module. Raises: NotBuilt."""
    target = target_of(root)
    link = shlex.split(sysconfig.get_config_var("LDSHARED") or "cc -shared")
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    made = target.with_name(f"{target.name}.{os.getpid()}")  # a running program may have the old one mapped
    command = [
        *compiler,
        *link[len(shlex.split(sysconfig.get_config_var("CC") or "cc")) :],
        *OPTIONS,
        *WARNINGS,
        *flags,
        f"-I{sysconfig.get_path('include')}",
        str(_kernel(root) / "_compiled.c"),
        "-o",
        str(made),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise NotBuilt(f"the C compiler {compiler[0]} cannot be run ({error.strerror})") from error
    if done.returncode:
        made.unlink(missing_ok=True)
        lines = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines() or ["?"]
        raise NotBuilt(f"{compiler[0]} failed: {lines[0]}")
    os.replace(made, target)
    return target


def _kernel(root: Path) -> Path:
    return root / "server" / "midflight" / "kernel"


if __name__ == "__main__":
    here = Path(__file__).parents[1]
    given = tuple(each for each in sys.argv[1:] if each != "--if-changed")
    if given != tuple(sys.argv[1:]) and is_fresh(here):
        sys.exit()
    try:
        build(here, given)
    except NotBuilt as reason:
        sys.exit(f"The compiled kernel was not built: {reason}. The kernel in Python serves.")
