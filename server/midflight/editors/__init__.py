"""The front ends that are written in Python: the terminal and the Neovim bridge."""

from typing import TYPE_CHECKING

from midflight.lazy import names_of

if TYPE_CHECKING:
    from midflight.editors.taken import clock_of
    from midflight.editors.terminal import examine, run_shell
else:
    __getattr__ = names_of(
        __name__,
        {
            "midflight.editors.taken": "clock_of",
            "midflight.editors.terminal": "examine run_shell",
        },
    )

__all__ = ["clock_of", "examine", "run_shell"]
