"""Two loads of one text, and what their report says of its classes."""

from __future__ import annotations

import gc
from textwrap import dedent

from helpers.versions import Project
from midflight import code
from midflight.code.version import modules
from midflight.code.version.facade import Namespace

__all__ = ["load_twice", "namespace_of_the_first", "reasons"]


def load_twice(project: Project, text: str, other: str | None = None) -> code.LoadReport:
    """Load `text` as module `thing`, then `other`, else the same further down; return the second load's report."""
    project.load_text("thing", f"{dedent(text)}\nNUMBER = 1\n")
    return project.load_text("thing", f"# moved\n\n{dedent(text if other is None else other)}\nNUMBER = 2\n")


def reasons(report: code.LoadReport) -> dict[str, str]:
    """Return why each class that was not kept was not."""
    return {each.name: each.reason for each in report.superseded}


def namespace_of_the_first() -> Namespace | None:
    """Return the namespace of version 1 of `thing`, None if nothing can run it any more."""
    gc.collect()
    return modules.module_of("thing").version(1).namespace
