"""One version of a module: its number, its text, and the namespace that its code runs in.

Laws:
1. A version holds its namespace weakly. What keeps an old version in memory is what can still run it: a frame, a
   function held somewhere. With the last of them the namespace is freed; nothing here has to notice.
2. A namespace is known by identity: a frame runs a version if its globals are that version's own dictionary.
"""

from __future__ import annotations

import hashlib
import time
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from midflight.code.version.facade import Namespace
from midflight.code.version.snapshots import Snapshot
from midflight.kernel import group_leader_var

__all__ = ["VERSION", "Version", "loader", "loader_var", "version_of"]

loader_var: ContextVar[str] = ContextVar("midflight_loader", default="")
"""Who loads, as people know him: an editor's connection. A process inherits it from who spawned it."""

VERSION = "__midflight_version__"  # the number, as an int: the kernel reads it from the globals of a frame
ANCHOR = "__midflight_anchor__"


class Anchor:
    """Lies in a version's namespace, and lives exactly as long. Nobody else may hold one."""

    __slots__ = ("__weakref__", "namespace", "version")

    def __init__(self, version: Version, namespace: Namespace) -> None:
        self.version = version
        self.namespace = namespace

    def __repr__(self) -> str:
        return f"<{self.version!r}>"


class Version:
    """A version of a module, from its making on.

    `path` is the file it was loaded from. `vsn` is what the module sets as `__vsn__`, else the digest of its text:
    equal for equal text. `loaded_at` is in seconds since the epoch, `loaded_by` says who asked for it, "" if nobody
    told. `differences` are the names of the definitions that it added, changed and removed, None if they are not
    known. `is_imported` tells one that Python itself imported, before the module was first loaded. `known_problems`
    are the keys of what the checks found in it, None if its text is not known: the next version is not refused for
    those.
    OTP: a module's current or old code; `-vsn`.
    """

    __slots__ = (
        "__weakref__",
        "_anchor",
        "_text",
        "differences",
        "digest",
        "is_earlier",
        "is_imported",
        "known_problems",
        "loaded_at",
        "loaded_by",
        "name",
        "number",
        "path",
        "read_kept",
        "snapshot",
        "vsn",
    )

    def __init__(
        self,
        name: str,
        number: int,
        path: str,
        text: str | None,
        snapshot: Snapshot | None,
        *,
        is_imported: bool = False,
    ) -> None:
        self.name = name
        self.number = number
        self.path = path
        self.digest = digest(text)
        self.vsn: object = self.digest
        self.snapshot = snapshot
        self.loaded_at = time.time()
        self.loaded_by = loader()
        self.differences: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]] | None = None
        self.is_imported = is_imported
        self.is_earlier = False
        self.read_kept: Callable[[], str | None] | None = None
        self.known_problems: frozenset[str] | None = None
        self._text = text
        self._anchor: weakref.ref[Anchor] | None = None

    def settle_in(self, namespace: Namespace) -> None:
        """Make `namespace` this version's own."""
        anchor = Anchor(self, namespace)
        namespace[ANCHOR] = anchor
        namespace[VERSION] = self.number
        self._anchor = weakref.ref(anchor, self._left)

    def _left(self, _: object) -> None:
        # Called by the garbage collector, in the midst of anything: no lock and no file here. The text stays on disk.
        if self.snapshot is not None:
            self._text = None

    @property
    def namespace(self) -> Namespace | None:
        """The namespace; None when nothing can run this version any more."""
        anchor = self._anchor() if self._anchor is not None else None
        return None if anchor is None else anchor.namespace

    @property
    def text(self) -> str | None:
        """The source text; None if it is not known, or its file has been taken away."""
        if self._text is not None:
            return self._text
        if self.snapshot is not None:
            return self.snapshot.read()
        return None if self.read_kept is None else self.read_kept()

    @property
    def has_text(self) -> bool:
        """Whether the text is known, as far as can be said without reading it."""
        return self._text is not None or self.snapshot is not None or self.read_kept is not None

    def renumber(self, number: int) -> None:
        """Take another number: a store has come that knows the one that this version had."""
        self.number = number
        if (namespace := self.namespace) is not None:
            namespace[VERSION] = number
        if self.snapshot is not None:
            self.snapshot.renumber(number)

    def note_vsn(self) -> None:
        """Take over the module's own `__vsn__`, if its body has set one."""
        self.vsn = (self.namespace or {}).get("__vsn__", self.digest)

    def __repr__(self) -> str:
        return f"{self.name} version {self.number}"


def version_of(namespace: dict[str, Any]) -> Version | None:
    """Return the version whose own namespace this is, the globals of a frame or a function; None if there is none."""
    anchor = namespace.get(ANCHOR)
    if isinstance(anchor, Anchor) and anchor.namespace is namespace:  # not so for a copy of a namespace
        return anchor.version
    return None


def digest(text: str | None) -> str:
    """Return a digest that tells one text from another, "" for a text that is not known."""
    return "" if text is None else hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def loader() -> str:
    """Return the name of the client that loads; for a shell's code, the `owner` of its group leader, if it has one."""
    return loader_var.get() or str(getattr(group_leader_var.get(), "owner", ""))
