"""`midflight profile`: a profile of a server that runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from helpers.command_line import Shell
from helpers.server_process import Program
from midflight.epc import RemoteServer
from midflight.errors import RemoteError

SHOP = """\
from midflight import sleep


def count():
    for _ in range(20_000):
        pass


async def work():
    while True:
        count()
        await sleep(0)
"""


@pytest.fixture
def server(run: Shell, start: Callable[..., Program], project: Path) -> RemoteServer:
    """A server in which one process is busy."""
    start("serve").port()
    path = project / "shop.py"
    path.write_text(SHOP)
    run("load", str(path))
    with RemoteServer.attach(project) as client:
        session = client.call("shell/open")["session"]
        assert client.call("shell/eval", session, "spawn(shop.work, name='worker')")["status"] == "ok"
    return client


def test_a_busy_function_is_named_with_its_process(run: Shell, server: RemoteServer, project: Path) -> None:
    """As a table and as JSON; the flame picture has it too."""
    found = run.json("profile", "--seconds", "0.5", "--svg", str(project / "flame.svg"))

    first = found["rows"][0]
    assert (first["who"].partition(" ")[2], first["module"], first["version"]) == ("worker", "shop", 1)
    assert (first["function"], first["line"], Path(first["path"]).name) == ("count", 4, "shop.py")
    assert first["own"] > found["busy"] / 2
    titles = [each.text or "" for each in ElementTree.parse(project / "flame.svg").iter() if each.tag.endswith("title")]
    assert any(title.startswith("shop v1 count: ") for title in titles)
    said = run("profile", "--seconds", "0.2", "--svg", str(project / "flame.svg"))
    assert f"The flame picture is in {project / 'flame.svg'}." in said
    assert re.search(r"worker +count +shop +1 +4$", said, re.MULTILINE)


def test_a_picture_that_cannot_be_written_is_told_before_the_look(
    run: Shell, server: RemoteServer, project: Path
) -> None:
    """And a folder in its place after it."""
    run("profile", "--svg", str(project / "nowhere" / "flame.svg"), code=3)
    assert f"There is no folder {project / 'nowhere'}; no profile was taken." in run.error

    run("profile", "--seconds", "0.1", "--svg", str(project), code=3)
    assert f"The picture could not be written to {project}" in run.error


def test_seconds_that_are_none_are_refused(run: Shell, server: RemoteServer, project: Path) -> None:
    """By the command and by the method."""
    with pytest.raises(SystemExit):
        run("profile", "--seconds", "-1")
    with RemoteServer.attach(project) as client:
        for wrong in (0, 601, "five", True):
            with pytest.raises(RemoteError, match="SECONDS must be a number above 0 and up to 600"):
                client.call("profile/take", wrong)
