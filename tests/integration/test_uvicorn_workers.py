"""uvicorn with two workers: each has a server, and one command loads into both."""

from __future__ import annotations

import sys
import urllib.request
from pathlib import Path

from helpers.command_line import Shell
from helpers.server_process import Program
from midflight.epc import running_servers

APP = """
import os
import midflight, shop

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        midflight.serve_in_background()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = f"{os.getpid()} {shop.price()}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
    await send({"type": "http.response.body", "body": body})
"""

SHOP = "def price():\n    return 1\n"


def test_one_command_loads_into_all_workers(project: Path, runtime_dir: Path, run: Shell) -> None:
    """Whichever answers, it has the new code; no worker is started again."""
    (project / "app.py").write_text(APP)
    (project / "shop.py").write_text(SHOP)
    command = [sys.executable, "-m", "uvicorn"]
    arguments = ("app:app", "--workers", "2", "--port", "0", "--lifespan", "on")
    with Program(*arguments, runtime=runtime_dir, cwd=project, command=command) as program:
        address = next(word for word in program.line_with("running on http").split() if word.startswith("http"))
        for _ in range(2):
            program.line_with("Application startup complete")
        before = {server.pid for server in running_servers(project)}
        (project / "shop.py").write_text(SHOP.replace("1", "2"))

        said = run("load", "--all", str(project / "shop.py"))

        answers = [urllib.request.urlopen(address).read().decode().split() for _ in range(20)]
        assert "Loaded in 2 servers." in said
        assert {price for _, price in answers} == {"2"}
        assert {int(pid) for pid, _ in answers} <= before
        program.process.terminate()
        program.exit_code()
