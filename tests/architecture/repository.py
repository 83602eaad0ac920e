"""The rules for files of any kind, as pure functions from a file's name and text to what breaks them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from architecture.sources import parsed

MOST_LINES = 400
LONG_BY_NATURE = ("LICENSE", "CHANGELOG.md", "docs/manual/", "tests/")

# A folder of one person's or one machine's own: in the checkout it is wrong on every other one.
# Both patterns are written so that this file does not break its own rule.
MACHINE_PATH = re.compile(r"(?<![\w.~$}-])/(?:[r]oot|[h]ome|[U]sers|[w]ork)/\w")
REGISTRY = re.compile(r"\b(?:pypi[.]org|pythonhosted[.]org|deb[.]debian[.]org|melpa[.]org)\b")

# The wire's functions in elisp, and Emacs's own that write to a socket or open one.
SENDS = re.compile(r"[(']midflight-epc-(?:open|call|call-sync|-write)(?![\w-])")
WRITES = re.compile(r"[('](?:process-send-[\w-]+|make-network-process|open-network-stream)(?![\w-])")


def machine_paths(name: str, text: str) -> Iterator[str]:
    """Say which lines name a path of one machine, or the host of a package registry."""
    for number, line in enumerate(text.splitlines(), 1):
        if MACHINE_PATH.search(line):
            yield f"{name}:{number}: a path of one machine: {line.strip()}"
        if REGISTRY.search(line):
            yield f"{name}:{number}: the host of a package registry: {line.strip()}"


def too_long(name: str, text: str) -> Iterator[str]:
    """Say that a file has more lines than one purpose takes. A list of tests may be as long as its subject."""
    if name.startswith(LONG_BY_NATURE):
        return
    if (lines := len(text.splitlines())) > MOST_LINES:
        yield f"{name}: {lines} lines, over {MOST_LINES}; look for the second concept"


def without_purpose(name: str, text: str) -> Iterator[str]:
    """Say that a Python file does not open with a docstring."""
    if ast.get_docstring(parsed(text)) is None:
        yield f"{name}: opens with no docstring"


def senders(name: str, text: str) -> Iterator[str]:
    """Say where an elisp file sends a request, or writes to a socket, that is not the one to do so."""
    if name.endswith("/midflight-epc.el"):
        return
    for number, line in enumerate(text.splitlines(), 1):
        code = re.sub(r"(?<!\?);.*", "", line)
        if WRITES.search(code):
            yield f"{name}:{number}: only midflight-epc.el writes to a socket: {line.strip()}"
        if SENDS.search(code) and not name.endswith("/midflight-connection.el"):
            yield f"{name}:{number}: only midflight-connection.el sends requests: {line.strip()}"


def foreign_private_names(name: str, text: str) -> Iterator[str]:
    """Say which names of another file's own an elisp file uses: `midflight-X--name` belongs to midflight-X.el."""
    own = name.rpartition("/")[2].removesuffix(".el")
    for found in sorted(set(re.findall(r"\bmidflight(?:-[a-z]+)*--[a-z-]+", text))):
        if found.partition("--")[0] != own:
            yield f"{name}: uses {found}"
