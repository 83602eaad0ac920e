"""The arguments of the commands about code: load, check, upgrade, versions and their like."""

from __future__ import annotations

import argparse
from typing import Any

from midflight.cli.arguments import count, natural, number, word
from midflight.cli.choices import HOLDERS_SECONDS

__all__ = ["add_to"]


def add_to(command: Any) -> None:
    """Add them. `command` adds one, and returns its parser."""
    it = command("load", "loads:load", "load files as new versions of their modules, all of them or none", data=True)
    which = it.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "files", metavar="FILE", type=word, nargs="*", default=[], help="a folder is those of its modules that run"
    )
    which.add_argument(
        "--modified",
        action="store_true",
        help="load all modules whose file is not what runs; name those whose file is gone",
    )
    _add_load_switches(it)
    it.add_argument("--all", action="store_true", help="in all servers of the project, or in none")
    it.add_argument("--dry-run", action="store_true", help="show what would change and who would stay; load nothing")
    it.add_argument(
        "--fresh",
        action="append",
        metavar="NAME",
        default=[],
        help="a name of the state that is to be new, and not kept; of several files MODULE:NAME; may be given again",
    )
    it.add_argument(
        "--forward",
        action="store_true",
        help="make functions of older versions that others hold the current ones, where that is safe",
    )
    it.add_argument(
        "--holders",
        type=natural,
        metavar="SECONDS",
        default=HOLDERS_SECONDS,
        help=f"seconds to look for who holds functions of older versions (default: {HOLDERS_SECONDS}; 0: not at all)",
    )
    it.add_argument(
        "--thread",
        choices=["runtime"],
        help="run the body on the thread that runs processes, which wait meanwhile: for sqlite3.connect and such",
    )
    it.add_argument(
        "--two-versions",
        action="store_true",
        help="refuse it while processes run an older version than the current, as Erlang's limit has it",
    )

    it = command("check", "loads:check", "compile files and check their texts; nothing is run or loaded", data=True)
    it.add_argument("files", metavar="FILE", type=word, nargs="+")

    it = command(
        "upgrade",
        "loads:upgrade",
        "load modules and change the states of their live servers, all of it or nothing",
        data=True,
    )
    it.add_argument(
        "modules",
        metavar="MODULE_OR_FILE",
        type=word,
        nargs="*",
        help="or a plan, PLAN.json; without one follow the plan upgrade-plan.json in the project's root",
    )
    it.add_argument(
        "--plan",
        metavar="PLAN.json",
        nargs="?",
        const=True,
        type=word,
        help="write the order and the steps of the upgrade (without modules: of all that was saved), and do nothing",
    )
    it.add_argument("--extra", metavar="EXPR", help="what code_change gets as `extra`, in Python; default: None")
    it.add_argument("--dry-run", action="store_true", help="show what would become of each server; change nothing")
    it.add_argument(
        "--to",
        type=number,
        metavar="VERSION",
        help="of one module: load that version's text again, states go down to it",
    )
    it.add_argument("--timeout", type=count, metavar="SECONDS", help="how long servers may be suspended (default: 4)")
    it.add_argument("--force", action="store_true", help="load it though a check refuses it")

    it = command("rollback", "loads:rollback", "load an earlier version's text as a new version", data=True)
    it.add_argument("module", metavar="MODULE", type=word)
    it.add_argument("version", type=number, nargs="?", metavar="VERSION", help="default: the one before the current")
    _add_load_switches(it)

    it = command(
        "move",
        "loads:move",
        "move the idle processes of a module to its current version; exit 1 if some stay",
        data=True,
    )
    it.add_argument("module", metavar="MODULE", type=word)

    it = command(
        "forward",
        "loads:forward",
        "make functions of older versions that others hold the current ones; exit 1 if some stay old",
        data=True,
    )
    it.add_argument("module", metavar="MODULE", type=word)

    it = command("recover", "loads:recover", "bring back the value that a load has left behind", data=True)
    it.add_argument("module", metavar="MODULE", type=word)
    it.add_argument("name", metavar="NAME", help="the variable, as the report of the load names it")

    it = command(
        "versions", "versions:versions", "list the versions of a module that run or can be rolled back to", data=True
    )
    it.add_argument("module", metavar="MODULE", type=word)
    it.add_argument("--why", type=number, metavar="VERSION", help="say instead what keeps that version in memory")

    it = command("diff", "versions:diff", "show how two versions of a module differ", data=True)
    it.add_argument("module", metavar="MODULE", type=word)
    it.add_argument("a", type=number, metavar="A", help="number of a version")
    it.add_argument("b", type=number, metavar="B", help="number of another one")

    it = command(
        "purge", "versions:purge", "drop a module's old versions and kill the processes that run them", data=True
    )
    it.add_argument("module", metavar="MODULE", type=word)
    it.add_argument("--soft", action="store_true", help="kill nobody; drop them only if nobody runs them")


def _add_load_switches(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="load it though a check refuses it")
    parser.add_argument("--move", action="store_true", help="move the idle processes to it, as move does")
