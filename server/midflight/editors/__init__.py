"""The front ends that are written in Python: the terminal and the Neovim bridge."""

from midflight.editors.terminal import examine, run_shell

__all__ = ["examine", "run_shell"]
