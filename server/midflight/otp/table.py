"""`Table`: rows in memory that any process reads by a plain call, and that outlive loads. What an ets table is.

The rows live in the state of a process, the table's own, so they are shown as any server's, and have a name like one.
They are read and written by plain function calls on the runtime's thread, without a message.

The life of a table: `Table.new` -> its owner ends, or gives it away -> the heir owns it, or it is gone.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

from midflight.errors import NoSuchName
from midflight.kernel import Down, Pid, arguments, current_process, demonitor, monitor, server_of
from midflight.otp.calls import cast, stop, whereis_dest
from midflight.otp.gen_server import GenServer
from midflight.otp.protocol import Dest, Stop
from midflight.otp.rows import KINDS, MISSING, Rows
from midflight.otp.starting import Starting
from midflight.text import short

__all__ = ["Table", "TableTransfer"]

ACCESS = ("protected", "public", "private")


class TableTransfer(NamedTuple):
    """The message to a process that owns `table` from now on. OTP: {'ETS-TRANSFER', Table, FromPid, Data}."""

    table: Pid
    from_pid: Pid
    data: Any


class Table:
    """A handle to a table, by its pid or name; it costs nothing and needs no table to be there yet.

    `kind`: "set", one value a key; "ordered_set", sorted by the keys; "bag", several values a key.
    `access`: all read and the owner writes ("protected"), all write ("public"), or only the owner reads ("private").
    The process that makes a table owns it. When it ends, its `heir` owns the table, and gets a TableTransfer; without
    one that lives the table is gone.
    Every function raises NoSuchName if there is no such table, and PermissionError for what the caller may not do.
    OTP: ets. There a row is a tuple with its key in it; keys here are equal as in a dict, so 1 and 1.0 are one.

    Example:

        prices = await Table.new("prices")
        prices.insert("tea", 3)
        Table("prices").lookup("tea")  # -> 3
        "salt" in prices, len(prices)  # -> (False, 1)
        prices.update_counter("tea", 2)  # -> 5
    """

    __slots__ = ("dest",)

    def __init__(self, dest: Dest) -> None:
        self.dest = dest

    # --- Making a table -------------------------------------------------------------------------------------

    @classmethod
    async def new(
        cls,
        name: str | None = None,
        kind: str = "set",
        access: str = "protected",
        *,
        heir: Pid | None = None,
        heir_data: Any = None,
    ) -> Table:
        """Make a table that the calling process owns, and return its handle, by `name` if it has one.

        Raises: ValueError or TypeError for wrong options; AlreadyStarted if a process has the name. OTP: ets:new/2.
        """
        pid = await TableServer.start(*_options(kind, access, heir), heir_data, name=_name(name))
        assert type(pid) is Pid
        return cls(pid if name is None else name)

    @classmethod
    def start_link(cls, name: str | None = None, kind: str = "set", access: str = "public") -> Starting:
        """Start a table that the calling process owns, linked to it; to be awaited for its pid.

        For a tree: ChildSpec("prices", Table, ("prices",)). A supervisor writes nothing, so it is public by default.
        Raises: as `new`.
        """
        return TableServer.start_link(*_options(kind, access, None), None, name=_name(name))

    # --- Rows -----------------------------------------------------------------------------------------------

    def insert(self, key: Hashable, value: Any) -> None:
        """Put a row into the table; in a bag, besides those that the key has. OTP: ets:insert/2."""
        self._to_write().insert(arguments.hashable("a key", key), value)

    def insert_new(self, key: Hashable, value: Any) -> bool:
        """Put a row into the table if the key has none; say whether it had none. OTP: ets:insert_new/2."""
        rows = self._to_write()
        if arguments.hashable("a key", key) in rows.values:
            return False
        rows.insert(key, value)
        return True

    def lookup(self, key: Hashable, default: Any = None) -> Any:
        """Return the value of a key, or `default`; of a bag, the list of its values. OTP: ets:lookup/2."""
        return self._to_read().lookup(arguments.hashable("a key", key), default)

    def take(self, key: Hashable, default: Any = None) -> Any:
        """Return what `lookup` does, and delete it. OTP: ets:take/2."""
        return self._to_write().take(arguments.hashable("a key", key), default)

    def delete(self, key: Hashable) -> None:
        """Delete what a key has; nothing happens if that is nothing. OTP: ets:delete/2."""
        self._to_write().take(arguments.hashable("a key", key), None)

    def update_counter(self, key: Hashable, increment: float = 1, default: float | None = None) -> Any:
        """Add `increment` to the value of a key and return the sum; `default` is the value of one that is not there.

        Raises: KeyError if it is not there, and there is no default; TypeError for what cannot be added, and of a bag.
        OTP: ets:update_counter/3,4.
        """
        rows = self._to_write()
        if type(rows) is KINDS["bag"]:
            raise TypeError("update_counter: a bag may have several values a key; nothing was changed. Use a set")
        value = rows.lookup(arguments.hashable("a key", key), MISSING if default is None else default)
        if value is MISSING:
            raise KeyError(key)
        found = value + increment
        rows.insert(key, found)
        return found

    def clear(self) -> None:
        """Delete all rows. OTP: ets:delete_all_objects/1."""
        self._to_write().clear()

    def keys(self) -> list[Any]:
        """Return the keys, in their order: as they came, or sorted in an ordered_set."""
        return self._to_read().keys()

    def items(self) -> list[tuple[Any, Any]]:
        """Return (key, value) of all rows, in the order of the keys. OTP: ets:tab2list/1."""
        return self._to_read().items()

    def first(self, default: Any = None) -> Any:
        """Return the first key, or `default`. OTP: ets:first/1."""
        keys = self._to_read().keys()
        return keys[0] if keys else default

    def last(self, default: Any = None) -> Any:
        """Return the last key, or `default`. OTP: ets:last/1."""
        keys = self._to_read().keys()
        return keys[-1] if keys else default

    def next(self, key: Hashable, default: Any = None) -> Any:
        """Return the key after `key`, or `default`. In an ordered_set `key` need not be there; else it is a KeyError.

        OTP: ets:next/2.
        """
        found = self._to_read().after(key)
        return default if found is MISSING else found

    def previous(self, key: Hashable, default: Any = None) -> Any:
        """Return the key before `key`, or `default`, as `next`. OTP: ets:prev/2."""
        found = self._to_read().before(key)
        return default if found is MISSING else found

    def __contains__(self, key: Hashable) -> bool:
        return key in self._to_read().values

    def __len__(self) -> int:
        return len(self._server().rows)

    # --- The table itself -----------------------------------------------------------------------------------

    def give_away(self, pid: Pid, data: Any = None) -> None:
        """Make `pid` the owner, which gets TableTransfer(table, the calling process, data).

        Raises: PermissionError if the caller does not own it; ValueError if `pid` has ended, or is the owner. The table
        stays as it is then. OTP: ets:give_away/3.
        """
        server = self._server()
        me = current_process("give_away()").pid
        if server.owner is not me:
            raise PermissionError(f"{self!r} is {server.owner!r}'s, which alone gives it away; it keeps it")
        if arguments.pid("give_away()", pid) is me or pid.process is None:
            why = "owns it already" if pid is me else "is not alive"
            raise ValueError(f"give_away(): {pid!r} {why}; {self!r} stays {me!r}'s")
        server.owner = pid
        cast(server.pid, "watch")
        pid << TableTransfer(server.pid, me, data)

    async def drop(self) -> None:
        """Delete the table. Raises: PermissionError if the caller may not write. OTP: ets:delete/1."""
        self._to_write()
        await stop(self.dest)

    def info(self) -> dict[str, Any]:
        """Return "size", "owner", "heir", "access" and "kind". OTP: ets:info/1."""
        server = self._server()
        return {
            "size": len(server.rows),
            "owner": server.owner,
            "heir": server.heir,
            "access": server.access,
            "kind": server.kind,
        }

    def _to_read(self) -> Rows:
        server = self._server()
        if server.access == "private" and current_process("a table").pid is not server.owner:
            raise PermissionError(f"{self!r} is private, {server.owner!r}'s; nothing was read")
        return server.rows

    def _to_write(self) -> Rows:
        server = self._server()
        if server.access != "public" and current_process("a table").pid is not server.owner:
            raise PermissionError(f"{self!r} is {server.access}, {server.owner!r}'s to write; nothing was changed")
        return server.rows

    def _server(self) -> TableServer:
        pid = whereis_dest(self.dest)
        server = None if pid is None or pid.process is None else server_of(pid.process)
        if not isinstance(server, TableServer):
            raise NoSuchName(self.dest)
        return server

    def __repr__(self) -> str:
        return f"Table({self.dest!r})"


class TableServer(GenServer):
    """The process of a table: it keeps the rows, and monitors the owner."""

    def init(self, owner: Pid, kind: str, access: str, heir: Pid | None, heir_data: Any) -> None:
        """Start without rows."""
        self.rows = KINDS[kind]()
        self.kind, self.access = kind, access
        self.heir, self.heir_data = heir, heir_data
        self.owner = owner
        self.pid = current_process("init()").pid
        self.watch = monitor(owner)

    def handle_cast(self, message: Any) -> None:
        """Watch the owner that it was given to."""
        if message == "watch":
            demonitor(self.watch, flush=True)
            self.watch = monitor(self.owner)

    def handle_info(self, message: Any) -> None:
        """Go to the heir if the owner has ended, or end with it."""
        if type(message) is not Down or message.ref is not self.watch:
            super().handle_info(message)
            return
        if message.pid is not self.owner:  # it has given it away before
            return
        if self.heir is None or self.heir.process is None:
            raise Stop
        self.owner, self.heir = self.heir, None
        self.watch = monitor(self.owner)
        self.owner << TableTransfer(self.pid, message.pid, self.heir_data)


def _options(kind: str, access: str, heir: Pid | None) -> tuple[Any, ...]:
    if type(kind) is not str or kind not in KINDS:
        raise ValueError(f"kind must be one of {tuple(KINDS)}, not {short(kind)}; no table was made")
    if access not in ACCESS:
        raise ValueError(f"access must be one of {ACCESS}, not {short(access)}; no table was made")
    owner = current_process("a table").pid
    return owner, kind, access, None if heir is None else arguments.pid("an heir", heir)


def _name(name: str | None) -> str | None:
    return None if name is None else arguments.given_name("a table", name)
