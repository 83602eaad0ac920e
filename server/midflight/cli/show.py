"""What every command needs: the project's root, a request to its server, text or JSON out."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from midflight.epc import Client, find_root
from midflight.text import columns

__all__ = ["ask", "root_of", "show", "table"]


def root_of(options: argparse.Namespace, near: str = ".") -> Path:
    return Path(options.root).resolve() if options.root else find_root(near)


def ask(options: argparse.Namespace, method: str, *arguments: object, near: str = ".") -> Any:
    with Client.attach(root_of(options, near), name=f"midflight {options.run.__name__}") as client:
        return client.call(method, *arguments)


def show(options: argparse.Namespace, data: object, text: Callable[[], str]) -> int:
    """Print `data` as JSON if asked for, else the text."""
    said = json.dumps(data, ensure_ascii=False, indent=2) if options.json else text()
    if said:
        print(said.rstrip("\n"))
    return 0


def table(heading: Sequence[str], rows: Any) -> str:
    """Return `rows` under `heading` in columns; None is a dash."""
    cells = (["-" if cell is None else str(cell) for cell in row] for row in rows)
    return columns([heading, *cells]).rstrip("\n")
