"""The arguments of every command, and the function that runs it."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

from midflight.cli.arguments import count, natural, number, port, seconds, word
from midflight.cli.choices import HOLDERS_SECONDS, KINDS, ORDERS

__all__ = ["parser"]

_DESCRIPTION = """\
Hot code loading for Python: a server runs your processes, and loads new versions of their modules while they run
on. The commands find the server of a project by its root, the nearest folder upwards with a pyproject.toml, else
with a .git, else the current folder.
"""


_EXIT_CODES = """\
exit codes: 0 done; 1 failed, or done in part; 2 wrong arguments; 3 refused, nothing was changed; 4 not found
(a process, a module, a version, a file); 5 no server; 6 timed out; 130 broken off; 141 nobody reads the output.
With --json an error is {"error": {"kind": ..., "code": ..., "text": ...}} on standard output.
"""

LOCAL = ("serve", "run", "servers", "doctor")
"""The commands that ask no server, or all."""


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="midflight",
        description=_DESCRIPTION,
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action=_Version, nargs=0, help="print the version and leave")
    commands = made.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, run: str, help: str, *, data: bool = False) -> Any:
        added = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
        added.set_defaults(command=name, run=run, json=False)
        added.add_argument("--root", metavar="DIR", help="the project's root, instead of looking for it")
        if name not in LOCAL:
            added.add_argument("--server", metavar="NAME", help="one of several servers of the project; see servers")
        if data:
            added.add_argument("--json", action="store_true", help="print JSON")
        return added

    it = command("serve", "servers:serve", "run the server of the project; the first line it prints is its port")
    it.add_argument("--detach", action="store_true", help="start it in the background and return when it answers")
    it.add_argument(
        "--port",
        type=port,
        default=0,
        metavar="N",
        help="listen on this port of 127.0.0.1 (default: a free one)",
    )

    it.add_argument("--watch", action="store_true", help="load what is saved, as midflight watch does")

    it = command(
        "run", "programs:run", "run a script, or a function as the first process, with a server, until it ends"
    )
    it.add_argument("--watch", action="store_true", help="load what is saved, as midflight watch does")
    it.add_argument("-m", dest="is_module", action="store_true", help="TARGET is a module, as for python -m")
    it.add_argument(
        "target",
        metavar="TARGET",
        help="a script such as app.py, run as __main__; or FILE_OR_MODULE:FUNCTION, for instance counter.py:start",
    )
    it.add_argument(
        "arguments",
        nargs=argparse.REMAINDER,
        metavar="ARGUMENT",
        help="for a script what it finds in sys.argv, options too; for a function its arguments, as strings",
    )

    it = command("shell", "servers:shell", "talk to the processes; a server is started for it if none runs", data=True)
    which = it.add_mutually_exclusive_group()
    which.add_argument(
        "--list", action="store_true", help="list the shells of clients that are gone, which wait to be taken up"
    )
    which.add_argument(
        "--take",
        type=number,
        nargs="?",
        const=True,
        metavar="SHELL",
        help="go on with that shell, its bindings and what was printed meanwhile; default: the last to lose its client",
    )

    it = command("load", "requests:load", "load files as new versions of their modules, all of them or none", data=True)
    which = it.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "files", metavar="FILE", type=word, nargs="*", default=[], help="a folder is those of its modules that run"
    )
    which.add_argument(
        "--modified",
        action="store_true",
        help="load all modules whose file is not what runs; name those whose file is gone",
    )
    it.add_argument("--all", action="store_true", help="in all servers of the project, or in none")
    _add_load_switches(it)
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

    it = command(
        "upgrade",
        "requests:upgrade",
        "load modules and change the states of their live servers, all of it or nothing",
        data=True,
    )
    it.add_argument("modules", metavar="MODULE_OR_FILE", type=word, nargs="+")
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

    it = command(
        "move",
        "requests:move",
        "move the idle processes of a module to its current version; exit 1 if some stay",
        data=True,
    )
    it.add_argument("module", metavar="MODULE", type=word)

    it = command(
        "forward",
        "requests:forward",
        "make functions of older versions that others hold the current ones; exit 1 if some stay old",
        data=True,
    )
    it.add_argument("module", metavar="MODULE", type=word)

    it = command("recover", "requests:recover", "bring back the value that a load has left behind", data=True)
    it.add_argument("module", metavar="MODULE", type=word)
    it.add_argument("name", metavar="NAME", help="the variable, as the report of the load names it")

    it = command(
        "ps", "requests:ps", "list the processes: which version of which module each runs, and where", data=True
    )
    it.add_argument("--all", action="store_true", help="those of all servers of the project")

    command(
        "tasks", "tasks:tasks", "list the asyncio tasks: which code each runs, where, and what for it waits", data=True
    )
    it = command("where", "tasks:where", "show the stack of an asyncio task", data=True)
    it.add_argument("task", metavar="TASK", help="an id as tasks shows it, for instance t7")
    it = command("cancel", "tasks:cancel", "cancel an asyncio task")
    it.add_argument("task", metavar="TASK", help="an id as tasks shows it")

    it = command(
        "versions", "requests:versions", "list the versions of a module that run or can be rolled back to", data=True
    )
    it.add_argument("module", metavar="MODULE", type=word)
    it.add_argument("--why", type=number, metavar="VERSION", help="say instead what keeps that version in memory")

    it = command("diff", "requests:diff", "show how two versions of a module differ", data=True)
    it.add_argument("module", metavar="MODULE", type=word)
    it.add_argument("a", type=number, metavar="A", help="number of a version")
    it.add_argument("b", type=number, metavar="B", help="number of another one")

    it = command("rollback", "requests:rollback", "load an earlier version's text as a new version", data=True)
    it.add_argument("module", metavar="MODULE", type=word)
    it.add_argument("version", type=number, nargs="?", metavar="VERSION", help="default: the one before the current")
    _add_load_switches(it)

    it = command(
        "purge", "requests:purge", "drop a module's old versions and kill the processes that run them", data=True
    )
    it.add_argument("module", metavar="MODULE", type=word)
    it.add_argument("--soft", action="store_true", help="kill nobody; drop them only if nobody runs them")

    it = command("send", "requests:send", "send a process a message")
    it.add_argument("pid", metavar="PID", type=word, help="a pid as ps shows it, or a registered name")
    it.add_argument(
        "expression", metavar="EXPRESSION", help="""the message in Python, for instance '("increment", 3)'"""
    )

    it = command("exit", "requests:exit", "send a process an exit signal")
    it.add_argument("pid", metavar="PID", type=word, help="a pid as ps shows it, or a registered name")
    it.add_argument(
        "reason",
        nargs="?",
        default="shutdown",
        metavar="REASON",
        help="default: shutdown; kill ends it at once",
    )

    it = command("call", "requests:call", "ask a server, and print its answer", data=True)
    it.add_argument("pid", metavar="PID", type=word, help="a pid as ps shows it, or a registered name")
    it.add_argument("expression", metavar="EXPRESSION", help="the request in Python")
    it.add_argument("--timeout", type=seconds, metavar="SECONDS", help="how long it may take (default: 5)")

    it = command("top", "top:top", "show the processes that do most, anew each second; q ends it", data=True)
    it.add_argument("--once", action="store_true", help="print them once, as it does where there is no terminal")
    it.add_argument("--interval", type=seconds, default=1.0, metavar="SECONDS", help="default: 1")
    it.add_argument("--sort", choices=sorted(ORDERS.values()), default="reductions", help="default: reductions")

    it = command("trace", "trace:trace", "print what processes do while they do it, until it is broken off", data=True)
    it.add_argument("pids", metavar="PID", type=word, nargs="*", help="a pid as ps shows it, or a registered name")
    it.add_argument(
        "--module",
        action="append",
        dest="modules",
        metavar="MODULE",
        help="also who runs it now, and whoever comes to run it",
    )
    it.add_argument("--later", action="store_true", help="a name that nobody has yet is waited for, and not refused")
    it.add_argument("--new", action="store_true", help="also who is spawned from now on")
    it.add_argument("--children", action="store_true", help="also who is spawned by one that is traced")
    it.add_argument("--all", action="store_true", help="all processes")
    it.add_argument(
        "--kind", action="append", dest="kinds", choices=KINDS, help="only events of this kind; may be given again"
    )
    it.add_argument("--seconds", type=seconds, metavar="N", help="end after so long")
    it.add_argument("--count", type=count, metavar="N", help="end after so many events")

    command("watch", "watch:watch", "load what is saved: together what was saved together, until Ctrl-C", data=True)
    command("servers", "servers:list_servers", "list the servers of the project: one, or one a worker", data=True)
    command("stop", "servers:stop", "end the server of the project and all its processes")
    command("doctor", "doctor:doctor", "show what is installed, and what is known of the project's server", data=True)
    return made


class _Version(argparse.Action):
    """Looks the version up when it is asked for: that takes longer than most commands."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        parser.exit(message=f"midflight {import_module('importlib.metadata').version('midflight')}\n")


def _add_load_switches(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="load it though a check refuses it")
    parser.add_argument("--move", action="store_true", help="move the idle processes to it, as move does")
