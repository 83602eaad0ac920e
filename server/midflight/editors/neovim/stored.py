"""The pages about the store of durable servers in Neovim: what it has, one state, earlier ones.

A page's `rows` are the names, or the numbers, of its lines from the second one on: a name may have any characters.
"""

from __future__ import annotations

from collections.abc import Callable

from midflight.editors.neovim.names import Shower
from midflight.editors.neovim.tables import earlier_table, stored_table
from midflight.epc import RemoteServer

__all__ = ["StoredActions"]


class StoredActions:
    """The actions on the states of a project's store. `client` returns its connection, or raises what says why not."""

    def __init__(self, client: Callable[[], RemoteServer], shower: Shower) -> None:
        self._client = client
        self._shower = shower

    def requests(self) -> dict[str, Callable[..., None]]:
        """Return what Neovim may ask for, by name."""
        return {
            "stored": self.stored,
            "look_stored": self.look,
            "earlier": self.earlier,
            "restore": self.restore,
            "delete_stored": self.delete,
        }

    def stored(self) -> None:
        """List the states of the store, and say what a kill of the server would lose."""
        found = self._client().call("store/list")
        states = found["states"] or []
        text = stored_table(states) + f"\n{found['window']['text']}\n"
        names = [each["name"] for each in states]
        self._shower.show("page", name="durable servers", kind="stored", text=text, rows=names)

    def look(self, name: str, number: int | None = None) -> None:
        """Show the attributes in a state, or in an earlier one."""
        client = self._client()
        page = client.call("inspect/stored", name, number)
        client.call("inspect/close", [page["value"]])
        lines = [f"{each['label']} = {each['text']}" for each in page["parts"] or ()]
        which = f"state of {name}" if number is None else f"state {number} of {name}"
        self._shower.show("page", name=f"stored {which}", kind="text", text="\n".join(lines))

    def earlier(self, name: str) -> None:
        """List the earlier states of a server."""
        states = self._client().call("store/history", name) or []
        numbers = [each["number"] for each in states]
        text = earlier_table(states)
        self._shower.show("page", name=f"states of {name}", kind="earlier", text=text, rows=numbers, module=name)

    def restore(self, name: str, number: int) -> None:
        """Give a server an earlier state."""
        found = self._client().call("store/restore", name, number)
        has = "has" if found["pid"] else "starts with"
        before = "" if found["aside"] is None else f"; the one before is number {found['aside']}"
        self._say(f"{name} {has} state {number}{before}")
        self.earlier(name)

    def delete(self, name: str) -> None:
        """Put the state of a server into its history."""
        found = self._client().call("store/delete", name)
        self._say(f"the state of {name} is number {found['aside']} of its history")
        self.stored()

    def _say(self, text: str) -> None:
        self._shower.show("message", level="info", text=f"Midflight: {text}")
