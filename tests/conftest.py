"""For all tests: what the garbage collector leaves alone, and Ctrl-C as a terminal has it."""

from __future__ import annotations

import gc
import signal


def pytest_configure() -> None:
    """Programs that tests start heed SIGINT, also where the tests run in the background and would have it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What was there before is frozen: a test that collects, or a load that does, takes a hundredth of the time."""
    gc.collect()
    gc.freeze()
