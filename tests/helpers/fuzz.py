"""How long the fuzzing tests look: some seconds, or longer by MIDFLIGHT_FUZZ (`make fuzz` sets it)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings

__all__ = ["fuzzed"]

FACTOR = int(os.environ.get("MIDFLIGHT_FUZZ", "1"))
"""How many times the examples of `make test` are tried."""


def fuzzed(examples: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a hypothesis test try `examples`, times `FACTOR`, without a time limit for each.

    The examples are the same at each run of `make test`; with a larger factor they are different ones.
    """
    return settings(
        max_examples=examples * FACTOR,
        deadline=None,
        derandomize=FACTOR == 1,
        print_blob=True,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.filter_too_much,
        ],
    )
