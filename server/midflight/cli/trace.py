"""`midflight trace`: the events of chosen processes, one line for each as it happens, until it is broken off."""

from __future__ import annotations

import argparse
import json
import queue
import sys
from typing import Any

from midflight.cli.show import attach
from midflight.cli.trace_calls import trace_calls
from midflight.cli.until import pushes_until
from midflight.editors import trace_line
from midflight.errors import RequestError

__all__ = ["trace"]


def trace(options: argparse.Namespace) -> int:
    """Print the events of the chosen processes as they come; with --json, an object a line."""
    if options.function is not None:
        return trace_calls(options)
    if options.arguments is not None or options.returns or options.rate is not None:
        raise RequestError("--args, --returns and --rate are for --function; nothing is traced. Give a function.")
    if not (options.pids or options.modules or options.new or options.all):
        raise RequestError(
            "No process is chosen; nothing is traced. Give a PID or a name, --module, --function, --new or --all."
        )
    pushes: queue.SimpleQueue[tuple[list[dict[str, Any]], int] | None] = queue.SimpleQueue()
    handlers = {"trace/events": lambda _trace, events, dropped: pushes.put((events or [], dropped))}
    with attach(options, handlers=handlers, on_lost=lambda: pushes.put(None)) as client:
        chosen = {"pids": options.pids, "modules": options.modules, "kinds": options.kinds}
        switches = {name: True for name in ("new", "all", "children") if getattr(options, name)}
        if not options.later:
            switches["held"] = True
        answer = client.call("trace/start", {**{name: value for name, value in chosen.items() if value}, **switches})
        followed = ", ".join(answer["followed"] or ()) or "nobody yet"
        print(f"midflight: tracing {'all' if options.all else followed}; Ctrl-C ends it", file=sys.stderr, flush=True)
        left = options.count
        for events, dropped in pushes_until(pushes, options.seconds):
            for event in events if left is None else events[:left]:
                print(json.dumps(event, ensure_ascii=False) if options.json else trace_line(event), flush=True)
            if dropped:
                note = json.dumps({"dropped": dropped}) if options.json else f"-- {dropped} events dropped"
                print(note, flush=True)
            if left is not None:
                left -= len(events)
                if left <= 0:
                    break
    return 0
