"""Pages of text made of the server's answers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from midflight.editors.taken import clock_of
from midflight.text import columns

__all__ = [
    "application_table",
    "crash_table",
    "crash_text",
    "earlier_table",
    "process_table",
    "process_text",
    "report_table",
    "stored_table",
    "task_table",
    "version_table",
]


def process_table(processes: Sequence[Mapping[str, Any]]) -> str:
    """Return one line a process under a heading; `processes` are the rows of process/list."""
    rows = [("Pid", "Name", "Module", "At", "Status", "Messages")]
    for each in processes:
        version = "" if each["version"] is None else f" v{each['version']}"
        rows.append(
            (
                each["pid"],
                each["name"] or "",
                f"{each['module']}{version}",
                f"{each['function']}:{each['line']}",
                each["status"],
                str(each["messages"]),
            )
        )
    return columns(rows)


def task_table(tasks: Sequence[Mapping[str, Any]]) -> str:
    """Return one line an asyncio task under a heading, "" for none; `tasks` are the rows of task/list."""
    rows = [("Task", "Name", "Module", "At", "Waits for")]
    for each in tasks:
        version = "" if each["version"] is None else f" v{each['version']}"
        place = f"{each['function']}:{each['line']}"
        rows.append((each["id"], each["name"], f"{each['module']}{version}", place, each["waiting"]))
    return columns(rows) if tasks else ""


def version_table(module: str, versions: Sequence[Mapping[str, Any]]) -> str:
    """Return one line a version of `module` under a heading; `versions` are rows of code/history."""
    rows = [(module, "", "Vsn", "Processes")]
    for each in versions:
        state = "current" if each["current"] else "old"
        rows.append((f"v{each['version']}", state, str(each["vsn"]), str(each["processes"] or 0)))
    return columns(rows)


def crash_table(crashes: Sequence[Mapping[str, Any]]) -> str:
    """Return one line a crash under a heading; `crashes` are the rows of crash/list."""
    rows = [("Crash", "At", "Pid", "Name", "Where", "Reason")]
    for each in crashes:
        version = "" if each["version"] is None else f" v{each['version']}"
        place = f"{each['module']}{version} {each['function']}:{each['line']}"
        own = (str(each["crash"]), clock_of(each["at"]), each["pid"], each["name"] or "", place)
        rows.append((*own, each["summary"].partition("\n")[0]))
    return columns(rows) if crashes else "No crash is remembered.\n"


def report_table(reports: Sequence[Mapping[str, Any]]) -> str:
    """Return one line a report of a supervisor under a heading, "" for none; `reports` are the rows of report/list."""
    rows = [("Supervisor", "Name", "Child", "Pid", "At", "What", "Then", "Reason")]
    for each in reports:
        whose = (each["supervisor"], each["name"] or "", each["child"], each["child_pid"], clock_of(each["at"]))
        rows.append((*whose, each["context"].replace("_", " "), each["then"], each["reason"]))
    return columns(rows) if reports else ""


def application_table(applications: Sequence[Mapping[str, Any]]) -> str:
    """Return one line an application under a heading; `applications` are the rows of application/list."""
    rows = [("Application", "Status", "Restart", "Supervisor", "Vsn", "Needs", "Description")]
    for each in applications:
        own = (each["name"], each["status"], each["restart"], each["supervisor"] or "", each["vsn"])
        rows.append((*own, ", ".join(each["applications"] or ()), each["description"]))
    return columns(rows) if applications else "No application is loaded.\n"


def stored_table(states: Sequence[Mapping[str, Any]]) -> str:
    """Return one line a state of the store under a heading; `states` are those of store/list."""
    rows = [("Name", "Class", "Version", "Bytes", "Saved", "Process")]
    for each in states:
        own = (each["name"], each["class"], each["vsn"], str(each["size"]), clock_of(each["saved_at"]))
        rows.append((*own, each["pid"] or ""))
    return columns(rows) if states else "The store has no state.\n"


def earlier_table(states: Sequence[Mapping[str, Any]]) -> str:
    """Return one line an earlier state under a heading; `states` are the rows of store/history."""
    rows = [("Number", "Saved", "Bytes", "Class", "Why")]
    for each in states:
        own = (str(each["number"]), clock_of(each["saved_at"]), str(each["size"]), each["class"])
        rows.append((*own, each["why"]))
    return columns(rows) if states else "It has no earlier state.\n"


def crash_text(crash: Mapping[str, Any]) -> str:
    """Return a crash as people read it; `crash` answers crash/info."""
    lines = [crash["text"].rstrip()]
    if crash["state"]:
        lines += ["", "State", *(f"  {name} = {value}" for name, value in crash["state"])]
    if crash["last_message"] is not None:
        lines += ["", "Last message", f"  {crash['last_message']}"]
    if crash["refusal"]:
        lines += ["", f"It cannot be started again: {crash['refusal']}"]
    else:
        lines += ["", "R starts it again with that state."]
    return "\n".join(lines) + "\n"


def process_text(view: Mapping[str, Any]) -> str:
    """Return all that can be seen of a process as people read it; `view` answers process/view."""
    version = "" if view["version"] is None else f" v{view['version']}"
    name = f" ({view['name']})" if view["name"] else ""
    waiting = f" for {view['waiting_for']}" if view["waiting_for"] else ""
    lines = [
        f"{view['pid']}{name}: {view['status']}{waiting}",
        f"  at        {view['module']}{version} {view['function']}:{view['line']}",
        f"  began as  {view['initial_call']}",
    ]
    for word in ("links", "monitors", "monitored_by"):
        if view[word]:
            kin = ", ".join(f"{pid} ({own})" if own else pid for pid, own in view[word])
            lines.append(f"  {word.replace('_', ' '):<13}{kin}")
    state = view["state"]
    if state is not None:
        lines += [
            "",
            f"State of {state['module']}.{state['class']}",
            *(f"  {key} = {value}" for key, value in state["attributes"] or ()),
        ]
    if view["messages"]:
        lines += ["", f"Messages: {view['counts']['messages']}", *(f"  {each}" for each in view["messages"])]
    frames = [frame for frame in view["frames"] or () if not frame["ours"]]
    if frames:
        lines += ["", "Frames"]
    for frame in frames:
        lines.append(f"  {frame['path']}:{frame['line']} in {frame['function']}")
        lines += [f"    {key} = {value}" for key, value in frame.get("locals") or ()]
    return "\n".join(lines) + "\n"
