"""The port that a server is told to listen on."""

from __future__ import annotations

import socket
from collections.abc import Callable

from helpers.command_line import Shell
from helpers.server_process import Program


def test_a_port_that_is_taken_is_refused(run: Shell) -> None:
    """In a sentence, and no server is left."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        result = run.piped("serve", "--port", str(port))

    assert result.returncode == 3
    assert result.stderr.startswith(f"midflight: Port {port} of 127.0.0.1 is taken by another program; no server was")
    run("ps", code=5)


def test_another_port_than_that_of_the_running_server_is_refused(run: Shell, start: Callable[..., Program]) -> None:
    """It would not be listened on; without a port the running server is found."""
    port = start("serve").port()

    run("serve", "--detach", "--port", str(1 + port % 60000), code=3)

    assert "runs already" in run.error
    assert run("serve", "--detach", "--port", str(port)) == f"{port}\n"
    assert run("serve", "--detach") == f"{port}\n"
