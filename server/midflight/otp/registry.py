"""`Registry`: the holders of keys, found in constant time. Entries go with their process.

The entries live in the state of the registry's process, so they have one owner and end with it; they are read and
written by a plain function call on the runtime's thread, without a message, as Erlang reads an ets table. An entry
ties its process to the registry by a link, which tells the registry of its end.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from midflight.errors import AlreadyStarted, NoSuchName, RegistrationError
from midflight.kernel import Exit, Pid, arguments, current_process, link, server_of, trap_exit, unlink
from midflight.otp.calls import whereis_dest
from midflight.otp.gen_server import GenServer
from midflight.otp.protocol import Dest
from midflight.otp.starting import Starting
from midflight.text import short

__all__ = ["Registry", "Via"]

KEYS = ("unique", "duplicate")


class Registry:
    """A handle to a registry by its name; it costs nothing and needs no registry to be there yet.

    Keys "unique": one process a key; "duplicate": any number. If the registry ends, so do those that are registered
    in it, as their names are gone. Every function raises NoSuchName if no registry runs by that name, and must be
    called on the thread of the runtime.
    OTP: Elixir's Registry, without partitions, listeners, match specs and metadata.

    Example:

        await Registry.start_link("rooms", "duplicate")  # or ChildSpec("rooms", Registry, ("rooms", "duplicate"))
        rooms = Registry("rooms")
        rooms.register("lobby", "guest")  # the calling process
        rooms.lookup("lobby") == [(self_(), "guest")]  # -> True
    """

    __slots__ = ("dest",)

    def __init__(self, dest: Dest) -> None:
        self.dest = dest

    @classmethod
    def start_link(cls, name: str, keys: str = "unique") -> Starting:
        """Start a registry, linked to the caller; to be awaited for its pid. Raises: ValueError; AlreadyStarted.

        Example:

            await Registry.start_link("rooms")
            whereis("rooms") is None, Registry("rooms").count()  # -> (False, 0)
        """
        if keys not in KEYS:
            raise ValueError(f"keys must be one of {KEYS}, not {short(keys)}; no registry was started")
        return RegistryServer.start_link(keys == "unique", name=arguments.given_name("a registry", name))

    def register(self, key: Hashable, value: Any = None) -> None:
        """Register the calling process under `key`, with a value for others to read.

        Raises: RegistrationError if keys are unique and a process that is alive, this one too, has the key; or if
        keys may be duplicate and this process has it; NotInProcess. OTP: Elixir's Registry.register/3.

        Example:

            await Registry.start_link("rooms")
            rooms = Registry("rooms")
            rooms.register("lobby", "guest")
            rooms.lookup("lobby") == [(self_(), "guest")]  # -> True
        """
        self._entries().add(arguments.hashable("a key", key), current_process("register()").pid, value)

    def unregister(self, key: Hashable) -> None:
        """Take the key back from the calling process, if it has it. Raises: NotInProcess.

        Example:

            await Registry.start_link("rooms")
            rooms = Registry("rooms")
            rooms.register("lobby")
            rooms.unregister("lobby")
            rooms.count()  # -> 0
        """
        self._entries().remove(arguments.hashable("a key", key), current_process("unregister()").pid)

    def update(self, key: Hashable, function: Callable[[Any], Any]) -> Any:
        """Replace the value of the calling process under `key` by `function(value)` and return it.

        Raises: KeyError if it does not have the key; NotInProcess. OTP: Elixir's Registry.update_value/3.

        Example:

            await Registry.start_link("rooms")
            rooms = Registry("rooms")
            rooms.register("lobby", 1)
            rooms.update("lobby", lambda guests: guests + 1)  # -> 2
        """
        arguments.callable_("update()", function)
        values = self._entries().by_key.get(arguments.hashable("a key", key), {})
        me = current_process("update()").pid
        if me not in values:
            raise KeyError(key)
        values[me] = value = function(values[me])
        return value

    def lookup(self, key: Hashable) -> list[tuple[Pid, Any]]:
        """Return (pid, value) of the living processes that have the key, in the order in which they registered.

        Example:

            await Registry.start_link("rooms", "duplicate")
            rooms = Registry("rooms")
            rooms.register("lobby", "ada")
            rooms.lookup("lobby") == [(self_(), "ada")], rooms.lookup("attic")  # -> (True, [])
        """
        values = self._entries().by_key.get(arguments.hashable("a key", key), {})
        return [(pid, value) for pid, value in values.items() if pid.process is not None]

    def whereis(self, key: Hashable) -> Pid | None:
        """Return the first that has the key, or None.

        Example:

            await Registry.start_link("rooms")
            rooms = Registry("rooms")
            rooms.register("lobby")
            rooms.whereis("lobby") == self_(), rooms.whereis("attic")  # -> (True, None)
        """
        found = self.lookup(key)
        return found[0][0] if found else None

    def keys(self, pid: Pid) -> list[Hashable]:
        """Return the keys of a process, in the order in which it registered; none if it is dead.

        Example:

            await Registry.start_link("rooms")
            rooms = Registry("rooms")
            rooms.register("lobby")
            rooms.register("attic")
            rooms.keys(self_())  # -> ['lobby', 'attic']
        """
        entries = self._entries()
        return list(entries.by_pid.get(pid, ())) if arguments.pid("keys()", pid).process is not None else []

    def count(self) -> int:
        """Return how many entries there are.

        Example:

            await Registry.start_link("rooms")
            rooms = Registry("rooms")
            rooms.register("lobby")
            rooms.count()  # -> 1
        """
        return sum(len(keys) for pid, keys in self._entries().by_pid.items() if pid.process is not None)

    def dispatch(self, key: Hashable, function: Callable[[list[tuple[Pid, Any]]], object]) -> None:
        """Call `function` with the entries of `key`, once, in the calling process; not at all if there are none.

        To send to all: `dispatch(key, lambda entries: [pid << message for pid, _ in entries])`.

        Example:

            await Registry.start_link("rooms", "duplicate")
            rooms = Registry("rooms")
            rooms.register("lobby", "ada")
            rooms.dispatch("lobby", lambda entries: [pid << f"hello {value}" for pid, value in entries])
            await receive()  # -> 'hello ada'
        """
        arguments.callable_("dispatch()", function)
        entries = self.lookup(key)
        if entries:
            function(entries)

    def via(self, key: Hashable) -> Via:
        """Return `key` as a name for `start(name=...)`, `call`, `cast` and `stop`; keys must be unique.

        Example:

            await Registry.start_link("rooms")
            rooms = Registry("rooms")
            pid = await shop.Till.start(name=rooms.via("till"))
            await call(rooms.via("till"), 5)  # -> 5
        """
        return Via(self, arguments.hashable("a key", key))

    def _entries(self) -> Entries:
        pid = whereis_dest(self.dest)
        server = None if pid is None or pid.process is None else server_of(pid.process)
        if not isinstance(server, RegistryServer):
            raise NoSuchName(self.dest)
        return server.entries

    def __repr__(self) -> str:
        return f"Registry({self.dest!r})"


class Via:
    """A key of a registry, as a name. OTP: {via, Registry, {Name, Key}}."""

    __slots__ = ("key", "registry")

    def __init__(self, registry: Registry, key: Hashable) -> None:
        self.registry = registry
        self.key = key

    def whereis(self) -> Pid | None:
        """Return the pid that has the key. Raises: NoSuchName if the registry is not there."""
        return self.registry.whereis(self.key)

    def claim(self) -> None:
        """Register the calling process. Raises: AlreadyStarted if another has the key; RegistrationError."""
        entries = self.registry._entries()
        if not entries.is_unique:
            raise RegistrationError(f"{self.registry!r} has duplicate keys; {self.key!r} cannot be a name in it")
        holder = self.whereis()
        if holder is not None:
            raise AlreadyStarted(holder)
        self.registry.register(self.key)

    def __repr__(self) -> str:
        return f"{self.registry!r}.via({self.key!r})"


class Entries:
    """The entries of a registry, by key and by pid, each in the order of registration."""

    def __init__(self, pid: Pid, is_unique: bool) -> None:
        self.pid = pid  # the registry's own
        self.is_unique = is_unique
        self.by_key: dict[Hashable, dict[Pid, Any]] = {}
        self.by_pid: dict[Pid, dict[Hashable, None]] = {}

    def add(self, key: Hashable, pid: Pid, value: Any) -> None:
        """Enter `pid`, the calling process. Raises: RegistrationError."""
        values = self.by_key.get(key, {})
        holders = [other for other in values if other.process is not None and (self.is_unique or other is pid)]
        if holders:
            raise RegistrationError(f"{key!r} is the key of {holders[0]!r}; it keeps it, and {pid!r} has not got it")
        link(self.pid)
        values[pid] = value
        self.by_key[key] = values
        self.by_pid.setdefault(pid, {})[key] = None

    def remove(self, key: Hashable, pid: Pid) -> None:
        """Take one entry out. The link goes with the last entry of the calling process."""
        if self._take_out(key, pid):
            keys = self.by_pid[pid]
            del keys[key]
            if not keys:
                del self.by_pid[pid]
                registry = self.pid.process
                if registry is not None and registry.parent is not pid:  # the parent was linked before it had keys
                    unlink(self.pid)

    def remove_all(self, pid: Pid) -> None:
        """Take out all entries of a process that has ended."""
        for key in self.by_pid.pop(pid, ()):
            self._take_out(key, pid)

    def _take_out(self, key: Hashable, pid: Pid) -> bool:
        values = self.by_key.get(key, {})
        if pid not in values:
            return False
        del values[pid]
        if not values:
            del self.by_key[key]
        return True


class RegistryServer(GenServer):
    """The process of a registry: it keeps the entries and monitors the processes that are in it."""

    def init(self, is_unique: bool) -> None:
        """Start empty."""
        trap_exit(True)
        self.entries = Entries(current_process("init()").pid, is_unique)

    def handle_info(self, message: Any) -> None:
        """Forget a process that has ended."""
        if type(message) is Exit:
            self.entries.remove_all(message.pid)
        else:
            super().handle_info(message)
