"""A real aiohttp server whose connections are processes, under load from another OS process, with crashes injected."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SERVER = HERE.parent.parent / "examples" / "connections.py"


def test_no_connection_is_lost_but_the_crashed_ones():
    """100 clients, 50 messages each; every tenth crashes its connection: the other 90 get every answer."""
    server = subprocess.Popen(
        [sys.executable, "-W", "error", str(SERVER)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        url = server.stdout.readline().strip()
        load = subprocess.run(
            [sys.executable, str(HERE / "connections_load.py"), url, "100", "50", "10"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    finally:
        server.terminate()
        _, errors = server.communicate(timeout=20)

    assert json.loads(load.stdout) == {"served": 90, "crashed": 10}
    assert errors.count("was told to crash after 24 messages") == 10


def test_ctrl_c_ends_the_server_cleanly():
    """SIGINT: the processes unwind, nothing is printed, nothing hangs."""
    import signal

    server = subprocess.Popen([sys.executable, str(SERVER)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert server.stdout.readline().startswith("ws://")

    server.send_signal(signal.SIGINT)
    output, errors = server.communicate(timeout=20)

    assert (server.returncode, output, errors) == (0, "", "")
