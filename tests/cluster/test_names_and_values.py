"""Global names, spawning on another node, node monitors, and the values that go between nodes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from helpers.node_worlds import World
from helpers.versions import forget_modules_in
from midflight import (
    AlreadyStarted,
    CallError,
    Exit,
    GenServer,
    RegistrationError,
    call,
    cluster,
    code,
    receive,
    register,
    registered,
    self_,
    trap_exit,
    unregister,
    whereis,
)


@dataclass
class Order:
    """A value of a class of the project."""

    what: str
    count: int = 1


class Shop(GenServer):
    """Answers with what it is asked, in a list."""

    def handle_call(self, request: Any, client: Any) -> Any:
        return [request]


async def wait(value: Any = None) -> Any:
    return await receive()


async def fail(text: str) -> None:
    raise ValueError(text)


async def add(one: int, two: int) -> int:
    return one + two


def test_a_global_name_is_found_from_every_node(world: World) -> None:
    """From those that are there and from one that comes later; it goes with its process, or when it is freed."""
    a, b = world.pair()
    pid = a.spawn(wait)
    a.do(lambda: register("db", pid, scope="global"))
    c = world.add("c")
    world.meet()
    world.until(lambda: all(each.do(lambda: whereis("db", scope="global")) for each in (b, c)))

    assert b.do(lambda: whereis("db", scope="global")) is b.node.pid_at(*a.node.address_of(pid))
    assert c.do(lambda: registered(scope="global")) == ["db"]
    assert a.do(lambda: (whereis("db"), registered())) == (None, ["midflight.net"])
    with pytest.raises(RegistrationError, match="is the global name of"):
        b.do(lambda: register("db", b.spawn(wait), scope="global"))
    with pytest.raises(RegistrationError, match="no process of this node has the global name"):
        b.do(lambda: unregister("db", scope="global"))

    pid << "end"
    world.until(lambda: not any(each.do(lambda: registered(scope="global")) for each in (a, b, c)))


@pytest.mark.parametrize("first", ["a", "b"])
def test_of_two_that_have_a_global_name_one_keeps_it(world: World, first: str) -> None:
    """Nodes that are parted both give it; when they meet again the node that sorts first keeps it."""
    a, b = world.pair()
    found: list[Any] = []

    async def holder() -> None:
        trap_exit(True)
        found.append(await receive())

    pids = {"a": a.spawn(holder), "b": b.spawn(holder)}
    world.network.cut("a", "b")
    world.until(lambda: not a.node.peers and not b.node.peers)
    for member in (a, b) if first == "a" else (b, a):
        member.do(lambda name=member.node.name: register("db", pids[name], scope="global"))
    world.network.heal("a", "b")
    world.until(lambda: bool(found))

    assert [each.reason for each in found] == [("global_name_conflict", "db")]
    assert a.do(lambda: whereis("db", scope="global")) is pids["a"]
    assert b.do(lambda: whereis("db", scope="global")) is b.node.pid_at(*a.node.address_of(pids["a"]))
    assert pids["b"].process is None


def test_a_global_name_of_a_lost_node_is_free(world: World) -> None:
    """The others may give it again."""
    a, b = world.pair()
    b.do(lambda: register("db", b.spawn(wait), scope="global"))
    world.until(lambda: a.do(lambda: whereis("db", scope="global")) is not None)
    b.stop()
    world.until(lambda: a.do(lambda: whereis("db", scope="global")) is None)

    a.do(lambda: register("db", a.spawn(wait), scope="global"))


def test_a_server_starts_and_is_called_by_a_global_name(world: World) -> None:
    """Only once in the cluster."""
    a, b = world.pair()
    name = cluster.GlobalName("shop")

    async def start() -> Any:
        return await Shop.start(name=name)

    b.run(start)
    world.until(lambda: a.do(lambda: whereis("shop", scope="global")) is not None)

    async def main() -> Any:
        with pytest.raises(AlreadyStarted):
            await Shop.start(name=name)
        return await call(name, Order("tea"))

    assert a.run(main) == [Order("tea")]


def test_processes_are_spawned_on_another_node(world: World) -> None:
    """Linked before they run, or monitored; the function goes by its name."""
    a, b = world.pair()

    async def main() -> Any:
        trap_exit(True)
        pid = await cluster.spawn("b", wait)
        linked = await cluster.spawn("b", fail, "no", link=True)
        ended = await receive(Exit)
        watched, ref = await cluster.spawn("b", wait, monitor=True)
        watched << "end"
        down = await receive((ref, ..., ...))
        return cluster.node(pid), ended.pid is linked, repr(ended.reason), down.reason, cluster.node(), cluster.nodes()

    assert a.run(main) == ("b", True, "ValueError('no')", "normal", "a", ["b"])
    assert len(b.crashes) == 1


def test_a_function_is_called_on_another_node(world: World) -> None:
    """Its value comes back, or its exception; a node that is not there is an error at once."""
    a, b = world.pair()

    async def main() -> Any:
        found: list[Any] = [await cluster.call_function("b", add, 1, 2)]
        found.append(cluster.node(await cluster.call_function("b", self_)))
        for name in ("b", "nowhere"):
            try:
                await cluster.call_function(name, fail, "no")
            except CallError as error:
                found.append((repr(error.reason), type(error.__cause__)))
            except cluster.NodeDown as error:
                found.append(error.node)
        return found

    assert a.run(main) == [3, "b", ("ValueError('no')", ValueError), "nowhere"]
    assert b.crashes == []


def test_node_monitors_tell_of_nodes(world: World) -> None:
    """monitor_node once a call, at once for one that is not there; monitor_nodes of all that come and go."""
    a = world.add("a")
    found: list[Any] = []

    async def watch() -> None:
        cluster.monitor_nodes()
        cluster.monitor_node("c")
        while True:
            found.append(await receive())
            if found[-1] == ("nodeup", "b"):
                cluster.monitor_node("b")
                cluster.monitor_node("b")
                cluster.monitor_node("b", False)

    a.spawn(watch)
    b = world.add("b")
    world.meet()
    b.stop()
    world.until(lambda: len(found) >= 4)
    world.step()

    assert found == [("nodedown", "c"), ("nodeup", "b"), ("nodedown", "b"), ("nodedown", "b")]


@pytest.mark.parametrize(
    "value",
    [
        None,
        ("a", 1, 2.5, b"x", [True, None], {"k": {1, 2}}),
        Order("tea", 3),
        [Order, add, ValueError],
        {"deep": [[[Order("x")]]]},
        2**200,
        "\ud800",
    ],
)
def test_values_arrive_as_they_were(world: World, value: Any) -> None:
    """Those of the project's classes too, and the classes themselves."""
    a, b = world.pair()

    async def start() -> Any:
        return await Shop.start()

    far = a.node.pid_at(*b.node.address_of(b.run(start)))

    async def main() -> Any:
        return await call(far, value)

    assert a.run(main) == [value]


