"""The methods about what became of versions, and about who is connected, over the wire."""

from __future__ import annotations

import queue
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.epc_peer import DEADLINE_SECONDS
from helpers.versions import forget_modules_in
from midflight import spawn
from midflight.epc import RemoteServer
from midflight.errors import RemoteError

WAITING = "from midflight import receive\n\n\nasync def wait():\n    await receive()\n"


@pytest.fixture
def module(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The path of a module that no other test has loaded; nothing of it stays in the interpreter."""
    name = f"h_{abs(hash(request.node.nodeid)):x}"
    path_before = list(sys.path)
    yield tmp_path / f"{name}.py"
    sys.path[:] = path_before
    forget_modules_in(tmp_path)


def load(client: RemoteServer, path: Path, source: str) -> dict[str, Any]:
    """Load, and return the whole answer."""
    answer = client.call("code/load", str(path), source, None, timeout_seconds=DEADLINE_SECONDS)
    assert isinstance(answer, dict)
    return answer


def test_the_history_says_who_loaded_what_and_when(node: Any, module: Path) -> None:
    """A connection is known by the name it gave and its number; a shell by its own."""
    client = node.connect()
    client.call("server/introduce", "Emacs\n28.2")
    module.write_text(WAITING)
    load(client, module, WAITING)
    shell = client.call("shell/open")["session"]
    client.call("shell/eval", shell, f"from midflight import code; report = code.load({str(module)!r}, 'x = 1\\n')")

    found = client.call("code/history", str(module))

    assert (found["module"], found["path"]) == (module.stem, str(module))
    first, second = found["versions"]
    assert [each["by"] for each in (first, second)] == [
        "Emacs 28.2, connection 1",
        f"shell {shell}, Emacs 28.2, connection 1",
    ]
    assert first["loaded_at"] <= second["loaded_at"] <= time.time()
    assert (first["current"], second["current"], second["alive"], second["text"]) == (False, True, True, True)
    assert (second["added"], second["removed"]) == (["x"], ["receive", "wait"])


def test_lingering_and_why_alive_name_the_process(node: Any, module: Path) -> None:
    """The one whom a purge would end."""
    client = node.connect()
    load(client, module, WAITING)
    pid = spawn(sys.modules[module.stem].wait)
    load(client, module, WAITING)

    lingering = client.call("code/lingering", module.stem)
    why = client.call("code/why-alive", module.stem, 1)

    assert lingering["total"] == 1
    assert [(each["pid"], each["version"], each["function"]) for each in lingering["processes"]] == [
        (repr(pid), 1, "wait")
    ]
    assert (why["alive"], why["current"], why["whole"]) == (True, False, True)
    assert [each["kind"] for each in why["keepers"]] == ["process"]
    assert f"process {pid!r}" in why["text"]


def test_what_is_no_module_is_an_error(node: Any) -> None:
    """With what to do."""
    client = node.connect()

    for method in ("code/history", "code/lingering"):
        with pytest.raises(RemoteError, match=r"never loaded by Midflight.*load it first"):
            client.call(method, "nothing_of_that_name")
        with pytest.raises(RemoteError, match="must not be empty"):
            client.call(method, "")
    with pytest.raises(RemoteError, match="never loaded"):
        client.call("code/why-alive", "nothing_of_that_name", 1)


def test_others_hear_the_name_of_who_loads(node: Any, module: Path) -> None:
    """And the server's answer lists all that are connected."""
    heard: queue.Queue[dict[str, Any]] = queue.Queue()
    client = node.connect({"code/loaded": heard.put})
    other = node.connect()
    other.call("server/introduce", "midflight load" + "!" * 100)

    load(other, module, "x = 1\n")

    assert heard.get(timeout=DEADLINE_SECONDS)["by"] == f"midflight load{'!' * 46}, connection 2"
    assert client.call("server/info")["connections"] == ["connection 1", f"midflight load{'!' * 46}, connection 2"]
