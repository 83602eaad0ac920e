"""`midflight trace --function`: the calls of one function in the running system, a line each."""

from __future__ import annotations

import argparse
import json
import queue
import sys
from datetime import datetime
from typing import Any

from midflight.cli.show import attach
from midflight.cli.until import pushes_until
from midflight.errors import RequestError

__all__ = ["trace_calls"]


def trace_calls(options: argparse.Namespace) -> int:
    """Print calls, and with --returns what came of them. The exit code is 1 if there were too many in a second."""
    if options.pids or options.modules or options.new or options.all or options.kinds or options.children:
        raise RequestError("--function traces a function, in all processes; nothing is traced. Leave the others out.")
    pushes: queue.SimpleQueue[Any] = queue.SimpleQueue()
    handlers = {"trace/events": lambda _trace, events, _dropped: pushes.put((events or [], 0))}
    with attach(options, handlers=handlers, on_lost=lambda: pushes.put(None)) as client:
        wanted = {"arguments": options.arguments, "returns": options.returns, "most": options.count}
        wanted |= {"rate": options.rate}
        client.call("trace/calls", options.function, {key: value for key, value in wanted.items() if value})
        print(f"midflight: tracing the calls of {options.function}; Ctrl-C ends it", file=sys.stderr, flush=True)
        for events, _ in pushes_until(pushes, options.seconds):
            for event in events:
                if event["kind"] == "ended":
                    return _end(event["text"])
                print(json.dumps(event, ensure_ascii=False) if options.json else _line(event), flush=True)
    return 0


def _end(why: str) -> int:
    """Say why the trace has ended, if that is not what was asked for; return the exit code."""
    if not why.startswith("more than"):
        return 0
    print(
        f"midflight: {why}; the trace has ended, so that it does not hold the server up. Choose some calls with "
        "--args, or let more come with --rate.",
        file=sys.stderr,
    )
    return 1


def _line(event: dict[str, Any]) -> str:
    at = datetime.fromtimestamp(event["at"]).strftime("%H:%M:%S.%f")[:-3]
    who = " ".join(filter(None, [event.get("pid"), event.get("name")])) or "no process"
    version = "" if event.get("version") is None else f" v{event['version']}"
    text = event["text"].replace("\n", "\\n")
    return f"{at} {who:<18} {event['module']}{version} {text}"