def test_a_message_is_a_copy(world: World) -> None:
    """As in Erlang, and unlike one to a process of this node: what the sender changes later does not arrive."""
    a, b = world.pair()
    got: list[Any] = []

    async def take() -> None:
        got.append(await receive())

    far = a.node.pid_at(*b.node.address_of(b.spawn(take)))
    value = [1]
    a.do(lambda: far << value)
    value.append(2)
    world.until(lambda: bool(got))

    assert got == [[1]]


def test_a_class_that_is_not_here_refuses_the_message(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """The call gets the reason; a message is dropped, both logs say so, and what comes after it arrives."""
    a, b = world.pair()
    module = ModuleType("only_there")
    module.__file__ = __file__
    exec("class Gone:\n    pass", module.__dict__)
    got: list[Any] = []

    async def take() -> Any:
        got.append(await receive())
        return take()

    async def start() -> Any:
        return await Shop.start()

    async def ask() -> None:
        try:
            await call(server, module.Gone())
        except CallError as error:
            got.append(error.reason)

    far = a.node.pid_at(*b.node.address_of(b.spawn(take)))
    server = a.node.pid_at(*b.node.address_of(b.run(start)))
    sys.modules["only_there"] = module
    try:
        a.do(lambda: far << module.Gone())
        a.do(lambda: far << "next")
        a.spawn(ask)
        a.do(a.scheduler.run_until_idle)
    finally:
        del sys.modules["only_there"]
    world.until(lambda: len(got) == 2)
    world.until(lambda: "Node b has refused a message of this node" in caplog.text)

    assert got[0] == "next"
    assert isinstance(got[1], cluster.VersionSkew)
    assert (got[1].cls, got[1].ours, got[1].node) == ("only_there.Gone", None, "a")


@pytest.mark.parametrize("declares", ["the same", "more"])
def test_a_class_of_another_version_is_reported(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, declares: str
) -> None:
    """With both versions: a warning if only its text differs, and the message is refused if its fields do."""
    a, b = world.pair()
    monkeypatch.syspath_prepend(str(tmp_path))
    text = "from dataclasses import dataclass\n\n\n@dataclass\nclass Parcel:\n    to: str\n"
    path = tmp_path / f"parcels_{declares.replace(' ', '_')}.py"
    path.write_text(text)
    name = path.stem
    code.load(str(path))
    got: list[Any] = []

    async def start() -> Any:
        return await Shop.start()

    async def ask() -> None:
        try:
            got.append(await call(server, sys.modules[name].Parcel("ada")))
        except CallError as error:
            got.append(error.reason)

    server = a.node.pid_at(*b.node.address_of(b.run(start)))
    before = code.versions(name)[-1].vsn
    a.spawn(ask)
    a.do(a.scheduler.run_until_idle)
    extra = "    weight: int = 0\n" if declares == "more" else "\n    def label(self) -> str:\n        return self.to\n"
    code.load(str(path), source=text + extra)
    after = code.versions(name)[-1].vsn
    world.until(lambda: bool(got))

    if declares == "more":
        assert isinstance(got[0], cluster.VersionSkew)
        assert (got[0].theirs, got[0].ours) == (str(before)[:12], str(after)[:12])
    else:
        assert got[0][0].label() == "ada"
        assert f"came from version {str(before)[:12]} of its module, and here it is version" in caplog.text
    forget_modules_in(tmp_path)
