"""Questions of Neovim about names: their documentation, where they are defined and used, and what completes them.

The answers come as events: `float` (`title`, `lines`), `jump` (`path`, `line`, `column`), `places` (`title` and
`items`, as setqflist takes them), and messages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from midflight.epc import RemoteServer
from midflight.errors import MidflightError

__all__ = ["Names", "Shower", "completions"]

COMPLETION_SECONDS = 1.0  # Neovim stands still for as long, as for any omnifunc


class Shower(Protocol):
    """The part of Neovim that shows an answer."""

    def show(self, event: str, **values: object) -> None:
        """Show `event`; its values are of msgpack's types."""


class Names:
    """The questions about names of one project. `client` returns its connection, or raises what says why not."""

    def __init__(self, client: Callable[[], RemoteServer], shower: Shower) -> None:
        self._client = client
        self._shower = shower

    def requests(self) -> dict[str, Callable[..., None]]:
        """Return what Neovim may ask for, by name."""
        return {"doc": self.doc, "goto": self.goto, "references": self.references}

    def doc(self, path: str, expression: str) -> None:
        """Show what `expression` is in the running module of the file: signature, value, documentation."""
        found = self._client().call("look/doc", path, expression)
        if found is None:
            self._unknown(expression)
            return
        version = "" if found["version"] is None else f" version {found['version']}"
        place = f", of {found['module']}{version}" if found["module"] else ""
        lines = [found["name"] + found["signature"]] if found["signature"] else []
        lines += [found["value"]] if found["value"] else []
        lines += ["", *found["text"].split("\n")] if found["text"] else []
        self._shower.show("float", title=f"{found['name']}: {found['kind']}{place}", lines=lines)

    def goto(self, path: str, expression: str) -> None:
        """Go to the definition of what `expression` means."""
        found = self._client().call("look/definition", path, expression)
        if found is None:
            self._unknown(expression)
            return
        self._shower.show("jump", path=found["path"], line=found["line"], column=found["column"])
        if not found["is_current"]:
            said = f"Midflight: the current version of {found['module']} has no {found['name']} any more; this is older"
            self._shower.show("message", level="info", text=said)

    def references(self, path: str, expression: str) -> None:
        """List the uses of what `expression` means, those in versions that still run too."""
        found = self._client().call("look/references", path, expression)
        uses = [] if found is None else found["references"] or []
        if not uses:
            self._unknown(expression)
            return
        items = [
            {"filename": each["path"], "lnum": each["line"], "col": each["column"] + 1, "text": _use_text(each)}
            for each in uses
        ]
        self._shower.show("places", title=f"Uses of {found['module']}.{found['name']}", items=items)

    def _unknown(self, expression: str) -> None:
        said = f"Midflight: {expression} is not known in the running system. Is the module loaded?"
        self._shower.show("message", level="info", text=said)


def completions(client: RemoteServer, path: str, before: str) -> dict[str, Any]:
    """Return how many characters of `before` are completed, and the candidates, as complete() takes them.

    None if the server does not answer within a second.
    """
    try:
        found = client.call("look/complete", path, before, timeout_seconds=COMPLETION_SECONDS)
    except (MidflightError, TimeoutError, OSError):
        return {"written": 0, "items": []}
    items = [
        {"word": name, "kind": kind[:1], "menu": detail or "", "dup": 1}
        for name, kind, detail, _ in found["candidates"] or ()
    ]
    return {"written": len(found["written"]), "items": items}


def _use_text(use: Mapping[str, Any]) -> str:
    """Return the line of a use, and behind it what is not plain about it."""
    text = str(use["text"]).strip()
    if not use["is_current"]:
        text += f"  [version {use['version']}, run by {', '.join(use['pids'] or ()) or 'nobody'}]"
    return text if use["is_sure"] else f"{text}  [perhaps]"
