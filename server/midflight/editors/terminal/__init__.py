"""The terminal: a shell of the server, and a report on the installation for when something is wrong."""

from midflight.editors.terminal.doctor import examine
from midflight.editors.terminal.shell import run_shell

__all__ = ["examine", "run_shell"]
