"""A traced event as one line of text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

__all__ = ["trace_line"]


def trace_line(event: Mapping[str, Any]) -> str:
    """Return the line for an event of trace/events: its time, the process, and what it did."""
    name = f" {event['name']}" if event.get("name") else ""
    at = datetime.fromtimestamp(event["at"]).strftime("%H:%M:%S.%f")[:-3]
    text = event["text"].replace("\n", "\\n")
    other = event.get("other")
    match event["kind"]:
        case "in":
            said = f"<- {other or 'outside'}  {text}"
        case "out":
            said = f"-> {other}  {text}"
        case "call":
            version = "" if event.get("version") is None else f" v{event['version']}"
            before = f"  (from {event['from']})" if event.get("from") else ""
            said = f"=> {event['module']}{version}.{text}{before}"
        case "spawn":
            said = f"spawn {other or ''}  {text}"
        case "link":
            said = f"link {other}"
        case kind:
            said = f"{kind} {text}"
    return f"{at} {event['pid'] + name:<18} {said}"
