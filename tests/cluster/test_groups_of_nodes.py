"""Process groups across nodes: the scopes of one name are one."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.node_worlds import Member, World
from midflight import Pid, receive
from midflight.otp import pg


async def wait() -> Any:
    return await receive()


def start(member: Member) -> Any:
    async def begin() -> Any:
        return await pg.start()

    return member.run(begin)


def join(member: Member, group: str, pid: Pid) -> None:
    async def enter() -> None:
        await pg.join(group, pid)

    member.run(enter)


def names(member: Member, group: str = "g") -> list[str]:
    """Return the nodes of the members, as one node sees them."""
    return [member.node.name_of(pid) for pid in member.do(pg.get_members, group)]


def test_members_of_all_nodes_are_in_a_group(world: World) -> None:
    """Those who joined before the nodes met and after; local ones are those of the node that is asked."""
    a, b = world.pair()
    start(a)
    join(a, "g", a.spawn(wait))
    start(b)
    join(b, "g", b.spawn(wait))
    c = world.add("c")
    world.meet()
    start(c)
    world.until(lambda: [names(each) for each in (a, b)] == [["a", "b"], ["b", "a"]])
    world.until(lambda: sorted(names(c)) == ["a", "b"])  # in the order in which it met the two

    assert [len(each.do(pg.get_local_members, "g")) for each in (a, b, c)] == [1, 1, 0]
    assert c.do(pg.which_groups) == ["g"]


@pytest.mark.parametrize("how", ["ends", "leaves", "is cut off", "stops", "scope ends"])
def test_a_member_of_another_node_goes(world: World, how: str) -> None:
    """With its process, by leave, with its node or scope; who monitors the group is told."""
    a, b = world.pair()
    start(a)
    scope = start(b)
    near = b.spawn(wait)
    join(b, "g", near)
    world.until(lambda: names(a) == ["b"])
    told: list[Any] = []

    async def watch() -> None:
        _, members = await pg.monitor("g")
        told.append(len(members))
        told.append((await receive())[1:3])

    async def leave() -> None:
        await pg.leave("g", near)

    a.spawn(watch)
    world.until(lambda: told == [1])
    match how:
        case "ends":
            near << "end"
        case "leaves":
            b.run(leave)
        case "is cut off":
            world.network.cut("a", "b")
        case "stops":
            b.stop()
        case "scope ends":
            b.do(lambda: __import__("midflight").exit(scope, "kill"))
    world.until(lambda: len(told) == 2)

    assert told[1] == ("leave", "g")
    assert names(a) == []


def test_members_are_back_when_nodes_meet_again(world: World) -> None:
    """Also those who joined and left meanwhile are right."""
    a, b = world.pair()
    start(a)
    start(b)
    first, second = b.spawn(wait), b.spawn(wait)
    join(b, "g", first)
    world.until(lambda: names(a) == ["b"])
    world.network.cut("a", "b")
    world.until(lambda: not names(a))
    first << "end"
    join(b, "g", second)
    world.network.heal("a", "b")
    world.until(lambda: names(a) == ["b"])

    assert a.do(pg.get_members, "g") == [a.node.pid_at(*b.node.address_of(second))]


def test_only_processes_of_this_node_join(world: World) -> None:
    """OTP: pg:join/2 takes local processes."""
    a, b = world.pair()
    start(a)
    far = a.node.pid_at(*b.node.address_of(b.spawn(wait)))

    async def main() -> None:
        with pytest.raises(ValueError, match="a group takes a process of this node"):
            await pg.join("g", far)

    a.run(main)
