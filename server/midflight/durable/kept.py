"""`Kept`: the state of one durable server, from its start to its end. `otp.keeper` says who calls what when.

The life of a reply of a "sync" server: `hold` -> held -> `between` pickles the state -> put to the writer -> its
commit -> the caller has it. If nothing changed it leaves when the state before is on the disk.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from midflight.code import Gone
from midflight.code.lowlevel import acceptance_of, become, fields_of, is_change_due, replaced, why_gone_back
from midflight.durable.history import put_aside
from midflight.durable.pickling import dumps
from midflight.durable.row import Row
from midflight.durable.store_error import StoreError
from midflight.errors import MigrationError, NotDurable, ProcessExit
from midflight.kernel import Client, Process, Ref, receive, trouble
from midflight.otp import GenServer, value_of
from midflight.text import exception_said, short

if TYPE_CHECKING:
    from midflight.durable.states import States

__all__ = ["Kept"]

logger = logging.getLogger("midflight.durable")

Held = tuple[Client, Any]
ENDS_WELL = ("normal", "shutdown", "killed", "kill", "noproc")


class Kept:
    """The state of the server of class `cls` in `process`, under `key`."""

    def __init__(self, states: States, key: str, cls: type[Any], process: Process) -> None:
        self.states = states
        self.key = key
        self.cls = cls
        self.process = process
        self.is_sync = cls.durable == "sync"
        self.hold: Callable[[Client, object], object] | None = self.hold_back if self.is_sync else None
        self.server: Any = None
        self.accepted = acceptance_of(cls)
        self.is_busy = True
        self.is_refused = False  # the code of now does not take the state
        self.is_wanted = False
        self.has_ended = False
        self.digest = b""  # of the state that was put last
        self.is_as_stored = False  # it was restored, and nothing has run since that could change it
        self.is_known = False  # the state was looked at, and no message has come since
        self.flying = 0  # states that were put and are not on the disk, of a "sync" server
        self.held: list[Held] = []
        self.waiting: list[Ref] = []  # of those who wait until nothing is held back
        self.fault = ""  # why the state could not be pickled last

    # --- The start ----------------------------------------------------------------------------------------

    async def restore(self) -> Any:
        """Return the server with the state of the store; None if init is to make it."""
        try:
            server = await self._restored()
        except StoreError:
            raise
        except Exception as error:
            self.is_refused = True
            self.states.refusals.note(self.key, error)
            raise
        self.states.refusals.forget(self.key)
        return server

    async def _restored(self) -> Any:
        row = self.states.store.read(self.key)
        if row is None:
            return None
        why = self.states.begins_anew(self)
        if why is not None:
            await self._aside(why)
            return None
        if (row.module, row.class_name) != (self.cls.__module__, self.cls.__qualname__):
            raise NotDurable(
                f"{short(self.key)} is the state of a {row.module}.{row.class_name} in the store, and a "
                f"{self.cls.__module__}.{self.cls.__qualname__} was to be started; nothing was started. Give it "
                f"another name, or put the state aside: midflight state delete {short(self.key)}"
            )
        server = await self._server_of(row, self.cls)
        self.digest = blake2b(row.state, digest_size=16).digest()
        return server

    async def earlier_server(self, row: Row, server: Any) -> Any:
        """Return an object of the class of `server`, the live one, with an earlier state. Raises: as restore."""
        cls = type(server)
        if (row.module, row.class_name) != (cls.__module__, cls.__qualname__):
            raise NotDurable(
                f"that state of {short(self.key)} is of a {row.module}.{row.class_name}, and the server is a "
                f"{cls.__module__}.{cls.__qualname__}; nothing was changed"
            )
        return await self._server_of(row, cls)

    def take_over(self, found: Any, server: Any) -> Any:
        """Return `server` with the state of `found`; what of its own is not stored stays.

        A server that somebody holds, for an upgrade say, gets another object, by which that one sees the change.
        """
        stays = {name: value for name, value in fields_of(server).items() if name not in self._stored(server)}
        behaviour = self.process.behaviour
        is_held = behaviour is not None and behaviour.is_suspended
        taken = replaced(server, stays | fields_of(found), in_place=not is_held)
        self.changed(taken)
        return taken

    async def _server_of(self, row: Row, cls: type[Any]) -> Any:
        """Return an object of the class with the state of `row`, changed if that is due. Raises: see restore."""
        why = why_gone_back(row.accepted, cls)
        if why is not None:
            raise NotDurable(f"the state of {short(self.key)} is too new: {why}. It stays in the store")
        try:
            kept_class, attributes = self.states.reader.loads(row.state)
        except MigrationError:
            raise
        except Exception as error:
            raise NotDurable(
                f"the state of {short(self.key)} cannot be read: {exception_said(error)}; it stays in the store, and "
                "nothing was started"
            ) from error
        server = _with(cls, attributes)
        self.is_as_stored = cls.restored is GenServer.restored and not issubclass(kept_class, Gone)
        if is_change_due(row.accepted, cls):
            self.is_as_stored = False
            await value_of(server.code_change(row.accepted.vsn, None))
        elif issubclass(kept_class, Gone):
            server = become(_with(kept_class, attributes), cls, sets_slots_later=True)
        return server

    async def _aside(self, why: str) -> None:
        """Put the state into the history. Raises: StoreError."""
        done = self.states.store.writer.do(partial(put_aside, key=self.key, why=why))
        await self.wait_for(done, "the server was not started")
        self.states.crashes.pop(self.key, None)
        text = f"{short(self.key)} begins by init: {why}. Its last state is kept: midflight state history"
        trouble.log(logger, logging.WARNING, text)

    async def wait_for(self, done: Any, then: str) -> Any:
        """Wait for the writer, in the server's process, without holding anybody up.

        Raises: StoreError, which says `then`.
        """
        ref = Ref()
        pid = self.process.pid
        done.add_done_callback(lambda _: self.states.scheduler.on_own_thread(lambda: pid << (ref, None)))
        await receive((ref, ...))
        try:
            return done.result()
        except Exception as error:
            path = str(self.states.store.path)
            raise StoreError(path, f"cannot be written ({error})", then) from error

    async def begin(self, server: Any) -> None:
        """Keep the first state. Raises: NotDurable; with "sync" StoreError."""
        self.server = server
        self.is_busy = False
        self.is_known = True
        if self.is_as_stored:
            return
        state = self.pickled(self.server)
        if not self._put(state) or not self.is_sync:
            return
        ref = Ref()
        self.waiting.append(ref)
        await receive((ref, ...))
        if self.states.store.writer.trouble is not None:
            path, error = str(self.states.store.path), self.states.store.writer.trouble
            raise StoreError(path, f"cannot be written ({error})", "the server was not started")

    # --- Between two messages -----------------------------------------------------------------------------

    def take(self) -> None:
        """Note that a message is being handled."""
        self.is_busy = True

    def between(self, server: Any) -> None:
        """Note the state between two messages."""
        self.server = server
        self.is_busy = False
        if self.is_known:
            self.is_known = False
        elif self.is_sync:
            self._save_and_answer()
        elif self.is_wanted:
            self.is_wanted = False
            self.save()
        else:
            self.states.note(self)

    def hold_back(self, client: Client, value: object) -> None:
        """Answer a caller when that is allowed."""
        self.held.append((client, value))
        if not self.is_busy:  # by another process than the server's, or after the end
            self._save_and_answer()

    def changed(self, server: Any) -> None:
        """Note that code_change has made the state."""
        self.accepted = acceptance_of(type(server))

    def end(self, reason: object) -> None:
        """Note the end; keep the last state between two messages."""
        if self.has_ended:
            return
        self.has_ended = True
        if not _ends_well(reason) and not self.is_refused:
            self.states.note_crash(self)
        if self.server is not None:
            self.save_last()
        self.is_busy = False
        self.server = None

    async def let_go(self) -> None:
        """Come back when nothing is held back any more."""
        if self.flying:
            ref = Ref()
            self.waiting.append(ref)
            await receive((ref, ...))

    # --- Pickling and putting -------------------------------------------------------------------------------

    def save_last(self) -> None:
        """Keep the state if it was not looked at since the last message, and is one between two messages."""
        if self in self.states.dirty:
            self.states.unmark(self)
            if not self.is_busy:
                self.save()

    def save(self) -> None:
        """Pickle the state and put it, if it changed. A fault is logged once; the state before stays in the store."""
        try:
            self._put(self.pickled(self.server))
        except NotDurable as error:
            self._note_fault(error)

    def _note_fault(self, error: NotDurable) -> None:
        if str(error) != self.fault:
            self.fault = str(error)
            text = f"{error}. The store keeps the state before, until it can be stored again"
            trouble.log(logger, logging.ERROR, text)

    @property
    def is_live(self) -> bool:
        """True if its server has begun, and has not ended."""
        return self.server is not None and self.process.pid.process is not None

    def pickled(self, server: Any) -> bytes:
        """Return the state of `server`, an object of this server's class or of its next version. Raises: NotDurable."""
        return dumps(type(server), self._stored(server), self.states.life, self.key)

    def _stored(self, server: Any) -> dict[str, Any]:
        """Return the attributes that are stored. Raises: NotDurable; what `__getstate__` raises."""
        cls = type(server)
        own = getattr(cls, "__getstate__", None)
        if own is not None and own is not object.__getstate__:
            attributes: dict[str, Any] = own(server)
            if type(attributes) is not dict:
                raise NotDurable(f"{cls.__qualname__}.__getstate__ must return a dict, not {short(attributes)}")
        else:
            attributes = fields_of(server)
        if cls.durable_attributes is not None:
            attributes = {name: attributes[name] for name in cls.durable_attributes if name in attributes}
        return attributes

    def _put(self, state: bytes) -> bool:
        """Put a state to the writer if it is another than the last one; say whether it was."""
        self.fault = ""
        digest = blake2b(state, digest_size=16).digest()
        if digest == self.digest:
            return False
        self.digest = digest
        self.states.puts += 1
        row = self.row_of(self.server, state)
        if not self.is_sync:
            self.states.store.writer.put(row)
            return True
        held, self.held = self.held, []
        self.flying += 1
        scheduler = self.states.scheduler
        self.states.store.writer.put(row, lambda error: scheduler.on_own_thread(self._landed, held, error))
        return True

    def row_of(self, server: Any, state: bytes) -> Row:
        """Return the row of a state; of another object than the one before it is one that its class has accepted."""
        cls = type(server)
        accepted = self.accepted if server is self.server else acceptance_of(cls)
        return Row(self.key, cls.__module__, cls.__qualname__, accepted, state, time.time())

    def note_written(self, row: Row) -> None:
        """Note that the server takes a state that is in the store already."""
        self.accepted = row.accepted
        self.digest = blake2b(row.state, digest_size=16).digest()

    def _save_and_answer(self) -> None:
        try:
            is_put = self.server is not None and self._put(self.pickled(self.server))
        except NotDurable as error:
            self._note_fault(error)
            self._release(self._taken(), error)
            return
        if is_put or not self.held:
            return
        if self.flying or self.states.store.writer.trouble is not None:
            self._await_commit()
        else:
            self._release(self._taken(), None)

    def _await_commit(self) -> None:
        """Hold replies to a state that is on its way to the disk until it is there."""
        held, scheduler = self._taken(), self.states.scheduler
        self.flying += 1
        self.states.store.writer.tell(lambda error: scheduler.on_own_thread(self._landed, held, error))

    def _taken(self) -> list[Held]:
        held, self.held = self.held, []
        return held

    def _landed(self, held: list[Held], error: BaseException | None) -> None:
        """Release replies: their state is on the disk, or could not be written."""
        self.flying -= 1
        if error is not None:
            path = str(self.states.store.path)
            then = "the change is made in memory alone, and is written as soon as that can be done"
            error = StoreError(path, f"could not be written ({error})", then)
        self._release(held, error)
        if not self.flying:
            for ref in self.waiting:
                self.process.pid << (ref, None)
            self.waiting.clear()

    def _release(self, held: list[Held], error: BaseException | None) -> None:
        for client, value in held:
            client.hold = None
            if error is None:
                client.answer(value)
            else:
                client.fail(error)


def _with(cls: type[Any], attributes: dict[str, Any]) -> Any:
    """Return an object of `cls` with these attributes; its `__init__` does not run."""
    made = object.__new__(cls)
    for name, value in attributes.items():
        object.__setattr__(made, name, value)
    return made


def _ends_well(reason: object) -> bool:
    """Say whether an exit reason is not that of a crash."""
    if isinstance(reason, ProcessExit):
        reason = reason.reason
    return reason in ENDS_WELL if isinstance(reason, str) else isinstance(reason, tuple) and reason[:1] == ("shutdown",)
