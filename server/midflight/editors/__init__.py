"""The front ends that are written in Python: the terminal and the Neovim bridge."""

from typing import TYPE_CHECKING

from midflight.lazy import names_of

if TYPE_CHECKING:
    from midflight.editors.taken import clock_of
    from midflight.editors.terminal import examine, run_shell
    from midflight.editors.traced import trace_line
else:
    __getattr__ = names_of(
        __name__,
        {
            "midflight.editors.taken": "clock_of",
            "midflight.editors.terminal": "examine run_shell",
            "midflight.editors.traced": "trace_line",
        },
    )

__all__ = ["clock_of", "examine", "run_shell", "trace_line"]
