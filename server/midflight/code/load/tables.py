"""`Tables`: what the tables of the interpreter hold before the first body of a load runs.

A body that sets a signal handler or adds a folder to `sys.path` has done so for the whole program, and at once. If its
load is refused, what it did is told by the difference (take_back.py). Copies only: nothing is held that lives by a
weak reference, and no code of others runs.
"""

from __future__ import annotations

import atexit
import builtins
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any

__all__ = ["HOOKS", "SIGNALS", "Tables", "atexit_count"]

HOOKS = (
    (sys, "excepthook"),
    (sys, "unraisablehook"),
    (sys, "displayhook"),
    (sys, "breakpointhook"),
    (threading, "excepthook"),
)
SIGNALS = tuple(range(1, signal.NSIG)) if os.name == "nt" else tuple(range(1, 32))

atexit_count: Callable[[], int] = getattr(atexit, "_ncallbacks", lambda: 0)


class Tables:
    """The tables, as they are when this is made: in the thread that is to run the bodies."""

    def __init__(self) -> None:
        self.path = list(sys.path)
        self.finders = list(sys.meta_path)
        self.path_hooks = list(sys.path_hooks)
        self.hooks = [getattr(module, name) for module, name in HOOKS]
        self.environ = os.environ.copy()
        self.folder = os.getcwd()
        self.modules = dict(sys.modules)
        self.builtins = dict(vars(builtins))
        self.filters = list(warnings.filters)
        self.atexit = atexit_count()
        self.threads = threading.enumerate()
        self.loggers: dict[logging.Logger, tuple[int, list[Any], list[Any]]] = {}
        for each in (logging.getLogger(), *logging.Logger.manager.loggerDict.values()):
            if isinstance(each, logging.Logger) and (each.level or each.handlers or each.filters):
                self.loggers[each] = each.level, each.handlers[:], each.filters[:]
        self.signals: dict[int, Any] = {}  # only the main thread can set one
        if threading.current_thread() is threading.main_thread():
            self.signals = dict(zip(SIGNALS, map(signal.getsignal, SIGNALS), strict=True))
