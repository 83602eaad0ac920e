"""Actions on one process, version or crash of a list in Neovim, and the pages that show one.

A page is an event `page` (`name`, `text`, and `kind`, which says what its keys do); a state that may be edited has
`kind` "state" and its `pid`.
"""

from __future__ import annotations

from collections.abc import Callable

from midflight.editors.neovim.names import Shower
from midflight.editors.neovim.tables import application_table, crash_table, crash_text, process_text, report_table
from midflight.epc import RemoteServer

__all__ = ["Actions"]


class Actions:
    """The actions on the lists of one project. `client` returns its connection, or raises what says why not."""

    def __init__(self, client: Callable[[], RemoteServer], shower: Shower) -> None:
        self._client = client
        self._shower = shower
        self._trace: int | None = None

    def requests(self) -> dict[str, Callable[..., None]]:
        """Return what Neovim may ask for, by name."""
        return {
            "view": self.view,
            "state": self.state,
            "put_state": self.put_state,
            "move": self.move,
            "send": self.send,
            "source": self.source,
            "diff": self.diff,
            "rollback": self.rollback,
            "purge": self.purge,
            "crashes": self.crashes,
            "applications": self.applications,
            "start_application": self.start_application,
            "stop_application": self.stop_application,
            "crash": self.crash,
            "restart": self.restart,
            "dismiss": self.dismiss,
            "trace": self.trace,
            "end_trace": self.end_trace,
        }

    # --- A process ------------------------------------------------------------------------------------------

    def view(self, pid: str) -> None:
        """Show all that can be seen of a process."""
        found = self._client().call("process/view", pid)
        if found is None:
            self._say(f"{pid} is dead; there is nothing to see")
            return
        self._shower.show("page", name=f"process {found['pid']}", kind="process", text=process_text(found))

    def state(self, pid: str) -> None:
        """Show the state of a server as text that can be edited."""
        found = self._client().call("process/state", pid)
        page = {"name": f"state of {found['pid']}", "kind": "state", "pid": found["pid"], "filetype": "python"}
        self._shower.show("page", text=found["text"], **page)

    def put_state(self, pid: str, text: str, base: str) -> None:
        """Put an edited state into a server; only what was edited since `base`."""
        found = self._client().call("process/replace-state", pid, text, {"base": base})
        changed = [*(found["changed"] or ()), *(found["removed"] or ())]
        self._say(f"{pid} has it: {', '.join(changed)}" if changed else f"nothing was edited; {pid} is unchanged")

    def move(self, pid: str) -> None:
        """Move an idle process to the current version."""
        found = self._client().call("process/move", pid)
        said = (
            f"runs version {found['version']} of {found['module']}" if found["moved"] else f"stays: {found['reason']}"
        )
        self._say(f"{pid} {said}")

    def send(self, pid: str, expression: str) -> None:
        """Send a process the value of an expression."""
        is_alive = self._client().call("process/send", pid, expression)
        self._say(f"sent to {pid}" if is_alive else f"{pid} was dead already; nothing was sent")

    # --- A version ------------------------------------------------------------------------------------------

    def source(self, module: str, version: int) -> None:
        """Show the text of a version."""
        text = self._client().call("code/source", module, version)
        self._shower.show("page", name=f"{module} version {version}", text=text, kind="source", filetype="python")

    def diff(self, module: str, version: int) -> None:
        """Show how a version differs from the current one; the current one from the one before it."""
        rows = self._client().call("code/history", module)["versions"] or []
        numbers = [row["version"] for row in rows]
        current = next((row["version"] for row in rows if row["current"]), numbers[-1])
        older = [number for number in numbers if number < current]
        if version == current and not older:
            self._say(f"{module} has one version; there is nothing to compare it with")
            return
        first, second = (older[-1], current) if version == current else (version, current)
        text = self._client().call("code/diff", module, first, second)
        name = f"{module} version {first} to {second}"
        self._shower.show("page", name=name, text=text or "They do not differ.", kind="diff", filetype="diff")

    def rollback(self, module: str, version: int | None = None) -> None:
        """Load the text of a version again, the one before the current unless told."""
        found = self._client().call("code/rollback", module, version, None, timeout_seconds=None)
        level = "error" if found["status"] == "failed" else "info"
        self._shower.show("message", level=level, text=found["summary"])

    def purge(self, module: str) -> None:
        """Drop old versions and end who runs them."""
        killed = self._client().call("code/purge", module) or []
        said = f"killed {', '.join(killed)}" if killed else "nobody ran them"
        self._say(f"the old versions of {module} are gone; {said}")

    # --- A crash --------------------------------------------------------------------------------------------

    def crashes(self) -> None:
        """List the crashes that the server remembers, and the reports of supervisors below."""
        text = crash_table(self._client().call("crash/list") or [])
        reports = report_table(self._client().call("report/list") or [])
        self._shower.show("page", name="crashes", kind="crashes", text=text + (f"\n{reports}" if reports else ""))

    def crash(self, number: int) -> None:
        """Show a crash: the traceback, the state, the last message."""
        found = self._client().call("crash/info", number)
        self._shower.show("page", name=f"crash {number}", kind="crash", text=crash_text(found))

    def restart(self, number: int) -> None:
        """Start the process of a crash again, in the current version, with the state it had."""
        found = self._client().call("crash/restart", number, None)
        self._say(f"{found['pid']} runs, in version {found['version']}, with the state that it had")

    def dismiss(self, number: int) -> None:
        """Forget a crash."""
        self._client().call("crash/dismiss", number)
        self.crashes()

    # --- Applications ---------------------------------------------------------------------------------------

    def applications(self) -> None:
        """List the applications, first those that run."""
        text = application_table(self._client().call("application/list") or [])
        self._shower.show("page", name="applications", kind="applications", text=text)

    def start_application(self, name: str) -> None:
        """Start an application, and before it all that it needs."""
        started = self._client().call("application/start", name, timeout_seconds=None)
        self._say(f"started {', '.join(started)}")
        self.applications()

    def stop_application(self, name: str) -> None:
        """Stop an application; what needs it runs on."""
        self._client().call("application/stop", name, timeout_seconds=None)
        self._say(f"stopped {name}")
        self.applications()

    # --- A trace --------------------------------------------------------------------------------------------

    def trace(self, pid: str) -> None:
        """Show the messages and calls of a process as they come; another trace takes the place of the last one."""
        client = self._client()
        self._end(client)
        found = client.call("trace/start", {"pids": [pid]})
        self._trace = found["trace"]
        followed = ", ".join(found["followed"] or ()) or f"nobody yet, till {pid} lives"
        text = f"Tracing {followed}. :MidflightTrace! ends it."
        self._shower.show("page", name="trace", kind="trace", text=text)

    def end_trace(self) -> None:
        """End the trace."""
        said = "the trace has ended" if self._end(self._client()) else "nothing is traced"
        self._say(said)

    def forget_trace(self) -> None:
        """Take in that the server is gone, and the trace with it."""
        self._trace = None

    def _end(self, client: RemoteServer) -> bool:
        trace, self._trace = self._trace, None
        if trace is not None:
            client.call("trace/stop", trace)
        return trace is not None

    def _say(self, text: str) -> None:
        self._shower.show("message", level="info", text=f"Midflight: {text}")
