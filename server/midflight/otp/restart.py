"""The restart rules: which children a supervisor restarts, when, and when it gives up. Of their arguments alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from typing import Literal

__all__ = ["AutoShutdown", "Restart", "Strategy", "add_restart", "affected", "ends_itself", "is_restarted"]

Restart = Literal["permanent", "transient", "temporary"]
Strategy = Literal["one_for_one", "one_for_all", "rest_for_one", "simple_one_for_one"]
AutoShutdown = Literal["never", "any_significant", "all_significant"]


def is_restarted(restart: Restart, reason: object) -> bool:
    """Say whether a child of that restart type is started again after it ended with `reason`.

    Permanent ones always, temporary ones never, transient ones unless the reason is "normal", "shutdown" or
    ("shutdown", anything). OTP: supervisor, restart_type().
    """
    return restart == "permanent" or (restart == "transient" and not _is_normal_end(reason))


def _is_normal_end(reason: object) -> bool:
    if isinstance(reason, tuple):
        return len(reason) == 2 and isinstance(reason[0], str) and reason[0] == "shutdown"
    return isinstance(reason, str) and reason in ("normal", "shutdown")


def ends_itself(auto_shutdown: AutoShutdown, significant_running: Iterable[bool]) -> bool:
    """Say whether a supervisor ends since a significant child has ended by itself and is not started again.

    `significant_running` says of each other child whether it is significant and runs. OTP: supervisor, auto_shutdown().
    """
    if auto_shutdown == "all_significant":
        return not any(significant_running)
    return auto_shutdown == "any_significant"


def affected(strategy: Strategy, ids: Iterable[Hashable], failed: Hashable) -> list[Hashable]:
    """Return the ids of the children that stop and start again when `failed` ends, itself included.

    `ids` are all children's, in start order, and so is what is returned. OTP: supervisor, strategy().
    """
    if strategy == "one_for_all":
        return list(ids)
    if strategy == "rest_for_one":
        in_order = list(ids)
        return in_order[in_order.index(failed) :]
    return [failed]


def add_restart(restarts: deque[float], now: float, intensity: int, period: float) -> bool:
    """Count a restart at `now`, and say whether it is allowed.

    `restarts` are the times of those that count, in seconds, oldest first: it gets the new one, and loses those that
    are over. Each is looked at once more than it stays, so many restarts in a period cost no more each than few.
    Allowed are `intensity` restarts in any `period` seconds; one that is exactly `period` old counts still.
    OTP: supervisor, which counts in whole seconds.
    """
    while restarts and restarts[0] < now - period:
        restarts.popleft()
    restarts.append(now)
    return len(restarts) <= intensity
