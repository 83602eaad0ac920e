"""Sessions that a page shows: its code blocks, a command line run as the page has it, what is the same in every run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from helpers.server_process import environment


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of that language in a page, in order; "" for those that name none."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [body for its_language, body in found if its_language == language]


def steady(text: str) -> str:
    """Return `text` without what differs from run to run: times, ports, digests, folders, lines of Midflight's own."""
    text = re.sub(r"[0-9]+\.[0-9] ms", "N ms", text)
    text = re.sub(r"^[0-9]{4,5}$", "PORT", text, flags=re.MULTILINE)
    text = re.sub(r"\b[0-9a-f]{16}\b", "VSN", text)
    # Python 3.13 and later show all lines of an expression, those before the first one.
    text = re.sub(r'(File "<shell [^\n]*\n)(?: {4}[^\n]*\n)+', r"\1", text)
    text = re.sub(r"\bSupervisor:[0-9]+", "Supervisor:N", text)
    return re.sub(r"/\S+/(?=[a-z]+(?:@[0-9]+)?\.py)", "/tutorial/", text)


def shell(command: str, folder: Path, runtime: Path) -> str:
    """Return what a command line prints on both channels; `midflight` is this Python's."""
    program = f'midflight() {{ "{sys.executable}" -P -m midflight.cli "$@"; }}\n{command}'
    run = subprocess.run(
        ["bash", "-c", program],
        cwd=folder,
        env=environment(runtime),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    return run.stdout
