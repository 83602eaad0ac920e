"""Methods about the reason why all processes stand: a breakpoint, or a line that a process asks a person for.

(call 5 process/holder nil)
(return 5 (:pid "<0.37.0>" :name "till" :kind "breakpoint" :client "Emacs 28.2, connection 1" :since 1800000000.25
           :prompt "(Pdb) " :module "counter" :version 3 :function "loop" :line 9
           :text "<0.37.0> (till) is at a breakpoint, counter v3 loop:9, of Emacs 28.2, connection 1; all others wait"))
(call 6 process/continue ("till"))    (return 6 t)
"""

from __future__ import annotations

from midflight.asking import Hold, hold_of
from midflight.dap import Stop
from midflight.epc.method import Lane, Method
from midflight.epc.methods.arguments import find_pid
from midflight.epc.services import Services
from midflight.errors import RequestError
from midflight.kernel import Scheduler
from midflight.observer import row_of

__all__ = ["HoldMethods", "client_of", "stands_text"]

Plist = dict[str, object]

_PLACE = ("module", "version", "function", "line")


class HoldMethods:
    """The hold of the processes, as any connection sees it."""

    def __init__(self, services: Services) -> None:
        self._scheduler = services.scheduler

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("process/holder", self.holder, Lane.AT_ONCE),
            Method("process/continue", self.go_on, Lane.AT_ONCE),
        )

    def holder(self) -> Plist | None:
        """Return what all processes stand for, nil if they run."""
        hold = hold_of(self._scheduler)
        return None if hold is None else _plist(self._scheduler, hold)

    def go_on(self, pid: object = None) -> bool:
        """Let the process PID go on that stands at a breakpoint, in any front end; nil for whichever stands.

        At a question it finds the end of its input: EOFError. The answer is nil if none stands.
        Raises: NotFound if that process does not exist; RequestError if another one holds them all.
        """
        hold = hold_of(self._scheduler)
        target = None if pid is None else find_pid(self._scheduler, pid)
        if hold is None:
            return False
        if target is not None and target != hold.pid:
            raise RequestError(f"{pid} stands at no breakpoint; nothing was done. {stands_text(self._scheduler, hold)}")
        return hold.go_on()


def client_of(hold: Hold) -> str:
    """Return whose breakpoint or question it is, for people."""
    if isinstance(hold, Stop):
        return hold.client
    connection = getattr(hold.leader, "connection", None)
    return str(getattr(connection, "title", None) or "a front end that is gone")


def stands_text(scheduler: Scheduler, hold: Hold) -> str:
    """Return a sentence of what holds all processes, with what can be done."""
    return str(_plist(scheduler, hold)["text"])


def _text(found: Plist) -> str:
    pid = "a thread or task" if found["pid"] is None else str(found["pid"])
    name = f" ({found['name']})" if found["name"] else ""
    version = "" if found["version"] is None else f" v{found['version']}"
    place = f" at {found['module']}{version} {found['function']}:{found['line']}" if found["function"] else ""
    what = {
        "breakpoint": f"is at a breakpoint{place}",
        "debugger": f"has stopped in an editor's debugger{place}",
        "line": f"waits for a line ({found['prompt']!r}){place}",
    }[str(found["kind"])]
    goes = "finds the end of its input" if found["kind"] == "line" else "goes on"
    end = f" midflight kill '{pid}' ends it." if found["pid"] is not None else ""
    return (
        f"{pid}{name} {what}, of {found['client']}, and all processes wait for it. "
        f"By midflight continue it {goes}.{end}"
    )


def _plist(scheduler: Scheduler, hold: Hold) -> Plist:
    about = dict(hold.about or {})
    kind = "breakpoint" if about.get("debugger") else "debugger" if isinstance(hold, Stop) else "line"
    process = None if hold.pid is None else hold.pid.process
    found: Plist = {
        "pid": None if hold.pid is None else repr(hold.pid),
        "name": None if process is None else process.name,
        "kind": kind,
        "client": client_of(hold),
        "since": hold.since,
        "prompt": hold.prompt,
    }
    if process is not None and "function" not in about:
        place = row_of(scheduler, process).place
        about |= {name: getattr(place, name) for name in _PLACE}
    found |= {name: about.get(name) for name in _PLACE}
    return found | {"text": _text(found)}
