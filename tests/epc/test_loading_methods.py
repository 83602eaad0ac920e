"""Loads under way, over the wire: who is told what, and how one is broken off."""

from __future__ import annotations

import queue
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.epc_peer import DEADLINE_SECONDS
from helpers.gates import SECONDS, Gates, wait_for
from helpers.versions import forget_modules_in
from midflight import code
from midflight.errors import RemoteError


@pytest.fixture
def gates(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gates]:
    """Give gates that module bodies know by the name GATES; all loads have ended after the test."""
    found = Gates()
    monkeypatch.setattr("builtins.GATES", found, raising=False)
    yield found
    for gate in found.values():
        gate.opened.set()
    wait_for(lambda: not code.loads())


@pytest.fixture
def folder(tmp_path: Path, gates: Gates) -> Iterator[Path]:
    """Give a folder for modules; nothing of them stays in the interpreter."""
    before = list(sys.path)
    yield tmp_path
    for gate in gates.values():
        gate.opened.set()
    wait_for(lambda: not code.loads())
    sys.path[:] = before
    forget_modules_in(tmp_path)


def write(folder: Path, name: str, text: str) -> str:
    """Write a module and return its path."""
    path = folder / f"{name}.py"
    path.write_text(text)
    return str(path)


def test_a_load_that_takes_its_time_is_told_of_and_listed(node: Any, folder: Path, gates: Gates) -> None:
    """To the connection that asked by a push; to everybody by code/loading, which waits for no load."""
    told: queue.Queue[dict[str, Any]] = queue.Queue()
    client, other = node.connect(handlers={"code/progress": told.put}), node.connect()
    loading = client.submit("code/load", write(folder, "slow", "GATES['slow'].wait()\n"), None, None)
    assert gates["slow"].reached.wait(SECONDS)

    progress = told.get(timeout=DEADLINE_SECONDS)
    (row,) = other.call("code/loading")
    (own,) = client.call("code/loading")

    assert (row["modules"], row["state"], row["number"]) == (["slow"], "body", progress["number"])
    assert own["number"] == row["number"]
    assert "slow runs its body in Condition.wait, called at slow.py:1 in <module>, since " in progress["text"]
    gates["slow"].opened.set()
    assert loading.result(DEADLINE_SECONDS)["status"] == "loaded"
    assert client.call("code/loading") is None


def test_a_load_of_another_module_goes_on_behind_one_that_hangs(node: Any, folder: Path, gates: Gates) -> None:
    """On the same connection too."""
    client = node.connect()
    client.submit("code/load", write(folder, "slow", "GATES['slow'].wait()\n"), None, None)
    assert gates["slow"].reached.wait(SECONDS)

    answer = client.call("code/load", write(folder, "quick", ""), None, None, timeout_seconds=DEADLINE_SECONDS)

    assert answer["status"] == "loaded"


def test_interrupt_breaks_off_the_loads_of_this_connection(node: Any, folder: Path, gates: Gates) -> None:
    """It overtakes; the load answers a refusal that names who did it; another connection's load goes on."""
    client, other = node.connect(), node.connect()
    others = other.submit("code/load", write(folder, "others", "GATES['others'].wait()\n"), None, None)
    text = "GATES['spin'].reached.set()\nwhile True: pass\n"
    loading = client.submit("code/load", write(folder, "spin", text), None, None)
    assert gates["spin"].reached.wait(SECONDS)
    assert gates["others"].reached.wait(SECONDS)

    (row,) = client.call("code/interrupt", None)

    assert (row["modules"], row["outcome"]) == (["spin"], "ended")
    answer = loading.result(DEADLINE_SECONDS)
    assert (answer["status"], answer["diagnostics"][0]["code"]) == ("failed", "broken-off")
    assert "connection 1" in answer["summary"]
    gates["others"].opened.set()
    assert others.result(DEADLINE_SECONDS)["status"] == "loaded"


def test_interrupt_gives_up_what_python_cannot_interrupt(node: Any, folder: Path, gates: Gates) -> None:
    """The load is answered while its thread runs on; code/loading names that."""
    client = node.connect()
    loading = client.submit("code/load", write(folder, "hang", "GATES['hang'].wait()\n"), None, None)
    assert gates["hang"].reached.wait(SECONDS)

    (row,) = client.call("code/interrupt", None)

    assert row["outcome"] == "given-up"
    assert "nobody can stop its body" in loading.result(DEADLINE_SECONDS)["summary"]
    (left,) = client.call("code/loading")
    assert left["state"] == "given-up"
    assert left["text"].startswith(f"{left['thread']} still runs the body of hang")


def test_any_load_can_be_broken_off_by_its_number(node: Any, folder: Path, gates: Gates) -> None:
    """By another connection than the one that asked for it."""
    client, other = node.connect(), node.connect()
    text = "GATES['spin'].reached.set()\nwhile True: pass\n"
    loading = client.submit("code/load", write(folder, "spin", text), None, None)
    assert gates["spin"].reached.wait(SECONDS)
    (load,) = other.call("code/loading")

    assert other.call("code/interrupt", None) is None
    (row,) = other.call("code/interrupt", load["number"])

    assert row["outcome"] == "ended"
    assert loading.result(DEADLINE_SECONDS)["status"] == "failed"
    assert other.call("code/interrupt", load["number"]) is None


def test_a_client_that_goes_gives_up_its_loads(node: Any, folder: Path, gates: Gates) -> None:
    """The one under way, and the one of the same module that waits for it."""
    client, other = node.connect(), node.connect()
    path = write(folder, "spin", "GATES['spin'].reached.set()\nwhile True: pass\n")
    client.submit("code/load", path, None, None)
    assert gates["spin"].reached.wait(SECONDS)
    client.submit("code/load", path, "x = 1\n", None)

    client.close()

    wait_for(lambda: not code.loads())
    assert other.call("code/load", path, "x = 2\n", None, timeout_seconds=DEADLINE_SECONDS)["version"] == 1


def test_a_load_that_waits_for_its_turn_is_broken_off_unless_only_those_begun_are_meant(
    node: Any, folder: Path, gates: Gates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An editor's key ends the evaluation before the load that was asked for behind it."""
    monkeypatch.setattr("midflight.epc.methods.loading._PROGRESS_SECONDS", 60.0)  # the first keeps its place till then
    client = node.connect()
    client.submit("code/load", write(folder, "first", "GATES['first'].wait()\n"), None, None)
    assert gates["first"].reached.wait(SECONDS)
    second = client.submit("code/load", write(folder, "second", "x = 1\n"), None, None)
    third = client.submit("code/load", write(folder, "third", "x = 1\n"), None, None)

    rows = client.call("code/interrupt", None)

    assert [row["modules"] for row in rows] == [["first"]]
    for waiting in (second, third):
        with pytest.raises(RemoteError, match="broken off before it began; nothing was loaded"):
            waiting.result(DEADLINE_SECONDS)
    assert client.call("code/interrupt", True) is None
    assert client.call("code/load", str(folder / "second.py"), None, None)["status"] == "loaded"
