"""For all tests: what the garbage collector leaves alone, and Ctrl-C as a terminal has it."""

from __future__ import annotations

import gc
import signal

from midflight import collection


def pytest_configure() -> None:
    """Programs that tests start heed SIGINT, also where the tests run in the background and would have it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What was there before is frozen: a test that collects, or a load that does, takes a hundredth of the time.

    It is the tests' own, so a search for holders leaves it so; tests/code/test_frozen.py has the search unfreeze again.
    """
    collection._unfreeze = lambda: None
    gc.collect()
    gc.freeze()
