"""The arguments of every command, and the function that runs it."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

from midflight.cli import code_arguments, process_arguments
from midflight.cli.arguments import count, natural, number, port, seconds

__all__ = ["parser"]

_DESCRIPTION = """\
Hot code loading for Python: a server runs your processes, and loads new versions of their modules while they run
on. The commands find the server of a project by its root, the nearest folder upwards with a pyproject.toml, else
with a .git, else the current folder.
"""


_EXIT_CODES = """\
exit codes: 0 done; 1 failed, or done in part; 2 wrong arguments; 3 refused, nothing was changed; 4 not found
(a process, a module, a version, a file); 5 no server; 6 timed out; 7 the code does not take the state of a durable
server; 130 broken off; 141 nobody reads the output.
With --json an error is {"error": {"kind": ..., "code": ..., "text": ...}} on standard output.
"""

LOCAL = ("attach", "serve", "run", "servers", "doctor", "emacs")
"""The commands that ask no server, or all."""

HERE = ("watch", "restart", "log", "completion", "relay")
"""The commands for a server on this machine: `--connect` is not for them."""


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
        if name not in (*LOCAL, *HERE):
            added.add_argument(
                "--connect",
                metavar="WHERE",
                help="ask a server elsewhere: HOST:FOLDER by ssh, or a command that runs midflight relay there",
            )
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
    it.add_argument(
        "--store",
        metavar="FILE",
        help="keep the state of durable servers in FILE, {name} in it is the server's name (default: store in "
        "[tool.midflight])",
    )
    it.add_argument("--name", metavar="NODE", help="be the node NODE of a cluster, which --server NODE finds")
    for option, what in (
        ("--listen", "where others join (default: a free port)"),
        ("--join", "a node to join"),
    ):
        it.add_argument(option, action="append", default=[], metavar="ENDPOINT", help=f"{what}: tcp/127.0.0.1:PORT")
    it.add_argument(
        "--code",
        choices=["disk", "last"],
        help="what modules begin with if there is a store: their files, or what ran last, unsaved texts too (default: "
        "code in [tool.midflight], else disk)",
    )
    it.add_argument(
        "--require-start",
        action="store_true",
        help="end with exit code 1 if `start` or an application of the project does not start, or `start` crashes, "
        "with 7 if the code does not take the state of a durable server",
    )

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
        "-c", dest="expression", metavar="CODE", help="evaluate CODE, print its value, and end; exit 1 if it raises"
    )
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

    code_arguments.add_to(command)
    process_arguments.add_to(command)

    it = command("debug", "debug:debug", "let an editor's debugger, by debugpy, stop in the running server")
    it.add_argument(
        "--port", type=port, metavar="N", help="listen on this port of 127.0.0.1, 0 for a free one, in place of stdin"
    )
    it = command("attach", "attach:attach_to", "give a Python that runs already a server (Python 3.14)", data=True)
    it.add_argument("pid", metavar="PROCESS_ID", type=count, help="the operating system's number of it, as ps shows")
    it.add_argument(
        "--timeout", type=seconds, default=20.0, metavar="SECONDS", help="how long to wait for it (default: 20)"
    )
    command("relay", "elsewhere:relay", "carry the wire over standard input and output, for --connect")
    command("watch", "watch:watch", "load what is saved: together what was saved together, until Ctrl-C", data=True)
    command("servers", "servers:list_servers", "list the servers of the project: one, or one a worker", data=True)
    command("nodes", "nodes:nodes", "list the nodes of the cluster that the server is in", data=True)
    command("restart", "servers:restart", "end the server of the project, and start it again in the background")
    command("stop", "servers:stop", "end the server of the project and all its processes")
    it = command("log", "log:log", "print the end of the log of a server in the background")
    it.add_argument("--lines", "-n", type=natural, default=50, metavar="N", help="how many lines (default: 50)")
    it.add_argument("--follow", "-f", action="store_true", help="go on with what it writes, until Ctrl-C")
    it.add_argument("--path", action="store_true", help="print where the log is")
    it = command("completion", "completion:completion", "print the script by which a shell completes midflight")
    it.add_argument("shell", choices=["bash", "zsh", "fish"], nargs="?", help="default: bash")
    it.add_argument("--words", choices=["modules", "processes"], help="print such words of the running server instead")
    it = command("emacs", "emacs:emacs", "print where the Emacs package is, which comes with this one", data=True)
    it.add_argument("--init", action="store_true", help="print the lines for Emacs's init file instead")
    command("doctor", "doctor:doctor", "show what is installed, and what is known of the project's server", data=True)
    return made


class _Version(argparse.Action):
    """Looks the version up when it is asked for: that takes longer than most commands."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        parser.exit(message=f"midflight {import_module('importlib.metadata').version('midflight')}\n")
