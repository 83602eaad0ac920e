"""`midflight emacs`: where the Emacs package is, which comes with this one, and the lines for an init file."""

from __future__ import annotations

import argparse
from pathlib import Path

from midflight.cli.show import show
from midflight.errors import NotFound

__all__ = ["emacs"]

_PACKAGE = Path(__file__).parents[1]
_PLACES = (_PACKAGE / "editors" / "emacs", _PACKAGE.parents[1] / "elisp")  # of the wheel, and of a checkout

INIT = """\
(add-to-list 'load-path "{folder}")
(require 'midflight)
(add-hook 'python-mode-hook #'midflight-mode)
(add-hook 'python-ts-mode-hook #'midflight-mode)
"""


def emacs(options: argparse.Namespace) -> int:
    """Print the folder of the elisp, or the lines for init.el. Raises: NotFound if it is not there."""
    folder = next((place for place in _PLACES if (place / "midflight.el").exists()), None)
    if folder is None:
        raise NotFound(f"The Emacs package is not at {_PLACES[0]}; nothing was printed. Install Midflight again.")
    quoted = str(folder).replace("\\", "\\\\").replace('"', '\\"')
    return show(options, {"folder": str(folder)}, lambda: INIT.format(folder=quoted) if options.init else str(folder))
