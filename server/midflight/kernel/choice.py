"""The choice between the two kernels: the one in Python, and the one compiled from C, where that was built.

The environment variable MIDFLIGHT_KERNEL says which: `python`, the default, or `compiled`. Both do the same. The
choice is made once, when Midflight is imported: a process record of one kernel is of no use to the other.
"""

from __future__ import annotations

import os
import warnings
from importlib import import_module
from types import ModuleType
from typing import Any

__all__ = ["COMPILED", "KERNEL", "VARIABLE", "WHY_THIS_KERNEL", "choose"]

VARIABLE = "MIDFLIGHT_KERNEL"
NAMES = ("python", "compiled")
MODULE = "midflight.kernel._compiled"


def choose(wanted: str | None, load: Any = import_module) -> tuple[ModuleType | None, str]:
    """Return the module of the compiled kernel, None for the one in Python; and why that one runs, in words.

    `wanted` is the value of the variable, `load` imports the module. One that cannot be imported is warned of, and
    the kernel in Python runs. Raises: ValueError for a value that is neither.
    """
    if not wanted:
        return None, f"the default; {VARIABLE}=compiled chooses the other"
    if wanted not in NAMES:
        raise ValueError(f"{VARIABLE} is {wanted!r}; nothing was started. It can be {' or '.join(NAMES)}")
    why = f"{VARIABLE}={wanted}"
    if wanted == "python":
        return None, why
    try:
        return load(MODULE), why
    except ImportError as error:
        missing = f"the compiled kernel cannot be imported ({error}); reinstall Midflight where a C compiler is"
        warnings.warn(f"{why}, but {missing}. The kernel in Python runs.", RuntimeWarning, stacklevel=2)
        return None, f"{why}, but {missing}"


COMPILED, WHY_THIS_KERNEL = choose(os.environ.get(VARIABLE))
KERNEL = "python" if COMPILED is None else "compiled"
