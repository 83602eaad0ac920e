"""The front ends that are written in Python: the terminal and the Neovim bridge."""

from midflight.editors.history import versions_in_memory
from midflight.editors.taken import clock_of
from midflight.editors.terminal import examine, run_shell

__all__ = ["clock_of", "examine", "run_shell", "versions_in_memory"]
