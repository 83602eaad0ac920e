"""`python -m midflight.editors.neovim`: the bridge on standard input and output, as the plugin starts it.

With `--rtp` it prints the folder to put on Neovim's 'runtimepath', and ends:

    set rtp+=$(python -m midflight.editors.neovim --rtp)
"""

from __future__ import annotations

import os
import sys

import pynvim

from midflight.editors.neovim.bridge import Bridge

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Run the bridge until Neovim is gone; return the exit code."""
    if arguments == ["--rtp"]:
        print(os.path.dirname(os.path.abspath(__file__)))
        return 0
    if arguments:
        print(f"midflight: --rtp is the only option, not {' '.join(arguments)}", file=sys.stderr)
        return 2
    nvim = pynvim.attach("stdio")
    sys.stdout = sys.stderr  # the real one is Neovim's channel
    bridge = Bridge(nvim)
    try:
        nvim.run_loop(bridge.requested, bridge.notified)
    except (EOFError, OSError):
        pass  # Neovim is gone, which is how this ends
    finally:
        bridge.close()
        os._exit(0)  # threads may still wait for Neovim to show something; nobody is left to wait for them


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
