"""The shell: one evaluator, shared by Emacs, Neovim and the terminal."""

from midflight.shell.machine import resident_bytes
from midflight.shell.scope import ShellScope
from midflight.shell.session import EvalResult, Session, names_of_a_shell

__all__ = [
    "EvalResult",
    "Session",
    "ShellScope",
    "names_of_a_shell",
    "resident_bytes",
]
