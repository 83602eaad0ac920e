"""Very many loads: memory stays flat, and every process in every version goes on as it should.

A few hundred of a short module here; bench/many_loads.py does 10,000 of a long one: docs/versions.md has the figures.
"""

from __future__ import annotations

from helpers.many_loads import Loads
from midflight import code

FIRST, MORE = 110, 50  # loads; the first hundred fill the store of texts
GROWTH_BLOCKS = 50  # a load; a version of this module takes more than 200


def test_memory_is_flat_over_many_loads(project, runtime, caplog):
    """100 processes in ten versions: all answer with their own version and state after each load."""
    caplog.set_level("ERROR", "midflight.code")  # pytest keeps the warnings of old code that runs: from Python 3.12 on
    loads = Loads(project, runtime, processes=100, lines=60)

    first, last = (next(loads.readings(number, every=number)) for number in (FIRST, MORE))

    assert loads.wrong == []
    assert first.versions == last.versions == len(code.versions("shop")) == 10
    assert (last.blocks - first.blocks) / MORE < GROWTH_BLOCKS
    loads.end()
