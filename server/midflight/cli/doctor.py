"""`midflight doctor`: what is installed, and what is known of the project's server."""

from __future__ import annotations

import argparse

from midflight.cli.show import root_of, show, table
from midflight.editors import examine
from midflight.kernel import KERNEL, WHY_THIS_KERNEL

__all__ = ["doctor"]


def doctor(options: argparse.Namespace) -> int:
    findings = examine(root_of(options), f"{KERNEL}: {WHY_THIS_KERNEL}")
    show(options, findings, lambda: table(("WHAT", "FOUND"), findings.items()))
    return 1 if findings["trouble"] else 0
