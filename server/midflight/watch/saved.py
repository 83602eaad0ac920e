"""`watch`: each batch of saved files goes to the server, which loads those whose modules it runs, all of them or none.

What was refused stays waiting: the next batch, with the mended file in it, is loaded together with it. Nothing is ever
started again, and a file that no program has imported is left alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from midflight.epc import RemoteServer
from midflight.errors import ConnectionLost, NoServer, RemoteError
from midflight.watch.batches import LOOK_SECONDS, batches, is_told

__all__ = ["watch"]

Say = Callable[[dict[str, Any]], object]


def watch(root: Path, say: Say, *, server: str | None = None, stop: threading.Event | None = None) -> None:
    """Load what is saved below `root` until `stop` is set; `server` is one of several of the project.

    `say` is called with each answer of a load: `status`, "loaded" or "failed", and `text`; with "watching" first, and
    with "no-server" if there was nobody to load it.
    """
    stop = stop or threading.Event()
    found = batches(str(root), stop)
    say({"status": "watching", "text": _begun(root)})
    waiting: set[str] = set()
    for changed in found:
        waiting |= changed
        try:
            with RemoteServer.attach(root, name="midflight watch", server=server) as client:
                answer = client.call("code/load-saved", sorted(waiting), timeout_seconds=None)
        except (NoServer, ConnectionLost, RemoteError) as error:
            say({"status": "no-server", "text": f"{error} Saved and not loaded: {', '.join(sorted(waiting))}"})
            continue
        if answer["status"] != "failed":
            waiting = set()
        if answer["text"]:
            say(answer)


def _begun(root: Path) -> str:
    said = f"Watching {root}: what is saved there is loaded."
    if not is_told():
        said += (
            f" Its files are looked at every {LOOK_SECONDS} s; with the package watchfiles (pip install "
            "'midflight[terminal]') the system tells of changes."
        )
    return said
