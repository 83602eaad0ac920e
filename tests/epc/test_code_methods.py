"""The methods about modules, over the wire, with the real code server behind them."""

from __future__ import annotations

import queue
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.epc_peer import DEADLINE_SECONDS
from helpers.versions import forget_modules_in
from midflight import Pid, spawn
from midflight.epc import RemoteServer
from midflight.errors import RemoteError

WAITING = "from midflight import receive\n\n\nasync def wait():\n    await receive()\n"


@pytest.fixture
def module(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The path of a module that no other test has loaded; nothing of it stays in the interpreter."""
    name = f"m_{abs(hash(request.node.nodeid)):x}"
    path_before = list(sys.path)
    yield tmp_path / f"{name}.py"
    sys.path[:] = path_before
    forget_modules_in(tmp_path)


@pytest.fixture
def client(node: Any) -> RemoteServer:
    """A connection without a shell."""
    connection = node.connect()
    assert isinstance(connection, RemoteServer)
    return connection


def load(client: RemoteServer, path: Path, source: str | None = None, **options: object) -> dict[str, Any]:
    """Load, and return the whole answer."""
    answer = client.call("code/load", str(path), source, options or None, timeout_seconds=DEADLINE_SECONDS)
    assert isinstance(answer, dict)
    return answer


def test_load_answers_a_report(client: RemoteServer, module: Path) -> None:
    """All keys of a load are there, with what nothing means for each."""
    module.write_text("x = 1\n")
    load(client, module)
    module.write_text("x = 1\ny = 2\n")

    report = load(client, module)

    milliseconds = report.pop("prepare_ms"), report.pop("commit_ms")
    assert all(isinstance(each, float) and each > 0 for each in milliseconds)
    assert report.pop("summary").startswith(f"{module.stem} v2 loaded: y added")
    assert report.pop("text").startswith(f"{module.stem} v2 loaded: y added")
    assert report == {
        "status": "loaded",
        "module": module.stem,
        "version": 2,
        "path": str(module),
        "added": ["y"],
        "changed": [],
        "removed": [],
        "diagnostics": [],
        "lingering": [],
        "moved": [],
        "not_moved": [],
        "upgraded": [],
        "stale_imports": [],
        "held": None,
        "forwarded": None,
        "not_forwarded": None,
        "subclasses": None,
        "kept": None,
        "superseded": None,
        "state": None,
        "can_be_forced": None,
    }


def test_source_is_loaded_in_place_of_the_file(client: RemoteServer, module: Path) -> None:
    """A buffer that is not saved, or has no file yet, is loaded as it is."""
    report = load(client, module, "x = 'from the buffer'\n")

    assert report["status"] == "loaded"
    assert sys.modules[module.stem].x == "from the buffer"
    assert client.call("code/source", module.stem, 1) == "x = 'from the buffer'\n"


@pytest.mark.parametrize(
    ("source", "line", "code", "said"),
    [
        ("x = 1\n\ndef f(:\n    pass\n", 3, "syntax", "invalid syntax"),
        ("x = 1\ny = 1 / 0\n", 2, "body", "division by zero"),
        ("x = 1\n\nimport nowhere_at_all\n", 3, "import", "nowhere_at_all"),
    ],
    ids=["a syntax error", "an exception in the body", "a missing import"],
)
def test_refused_load_is_an_answer_with_diagnostics(
    client: RemoteServer, module: Path, source: str, line: int, code: str, said: str
) -> None:
    """Not an error of the protocol: the status says failed, the version before stays."""
    load(client, module, "x = 'before'\n")

    report = load(client, module, source)

    assert (report["status"], report["version"], report["module"]) == ("failed", None, module.stem)
    (diagnostic,) = report["diagnostics"]
    assert said in diagnostic.pop("message")
    assert diagnostic.pop("end_line") >= line
    assert diagnostic.pop("end_column") >= 0
    assert diagnostic.pop("column") >= 0
    assert diagnostic == {"path": str(module), "line": line, "severity": "error", "code": code}
    assert sys.modules[module.stem].x == "before"


def test_lingering_processes_are_named(node: Any, client: RemoteServer, module: Path) -> None:
    """Who still runs the version before: pid, name, version and place."""
    load(client, module, WAITING)
    pid = spawn_waiting(client, module, name="waiting")

    report = load(client, module, WAITING + "\n\nx = 1\n")

    (lingering,) = report["lingering"]
    assert lingering == {"pid": repr(pid), "name": "waiting", "version": 1, "function": "wait", "line": 5}
    keys = ("version", "vsn", "current", "processes")
    history = client.call("code/history", module.stem)["versions"]
    assert [{key: each[key] for key in keys} for each in history] == [
        {"version": 1, "vsn": lingering_vsn(client, module, 0), "current": False, "processes": 1},
        {"version": 2, "vsn": lingering_vsn(client, module, 1), "current": True, "processes": 0},
    ]
    assert client.call("code/soft-purge", module.stem) is None
    assert client.call("code/purge", module.stem) == [repr(pid)]
    assert client.call("code/soft-purge", module.stem) is True


def test_idle_processes_are_moved_and_the_others_have_a_reason(node: Any, client: RemoteServer, module: Path) -> None:
    """With a load that is asked to, and by itself."""
    load(client, module, WAITING)
    idle = spawn_waiting(client, module)
    load(client, module, WAITING)

    moved = client.call("code/move", module.stem)
    report = load(client, module, "async def wait():\n    pass\n", move=True)

    assert (moved["module"], moved["version"], moved["moved"]) == (module.stem, 2, [repr(idle)])
    assert moved["summary"] == f"{module.stem}: 1 process moved to v2"
    assert moved["text"] == f"{moved['summary']}\n  moved:   {idle!r}\n"
    (stayed,) = report["not_moved"]
    assert stayed.pop("reason") == "wait does not begin with a receive in v3"
    assert [stayed] == report["lingering"]
    assert client.call("code/purge", module.stem) == [repr(idle)]


def spawn_waiting(client: RemoteServer, module: Path, name: str | None = None) -> Pid:
    """Start a process of WAITING, and see it wait."""
    pid = spawn(sys.modules[module.stem].wait, name=name)
    while client.call("process/view", repr(pid))["waiting_for"] != "message":
        pass
    return pid


def lingering_vsn(client: RemoteServer, module: Path, index: int) -> str:
    """The digest of one version, which differs from the others'."""
    vsns = [each["vsn"] for each in client.call("code/history", module.stem)["versions"]]
    assert len(set(vsns)) == len(vsns)
    assert isinstance(vsns[index], str)
    return str(vsns[index])


def test_functions_that_others_hold_are_named_and_forwarded(client: RemoteServer, module: Path) -> None:
    """Forwarded if that is asked for; the answer says which were not, and why."""
    text = "def f(): return 1\ndef g(): return 1\n"
    module.write_text(text)
    load(client, module)
    held = [vars(sys.modules[module.stem])[name] for name in ("f", "g")]

    first = load(client, module, text.replace("1", "2"))
    report = load(client, module, text.replace("1", "3").replace("g()", "g(x)"), forward=True)

    name = {"name": "f", "version": 1}
    assert first["held"] == [name | {"count": 1, "closure": None}, name | {"name": "g", "count": 1, "closure": None}]
    assert report["forwarded"] == ["f"]
    assert report["not_forwarded"] == [
        {"name": "g", "version": 1, "reason": "its parameters are (), and now (x)"},
    ]
    assert [held[0](), held[1]()] == [3, 1]


def test_diff_and_rollback(client: RemoteServer, module: Path) -> None:
    """The texts of two versions compared, and the earlier one loaded as a third."""
    load(client, module, "x = 1\n")
    load(client, module, "x = 2\n")

    text = client.call("code/diff", module.stem, 1, 2)
    report = client.call("code/rollback", module.stem, None)

    assert "-x = 1\n+x = 2\n" in text
    assert (report["status"], report["version"], report["changed"]) == ("loaded", 3, ["x"])
    assert sys.modules[module.stem].x == 1


def test_a_load_says_what_it_kept_and_makes_new_what_is_to_be_fresh(client: RemoteServer, module: Path) -> None:
    """Each name with its outcome and its size."""
    load(client, module, "CACHE = {}\nhits = 0\n")
    loaded = sys.modules[module.stem]
    loaded.CACHE["a"], loaded.hits = 1, 5

    report = load(client, module, "CACHE = {}\nhits = 0\nx = 1\n")
    fresh = load(client, module, "CACHE = {}\nhits = 0\nx = 2\n", fresh=["CACHE"])

    assert [(each["name"], each["outcome"], each["size"]) for each in report["state"]] == [
        ("CACHE", "kept", 1),
        ("hits", "kept", None),
    ]
    assert "kept state: CACHE (1), hits" in report["summary"]
    assert [(each["name"], each["outcome"]) for each in fresh["state"]] == [("CACHE", "left"), ("hits", "kept")]
    assert (loaded.CACHE, loaded.hits) == ({}, 5)
    with pytest.raises(RemoteError, match="FRESH must be a list of names"):
        load(client, module, "x = 3\n", fresh="CACHE")


def test_a_rollback_can_be_forced(client: RemoteServer, module: Path) -> None:
    """What the checks refuse, as for any load."""
    load(client, module, "def f(): return nonesuch\n", force=True)
    load(client, module, "def f(): return 1\n")

    refused = client.call("code/rollback", module.stem, 1, None)
    forced = client.call("code/rollback", module.stem, 1, {"force": True, "move": True})

    assert (refused["status"], forced["status"]) == ("failed", "loaded")


def test_other_connections_hear_of_a_load(node: Any, client: RemoteServer, module: Path) -> None:
    """Everyone but the one who loaded gets the same report, with who it was; of a refusal nobody hears."""
    heard: queue.Queue[dict[str, Any]] = queue.Queue()
    node.connect({"code/loaded": heard.put})

    load(client, module, "x = (\n")
    report = load(client, module, "x = 1\n")
    rolled = client.call("code/rollback", module.stem, 1)

    assert heard.get(timeout=DEADLINE_SECONDS) == report | {"by": "connection 1"}
    assert heard.get(timeout=DEADLINE_SECONDS) == rolled | {"by": "connection 1"}


def test_body_prints_into_the_shell_of_its_connection(node: Any, module: Path) -> None:
    """What a module says while it is loaded shows where it was loaded from."""
    shown: queue.Queue[str] = queue.Queue()
    client = node.connect({"shell/output": lambda _session, text: shown.put(text)})
    client.call("shell/open")

    load(client, module, "print('loading')\n")

    assert shown.get(timeout=DEADLINE_SECONDS) == "loading\n"


def test_body_that_exits_is_a_refusal(client: RemoteServer, module: Path) -> None:
    """sys.exit() in a body ends neither the worker nor the server."""
    report = load(client, module, "import sys\nsys.exit(3)\n")

    assert report["status"] == "failed"
    assert client.call("ping") == "pong"


@pytest.mark.parametrize(
    ("method", "arguments", "expected"),
    [
        ("code/load", ("relative.py", None, None), "PATH must be an absolute path, received 'relative.py'"),
        ("code/load", ("/x.py", 3, None), "SOURCE must be a string"),
        ("code/load", ("/x.py", None, {"fast": True}), "property list of :force :two-versions"),
        ("code/load", ("/x.py", None, ["force"]), "property list of :force :two-versions"),
        ("code/load", ("/x.py",), "takes PATH SOURCE OPTIONS, received 1"),
        ("code/history", (1,), "MODULE must be a string"),
        ("code/diff", ("m", 1, "2"), "B must be an integer"),
        ("code/rollback", ("m", "1"), "VERSION must be an integer"),
        ("code/rollback", ("m", 1, {"two_versions": True}), "property list of :force :move, received"),
    ],
)
def test_misuse_is_refused_in_words(
    client: RemoteServer, method: str, arguments: tuple[Any, ...], expected: str
) -> None:
    """What was wrong, that nothing was done, and what to send."""
    with pytest.raises(RemoteError, match=expected) as caught:
        client.call(method, *arguments)
    assert "nothing was done" in str(caught.value)


def test_unknown_module_is_refused(client: RemoteServer) -> None:
    """The code server's own words come through."""
    with pytest.raises(RemoteError, match="no_such_module was never loaded"):
        client.call("code/history", "no_such_module")
