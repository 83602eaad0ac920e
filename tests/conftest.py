"""For all tests: the garbage collector leaves alone what was there before the first one, most of the memory."""

from __future__ import annotations

import gc


def pytest_collection_finish() -> None:
    """A test that collects, or a load that does, takes a hundredth of the time then."""
    gc.collect()
    gc.freeze()
