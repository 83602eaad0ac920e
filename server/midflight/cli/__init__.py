"""The command line: arguments in, text or JSON out. It decides nothing; the server and the application do.

Exit codes: 0 done, 1 refused or failed (the reason is on stderr), 2 wrong arguments, 130 broken off.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from midflight.cli.parser import parser
from midflight.errors import MidflightError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (MidflightError, TimeoutError) as error:
        print(f"midflight: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
