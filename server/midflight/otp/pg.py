"""Process groups: processes under a name, in a scope, which is a process of its own.

`await pg.start_link()`, or ChildSpec("pg", pg.start_link) in a tree. A process may be in any number of groups, and in
one several times: it leaves as often as it has joined. One that ends is out of all its groups.
Groups and members are read by plain calls on the runtime's thread; what changes them is awaited.
OTP: pg, where a scope spans nodes; here it is of one runtime.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from midflight.errors import NoSuchName
from midflight.kernel import Client, Down, Pid, Ref, arguments, server_of
from midflight.kernel import demonitor as unwatch
from midflight.kernel import monitor as watch
from midflight.otp.calls import call, whereis_dest
from midflight.otp.gen_server import GenServer
from midflight.otp.protocol import Dest
from midflight.otp.starting import Starting

__all__ = [
    "demonitor",
    "get_local_members",
    "get_members",
    "join",
    "leave",
    "monitor",
    "monitor_scope",
    "start",
    "start_link",
    "which_groups",
]

SCOPE = "pg"


def start_link(scope: str = SCOPE) -> Starting:
    """Start a scope of groups, linked to the caller; to be awaited for its pid. OTP: pg:start_link/0,1."""
    return Groups.start_link(name=arguments.given_name("a scope", scope))


def start(scope: str = SCOPE) -> Starting:
    """Start a scope of groups; to be awaited for its pid. OTP: pg:start/1."""
    return Groups.start(name=arguments.given_name("a scope", scope))


async def join(group: Hashable, pids: Pid | Iterable[Pid], scope: Dest = SCOPE) -> None:
    """Put processes into a group, which need not be there; a pid twice is in it twice.

    Raises: CallError ("noproc") if the scope does not run; TypeError. OTP: pg:join/2,3.
    """
    await call(scope, ("join", arguments.hashable("a group", group), _pids(pids)))


async def leave(group: Hashable, pids: Pid | Iterable[Pid], scope: Dest = SCOPE) -> bool:
    """Take processes out of a group, each once; return False if none of them was in it.

    Raises: as `join`. OTP: pg:leave/2,3.
    """
    is_left: bool = await call(scope, ("leave", arguments.hashable("a group", group), _pids(pids)))
    return is_left


def get_members(group: Hashable, scope: Dest = SCOPE) -> list[Pid]:
    """Return the living members of a group, the last one that has joined first; none if there is no such group.

    Raises: NoSuchName if the scope does not run. OTP: pg:get_members/1,2.
    """
    members = _server(scope).groups.get(arguments.hashable("a group", group), ())
    return [pid for pid in reversed(members) if pid.process is not None]


def get_local_members(group: Hashable, scope: Dest = SCOPE) -> list[Pid]:
    """Return the members of a group on this node: all that there are. OTP: pg:get_local_members/1,2."""
    return get_members(group, scope)


def which_groups(scope: Dest = SCOPE) -> list[Hashable]:
    """Return the groups that have members. Raises: NoSuchName. OTP: pg:which_groups/0,1."""
    return list(_server(scope).groups)


async def monitor(group: Hashable, scope: Dest = SCOPE) -> tuple[Ref, list[Pid]]:
    """Have the calling process told of each change of a group; return the ref, and the members of now.

    Messages are (ref, "join", group, pids) and (ref, "leave", group, pids); a member that ends leaves.
    Raises: CallError. OTP: pg:monitor/1,2.
    """
    found: tuple[Ref, list[Pid]] = await call(scope, ("monitor", (arguments.hashable("a group", group),)))
    return found


async def monitor_scope(scope: Dest = SCOPE) -> tuple[Ref, dict[Hashable, list[Pid]]]:
    """Have the calling process told of each change of all groups; return the ref, and the members of now by group.

    Raises: CallError. OTP: pg:monitor_scope/0,1.
    """
    found: tuple[Ref, dict[Hashable, list[Pid]]] = await call(scope, ("monitor", None))
    return found


async def demonitor(ref: Ref, scope: Dest = SCOPE) -> bool:
    """Have nobody told any more; return False if nobody was. Raises: CallError. OTP: pg:demonitor/1,2."""
    was_there: bool = await call(scope, ("demonitor", ref))
    return was_there


class Groups(GenServer):
    """The process of a scope: it keeps the groups, and monitors the processes that are in them."""

    def init(self) -> None:
        """Start without groups."""
        self.groups: dict[Hashable, list[Pid]] = {}  # members in the order in which they joined
        self.watches: dict[Pid, Ref] = {}
        self.watchers: dict[Ref, tuple[Pid, tuple[Hashable] | None]] = {}  # who is told, and of which group; None: all

    def handle_call(self, request: Any, client: Client) -> Any:
        """Change a group, or who is told of changes."""
        match request:
            case ("join", group, pids):
                for pid in pids:
                    self._watch(pid)
                self.groups.setdefault(group, []).extend(pids)
                self._tell("join", group, pids)
                return None
            case ("leave", group, pids):
                gone = [pid for pid in pids if self._take_out(group, pid)]
                for pid in gone:
                    self._unwatch(pid)
                if gone:
                    self._tell("leave", group, gone)
                return bool(gone)
            case ("monitor", group):
                self._watch(client.pid)
                ref = Ref()
                self.watchers[ref] = client.pid, group
                if group is None:
                    return ref, {each: members[::-1] for each, members in self.groups.items()}
                return ref, self.groups.get(group[0], [])[::-1]
            case ("demonitor", ref):
                watcher = self.watchers.pop(ref, None)
                if watcher is not None:
                    self._unwatch(watcher[0])
                return watcher is not None
        return super().handle_call(request, client)

    def handle_info(self, message: Any) -> None:
        """Take a process that has ended out of all groups."""
        if type(message) is not Down:
            super().handle_info(message)
            return
        pid = message.pid
        assert isinstance(pid, Pid)
        self.watches.pop(pid, None)
        self.watchers = {ref: each for ref, each in self.watchers.items() if each[0] is not pid}
        for group in list(self.groups):
            times = 0
            while self._take_out(group, pid):
                times += 1
            if times:
                self._tell("leave", group, [pid] * times)

    def _take_out(self, group: Hashable, pid: Pid) -> bool:
        """Take the last of its memberships from `pid`; say whether there was one."""
        members = self.groups.get(group, [])
        for index in reversed(range(len(members))):
            if members[index] is pid:
                del members[index]
                if not members:
                    del self.groups[group]
                return True
        return False

    def _tell(self, kind: str, group: Hashable, pids: list[Pid]) -> None:
        for ref, (pid, wanted) in self.watchers.items():
            if wanted is None or wanted[0] == group:
                pid << (ref, kind, group, pids)

    def _watch(self, pid: Pid) -> None:
        if pid not in self.watches:
            self.watches[pid] = watch(pid)

    def _unwatch(self, pid: Pid) -> None:
        """Stop monitoring `pid`, if nothing of it is here any more."""
        is_member = any(pid in members for members in self.groups.values())
        if not is_member and all(watcher is not pid for watcher, _ in self.watchers.values()):
            ref = self.watches.pop(pid, None)
            if ref is not None:
                unwatch(ref, flush=True)


def _pids(pids: Pid | Iterable[Pid]) -> list[Pid]:
    if type(pids) is Pid:
        return [pids]
    return [arguments.pid("a group", pid) for pid in arguments.items("the members of a group", pids)]


def _server(scope: Dest) -> Groups:
    pid = whereis_dest(scope)
    server = None if pid is None or pid.process is None else server_of(pid.process)
    if not isinstance(server, Groups):
        raise NoSuchName(scope)
    return server
