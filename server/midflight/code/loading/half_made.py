"""Modules that a given-up load was importing: nobody waits for them any more, and an import of one is refused at once.

The import system locks a module while its body runs, and a thread that imports it too waits for that lock, without a
limit and out of reach of any interrupt. A body that never ends never lets go of it. So when its load is given up, the
half-made modules leave `sys.modules`, those who wait for their locks are woken and turned away, and the finder refuses
them by an ImportError that names the thread, until that has ended or somebody has loaded them whole.

The locks are importlib's own: `_module_locks`, a dictionary from a name to a weak reference. A lock has an `owner`, its
`waiters`, the lock `wakeup` that they wait for, and the method `has_deadlock` that they ask then, from Python 3.11 to
3.14; tests/code/test_given_up.py holds that.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from typing import Any

from midflight.code.loading.under_way import Load
from midflight.code.source.look import is_module, module_value

__all__ = ["forget", "leave_whole", "refusal_of", "refuse"]

_refused: dict[str, Load] = {}


def refuse(load: Load) -> None:
    """Have imports refused of the modules that the thread of `load`, which is given up, has half imported."""
    for name, lock in list(_half_made_by(load.thread)):
        module = sys.modules.get(name)
        spec: Any = module_value(module, "__spec__") if is_module(module) else None
        if getattr(spec, "_initializing", False):
            # The import system will take out of sys.modules what is there under the spec's name, which may be another
            # module by the time that this body ends.
            spec.name = f"{name} (given up)"
            sys.modules.pop(name, None)
            _take_from_package(name, module)
        _refused[name] = load
        _turn_away(lock, name)


def forget(load: Load) -> None:
    """Stop refusing the modules that `load` was importing: its thread has ended its body."""
    for name, other in list(_refused.items()):
        if other is load:
            _refused.pop(name, None)


def leave_whole(name: str) -> None:
    """Refuse module `name` no more: a load has made it whole."""
    _refused.pop(name, None)


def refusal_of(name: str) -> ImportError | None:
    """Return why module `name` cannot be imported; None if it can."""
    load = _refused.get(name)
    if load is None or load.thread == threading.get_ident():
        return None
    text = f"{name} is half made: {load.thread_name} {load.still()}, a load that was given up; nothing was imported."
    return ImportError(f"{text} Mend {name} and load it, or end what that thread waits for.", name=name)


def _half_made_by(thread: int | None) -> Iterator[tuple[str, Any]]:
    for name, reference in list(_locks().items()):
        lock = reference()
        if lock is not None and lock.owner == thread:
            yield name, lock


def _locks() -> dict[str, Any]:
    found: dict[str, Any] = importlib._bootstrap._module_locks  # type: ignore[attr-defined]  # private: see above
    return found


def _turn_away(lock: Any, name: str) -> None:
    """Refuse the threads that wait for an import lock; its owner, which still has it, sees no change.

    A thread that is woken finds the lock taken and looks for a deadlock: that look raises.
    """

    def refuse() -> bool:
        raise refusal_of(name) or ImportError(f"{name} was half made, by a load that was given up", name=name)

    _locks().pop(name, None)  # who comes from now on gets a new one, and is refused by the finder
    lock.has_deadlock = refuse
    lock.waiters = type(lock.waiters)()  # nobody for its owner to wake
    if lock.wakeup.locked():
        lock.wakeup.release()


def _take_from_package(name: str, module: object) -> None:
    package, _, last = name.rpartition(".")
    parent = sys.modules.get(package)
    if parent is not None and vars(parent).get(last) is module:
        delattr(parent, last)
