"""The door to the hot core: the kernel in Python (`pure_core`, `pure_record`), or the compiled one (`compiled_core`).

All that a message passes is behind it: `Pid <<`, `receive`, the process record, the run queue and its turn. What both
kernels do is said in `pure_core`, the reference; its types are what the type checker sees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from midflight.kernel.choice import COMPILED
from midflight.kernel.pure_core import RECEIVE_CODE, sleep_in_process

if TYPE_CHECKING or COMPILED is None:
    from midflight.kernel.pure_core import (
        RECEIVE_TYPES,
        Core,
        Pid,
        Process,
        Queue,
        again,
        answering,
        fast_call,
        fast_path,
        fast_path_of_timers,
        in_python,
        is_receive,
        receive,
        takes_any_message,
    )
else:
    from midflight.kernel.compiled_core import (
        RECEIVE_TYPES,
        Core,
        Pid,
        Process,
        Queue,
        again,
        answering,
        fast_call,
        fast_path,
        fast_path_of_timers,
        in_python,
        is_receive,
        receive,
        takes_any_message,
    )

__all__ = [
    "RECEIVE_CODE",
    "RECEIVE_TYPES",
    "Core",
    "Pid",
    "Process",
    "Queue",
    "again",
    "answering",
    "fast_call",
    "fast_path",
    "fast_path_of_timers",
    "in_python",
    "is_receive",
    "receive",
    "sleep_in_process",
    "takes_any_message",
]
