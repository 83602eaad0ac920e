"""The command on nodes: nodes."""

from __future__ import annotations

import argparse

from midflight.cli.show import ask, show, table

__all__ = ["nodes"]


def nodes(options: argparse.Namespace) -> int:
    found = [{**each, "here": bool(each["here"])} for each in ask(options, "node/list") or []]

    def text() -> str:
        if not found:
            return "The server is not a node of a cluster: midflight serve --name NODE starts one that is."
        rows = [(each["name"], each["shown"], "this one" if each["here"] else None) for each in found]
        return table(("NODE", "SHOWN AS", ""), rows)

    return show(options, {"nodes": found}, text)
