"""Methods about crashes that are remembered, and starting such a process again.

(call 5 crash/restart (3 (:resend t)))
(return 5 (:pid "<0.52.0>" :name "counter" :version 2 :resent t))
"""

from __future__ import annotations

import io
from collections.abc import Callable

from midflight.code.lowlevel import readable
from midflight.epc.method import Lane, Method
from midflight.epc.methods.arguments import keywords, number, text
from midflight.epc.methods.process_view import frames_plist, items_list, kin_list
from midflight.epc.pushes import Output
from midflight.epc.services import Services
from midflight.kernel import CrashReport, StuckReport
from midflight.observer import CrashRecord, editable, printed
from midflight.text import medium

__all__ = ["CrashMethods", "crash_plist", "stuck_plist"]

Plist = dict[str, object]

_CHARACTERS = 64 * 1024  # of a report
_OPTIONS = ("arguments", "resend")


class CrashMethods:
    """The memory of crashes, as one connection may use it. `output` gives the sink of its shell, None without one."""

    def __init__(self, services: Services, output: Callable[[], Output | None]) -> None:
        self._crashes = services.crashes
        self._output = output

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("crash/list", self.list),
            Method("crash/info", self.info),
            Method("crash/eval", self.eval, Lane.ASIDE),
            Method("crash/restart", self.restart),
            Method("crash/dismiss", self.dismiss),
        )

    def list(self) -> list[Plist]:
        """Return the crashes that are remembered, oldest first, a line each."""
        return [_head(record) for record in self._crashes.all()]

    def info(self, crash: object) -> Plist:
        """Return all that is kept of CRASH, a number."""
        record = self._crashes.find(number(crash, "CRASH"))
        return _head(record) | {
            "text": record.text,
            "frames": frames_plist(record.frames),
            "state": items_list(record.state),
            "server": f"{record.entry.module}.{record.entry.name}" if record.entry.is_server else None,
            "entry": f"{record.entry.module}.{record.entry.name}",
            "edit": editable(record),
            "refusal": record.entry.refusal,
            "links": kin_list(record.links),
            "supervisor": None if record.supervisor is None else kin_list([record.supervisor])[0],
            "last_message": None if record.last_message is None else printed(record.last_message),
            "messages": record.messages,
            "message_count": record.message_count,
        }

    def eval(self, crash: object, frame: object, expression: object) -> Plist:
        """Evaluate EXPRESSION with the names in frame number FRAME of CRASH, from 0, the outermost.

        It runs in a process of its own, for 5 s at most. `:version` is that of the module's names.
        """
        printed_text = io.StringIO()
        value, version = self._crashes.evaluate(
            number(crash, "CRASH"),
            number(frame, "FRAME"),
            text(expression, "EXPRESSION"),
            self._output() or printed_text,
        )
        return {
            "value": printed(value),
            "type": type(value).__qualname__,
            "version": version,
            "output": printed_text.getvalue()[-_CHARACTERS:],
        }

    def restart(self, crash: object, options: object) -> Plist:
        """Start the process of CRASH again, in the current version, with the state it had.

        OPTIONS: `:arguments`, an expression that makes a dict to start it with instead; `:resend`, to send it its last
        message again.
        """
        chosen = keywords(options, _OPTIONS)
        arguments = chosen.get("arguments")
        found = self._crashes.restart(
            number(crash, "CRASH"),
            arguments=None if arguments is None else text(arguments, ":arguments"),
            resend=bool(chosen.get("resend")),
            leader=self._output(),
        )
        return {"pid": repr(found.pid), "name": found.name, "version": found.version, "resent": found.is_resent}

    def dismiss(self, crash: object) -> int:
        """Forget CRASH, all of them for nil; return how many that were."""
        return self._crashes.dismiss(None if crash is None else number(crash, "CRASH"))


def _head(record: CrashRecord) -> Plist:
    return {
        "crash": record.number,
        "at": record.at,
        "pid": repr(record.pid),
        "name": record.name,
        "initial_call": record.initial_call,
        "module": record.module,
        "version": record.version,
        "function": record.function,
        "line": record.line,
        "reason": record.reason,
        "summary": record.summary,
    }


def crash_plist(report: CrashReport) -> Plist:
    """Translate the report of a crash."""
    return {
        "crash": report.number,
        "pid": repr(report.pid),
        "name": report.name,
        "initial_call": report.initial_call,
        "module": report.module,
        "version": report.version,
        "reason": medium(report.reason),
        "text": readable(report.text())[-_CHARACTERS:],
    }


def stuck_plist(report: StuckReport) -> Plist:
    """Translate the report of a process that does not yield."""
    return {
        "pid": repr(report.pid),
        "name": report.name,
        "seconds": report.seconds,
        "text": readable(report.text())[-_CHARACTERS:],
    }
