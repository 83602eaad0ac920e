"""Servers that are published and do nothing else, for the tests of how a server is found."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from midflight.epc import ProjectFiles, Publication

COOKIE = "0123456789abcdef" * 4
SOMEBODY = 54321
"""The id of another user, who need not exist."""


class Publisher:
    """Publishes servers of this process and withdraws them at the end."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __call__(
        self, place: ProjectFiles, port: int | None = 4711, cookie: str = COOKIE, **options: Any
    ) -> Publication:
        """Publish a server at `place`; return its publication."""
        publication = Publication(place, cookie, "0.1.0", port=port, **options)
        self._stack.callback(publication.withdraw)
        publication.publish()
        return publication

    def close(self) -> None:
        """Withdraw all."""
        self._stack.close()


def in_child(function: Callable[[], object], *, user: int | None = None) -> str:
    """Call `function` in a forked child, as another user if one is given; return what it returned or raised."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if user is not None:
                os.setgroups([])
                os.setresgid(user, user, user)
                os.setresuid(user, user, user)
            said = str(function())
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        said = stream.read()
    os.waitpid(pid, 0)
    return said


def killed_server(root: Path) -> int:
    """Publish a server of `root` in another process, which is killed; return its process id."""
    text = (
        "import sys; from midflight.epc import ProjectFiles, Publication; "
        f"Publication(ProjectFiles(sys.argv[1]), {COOKIE!r}, '0.1.0', port=4711).publish(); "
        "print('published', flush=True); "
        "input()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", text, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "published\n"
        process.kill()
    return process.pid
