"""The arguments of the commands about processes: ps, tree, state, send, top, trace and their like."""

from __future__ import annotations

from typing import Any

from midflight.cli.arguments import count, natural, number, seconds, word
from midflight.cli.choices import COLUMNS, KINDS, ORDERS

__all__ = ["add_to"]

PID = "a pid as ps shows it, or a registered name"


def add_to(command: Any) -> None:
    """Add them. `command` adds one, and returns its parser."""
    it = command(
        "ps", "processes:ps", "list the processes: which version of which module each runs, and where", data=True
    )
    it.add_argument("--all", action="store_true", help="those of all servers of the project")
    it.add_argument("--module", action="append", metavar="MODULE", help="only those that run MODULE")
    it.add_argument("--name", action="append", metavar="TEXT", help="only those whose name has TEXT in it")
    it.add_argument("--text", action="append", metavar="TEXT", help="only those with TEXT anywhere in their row")
    it.add_argument("--old", action="store_true", help="only those that run an older version than the current one")
    it.add_argument("--sort", choices=COLUMNS, default="pid", help="default: pid")
    it.add_argument("--reverse", action="store_true", help="the last first")
    it.add_argument("--limit", type=natural, metavar="N", help="at most N; 0: all (default: 1000, all with --json)")

    command(
        "tasks", "tasks:tasks", "list the asyncio tasks: which code each runs, where, and what for it waits", data=True
    )
    it = command("where", "tasks:where", "show the stack of an asyncio task", data=True)
    it.add_argument("task", metavar="TASK", help="an id as tasks shows it, for instance t7")
    it = command("cancel", "tasks:cancel", "cancel an asyncio task")
    it.add_argument("task", metavar="TASK", help="an id as tasks shows it")

    it = command(
        "applications",
        "applications:applications",
        "list the applications: which run, in the order of their start, and what each needs",
        data=True,
    )
    it.add_argument("--start", metavar="NAME", type=word, help="start one, and before it all that it needs")
    it.add_argument("--stop", metavar="NAME", type=word, help="stop one; what needs it runs on")
    it = command(
        "profile", "profile:profile", "show where the program spends its time, by process and function", data=True
    )
    it.add_argument("--seconds", type=seconds, default=5.0, metavar="N", help="how long to look (default: 5)")
    it.add_argument("--svg", metavar="FILE", help="write the flame picture to FILE")

    it = command("tree", "processes:tree", "show the processes as a tree, with the children of supervisors", data=True)

    it = command(
        "state",
        "states:state",
        "show the state of a live process; with list, show, history, restore, delete, dump or load: those in the store",
        data=True,
    )
    it.add_argument(
        "pid",
        metavar="PID",
        type=word,
        help=f"{PID}; or list, dump, or with NAME show, history, restore, delete, dump, or load with FILE",
    )
    it.add_argument(
        "name", metavar="NAME", nargs="?", help="the name of a durable server; for load a dump, -: standard input"
    )
    it.add_argument("number", metavar="NUMBER", type=number, nargs="?", help="an earlier state, as history lists them")
    it.add_argument("--store", metavar="FILE", help="the store (default: store in [tool.midflight])")
    it.add_argument(
        "--put", metavar="FILE", help="put this text, as state prints it and edited, into the server; -: standard input"
    )

    it = command(
        "crashes", "crashes:crashes", "list crashes of processes, show one, start its process again", data=True
    )
    it.add_argument("crash", metavar="CRASH", type=number, nargs="?", help="the number of one, which is shown whole")
    it.add_argument("--restart", action="store_true", help="start its process again with the state it had")
    it.add_argument("--arguments", metavar="EXPR", help="a dict in Python to start it with, in place of that state")
    it.add_argument("--resend", action="store_true", help="start it, and send it its last message again")
    it.add_argument("--dismiss", action="store_true", help="forget it; without a number all of them")

    it = command("reports", "reports:reports", "list what supervisors did about their children", data=True)
    it.add_argument("--clear", action="store_true", help="forget them")

    it = command("send", "messages:send", "send a process a message")
    it.add_argument("pid", metavar="PID", type=word, help=PID)
    it.add_argument(
        "expression", metavar="EXPRESSION", help="""the message in Python, for instance '("increment", 3)'"""
    )

    it = command("exit", "messages:exit", "send a process an exit signal")
    it.add_argument("pid", metavar="PID", type=word, help=PID)
    it.add_argument(
        "reason",
        nargs="?",
        default="shutdown",
        metavar="REASON",
        help="default: shutdown; kill ends it at once",
    )

    it = command("kill", "messages:kill", "end a process at once, though it does not yield or stands at a breakpoint")
    it.add_argument("pid", metavar="PID", type=word, help=PID)

    it = command("continue", "messages:go_on", "let a process go on that stands at a breakpoint or asks for a line")
    it.add_argument("pid", metavar="PID", type=word, nargs="?", help=f"{PID}; default: whichever stands")

    it = command("call", "messages:call", "ask a server, and print its answer", data=True)
    it.add_argument("pid", metavar="PID", type=word, help=PID)
    it.add_argument("expression", metavar="EXPRESSION", help="the request in Python")
    it.add_argument("--timeout", type=seconds, metavar="SECONDS", help="how long it may take (default: 5)")

    it = command("top", "top:top", "show the processes that do most, each second again; q ends it", data=True)
    it.add_argument("--once", action="store_true", help="print them once, as it does where there is no terminal")
    it.add_argument("--plain", action="store_true", help="draw a plain page, as it does without Textual")
    it.add_argument("--interval", type=seconds, default=1.0, metavar="SECONDS", help="default: 1")
    it.add_argument("--sort", choices=sorted(ORDERS.values()), default="reductions", help="default: reductions")

    it = command("trace", "trace:trace", "print what processes do while they do it, until it is broken off", data=True)
    it.add_argument("pids", metavar="PID", type=word, nargs="*", help=PID)
    it.add_argument(
        "--module",
        action="append",
        dest="modules",
        metavar="MODULE",
        help="also those that run it now, and those that come to run it",
    )
    it.add_argument(
        "--function",
        type=word,
        metavar="NAME",
        help="the calls of a function or method instead: shop.price, shop.Till.init",
    )
    it.add_argument(
        "--args",
        dest="arguments",
        type=word,
        metavar="PATTERN",
        help="only calls whose tuple of arguments matches, as receive matches: \"('tea', ...)\"",
    )
    it.add_argument("--returns", action="store_true", help="also what the calls return or raise")
    it.add_argument("--rate", type=count, metavar="N", help="end if more than N calls come in a second (default: 100)")
    it.add_argument("--later", action="store_true", help="a name that nobody has yet is waited for, and not refused")
    it.add_argument("--new", action="store_true", help="also who is spawned from now on")
    it.add_argument("--children", action="store_true", help="also who is spawned by one that is traced")
    it.add_argument("--all", action="store_true", help="all processes")
    it.add_argument(
        "--kind", action="append", dest="kinds", choices=KINDS, help="only events of this kind; may be given again"
    )
    it.add_argument("--seconds", type=seconds, metavar="N", help="end after so long")
    it.add_argument(
        "--count", type=count, metavar="N", help="end after so many events; of --function: calls (default: 100)"
    )
