"""`UpgradeReport` and `ServerChange`: an upgrade's effect on servers, as plain data, and its words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from midflight.code.report.load_report import LoadReport, loaded_line, refused_because, summary, text
from midflight.kernel import Pid

__all__ = ["ServerChange", "UpgradeReport", "counts"]

# What to do, where it is not to mend a line of the module.
REMEDY = {
    "busy": "Upgrade again when it has come to its next message, or give it longer: timeout=SECONDS.",
    "stopped": "Upgrade again.",
    "state": "Mend that, upgrade again.",
    "suspended-call": "Have it not do so, upgrade again.",
    "together": "",
}

MOST = 100  # servers that the text shows

_text_of_a_load = text.dispatch(LoadReport)


@dataclass(frozen=True, slots=True)
class ServerChange:
    """The outcome of an upgrade for one server, or the outcome that it would have.

    `old_version` is the number of the version that its object was of, None if that is not known. `old_vsn` is what
    `code_change` was told: that version's vsn, or ("down", vsn) with the vsn that it goes down to; None if it was not
    called, which `is_changed` says. `is_renewed` says that it was a supervisor, whose init was asked for its children
    again. `before` and `after` are its attributes, as text. `error` is what code_change
    raised, as text, with its `traceback`; `after` is None then. Of the first hundred servers only, unless it is a
    rehearsal, and of the first hundred that failed: `before` and `after` are "" for the others.
    """

    pid: Pid
    name: str | None
    class_name: str
    old_version: int | None
    old_vsn: object
    is_changed: bool
    before: str
    after: str | None
    error: str | None = None
    traceback: str | None = None
    is_renewed: bool = False

    def __str__(self) -> str:
        return f"{self.pid!r} ({self.name})" if self.name else repr(self.pid)


@dataclass(frozen=True, slots=True)
class UpgradeReport(LoadReport):
    """A LoadReport with the servers, oldest first. `held_ms` is how long they were held, the commit included.

    With `is_rehearsed` nothing has changed: `version` is the number that would have been loaded, None if it would not.
    """

    servers: tuple[ServerChange, ...] = ()
    held_ms: float = 0.0
    is_rehearsed: bool = False

    @property
    def failed(self) -> tuple[ServerChange, ...]:
        """The servers whose code_change raised."""
        return tuple(each for each in self.servers if each.error is not None)


@summary.register
def _summary(report: UpgradeReport) -> str:
    if report.version is not None:
        loaded = "would load" if report.is_rehearsed else "loaded"
        return loaded_line(report, loaded, counts(report), report.prepare_ms + (report.held_ms or report.commit_ms))
    current = "No version is current" if report.current is None else f"Version {report.current} stays current"
    kept = "Nothing was changed." if report.is_rehearsed else f"{current}, and every server as it was."
    remedy = REMEDY.get(report.refusals[0].code, "Fix the line, upgrade again.")
    verb = "would not be upgraded" if report.is_rehearsed else "not upgraded"
    return f"{report.module} {verb}: {refused_because(report)}. {kept} {remedy}".rstrip()


def counts(*reports: UpgradeReport) -> str:
    """Count the outcomes in words: "3 servers upgraded by code_change, 1 took the new class"."""
    is_rehearsed = any(report.is_rehearsed for report in reports)
    would = "would be " if is_rehearsed else ""
    servers = [each for report in reports for each in report.servers]
    changed = sum(each.is_changed for each in servers)
    asked = sum(each.is_renewed and not each.is_changed for each in servers)
    others = len(servers) - changed - asked
    said = []
    if changed:
        said.append(f"{_servers(changed)} {would}upgraded by code_change")
    if others:
        takes = "would take" if is_rehearsed else "took"
        said.append(f"{others if changed else _servers(others)} {takes} the new class")
    if asked:
        said.append(
            f"1 supervisor {would}asked for its children"
            if asked == 1
            else f"{asked} supervisors {would}asked for their children"
        )
    return ", ".join(said)


def _servers(count: int) -> str:
    return f"{count} server{'' if count == 1 else 's'}"


@text.register
def _text(report: UpgradeReport) -> str:
    return _text_of_a_load(report) + "".join(f"{line}\n" for line in _lines(report))


def _lines(report: UpgradeReport) -> Iterator[str]:
    if not report.servers:
        return
    yield ""
    if report.version is None:
        yield "Servers, which go on as they were"
    else:
        yield "What servers would become" if report.is_rehearsed else "Servers and their new states"
    told: set[str | None] = {None}
    for each in report.servers[:MOST]:
        old = "" if each.old_version is None else f" of version {each.old_version}"
        how = f", code_change({each.old_vsn!r}, extra)" if each.is_changed else ""
        yield f"  {each}  {each.class_name}{old}{how}"
        yield f"    {each.before or '(no attributes)'}"
        if each.error is None:
            yield f"    -> {each.after or '(no attributes)'}"
        else:
            yield f"    -> {each.error}"
            if each.traceback not in told:
                yield from (f"       {line}" for line in str(each.traceback).splitlines())
            told.add(each.traceback)
    if len(report.servers) > MOST:
        yield f"  and {len(report.servers) - MOST} more"
    if report.version is not None:
        yield f"  held for {report.held_ms:.1f} ms"
