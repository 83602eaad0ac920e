"""What a person at a terminal uses: a shell of the server, and what to look at when something is wrong."""

from midflight.editors.terminal.doctor import examine
from midflight.editors.terminal.shell import run_shell

__all__ = ["examine", "run_shell"]
