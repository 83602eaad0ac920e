"""The choice between the two kernels: the one compiled from C, where that was built, and the one in Python.

The environment variable MIDFLIGHT_KERNEL says which: `compiled`, the default, or `python`. Both do the same. The
choice is made once, when Midflight is imported: a process record of one kernel is of no use to the other.
"""

from __future__ import annotations

import os
import warnings
from importlib import import_module
from types import ModuleType
from typing import Any

__all__ = ["COMPILED", "INTERFACE", "KERNEL", "VARIABLE", "WHY_THIS_KERNEL", "choose"]

VARIABLE = "MIDFLIGHT_KERNEL"
NAMES = ("python", "compiled")
MODULE = "midflight.kernel._compiled"
INTERFACE = 4  # of Python and C to each other: as in state.h, one more whenever either needs something new of the other
REMEDY = "reinstall Midflight where a C compiler is; in a checkout run scripts/setup"


def choose(wanted: str | None, load: Any = import_module) -> tuple[ModuleType | None, str]:
    """Return the module of the compiled kernel, None for the one in Python; and why that one runs, in words.

    `wanted` is the value of the variable, `load` imports the module. Where that is not possible the kernel in Python
    runs; one that was asked for by name is warned of. Raises: ValueError for a value that is neither.
    """
    if wanted and wanted not in NAMES:
        raise ValueError(f"{VARIABLE} is {wanted!r}; nothing was started. It can be {' or '.join(NAMES)}")
    if wanted == "python":
        return None, f"{VARIABLE}={wanted}"
    try:
        module: ModuleType = load(MODULE)
        found = getattr(module, "INTERFACE", None)
        if found != INTERFACE:
            raise ImportError(f"it was built from the sources of another version: interface {found}, not {INTERFACE}")
    except ImportError as error:
        missing = f"the compiled kernel cannot be imported ({error}); {REMEDY}"
        if not wanted:
            return None, missing
        warnings.warn(f"{VARIABLE}={wanted}, but {missing}. The kernel in Python runs.", RuntimeWarning, stacklevel=2)
        return None, f"{VARIABLE}={wanted}, but {missing}"
    if wanted:
        return module, f"{VARIABLE}={wanted}"
    return module, f"the default; {VARIABLE}=python chooses the other"


COMPILED, WHY_THIS_KERNEL = choose(os.environ.get(VARIABLE))
KERNEL = "python" if COMPILED is None else "compiled"
