"""Plays `midflight top` over a real server on a screen in memory, and writes the screen to docs/images/top.svg.

make screenshots
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
from pathlib import Path

from textual.widgets import DataTable

from midflight.cli.top_feed import Feed
from midflight.cli.top_screen import TopApp
from midflight.epc import RemoteServer

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from helpers.server_process import Program  # its folder had to be on the path first

SHOP = '''"""A shop: doors through which people come, a till that adds up, and a printer that is too slow."""
from midflight import GenServer, cast, receive, send, sleep


class Till(GenServer):
    def init(self):
        self.total = 0

    def handle_cast(self, price):
        self.total += price
        send("printer", ("receipt", price))


async def door(seconds):
    await sleep(seconds)
    cast("till", 3)
    return door(seconds)


async def printer():
    await receive()
    await sleep(0.25)
    return printer()
'''
BEGIN = """\
_ = await shop.Till.start(name="till")
_ = spawn(shop.printer, name="printer")
_ = [spawn(shop.door, seconds, name=name) for name, seconds in [("front door", 0.01), ("back door", 0.05)]]
"""


async def picture(feed: Feed) -> str:
    """Return the screen, as SVG, when two looks have been drawn, with a second between them."""
    app = TopApp(feed, "messages", 1.0)
    async with app.run_test(size=(100, 18)) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause(1.5)
        await app.workers.wait_for_complete()
        app.query_one(DataTable).move_cursor(row=0)
        await pilot.pause()
        return app.export_screenshot(title="midflight top")


def main() -> None:
    """Make the picture."""
    with tempfile.TemporaryDirectory(prefix="midflight-top") as name:
        folder = Path(name)
        os.environ["MIDFLIGHT_RUNTIME_DIR"] = str(folder / "runtime")
        project = folder / "project"
        project.mkdir()
        (project / "pyproject.toml").touch()
        (project / "shop.py").write_text(SHOP)
        with Program("serve", runtime=folder / "runtime", cwd=project) as server:
            server.port()
            with RemoteServer.attach(project) as client:
                client.call("code/load", str(project / "shop.py"), None, None)
                session = client.call("shell/open")["session"]
                for line in BEGIN.splitlines():
                    assert client.call("shell/eval", session, line)["status"] == "ok"
                with Feed(argparse.Namespace(root=str(project), server=None)) as feed:
                    svg = asyncio.run(picture(feed))
    # No font is fetched from anywhere: a reader's own of fixed width serves.
    svg = re.sub(r"@font-face \{.*?\}\n", "", svg, flags=re.DOTALL).replace("Fira Code", "DejaVu Sans Mono")
    root = Path(__file__).parents[1]
    target = root / "docs" / "images" / "top.svg"
    target.write_text("\n".join(line.rstrip() for line in svg.splitlines()).strip() + "\n", encoding="utf-8")
    print(target.relative_to(root))


if __name__ == "__main__":
    main()
