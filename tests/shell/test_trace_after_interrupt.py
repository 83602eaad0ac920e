"""Tracing and debuggers work in a runtime whose evaluations were broken off."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from helpers.shells import DEADLINE_SECONDS

INTERRUPT_THEN_ASK = """
import sys, threading
from helpers.shells import RunningRuntime, Shell

running = RunningRuntime()
shell, other = Shell(running), Shell(running)
begun = threading.Event()
shell.bind(begun=begun)
spinning = shell.session.eval("begun.set()\\nwhile True: pass\\n")
begun.wait()
shell.session.interrupt()
print(spinning.result().status)
result = other.ask(sys.argv[1])
print(result.value, result.error or "")
running.stop()
"""

SETTRACE = """
import sys
lines = []
def tracer(frame, event, argument):
    lines.append(event)
    return tracer

def traced():
    return 1

sys.settrace(tracer)
traced()
sys.settrace(None)
answer = lines[:3]
"""
DEBUGGER = """
import io, pdb
debugger = pdb.Pdb(stdin=io.StringIO("next\\np 6 * 7\\ncontinue\\n"), stdout=io.StringIO())
def stopped():
    debugger.set_trace()
    a = 1
    return a

stopped()
answer = ["42" in debugger.stdout.getvalue()]
"""
MONITORING = """
import sys
lines = []
def traced():
    for n in range(2):
        pass

sys.monitoring.use_tool_id(2, "a test")
sys.monitoring.register_callback(2, sys.monitoring.events.PY_START, lambda code, offset: lines.append(code.co_name))
sys.monitoring.set_events(2, sys.monitoring.events.PY_START)
traced()
sys.monitoring.set_events(2, 0)
sys.monitoring.free_tool_id(2)
answer = ["traced" in lines]
"""


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        pytest.param(SETTRACE, "['call', 'line', 'return']", id="settrace"),
        pytest.param(DEBUGGER, "[True]", id="pdb"),
        pytest.param(
            MONITORING,
            "[True]",
            id="monitoring",
            marks=pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is new in 3.12"),
        ),
    ],
)
def test_a_frame_can_be_traced_after_a_busy_loop_was_broken(text: str, answer: str) -> None:
    """In a process of its own: when it failed, on CPython 3.11, the traced frame never went on, and no one else did."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPT_THEN_ASK, f"exec({text!r}); answer"],
        capture_output=True,
        text=True,
        timeout=3 * DEADLINE_SECONDS,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=False,
    )

    assert (done.stdout, done.stderr) == (f"interrupted\n{answer} \n", "")
