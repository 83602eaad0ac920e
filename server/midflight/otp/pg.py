"""Process groups: processes under a name, in a scope, which is a process of its own.

`await pg.start_link()`, or ChildSpec("pg", pg.start_link) in a tree. A process may be in any number of groups, and in
one several times: it leaves as often as it has joined. One that ends is out of all its groups.
Groups and members are read by plain calls on the runtime's thread; what changes them is awaited.
In a cluster the scopes of one name on all nodes are one: each tells the others which of its own processes are where,
and asks a scope that it meets for that. With a node that is lost, or a scope that ends, its members are out of all
groups. OTP: pg.

    ("pg_discover", scope) | ("pg_sync", scope, {group: pids}) | ("pg_join" or "pg_leave", scope, group, pids)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Any

from midflight.errors import NoSuchName
from midflight.kernel import (
    Client,
    Down,
    Pid,
    Ref,
    arguments,
    current_process,
    current_scheduler,
    process_named,
    self_,
    server_of,
)
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
    return Groups.start_link(scope, name=arguments.given_name("a scope", scope))


def start(scope: str = SCOPE) -> Starting:
    """Start a scope of groups; to be awaited for its pid. OTP: pg:start/1."""
    return Groups.start(scope, name=arguments.given_name("a scope", scope))


async def join(group: Hashable, pids: Pid | Iterable[Pid], scope: Dest = SCOPE) -> None:
    """Put processes of this node into a group, which need not be there; a pid twice is in it twice.

    Raises: CallError ("noproc") if the scope does not run; TypeError; ValueError for a process of another node.
    OTP: pg:join/2,3.
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

    In a cluster those of this node come before the others. Raises: NoSuchName if the scope does not run.
    OTP: pg:get_members/1,2.
    """
    members = _server(scope).members(arguments.hashable("a group", group))
    return [pid for pid in members if pid.process is not None]


def get_local_members(group: Hashable, scope: Dest = SCOPE) -> list[Pid]:
    """Return the members of a group on this node. Raises: as `get_members`. OTP: pg:get_local_members/1,2."""
    return [pid for pid in get_members(group, scope) if not pid.node]


def which_groups(scope: Dest = SCOPE) -> list[Hashable]:
    """Return the groups that have members. Raises: NoSuchName. OTP: pg:which_groups/0,1."""
    return _server(scope).all_groups()


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

    def init(self, scope: str) -> None:
        """Start without groups; ask the scopes of that name on other nodes for theirs."""
        self.scope = scope
        self.groups: dict[Hashable, list[Pid]] = {}  # members of this node, in the order in which they joined
        self.elsewhere: dict[Pid, dict[Hashable, list[Pid]]] = {}  # those of other nodes, by their scope
        self.watches: dict[Pid, Ref] = {}
        self.watchers: dict[Ref, tuple[Pid, tuple[Hashable] | None]] = {}  # who is told, and of which group; None: all
        nodes = current_scheduler().nodes
        if nodes is not None:
            nodes.watch_nodes(current_process("a scope"))
            for name in nodes.others():
                self._discover(name)

    def members(self, group: Hashable) -> list[Pid]:
        """Return the members of a group on all nodes, those of this one first."""
        found = self.groups.get(group, [])[::-1]
        for theirs in self.elsewhere.values():
            found += theirs.get(group, [])[::-1]
        return found

    def all_groups(self) -> list[Hashable]:
        """Return the groups that have members on any node."""
        return list(dict.fromkeys([*self.groups, *(group for theirs in self.elsewhere.values() for group in theirs)]))

    def handle_call(self, request: Any, client: Client) -> Any:
        """Change a group, or who is told of changes."""
        match request:
            case ("join", group, pids):
                for pid in pids:
                    self._watch(pid)
                self.groups.setdefault(group, []).extend(pids)
                self._tell("join", group, pids)
                self._tell_scopes("pg_join", group, pids)
                return None
            case ("leave", group, pids):
                gone = [pid for pid in pids if _take_out(self.groups, group, pid)]
                for pid in gone:
                    self._unwatch(pid)
                if gone:
                    self._tell("leave", group, gone)
                    self._tell_scopes("pg_leave", group, gone)
                return bool(gone)
            case ("monitor", group):
                self._watch(client.pid)
                ref = Ref()
                self.watchers[ref] = client.pid, group
                if group is None:
                    return ref, {each: self.members(each) for each in self.all_groups()}
                return ref, self.members(group[0])
            case ("demonitor", ref):
                watcher = self.watchers.pop(ref, None)
                if watcher is not None:
                    self._unwatch(watcher[0])
                return watcher is not None
        return super().handle_call(request, client)

    def handle_info(self, message: Any) -> None:
        """Take a process that has ended out of all groups, and take in what the scopes of other nodes say."""
        match message:
            case Down(_, Pid() as pid, _):
                self._ended(pid)
            case ("nodeup", str() as name):
                self._discover(name)
            case ("nodedown", _):
                pass  # the scope of that node goes by its Down
            case ("pg_discover", Pid() as scope):
                self._meet(scope)
                scope << ("pg_sync", self_(), self.groups)
            case ("pg_sync", Pid() as scope, dict() as groups):
                self._meet(scope)
                self._sync(scope, groups)
            case ("pg_join" | "pg_leave" as kind, Pid() as scope, group, list() as pids):
                self._changed(kind, scope, group, pids)
            case _:
                super().handle_info(message)

    def _discover(self, node: str) -> None:
        """Ask the scope of that name on `node` for its members, if there is one."""
        process = process_named(current_scheduler(), self.scope, node)
        if process is not None:
            process.pid << ("pg_discover", self_())

    def _meet(self, scope: Pid) -> None:
        """Watch a scope of another node, if it is not known; ask it for its members."""
        if scope not in self.elsewhere:
            self.elsewhere[scope] = {}
            watch(scope)
            scope << ("pg_discover", self_())

    def _sync(self, scope: Pid, groups: dict[Hashable, list[Pid]]) -> None:
        """Take `groups` for all that the processes of another node are in, and tell of what has changed."""
        before, self.elsewhere[scope] = self.elsewhere[scope], groups
        for group in dict.fromkeys([*before, *groups]):
            old, new = Counter(before.get(group, ())), Counter(groups.get(group, ()))
            for kind, pids in (("leave", old - new), ("join", new - old)):
                if pids:
                    self._tell(kind, group, list(pids.elements()))

    def _changed(self, kind: str, scope: Pid, group: Hashable, pids: list[Pid]) -> None:
        """Take in that processes of another node have joined or left; one that was not met tells all when it is."""
        theirs = self.elsewhere.get(scope)
        if theirs is None:
            return
        if kind == "pg_join":
            theirs.setdefault(group, []).extend(pids)
            self._tell("join", group, pids)
        else:
            self._tell("leave", group, [pid for pid in pids if _take_out(theirs, group, pid)])

    def _ended(self, pid: Pid) -> None:
        for group, pids in self.elsewhere.pop(pid, {}).items():
            self._tell("leave", group, pids)
        self.watches.pop(pid, None)
        self.watchers = {ref: each for ref, each in self.watchers.items() if each[0] is not pid}
        for group in list(self.groups):
            times = 0
            while _take_out(self.groups, group, pid):
                times += 1
            if times:
                self._tell("leave", group, [pid] * times)
                self._tell_scopes("pg_leave", group, [pid] * times)

    def _tell_scopes(self, kind: str, group: Hashable, pids: list[Pid]) -> None:
        for scope in self.elsewhere:
            scope << (kind, self_(), group, pids)

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


def _take_out(groups: dict[Hashable, list[Pid]], group: Hashable, pid: Pid) -> bool:
    """Take the last of its memberships from `pid`; say whether there was one."""
    members = groups.get(group, [])
    for index in reversed(range(len(members))):
        if members[index] is pid:
            del members[index]
            if not members:
                del groups[group]
            return True
    return False


def _pids(pids: Pid | Iterable[Pid]) -> list[Pid]:
    several = [pids] if type(pids) is Pid else arguments.items("the members of a group", pids)
    return [arguments.local_pid("a group", pid) for pid in several]


def _server(scope: Dest) -> Groups:
    pid = whereis_dest(scope)
    server = None if pid is None or pid.process is None else server_of(pid.process)
    if not isinstance(server, Groups):
        raise NoSuchName(scope)
    return server
