"""The fixtures of a running runtime and its shells."""

from helpers.shell_fixtures import copying, make_shell, running, shell

__all__ = ["copying", "make_shell", "running", "shell"]
